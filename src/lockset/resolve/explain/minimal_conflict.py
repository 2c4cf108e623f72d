"""The minimal conflict of a failure: the smallest set of roots and constraints that fails, and in which environments.

The set is found by deletion: each root and constraint is left out in turn, and stays out if the rest still fails (a
minimal unsatisfiable subset).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lockset._dataclass import dataclass, replace
from lockset.errors import LocksetError
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.releases.direct_repository import UrlRequirementDiscovered
from lockset.resolve.solver.budget import BudgetSpentError, SearchBudget
from lockset.resolve.solver.search import ResolutionImpossible, search, solve_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lockset.markers import Environment, MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RootRequirement, Specifier
    from lockset.resolve.releases.repository import AdjustableRepository
    from lockset.resolve.solver.resolution import Pins
    from lockset.resolve.solver.search import Cause

__all__ = ["Constraint", "MinimalConflict", "TrialRunner", "minimize_conflict"]

# Decisions of all searches that explain one failure; a project of 100 packages needs about 150 to be resolved.
_DECISIONS = 12_000
# Decisions reserved for the requirements of one conflict alone.
_DECISIONS_OF_PART = 3_000
# Decisions of one search.
_SHARE = 2_500
# Attempts of a trial that discovers direct sources.
_MOST_ATTEMPTS = 8
# Environments to try, to show where else it fails.
_MOST_ENVIRONMENTS = 40

# A constraint: package name and specifier.
Constraint = tuple[str, "Specifier"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimalConflict:
    """A minimal set of roots and constraints without a solution.

    Attributes:
        region: The environment of the failure.
        roots: Requirements of the project, none of which can be left out.
        constraints: Constraints, none of which can be left out.
        causes: The causes of the last conflict.
        exhausted: Whether everything was tried.
        failing: Sampled environments in which the set has no solution.
        holding: Sampled environments in which it has one.
    """

    region: MarkerSet
    roots: tuple[RootRequirement, ...]
    constraints: tuple[Constraint, ...]
    causes: tuple[Cause, ...]
    exhausted: bool
    failing: tuple[Environment, ...] = ()
    holding: tuple[Environment, ...] = ()


class TrialRunner:
    """Solves changed requests, within one budget for all of them; builds nothing."""

    def __init__(self) -> None:
        self._budget = SearchBudget(_DECISIONS)
        self._failing: dict[MarkerSet, None] = {}

    @property
    def is_spent(self) -> bool:
        """Whether no more can be tried."""
        return self._budget.left <= 0

    @property
    def failing(self) -> tuple[MarkerSet, ...]:
        """Environments in which changed requests failed: the next one will probably fail there, too."""
        return tuple(self._failing)

    def begin_part(self) -> None:
        """Go on with a smaller request, for which a part of the budget is reserved."""
        self._budget.left = max(self._budget.left, _DECISIONS_OF_PART)
        self._failing.clear()

    def environment(
        self,
        request: LockRequest,
        region: MarkerSet,
        roots: Sequence[RootRequirement],
        repository: AdjustableRepository,
    ) -> ResolutionImpossible | BudgetSpentError | None:
        """Why `roots` have no solution in one environment, None if they have one; BudgetSpentError if unknown."""
        outcome = self._within_bounds(lambda: solve_environment(request, region, roots, repository, self._budget))
        # A failure that may depend on metadata that needs a build is unknown, since nothing is built.
        return (
            BudgetSpentError()
            if isinstance(outcome, ResolutionImpossible) and _names(outcome) & repository.unbuilt
            else outcome
        )

    def everywhere(self, request: LockRequest, repository: AdjustableRepository) -> Pins | None:
        """The solution of a request; None where there is none, or none within the budget."""

        def solve() -> Pins | None:
            try:
                return search(request, repository, self._budget)[0]
            except ResolutionImpossible as impossible:
                self._failing[impossible.universe] = None
                return None

        answer = self._within_bounds(solve)
        return None if isinstance(answer, BudgetSpentError) else answer

    def _within_bounds(self, attempt: Callable[[], T]) -> T | BudgetSpentError:
        for _ in range(_MOST_ATTEMPTS):
            self._budget.begin(_SHARE)
            try:
                return attempt()
            except UrlRequirementDiscovered:
                continue
            except BudgetSpentError as spent:
                return spent
            except LocksetError:
                break  # a page or file cannot be read: the outcome is unknown
        return BudgetSpentError()


def _names(impossible: ResolutionImpossible) -> set[str]:
    """Every package that takes part in the failure."""
    required = {cause.requirement.name for cause in impossible.causes}
    return required | {o.name for c in impossible.causes for o in (*c.chain, c.origin) if o.version is not None}


def minimize_conflict(
    impossible: ResolutionImpossible, request: LockRequest, repository: AdjustableRepository, trials: TrialRunner
) -> MinimalConflict:
    """The minimal conflict of a failure, with the sampled environments in which it fails."""
    region = impossible.universe
    roots = [r for r in request.roots if not (r.region & region).is_empty]
    causes = impossible.causes

    def fails(roots: Sequence[RootRequirement], constraints: Sequence[Constraint]) -> bool:
        nonlocal causes
        kept = with_constraints(request, constraints)
        again = trials.environment(kept, region, roots, repository) if roots else None
        if not isinstance(again, ResolutionImpossible) or (impossible.exhausted and not again.exhausted):
            return False
        causes = again.causes
        return True

    constraints = list(_constraints(request, region))
    if constraints and fails(roots, ()):
        constraints = []
    # Often only the roots at which the chains of the conflict begin matter.
    begun = {c.chain[0] for c in causes if c.chain and c.chain[0].version is None}
    likely = [r for r in roots if r.origin in begun]
    if len(likely) < len(roots) and fails(likely, constraints):
        roots = likely
    roots = _without_each(roots, lambda rest: bool(rest) and fails(rest, constraints))
    constraints = _without_each(constraints, lambda rest: fails(roots, rest))
    conflict = MinimalConflict(
        region=region,
        roots=tuple(roots),
        constraints=tuple(constraints),
        causes=tuple(causes),
        exhausted=impossible.exhausted,
    )
    return _with_environments(conflict, request, repository, trials)


def with_constraints(request: LockRequest, kept: Sequence[Constraint]) -> LockRequest:
    """The request with only these of its constraints; constraints to a direct source stay."""
    chosen = set(kept)
    constraints = {
        name: tuple((s, where) for s, where in held if s.source is not None or (name, s) in chosen)
        for name, held in request.policy.constraints.items()
    }
    return replace(request, policy=replace(request.policy, constraints=constraints))


def _constraints(request: LockRequest, region: MarkerSet) -> Iterator[Constraint]:
    for name, held in request.policy.constraints.items():
        for specifier, where in held:
            if specifier.source is None and not where.is_disjoint(region):
                yield name, specifier


def _without_each(items: list[T], fails: Callable[[list[T]], bool]) -> list[T]:
    """`items` without those that can be left out while it still fails; tries large parts first."""
    size = max(len(items) // 2, 1)
    while size:
        position = 0
        while position < len(items):
            rest = items[:position] + items[position + size :]
            if fails(rest):
                items = rest
            else:
                position += size
        size //= 2
    return items


def _with_environments(
    conflict: MinimalConflict, request: LockRequest, repository: AdjustableRepository, trials: TrialRunner
) -> MinimalConflict:
    failing, holding = [], []
    constrained = with_constraints(request, conflict.constraints)
    for environment in request.samples[:_MOST_ENVIRONMENTS]:
        region = sampled(environment, conflict.region, request)
        if region.is_empty:
            continue
        answer = trials.environment(constrained, region, conflict.roots, repository)
        if isinstance(answer, ResolutionImpossible):
            failing.append(environment)
        elif answer is None:
            holding.append(environment)
        else:
            # An incomplete list would be misleading.
            return conflict
    return replace(conflict, failing=tuple(failing), holding=tuple(holding))


def sampled(environment: Environment, like: MarkerSet, request: LockRequest) -> MarkerSet:
    """A sampled environment with the extras and groups that are chosen in the region `like`."""
    example = like.example()
    return request.universe & environment_region(
        environment,
        extras=example.extras if example is not None else (),
        groups=example.groups if example is not None else (),
        all_extras=request.extras or (),
        all_groups=request.all_groups,
    )
