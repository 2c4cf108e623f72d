"""Random worlds: the search finds a lock whenever each environment alone has an answer, and what it finds holds."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.markers import Environment, MarkerSet, possible
from lockset.progress import NullListener
from lockset.resolve.problem.request import LockRequest
from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, parse_dependency
from lockset.resolve.solver.resolution_graph import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search
from support.fakes.fake_repository import FakeRelease, FakeRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.resolve.solver.resolution import Pins, Resolution

World = dict[str, dict[str, FakeRelease]]

NAMES = ("a", "b", "c", "d", "e")
VERSIONS = ("1", "2", "3")
MARKERS = (
    "python_version < '3.11'",
    "python_version >= '3.11'",
    "python_version < '3.12'",
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "sys_platform == 'linux' and python_version >= '3.11'",
    "implementation_name == 'pypy'",
    "extra == 'x'",
    "extra == 'x' and sys_platform == 'win32'",
)
SAMPLES = tuple(
    Environment.of_platform(platform, python, implementation)
    for platform in ("linux", "windows")
    for python in ("3.10", "3.11", "3.12", "3.13")
    for implementation in ("cpython", "pypy")
)
UNIVERSE = MarkerSet.of_python(">=3.10,<3.14") & possible()


@st.composite
def requirements(draw: st.DrawFn, *, root: bool = False) -> str:
    name = draw(st.sampled_from(NAMES))
    extra = draw(st.sampled_from(("", "", "", "[x]")))
    specifier = draw(st.sampled_from(("", "", ">=2", "<2", "<3", "==1", "!=2", ">=3")))
    markers = MARKERS[:-2] if root else MARKERS
    marker = draw(st.one_of(st.just(""), st.sampled_from(markers)))
    return f"{name}{extra}{specifier}" + (f" ; {marker}" if marker else "")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world: World = {}
    for name in NAMES:
        versions = draw(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=3, unique=True))
        world[name] = {
            version: FakeRelease(
                requires=tuple(draw(st.lists(requirements(), max_size=2))),
                requires_python=draw(st.sampled_from(("", "", "", ">=3.11", "<3.12"))),
                extras=frozenset({"x"}),
            )
            for version in versions
        }
    return world


roots_lists = st.lists(requirements(root=True), min_size=1, max_size=4)


def request_for(roots: list[str], *, probe: bool = True) -> LockRequest:
    parsed = [parse_dependency(text) for text in roots]
    return LockRequest(
        roots=tuple(
            RootRequirement(
                dependency=d, region=d.marker, origin=RequirementOrigin(name="project", version=None, text=d.text)
            )
            for d in parsed
        ),
        universe=UNIVERSE,
        requires_python=SpecifierSet(">=3.10,<3.14"),
        open_above=False,
        probes=(SAMPLES[6], SAMPLES[0]) if probe else (),
        samples=SAMPLES,
    )


class OneEnvironment:
    """A complete search in one environment, written as plainly as can be, with packaging alone."""

    def __init__(self, world: World, environment: Environment) -> None:
        self.world = world
        self.values = environment.as_dict()
        self.python = Version(environment.python_full_version)

    def solvable(self, roots: list[str]) -> bool:
        return any(True for _ in self.answers([(Requirement(r), frozenset()) for r in roots], {}, {}))

    def applies(self, requirement: Requirement, extras: frozenset[str]) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate({**self.values, "extra": e}) for e in (extras or {""}) | {""})

    def answers(
        self,
        waiting: list[tuple[Requirement, frozenset[str]]],
        chosen: Mapping[str, str],
        extras: Mapping[str, frozenset[str]],
    ) -> Iterator[Mapping[str, str]]:
        waiting = [w for w in waiting if self.applies(*w)]
        if not waiting:
            yield chosen
            return
        (requirement, _), *rest = waiting
        name = requirement.name
        versions = [chosen[name]] if name in chosen else sorted(self.world[name], reverse=True)
        for version in versions:
            release = self.world[name][version]
            if not requirement.specifier.contains(version, prereleases=True) or self.python not in SpecifierSet(
                release.requires_python
            ):
                continue
            before = extras.get(name)
            after = (before or frozenset()) | requirement.extras
            more: list[tuple[Requirement, frozenset[str]]] = []
            if before is None or after != before:
                more = [(Requirement(r), after) for r in release.requires]
            yield from self.answers([*rest, *more], {**chosen, name: version}, {**extras, name: after})


def selected(resolution: Resolution, environment: Environment) -> dict[str, str]:
    found: dict[str, str] = {}
    for (name, version), node in resolution.nodes.items():
        if node.region.evaluate(environment):
            assert name not in found, f"two versions of {name}"
            found[name] = str(version)
    return found


def check_sound(
    world: World, roots: list[str], environment: Environment, chosen: dict[str, str], *, exactly: bool = True
) -> None:
    one = OneEnvironment(world, environment)
    reached: dict[str, frozenset[str]] = {}
    waiting = [(Requirement(r), frozenset[str]()) for r in roots]
    while waiting:
        requirement, extras = waiting.pop()
        if not one.applies(requirement, extras):
            continue
        assert requirement.name in chosen, f"{requirement} is not served"
        version = chosen[requirement.name]
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is served by {version}"
        release = world[requirement.name][version]
        assert one.python in SpecifierSet(release.requires_python)
        before = reached.get(requirement.name)
        after = (before or frozenset()) | requirement.extras
        if after != before:
            reached[requirement.name] = after
            waiting.extend((Requirement(r), after) for r in release.requires)
    assert not exactly or chosen.keys() == reached.keys(), "something superfluous is selected"


def searched(request: LockRequest, repository: FakeRepository) -> tuple[Pins | None, ResolutionImpossible | None]:
    try:
        return search(request, repository, NullListener())[0], None
    except ResolutionImpossible as impossible:
        return None, impossible


@given(world=worlds(), roots=roots_lists)
def test_a_lock_is_found_exactly_when_every_environment_has_an_answer_and_it_holds(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    request = request_for(roots)
    repository = FakeRepository(world)
    solvable = [OneEnvironment(world, e).solvable(roots) for e in SAMPLES]
    pins, failure = searched(request, repository)
    if pins is None:
        assert not all(solvable), "every environment has an answer"
        assert failure is not None
        assert failure.exhausted
        return
    assert all(solvable), "an environment has no answer"
    resolution = resolution_graph(pins, request.roots, request.universe, repository)
    for environment in SAMPLES:
        check_sound(world, roots, environment, selected(resolution, environment))


@st.composite
def worlds_with_prereleases(draw: st.DrawFn) -> World:
    """Some releases are pre-releases, and some requirements name one."""
    world = draw(worlds())
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        version = draw(st.sampled_from(("1a1", "2a1", "4a1")))
        target = draw(st.sampled_from(NAMES))
        marker = draw(st.sampled_from(("", *(f" ; {m}" for m in MARKERS[:-2]))))
        asked = (f"{target}>=1a1{marker}",) if draw(st.booleans()) else (f"{target}{marker}",)
        world[name] = {**world[name], version: FakeRelease(requires=asked)}
    asking = draw(st.sampled_from(NAMES))
    world[asking] = {
        version: replace(release, requires=(*release.requires, f"{draw(st.sampled_from(NAMES))}=={version[0]}a1"))
        for version, release in world[asking].items()
    }
    return world


@given(world=worlds_with_prereleases(), roots=roots_lists)
def test_a_prerelease_is_chosen_only_where_somebody_names_it_or_no_final_release_fits(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    request = request_for(roots)
    repository = FakeRepository(world)
    pins, _ = searched(request, repository)
    if pins is None:
        return
    resolution = resolution_graph(pins, request.roots, request.universe, repository)
    for environment in SAMPLES:
        chosen = selected(resolution, environment)
        check_sound(world, roots, environment, chosen)
        for (name, version), node in resolution.nodes.items():
            if not version.is_prerelease or not node.region.evaluate(environment):
                continue
            asked = [e for e in resolution.edges if e.target == (name, version) and e.region.evaluate(environment)]
            specifiers = [e.dependency.specifier for e in asked]
            python = Version(environment.python_full_version)
            final = [
                v
                for v, release in world[name].items()
                if not Version(v).is_prerelease
                and python in SpecifierSet(release.requires_python)
                and all(s.admits(Version(v)) for s in specifiers)
            ]
            assert not final or any(s.names_prerelease for s in specifiers), f"{name} {version} for {final}"


def newer_alone_or_in_pairs(world: World, resolution: Resolution) -> Iterator[dict[tuple[str, str], str]]:
    entries = [(name, str(version)) for name, version in resolution.nodes]
    newer = {(n, v): [x for x in world[n] if Version(x) > Version(v)] for n, v in entries}
    for entry in entries:
        yield from ({entry: version} for version in newer[entry])
    for one, other in combinations(entries, 2):
        yield from ({one: x, other: y} for x in newer[one] for y in newer[other])


def holds(world: World, roots: list[str], environment: Environment, chosen: dict[str, str]) -> bool:
    """Whether what is chosen meets everything; what it has beyond that does not count."""
    try:
        check_sound(world, roots, environment, chosen, exactly=False)
    except AssertionError:
        return False
    return True


@given(world=worlds(), roots=roots_lists)
def test_no_entry_and_no_two_entries_together_could_be_newer_with_all_others_as_they_are(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    request = request_for(roots)
    repository = FakeRepository(world)
    pins, _ = searched(request, repository)
    if pins is None:
        return
    resolution = resolution_graph(pins, request.roots, request.universe, repository)
    chosen = {environment: selected(resolution, environment) for environment in SAMPLES}
    for newer in newer_alone_or_in_pairs(world, resolution):
        changed = {e: {n: newer.get((n, v), v) for n, v in c.items()} for e, c in chosen.items()}
        seen = {item for c in chosen.values() for item in c.items()}
        assert not newer.keys() <= seen or not all(
            c == chosen[e] or holds(world, roots, e, c) for e, c in changed.items()
        ), f"{newer} in {list(resolution.nodes)}"


def test_answers_of_two_probes_are_not_mixed_into_one_that_is_older_than_either() -> None:
    # As s3fs, aiobotocore, botocore and boto3: `s` 2 allows `b` 30, without it `b` 60 fits; never old `s` and old `b`.
    world: World = {
        "s": {"1": FakeRelease(requires=("k",)), "2": FakeRelease(requires=("m",))},
        "m": {str(i): FakeRelease(requires=(f"k=={i}",)) for i in range(1, 31)},
        "k": {str(i): FakeRelease() for i in range(1, 61)},
        "b": {str(i): FakeRelease(requires=(f"k=={i}",)) for i in range(1, 61)},
    }
    request = request_for(["s", "b"])
    pins, _ = searched(request, FakeRepository(world))
    assert pins is not None
    resolution = resolution_graph(pins, request.roots, request.universe, FakeRepository(world))
    for environment in SAMPLES:
        assert selected(resolution, environment) == {"s": "2", "m": "30", "k": "30", "b": "30"}


@given(world=worlds(), roots=roots_lists)
def test_the_same_question_has_the_same_answer(world: World, roots: list[str]) -> None:
    def answer() -> object:
        try:
            pins, _ = search(request_for(roots), FakeRepository(world), NullListener())
        except ResolutionImpossible:
            return None
        request = request_for(roots)
        resolution = resolution_graph(pins, request.roots, request.universe, FakeRepository(world))
        return [(key, node.region) for key, node in resolution.nodes.items()]

    assert answer() == answer()
