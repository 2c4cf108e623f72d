"""Random worlds against every solution of one environment alone: where forks give which environment the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.markers import Environment
from support.fakes.fake_repository import FakeRelease
from support.strategies.resolve_worlds import (
    MARKERS,
    NAMES,
    SAMPLES,
    VERSIONS,
    OneEnvironment,
    World,
    check_sound,
    resolved,
    selected,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.resolve.solver.resolution import Resolution

# A third platform, which the markers name only by what it is not.
ENVIRONMENTS = (
    *SAMPLES,
    *(Environment.of_platform("macos", python, "cpython") for python in ("3.10", "3.11", "3.12", "3.13")),
)
FEW = NAMES[:4]


@st.composite
def limits(draw: st.DrawFn) -> str:
    """A requirement, most often with a marker."""
    specifier = draw(st.sampled_from(("", "", "<2", "<3", "==1", "==2", ">=2", "!=3")))
    marker = draw(st.one_of(st.just(""), st.sampled_from(MARKERS[:-2]), st.sampled_from(MARKERS[:-2])))
    return f"{draw(st.sampled_from(FEW))}{specifier}" + (f" ; {marker}" if marker else "")


@st.composite
def divided_worlds(draw: st.DrawFn) -> World:
    """Worlds whose releases often fit on some Pythons or platforms only."""
    return {
        name: {
            version: FakeRelease(
                requires=tuple(draw(st.lists(limits(), max_size=2))) if draw(st.booleans()) else (),
                requires_python=draw(st.sampled_from(("", "", "", "", ">=3.11", "<3.12"))),
            )
            for version in draw(st.lists(st.sampled_from(VERSIONS), min_size=2, max_size=3, unique=True))
        }
        for name in FEW
    }


roots_lists = st.lists(limits(), min_size=2, max_size=5)


def holds(world: World, roots: list[str], environment: Environment, chosen: dict[str, str]) -> bool:
    """Whether what is chosen meets everything there; what it has beyond that does not count."""
    try:
        check_sound(world, roots, environment, chosen, exactly=False)
    except AssertionError:
        return False
    return True


def newer_releases(world: World, name: str, version: str) -> list[str]:
    return [other for other in world[name] if Version(other) > Version(version)]


def is_limited(one: OneEnvironment, roots: list[str], chosen: Mapping[str, str], name: str, version: str) -> bool:
    """Whether a release is excluded there by its Pythons or by what others require of it, not by what it requires."""
    world = one.world
    if one.python not in SpecifierSet(world[name][version].requires_python):
        return True
    texts = [*roots, *(text for other, v in chosen.items() if other != name for text in world[other][v].requires)]
    return any(
        requirement.name == name
        and one.applies(requirement, frozenset())
        and not requirement.specifier.contains(version, prereleases=True)
        for requirement in map(Requirement, texts)
    )


@given(world=divided_worlds(), roots=roots_lists)
def test_each_environment_has_the_newest_release_that_only_other_environments_exclude(
    world: World, roots: list[str]
) -> None:
    # A release that would fit in one environment, with all others as they are there, is missing only where the release
    # itself requires something in another environment that does not fit.
    note(f"{roots} {world}")
    resolution = resolved(world, roots)
    if resolution is None:
        return
    chosen = {environment: selected(resolution, environment) for environment in ENVIRONMENTS}
    for environment in ENVIRONMENTS:
        for name, version in chosen[environment].items():
            for newer in newer_releases(world, name, version):
                if not holds(world, roots, environment, {**chosen[environment], name: newer}):
                    continue
                sharing = [e for e in ENVIRONMENTS if chosen[e].get(name) == version]
                assert any(
                    not holds(world, roots, e, {**chosen[e], name: newer})
                    and not is_limited(OneEnvironment(world, e), roots, chosen[e], name, newer)
                    for e in sharing
                ), f"{name} {newer} in {environment}"


def forked(resolution: Resolution) -> Iterator[str]:
    names = [name for name, _ in resolution.nodes]
    return (name for name in dict.fromkeys(names) if names.count(name) > 1)


@given(world=divided_worlds(), roots=roots_lists)
def test_what_is_forked_is_older_somewhere_never_everywhere(world: World, roots: list[str]) -> None:
    # In some environment, no solution for it alone has a newer release of the package without an older one of another.
    note(f"{roots} {world}")
    resolution = resolved(world, roots)
    if resolution is None:
        return
    requirements = [(Requirement(text), frozenset[str]()) for text in roots]
    for name in forked(resolution):
        for environment in ENVIRONMENTS:
            chosen = selected(resolution, environment)
            if name not in chosen:
                continue
            answers = OneEnvironment(world, environment).answers(requirements, {}, {})
            if not any(is_better(answer, chosen, name) for answer in answers):
                break
        else:
            raise AssertionError(f"{name} is older everywhere")


def is_better(answer: Mapping[str, str], chosen: Mapping[str, str], name: str) -> bool:
    """Whether an answer has a newer `name`, and no other package older than it is chosen."""
    return (
        name in answer
        and Version(answer[name]) > Version(chosen[name])
        and all(Version(answer.get(other, version)) >= Version(version) for other, version in chosen.items())
    )
