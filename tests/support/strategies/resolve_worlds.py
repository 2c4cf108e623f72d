"""Random worlds of releases for the solver, and the plainest search in one environment to compare it with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.markers import Environment, MarkerSet, possible
from lockset.progress import NullListener
from lockset.resolve.problem.request import LockRequest
from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, parse_dependency
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search
from support.fakes.fake_repository import FakeRelease, FakeRepository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.resolve.solver.resolution import Pins, Resolution

__all__ = [
    "NAMES",
    "SAMPLES",
    "UNIVERSE",
    "OneEnvironment",
    "World",
    "check_sound",
    "request_for",
    "resolved",
    "roots_lists",
    "searched",
    "selected",
    "worlds",
    "worlds_with_prereleases",
]

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
    results: dict[str, str] = {}
    for (name, version), node in resolution.nodes.items():
        if node.region.evaluate(environment):
            assert name not in results, f"two versions of {name}"
            results[name] = str(version)
    return results


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


def resolved(world: World, roots: list[str]) -> Resolution | None:
    """The graph of what the search chooses; None where it finds nothing."""
    request, repository = request_for(roots), FakeRepository(world)
    pins, _ = searched(request, repository)
    return None if pins is None else resolution_graph(pins, request.roots, request.universe, repository)


@st.composite
def worlds_with_prereleases(draw: st.DrawFn) -> World:
    """Some releases are pre-releases, and some requirements name one."""
    world = draw(worlds())
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        version = draw(st.sampled_from(("1a1", "2a1", "4a1")))
        target = draw(st.sampled_from(NAMES))
        marker = draw(st.sampled_from(("", *(f" ; {m}" for m in MARKERS[:-2]))))
        requests = (f"{target}>=1a1{marker}",) if draw(st.booleans()) else (f"{target}{marker}",)
        world[name] = {**world[name], version: FakeRelease(requires=requests)}
    asking = draw(st.sampled_from(NAMES))
    world[asking] = {
        version: replace(release, requires=(*release.requires, f"{draw(st.sampled_from(NAMES))}=={version[0]}a1"))
        for version, release in world[asking].items()
    }
    return world
