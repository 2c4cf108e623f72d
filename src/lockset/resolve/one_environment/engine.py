"""Resolve a request for one environment with resolvelib, within a budget."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from resolvelib import BaseReporter
from resolvelib.resolvers import Resolution, ResolutionImpossible, ResolutionTooDeep

from lockset._dataclass import dataclass, replace
from lockset.resolve.one_environment.provider import ApplicableRequirement, Candidate, OneEnvironmentProvider
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.version import Version
    from resolvelib.resolvers import Criterion

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.repository import Repository

    _Reporter: TypeAlias = BaseReporter[ApplicableRequirement, Candidate, str]
else:
    _Reporter = BaseReporter

__all__ = ["Budget", "NoSolution", "Undecided", "resolve_one", "unmet"]


# Steps of a resolution that backtracks one choice at a time, and of one that also tries opt-in releases.
_STEPS_OF_ANOTHER_TRY = 1_000
# Its share of the time.
_TIME_OF_ANOTHER_TRY = 0.25


class NoSolution(Exception):
    """No choice of releases works in the environment."""


class Undecided(Exception):
    """The budget was spent before there was a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits of one resolution.

    Attributes:
        steps: Rounds of resolvelib and candidates that it rejects, together.
        seconds: Time, including all waiting; checked between steps.
    """

    steps: int
    seconds: float


def resolve_one(
    request: LockRequest,
    region: MarkerSet,
    repository: Repository,
    budget: Budget,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Mapping[str, Version]:
    """The release of each project that the request needs in `region`, which is one environment.

    A pre-release or yanked release may be needed before the requirement that names it is known: if there is no solution
    without opt-in releases, those of the projects in conflict are tried, and the result counts if all are named.

    Raises:
        NoSolution: resolvelib tried everything.
        Undecided: the budget was spent.
        LocksetError: an index cannot be reached, or its response is not valid.
        UrlRequirementDiscovered: a requirement by URL was discovered; resolve again with it.
    """
    spending = _Spending(budget, clock)
    opt_in: set[str] = set()
    try:
        return _supported_solution(request, region, repository, spending, opt_in=opt_in)
    except NoSolution:
        admission = Admission(repository, request.policy)
        opt_in |= {name for name in spending.rejected if admission.needing_opt_in(repository.releases(name))}
        if not opt_in:
            raise
        with suppress(Undecided), spending.another_try():
            return _supported_solution(request, region, repository, spending, opted_in=frozenset(opt_in))
        raise


def unmet(
    chosen: Mapping[str, Version], request: LockRequest, region: MarkerSet, repository: Repository
) -> frozenset[str]:
    """The projects required in `region`, one environment, for which `chosen` has no admitted release that fits.

    If there are none, `chosen` is a solution there.
    """
    provider = OneEnvironmentProvider(request, region, repository)
    return frozenset(
        name
        for name, wanted in _requirements_of(chosen, provider).items()
        if name not in chosen or chosen[name] not in provider.versions(name, {one.specifier for one in wanted})
    )


def _requirements_of(
    chosen: Mapping[str, Version], provider: OneEnvironmentProvider
) -> Mapping[str, set[ApplicableRequirement]]:
    """The requirements on each project that the roots reach."""
    requirements: dict[str, set[ApplicableRequirement]] = {}
    waiting = list(provider.roots)
    while waiting:
        wanted = waiting.pop()
        before = requirements.setdefault(wanted.name, set())
        if wanted not in before:
            before.add(wanted)
            if wanted.name in chosen:
                extras = frozenset(extra for one in before for extra in one.extras)
                candidate = Candidate(name=wanted.name, version=chosen[wanted.name], extras=extras)
                waiting += provider.get_dependencies(candidate)
    return requirements


def _supported_solution(
    request: LockRequest,
    region: MarkerSet,
    repository: Repository,
    spending: _Spending,
    *,
    opt_in: set[str] | None = None,
    opted_in: frozenset[str] = frozenset(),
) -> Mapping[str, Version]:
    """A solution in which each opt-in release is named by a requirement; those of `opted_in` projects are tried.

    If resolvelib replaces a release of a project, requirements of the old one may remain, and keep a release that no
    other requirement names. Such a release is left out of the next try.
    """
    tried = replace(request, policy=replace(request.policy, opted_in=opted_in)) if opted_in else request
    make = partial(OneEnvironmentProvider, tried, region, repository, opt_in=opt_in)
    left_out: frozenset[tuple[str, Version]] = frozenset()
    while True:
        try:
            chosen = _run_resolvelib(make(left_out=left_out), spending)
        except NoSolution:
            # Without jumps, no choice depends on a requirement that is no longer there.
            exactly = make(left_out=left_out if opted_in else (), jumps=False)
            chosen = _backtrack_one_by_one(
                exactly, spending, otherwise=Undecided if left_out and not opted_in else NoSolution
            )
        resting = {(name, chosen[name]) for name in unmet(chosen, request, region, repository) if name in chosen}
        if not resting:
            return chosen
        if resting <= left_out:
            raise Undecided
        left_out |= resting


def _backtrack_one_by_one(
    provider: OneEnvironmentProvider, spending: _Spending, *, otherwise: type[NoSolution | Undecided]
) -> Mapping[str, Version]:
    """The solution if resolvelib backtracks one choice at a time; `otherwise` is raised if that takes too long.

    If a choice has no candidate left, resolvelib jumps back to one that the conflict names. It may jump past the one
    that brought in the project of the conflict, and then finds no solution although there is one.
    """
    try:
        with spending.another_try():
            return _run_resolvelib(provider, spending)
    except Undecided as undecided:
        raise otherwise from undecided


def _run_resolvelib(provider: OneEnvironmentProvider, spending: _Spending) -> Mapping[str, Version]:
    try:
        # Not with a Resolver: to compute what is still required, it loops endlessly in some cycles.
        state = Resolution(provider, spending).resolve(provider.roots, max_rounds=max(spending.left, 1))
    except ResolutionImpossible as impossible:
        raise NoSolution from impossible
    except ResolutionTooDeep as deep:
        raise Undecided from deep
    chosen = {name: candidate.version for name, candidate in state.mapping.items()}
    return {name: chosen[name] for name in sorted(_requirements_of(chosen, provider))}


class _Spending(_Reporter):
    """Counts the steps of resolvelib, and stops the resolution at the end of the budget.

    Attributes:
        left: Remaining steps.
        rejected: Projects whose candidates were rejected.
    """

    def __init__(self, budget: Budget, clock: Callable[[], float]) -> None:
        self.left = budget.steps
        self.rejected: dict[str, None] = {}
        self._clock = clock
        self._seconds = budget.seconds
        self._end = clock() + budget.seconds

    def starting_round(self, index: int) -> None:
        """Count a round."""
        del index
        self._spend()

    def rejecting_candidate(self, criterion: Criterion[ApplicableRequirement, Candidate], candidate: Candidate) -> None:
        """Count a candidate that is rejected."""
        del criterion
        self.rejected[candidate.name] = None
        self._spend()

    @contextmanager
    def another_try(self) -> Iterator[None]:
        """A context with the smaller budget of a further try."""
        kept, end = max(self.left - _STEPS_OF_ANOTHER_TRY, 0), self._end
        self.left -= kept
        self._end = min(end, self._clock() + self._seconds * _TIME_OF_ANOTHER_TRY)
        try:
            yield
        finally:
            self.left += kept
            self._end = end

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0 or self._clock() > self._end:
            raise Undecided
