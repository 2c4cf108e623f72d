"""Replace releases that have no usable file where they are needed, if other releases have one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.markers import MarkerSet
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.regions import choice_region, environment_region
from lockset.resolve.problem.request import Preference
from lockset.resolve.releases.direct_repository import UrlRequirementDiscovered
from lockset.resolve.solver.budget import BudgetSpentError, SearchBudget
from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, extra_and_group_choices, search, solve_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from packaging.version import Version

    from lockset.markers import Environment
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Node, Pins, Resolution

    T = TypeVar("T")
    Releases = IndexRepository | DirectRepository


__all__ = ["with_files"]

# Searches of the region with missing files. Each may show that there is no solution with more extras.
_ROUNDS = 12
# Decisions of all these searches; beyond them, the resolution stays as it is.
_DECISIONS = 24_000
# Decisions of the search of one environment; a project of 100 packages needs about 150.
_SHARE = 1_500
# Attempts of a search that discovers direct sources.
_MOST_ATTEMPTS = 8


def with_files(
    resolution: Resolution, lacking: MarkerSet, problem: ResolutionProblem, repository: Releases
) -> Resolution:
    """`resolution`, or another one that has a usable file in more of the environments that are `lacking` one.

    Files are needed in the environments of described interpreters, except on a Python in development if the range is
    open above. Where some choice of releases has all files, it is used there, and the choice elsewhere stays.
    Where none has, nothing changes. Old sdists do not count, and nothing is built.
    """
    sdists = _sdists(resolution, repository)
    strict = repository.under(replace(problem.rules, must_have=problem.rules.counting, sdists=sdists))
    return _Search(problem, strict).instead_of(resolution, lacking, repository)


def _sdists(resolution: Resolution, repository: Releases) -> Mapping[str, Mapping[Version, MarkerSet]]:
    """Where releases of projects with wheels are chosen: no older sdist counts instead of a missing wheel there."""
    sdists: dict[str, dict[Version, MarkerSet]] = {}
    for (name, version), node in resolution.nodes.items():
        if isinstance(version, DirectVersion) or any(f.is_wheel for f in repository.files(name, version)):
            sdists.setdefault(name, {})[version] = node.region
    return sdists


class _Search:
    """Searches for releases with files; `repository` admits no others where they are needed, and builds nothing."""

    def __init__(self, problem: ResolutionProblem, repository: Releases) -> None:
        self._problem = problem
        self._repository = repository
        self._budget = SearchBudget(_DECISIONS)

    def instead_of(self, resolution: Resolution, lacking: MarkerSet, repository: Releases) -> Resolution:
        """`resolution` with another solution in `lacking`, as far as there is one."""
        request = self._problem.request
        region = lacking - _never_chosen(request)
        region -= self._unsolvable(region)
        for left in reversed(range(_ROUNDS)):
            if not left:
                # Last attempt: only the sampled combinations of extras and groups.
                region &= MarkerSet.union([self._exactly(choice) for choice in extra_and_group_choices(request)])
            if region.is_empty:
                break
            answer = self._within_bounds(_DECISIONS, partial(self._together, region, resolution))
            if answer is None:
                break
            if isinstance(answer, ResolutionImpossible):
                region -= answer.universe | self._unsolvable_alike(answer.universe)
                continue
            pins = answer.joined(resolution.pins)
            better = resolution_graph(pins, request.roots, request.universe, repository, resolution.statistics)
            of_no_use = (_of_no_use(better, repository) - _of_no_use(resolution, repository)) & region
            if of_no_use.is_empty:
                return better
            region -= of_no_use
        return resolution

    def _together(self, region: MarkerSet, resolution: Resolution) -> Pins | ResolutionImpossible:
        """The solution of `region` alone, or why there is none.

        Prefers what is chosen there; for a package that lacks files, what is chosen anywhere.
        """
        lacking = {name for (name, _), node in resolution.nodes.items() if not self._has_files(node, region)}
        preferences = dict(self._problem.request.preferences)
        for _, candidates in resolution.pins.parts:
            for (name, decided), candidate in candidates.items():
                if isinstance(candidate, ReleaseCandidate):
                    where = MarkerSet.any() if name in lacking else decided
                    tried = Preference(version=candidate.version, region=where, binding=False)
                    preferences[name] = (*preferences.get(name, ()), tried)
        request = replace(self._problem.request, universe=region, preferences=preferences)
        try:
            return search(request, self._repository, self._budget)[0]
        except ResolutionImpossible as impossible:
            return impossible

    def _has_files(self, node: Node, region: MarkerSet) -> bool:
        return (node.region & region).is_disjoint(self._repository.lacks_files(*node.key))

    def _within_bounds(self, share: int, attempt: Callable[[], T]) -> T | None:
        for _ in range(_MOST_ATTEMPTS):
            self._budget.begin(share)
            try:
                return attempt()
            except UrlRequirementDiscovered:
                continue
            except BudgetSpentError:
                break
        return None

    def _unsolvable(self, region: MarkerSet) -> MarkerSet:
        """Where no choice of releases has files, for the described interpreters in `region`."""
        region_without = MarkerSet.none()
        for choice in extra_and_group_choices(self._problem.request):
            region_without |= self._unsolvable_targets(region - region_without, choice)
        return region_without

    def _unsolvable_alike(self, region: MarkerSet) -> MarkerSet:
        """The same for the extras and groups that are chosen everywhere in `region`."""
        request = self._problem.request
        extras = [e for e in request.extras or () if region.implies(MarkerSet.extra(e))]
        groups = [g for g in request.all_groups if region.implies(MarkerSet.group(g))]
        return self._unsolvable_targets(region, (extras, groups))

    def _unsolvable_targets(self, region: MarkerSet, choice: tuple[Sequence[str], Sequence[str]]) -> MarkerSet:
        """Where no choice of releases has files with these extras and groups, and so with more of them."""
        request = self._problem.request
        chosen = _chosen(choice, request)
        alone = self._exactly(choice)
        region_without = MarkerSet.none()
        for target, where in self._problem.rules.targets.items():
            point = self._point(target.environment, choice)
            part = (region & where & alone) - region_without
            if not point.is_disjoint(part):
                # Without a solution, there is none with more extras and groups either.
                region_without |= MarkerSet.none() if self._has_answer(point) else where & chosen
            elif (example := part.example()) is not None:
                # A part that the interpreter does not stand for, such as one patch release that others exclude.
                full = example.environment["python_full_version"]
                python, _, _ = full.rpartition(".")
                environment = replace(target.environment, python_full_version=full, python_version=python)
                if not self._has_answer(self._point(environment, choice)):
                    region_without |= part.without_extras_and_groups() & chosen
        return region_without

    def _exactly(self, choice: tuple[Sequence[str], Sequence[str]]) -> MarkerSet:
        request = self._problem.request
        return choice_region(*choice, all_extras=request.extras or (), all_groups=request.all_groups)

    def _point(self, environment: Environment, choice: tuple[Sequence[str], Sequence[str]]) -> MarkerSet:
        request = self._problem.request
        return request.universe & environment_region(
            environment,
            extras=choice[0],
            groups=choice[1],
            all_extras=request.extras or (),
            all_groups=request.all_groups,
        )

    def _has_answer(self, point: MarkerSet) -> bool:
        request = self._problem.request

        def solved() -> bool:
            return solve_environment(request, point, request.roots, self._repository, self._budget) is None

        return bool(self._within_bounds(_SHARE, solved))


def _of_no_use(resolution: Resolution, repository: Releases) -> MarkerSet:
    """Environments in which files are of no use.

    There, the upper bound of a chosen release excludes the Python, or the release does not provide a required extra:
    in an older release it may not exist yet, and what it requires is not installed.
    """
    regions = []
    for key, node in resolution.nodes.items():
        regions.append(node.region - repository.strictly_serves(*key))
        if node.extras:
            facts = repository.facts(*key)
            regions += [region for extra, region in node.extras if facts is None or extra not in facts.extras]
    return MarkerSet.union(regions)


def _never_chosen(request: LockRequest) -> MarkerSet:
    """Extras without the project that they are extras of."""
    if request.default_group is None:
        return MarkerSet.none()
    return MarkerSet.union(map(MarkerSet.extra, request.extras or ())) - MarkerSet.group(request.default_group)


def _chosen(choice: tuple[Sequence[str], Sequence[str]], request: LockRequest) -> MarkerSet:
    """Where at least these extras and groups are chosen.

    An extra is never installed without the project, so its default group is implied.
    """
    extras, groups = choice
    region = MarkerSet.any()
    for extra in extras:
        region &= MarkerSet.extra(extra)
    for group in groups:
        if not extras or group != request.default_group:
            region &= MarkerSet.group(group)
    return region
