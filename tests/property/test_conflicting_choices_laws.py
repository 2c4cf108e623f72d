"""Random projects with declared conflicts: no choice of extras and groups ever gives a wrong set in silence."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import tomli
from hypothesis import given, note
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.pylock import Pylock, PylockSelectError
from packaging.requirements import Requirement
from packaging.tags import Tag

from lockset.errors import LocksetError
from lockset.markers import Environment
from support.worlds.small_world import SmallWorld, selected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAMES = ("a", "b", "c")
EXTRAS = ("e1", "e2", "e3")
GROUPS = ("g1", "g2")
BOUNDED = [f"{name}{bound}" for name in NAMES for bound in ("<2", ">=2", "<3", ">=3")]
NEEDED = [*NAMES, "c<3", "c>=2"]
CONDITIONS = ("", "", " ; sys_platform == 'linux'", " ; sys_platform == 'win32'")
TAGS = [Tag("py3", "none", "any")]


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Members of a conflict ask for bounds, all others for names; inclusions and conflicts cross all of them."""
    members = draw(st.permutations([*(("extra", e) for e in EXTRAS), *(("group", g) for g in GROUPS)]))
    size = draw(st.integers(2, 4))
    cut = draw(st.sampled_from((size, size, 2)))
    conflicts = [[{kind: name} for kind, name in part] for part in (members[:size], members[1 : size + 1][:cut])]
    lines: dict[str, list[Any]] = {}
    for position, (_, name) in enumerate(members):
        bounds = BOUNDED if position < size else NAMES
        lines[name] = draw(st.lists(st.sampled_from(bounds), max_size=2, unique_by=lambda text: text[0]))
    if draw(st.booleans()):  # the last one brings another with it
        kind, name = members[-1]
        extra = draw(st.sampled_from([n for k, n in members[:-1] if k == "extra"]))
        lines[name].append(f"app[{extra}]{draw(st.sampled_from(CONDITIONS))}")
        if kind == "group" and draw(st.booleans()):
            lines[name].append({"include-group": next(n for k, n in members[:-1] if k == "group")})
    needed = st.fixed_dictionaries({"requires": st.lists(st.sampled_from(NEEDED), max_size=1)})
    return {
        "project": {
            "requires-python": ">=3.12",
            "dependencies": draw(st.lists(st.sampled_from(NAMES), max_size=2)),
            "optional-dependencies": {extra: lines[extra] for extra in EXTRAS},
        },
        "dependency-groups": {group: lines[group] for group in GROUPS},
        "tool": {"lockset": {"conflicts": conflicts}},
        "packages": {name: {version: draw(needed) for version in ("1.0", "2.0", "3.0")} for name in NAMES},
    }


def choices(lock: Pylock) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    parts = [("extra", str(e)) for e in lock.extras or ()]
    parts += [("group", str(g)) for g in (*(lock.dependency_groups or ()), *(lock.default_groups or ()))]
    for size in range(len(parts) + 1):
        for chosen in combinations(parts, size):
            yield tuple(n for k, n in chosen if k == "extra"), tuple(n for k, n in chosen if k == "group")


def unmet(result: Mapping[str, str], lock: Pylock, world: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Requirements that the choice makes and `found` does not meet."""
    default = lock.default_groups[0] if lock.default_groups else ""
    waiting = []
    assert lock.tool is not None
    for text in lock.tool["lockset"]["roots"]:
        wanted, _, marker = text.partition(" ; ")
        marker = marker or (f"'{default}' in dependency_groups" if default else "")
        if not marker or Marker(marker).evaluate(values, context="lock_file"):
            waiting.append(Requirement(wanted))
    for name, version in result.items():
        waiting += [Requirement(text) for text in world["packages"][name][version].get("requires", ())]
    return [str(r) for r in waiting if r.name != "app" and not r.specifier.contains(result.get(r.name, "0"))]


def locked(data: dict[str, Any]) -> str | None:
    """The lock's text, None where the project has none."""
    try:
        return SmallWorld(data).lock().text
    except LocksetError as error:
        if error.diagnostic.code not in {"no-resolution", "conflict-within"}:
            raise
        return None


def chosen(lock: Pylock, environment: str, extras: Sequence[str], groups: Sequence[str]) -> list[str] | None:
    """What lockset installs, None where it refuses the choice."""
    try:
        return selected(lock, environment, extras=extras, groups=groups)
    except LocksetError as error:
        if error.diagnostic.code != "conflicting-choice":
            raise
        return None


@given(worlds())
def test_a_choice_is_refused_or_everything_it_asks_for_is_met(data: dict[str, Any]) -> None:
    text = locked(data)
    if text is None:
        return
    note(text)
    lock = Pylock.from_dict(tomli.loads(text))
    for platform, environment in (("linux", "3.12 linux"), ("windows", "3.12 windows")):
        values = Environment.of_platform(platform, "3.12").as_dict()
        for extras, groups in choices(lock):
            everything = {**values, "extras": frozenset(extras), "dependency_groups": frozenset(groups)}
            ours = chosen(lock, environment, extras, groups)
            try:
                items = lock.select(environment=values, tags=TAGS, extras=extras, dependency_groups=groups)  # type: ignore[arg-type]
                theirs = {str(p.name): str(p.version) for p, _ in items}
            except PylockSelectError:
                assert ours is None, "an allowed choice is ambiguous"
                continue
            assert unmet(theirs, lock, data, everything) == [], (extras, groups)
            if ours is not None:
                assert ours == [f"{name} {version}" for name, version in theirs.items()]
