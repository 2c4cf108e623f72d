"""Resolve a problem for a lock: the search, later opt-ins to pre-releases, releases with files where they are needed.

The Python range of the lock is narrowed to the upper bounds of its releases, if the project's range is open above. If
the solver respected these bounds, one `<4` would make the rest of the range unsolvable, or choose a release that is
years old. If they were ignored, the lock would claim Pythons on which installers must refuse. So the solver ignores
them, and `requires-python` of the lock is narrowed afterwards. Failures on Pythons in development narrow it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from lockset._dataclass import dataclass, replace
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.python_range import SETTLED
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.version import Version

    from lockset.markers.variables import Release
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import Node, NodeKey, Resolution

__all__ = [
    "ExcludedPython",
    "PythonBound",
    "first_refused",
    "is_outgrown",
    "lacking_files",
    "later_pythons",
    "narrowing",
    "resolution_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBound:
    """The first Python that the lock does not support, and the releases that exclude it.

    Attributes:
        below: The lock supports Pythons below this one, such as `3.15`.
        releases: Names and versions that set the bound, sorted; empty where there is no solution beyond it.
    """

    below: str
    releases: tuple[NodeKey, ...]

    def apply(self, requires_python: SpecifierSet | None) -> SpecifierSet:
        """The narrowed range, without upper bounds that it implies."""
        bounds = requires_python or SpecifierSet()
        kept = [str(s) for s in bounds if s.operator not in {"<", "<="} or not s.contains(self.below)]
        return read_specifiers(",".join([*kept, f"<{self.below}"]))

    @property
    def region(self) -> MarkerSet:
        """The Pythons that remain."""
        return MarkerSet.of_python(f"<{self.below}")

    def of(self, request: LockRequest) -> LockRequest:
        """The request for the Pythons that remain."""
        pythons = self.apply(request.requires_python)
        return replace(request, universe=request.universe & self.region, requires_python=pythons)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedPython:
    """A Python that chosen releases exclude.

    Attributes:
        python: None where they admit every Python on which they are needed.
        releases: The releases that exclude it.
    """

    python: Release | None
    releases: tuple[NodeKey, ...]


def narrowing(resolution: Resolution, admits: Callable[[str, Version], MarkerSet]) -> PythonBound | None:
    """The bound that the chosen releases set, None where they admit every Python of the universe.

    Args:
        resolution: The solution, made without upper bounds.
        admits: Environments that a release admits, with its upper bound.

    Raises:
        LocksetError: `no-python-left`: nothing of the range remains.
    """
    excluded = first_refused(resolution, admits)
    if excluded.python is None:
        return None
    bound = PythonBound(below=_version_text(excluded.python), releases=excluded.releases)
    if (resolution.universe & bound.region).is_empty:
        name, version = excluded.releases[0]
        raise LocksetError(
            "no-python-left",
            f"{name} {version} does not support any Python of the requested range",
            hint="Widen the range, or require another version of it",
        )
    return bound


def first_refused(resolution: Resolution, admits: Callable[[str, Version], MarkerSet]) -> ExcludedPython:
    """The first Python that a chosen release excludes though it is needed there."""
    lowest: Release | None = None
    releases: list[NodeKey] = []
    for key, node in resolution.nodes.items():
        start = (node.region - admits(*key)).python_minimum()
        if start is None:
            continue
        if lowest is None or start < lowest:
            lowest, releases = start, []
        if start == lowest:
            releases.append(key)
    return ExcludedPython(python=lowest, releases=tuple(releases))


def is_outgrown(node: Node, admits: Callable[[str, Version], MarkerSet]) -> bool:
    """Whether a release excludes every Python on which it is needed, and not all of these are in development."""
    return node.region.is_disjoint(admits(*node.key)) and not node.region.is_disjoint(SETTLED)


def later_pythons(impossible: ResolutionImpossible, request: LockRequest) -> PythonBound | None:
    """The bound that excludes a failure on unreleased Pythons; None where released ones fail too.

    Where the project's range is open above, it may be locked for the released Pythons.
    """
    start = impossible.universe.python_minimum()
    if not request.open_above or start is None or not impossible.universe.is_disjoint(SETTLED):
        return None
    bound = PythonBound(below=_version_text(start), releases=())
    return None if (request.universe & bound.region).is_empty else bound


def _version_text(release: Release) -> str:
    numbers = list(release)
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    return ".".join(map(str, numbers))


def resolution_of(
    problem: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    """The resolution of `problem`, or why it has none.

    Where upper bounds narrow the lock, a release that excludes every Python on which it is needed would cost the lock
    all of these. Then the problem is solved again without such releases, and with upper bounds on released Pythons.
    That resolution is used if it supports more Pythons.

    Raises:
        UrlRequirementDiscovered: a direct source was discovered; begin again.
    """
    resolution = _resolution_of(problem, repository, listener)
    if isinstance(resolution, ResolutionImpossible) or not problem.request.open_above:
        return resolution
    bound = first_refused(resolution, repository.strictly_serves)
    if not any(is_outgrown(resolution.nodes[key], repository.strictly_serves) for key in bound.releases):
        return resolution
    policy = replace(problem.request.policy, outgrown=False)
    rules = replace(problem.rules, caps_count=SETTLED)
    strict = replace(problem, rules=rules, request=replace(problem.request, policy=policy))
    alternative = _resolution_of(strict, repository.under(rules), listener)
    if isinstance(alternative, ResolutionImpossible):
        return resolution
    later = first_refused(alternative, repository.strictly_serves)
    return (
        alternative
        if later.python is None or (bound.python is not None and bound.python < later.python)
        else resolution
    )


def _resolution_of(
    problem: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    request = problem.request
    try:
        pins, statistics = search(request, repository, listener)
    except ResolutionImpossible as impossible:
        opted_in = _with_opt_in(impossible, request)
        if opted_in is None:
            return impossible
        resolution = _resolution_of(replace(problem, request=opted_in), repository, listener)
        return impossible if isinstance(resolution, ResolutionImpossible) else resolution
    resolution = resolution_graph(pins, request.roots, request.universe, repository, statistics)
    if not request.policy.opted_in:
        lacking = lacking_files(resolution, repository, problem.rules.counting)
        if not lacking.is_empty and request.open_above:
            lacking &= _supported_anyhow(resolution, lacking, repository)
        if lacking.is_empty:
            return resolution
        from lockset.resolve.lock.wheel_gaps import with_files  # most resolutions have a file everywhere

        better = with_files(resolution, lacking, problem, repository)
        if better is resolution or request.locked_for.is_disjoint(problem.rules.counting):
            return better
        # Pins of the old lock lack files where others have some: so they give way.
        giving_way = replace(request, locked_for=request.locked_for - problem.rules.counting)
        return _resolution_of(replace(problem, request=giving_way), repository, listener)
    from lockset.resolve.solver.opt_in_releases import all_opted_in

    return (
        resolution
        if all_opted_in(resolution, request, repository)
        else ResolutionImpossible(request.universe, (), exhausted=True)
    )


def _supported_anyhow(resolution: Resolution, lacking: MarkerSet, repository: Repository) -> MarkerSet:
    """The Pythons that the lock is not narrowed to exclude, whatever is chosen where files are `lacking`."""
    excluded = first_refused(resolution, lambda *key: repository.strictly_serves(*key) | lacking)
    if excluded.python is None:
        return MarkerSet.any()
    return PythonBound(below=_version_text(excluded.python), releases=excluded.releases).region


def _with_opt_in(impossible: ResolutionImpossible, request: LockRequest) -> LockRequest | None:
    """The request with the missing opt-ins admitted; None where that cannot help."""
    if not impossible.not_opted_in or request.policy.opted_in:
        return None
    return replace(request, policy=replace(request.policy, opted_in=impossible.not_opted_in))


def lacking_files(resolution: Resolution, repository: Repository, needed: MarkerSet) -> MarkerSet:
    """Environments of `needed` in which a chosen release has no file."""
    lacking = MarkerSet.none()
    for (name, version), node in resolution.nodes.items():
        if isinstance(version, DirectVersion):
            continue
        wheels = repository.wheels_serve(name, version)
        if wheels is not None:
            lacking |= (node.region & needed) - wheels
    return lacking
