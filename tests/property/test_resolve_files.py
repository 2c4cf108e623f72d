"""Random worlds with wheels only: the lock has a usable file wherever some answer has, or it says where it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, note
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.markers import Environment, described_tags
from lockset.resolve.problem.build_problem import build_problem
from support.worlds.one_environment import OneEnvironment
from support.worlds.small_world import NOW, SmallWorld, old_lock, selected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.tags import Tag

    from lockset.composition.lock_assembly import LockResult
    from lockset.lockfile.model import Pylock

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2", "3")
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORM_TAGS = (
    "manylinux_2_17_x86_64",
    "manylinux_2_34_x86_64",
    "musllinux_1_2_x86_64",
    "manylinux_2_17_aarch64",
    "win_amd64",
    "macosx_11_0_arm64",
    "macosx_11_0_x86_64",
)
TAGS = (
    "py3-none-any",
    *(f"py3-none-{p}" for p in PLATFORM_TAGS),
    *(f"cp{v}-cp{v}-{p}" for p in PLATFORM_TAGS for v in ("311", "312", "313")),
    "pp311-pypy311_pp73-manylinux_2_17_x86_64",
)
CHOICES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"platforms": ["win_amd64"]},
    {"platforms": ["manylinux_2_28_x86_64", "macosx_14_0_x86_64"]},
    {"platforms": ["musllinux_1_2_x86_64"]},
    {"platforms": ["manylinux_2_28_x86_64"], "implementation": "pypy"},
    {"fork": "fewest"},
)


@st.composite
def requirements(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    specifier = draw(st.sampled_from(("", "", "", ">=2", "<3", "==1", "!=2")))
    marker = draw(st.sampled_from(("", "", " ; sys_platform == 'win32'", " ; python_version >= '3.12'")))
    return f"{name}{specifier}{marker}"


@st.composite
def wheels(draw: st.DrawFn) -> list[str]:
    if draw(st.booleans()):
        return draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6, unique=True))
    pythons = draw(st.lists(st.sampled_from(("311", "312", "313")), min_size=1, unique=True))
    platforms = draw(st.lists(st.sampled_from(PLATFORM_TAGS), min_size=1, max_size=5, unique=True))
    return [f"cp{v}-cp{v}-{p}" for v in pythons for p in platforms]


@st.composite
def worlds(draw: st.DrawFn) -> SmallWorld:
    packages = {
        name: {
            version: {
                "requires": draw(st.lists(requirements(), max_size=2)),
                "wheels": draw(wheels()),
                **({"requires-python": ">=3.12"} if draw(st.integers(0, 5)) == 0 else {}),
            }
            for version in draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=3, unique=True))
        }
        for name in NAMES
    }
    roots = draw(st.lists(requirements(), min_size=1, max_size=3))
    python = draw(st.sampled_from((">=3.11,<3.14", ">=3.12,<3.14", "==3.11.*", ">=3.11")))
    return SmallWorld(
        {
            "project": {"requires-python": python, "dependencies": roots},
            "choices": draw(st.sampled_from(CHOICES)),
            "packages": packages,
        }
    )


pins = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VERSIONS))


def locked(world: SmallWorld, old: Pylock | None) -> LockResult | None:
    """The lock; None where some environment has no answer, whatever files there are."""
    try:
        return world.lock(old=old)
    except LocksetError as error:
        if error.diagnostic.code not in {"no-resolution", "no-environment"}:
            raise
        return None


def environments(world: SmallWorld) -> list[tuple[str, Environment, frozenset[Tag], bool]]:
    """The described interpreters that the lock is for, and whether files are needed there at any price."""
    question = build_problem(world.project, world.choices, old=None, now=NOW)
    results = []
    for sample in question.samples:
        python = sample.environment.python_version
        implementation = "" if sample.implementation == "cpython" else f" {sample.implementation}"
        name = f"{python} {sample.platform}{implementation}"
        assert described_tags(sample.platform, python, sample.implementation) == sample.tags
        results.append((name, sample.environment, frozenset(sample.tags), python in PYTHONS))
    return results


@given(world=worlds(), before=st.one_of(st.none(), pins))
def test_a_lock_has_a_file_wherever_an_answer_has_one_or_names_where_it_has_none(
    world: SmallWorld, before: dict[str, str] | None
) -> None:
    note(repr(world.data))
    roots = world.data["project"]["dependencies"]
    old = None if before is None else old_lock([f"{n} {v}" for n, v in before.items() if v in world.packages[n]])
    result = locked(world, old)
    solvable = [OneEnvironment(world, e, None).has_answer(roots) for _, e, _, _ in environments(world)]
    if result is None:
        assert not all(solvable), "every environment has an answer"
        return
    pythons = result.lock.requires_python or SpecifierSet()
    for name, environment, tags, counts in environments(world):
        if environment.python_full_version not in pythons:
            continue
        if not is_usable(result.lock, name):
            python, platform, *_ = name.split()
            named = [g for g in result.gaps if platform in g.environments and python_is_named(python, g.environments)]
            assert named, f"no warning names {name}"
            assert not (counts and OneEnvironment(world, environment, tags).has_answer(roots)), f"{name} has an answer"


def is_usable(
    pylock: Pylock, environment: str, extras: Sequence[str] = (), groups: Sequence[str] | None = None
) -> bool:
    try:
        selected(pylock, environment, extras=extras, groups=groups)
    except LocksetError as error:
        if error.diagnostic.code != "no-usable-file":
            raise
        return False
    return True


def python_is_named(python: str, text: str) -> bool:
    return python in text or " to " in text


@given(world=worlds())
def test_what_lies_there_changes_no_failure_and_locking_again_changes_nothing(world: SmallWorld) -> None:
    note(repr(world.data))
    first = locked(world, None)
    assume(first is not None)
    assert first is not None
    again = locked(world, first.lock)
    assert again is not None
    assert again.text == first.text


UNNAMED = ("linux_ppc64le", "linux_aarch64", "macosx_14_0_x86_64", "win_arm64")


@given(world=worlds())
def test_what_has_no_file_anywhere_is_as_new_as_elsewhere(world: SmallWorld) -> None:
    note(repr(world.data))
    alone = {version: {**facts, "requires": []} for version, facts in world.packages["a"].items()}
    world = SmallWorld(
        {"project": {**world.data["project"], "dependencies": ["a"]}, "choices": {}, "packages": {"a": alone}}
    )
    result = locked(world, None)
    if result is None:
        return
    for name, environment, tags, counts in environments(world):
        if counts:
            one, anywhere = (OneEnvironment(world, environment, t) for t in (tags, None))
            fitting = [v for v in alone if one.usable("a", v)] or [v for v in alone if anywhere.usable("a", v)]
            assert chosen(result.lock, environment) == max(fitting), name
    for python in PYTHONS:
        for platform in UNNAMED:
            environment = Environment.of_platform(platform, python)
            version = chosen(result.lock, environment)
            one, anywhere = (
                OneEnvironment(world, environment, t) for t in (frozenset(described_tags(platform, python)), None)
            )
            if version is not None and not one.usable("a", version):
                others = {str(p.version) for p in result.lock.packages}
                assert version == max(v for v in others if anywhere.usable("a", v)), f"{python} {platform}"


def chosen(pylock: Pylock, environment: Environment) -> str | None:
    """The version of the only project there, None where the lock is not for the environment."""
    if environment.python_full_version not in (pylock.requires_python or SpecifierSet()):
        return None
    values: Any = {**environment.as_dict(), "extras": frozenset(), "dependency_groups": frozenset()}
    there = [p for p in pylock.packages if p.marker is None or p.marker.evaluate(values, context="lock_file")]
    assert len(there) <= 1
    return str(there[0].version) if there else None


@st.composite
def worlds_with_extras(draw: st.DrawFn) -> SmallWorld:
    world = draw(worlds())
    extras = {name: draw(st.lists(requirements(), min_size=1, max_size=2)) for name in ("x", "y")}
    groups = {"g": draw(st.lists(requirements(), min_size=1, max_size=2))} if draw(st.booleans()) else {}
    project = {**world.data["project"], "optional-dependencies": extras}
    return SmallWorld({**world.data, "project": project, "dependency-groups": groups})


@given(world=worlds_with_extras())
def test_the_same_holds_for_every_choice_of_extras_and_groups(world: SmallWorld) -> None:
    note(repr(world.data))
    result = locked(world, None)
    if result is None:
        return
    project, groups = world.data["project"], world.data["dependency-groups"]
    pythons = result.lock.requires_python or SpecifierSet()
    for name, environment, tags, counts in environments(world):
        if not counts or environment.python_full_version not in pythons:
            continue
        for extras in ((), ("x",), ("y",), ("x", "y")):
            for also in ((), tuple(groups)):
                roots = [*project["dependencies"], *(r for e in extras for r in project["optional-dependencies"][e])]
                roots += [r for g in also for r in groups[g]]
                chosen_groups = [*(result.lock.default_groups or ()), *also] if groups else None
                if not is_usable(result.lock, name, extras, chosen_groups):
                    answer = OneEnvironment(world, environment, tags).has_answer(roots)
                    assert not answer, f"{name} with {extras} and {also} has an answer"
