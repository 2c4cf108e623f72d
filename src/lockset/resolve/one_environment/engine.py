"""Resolves a request for one environment within a budget, and says what a choice of releases lacks there."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from resolvelib import BaseReporter
from resolvelib.resolvers import Resolution, ResolutionImpossible, ResolutionTooDeep

from lockset._dataclass import dataclass
from lockset.resolve.one_environment.provider import Candidate, OneEnvironmentProvider, Wanted
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.version import Version
    from resolvelib.resolvers import Criterion

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.repository import Repository

    _Reporter: TypeAlias = BaseReporter[Wanted, Candidate, str]
else:
    _Reporter = BaseReporter

__all__ = ["Budget", "NoAnswer", "Undecided", "resolve_one", "unmet"]


# Steps of a resolution that goes back one choice at a time, and of one with releases that nobody has named yet.
_STEPS_OF_ANOTHER_TRY = 1_000
# Its part of the time.
_TIME_OF_ANOTHER_TRY = 0.25


class NoAnswer(Exception):
    """No choice of releases works in the environment."""


class Undecided(Exception):
    """The budget was spent before there was an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one resolution may cost.

    Attributes:
        steps: Rounds of resolvelib and candidates that it rejects, together.
        seconds: Time, all waiting included; looked at between steps.
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

    Pre-releases and yanked releases count where somebody names them, though it be after others asked for their project:
    where there is no answer without them, those of the projects in conflict are tried, and the answer counts if they
    are named in the end.

    Raises:
        NoAnswer: resolvelib tried everything.
        Undecided: the budget was spent.
        LocksetError: an index cannot be reached or answers nonsense.
        UrlRequirementDiscovered: a source was found on the way; begin again.
    """
    spending = _Spending(budget, clock)
    opt_in: set[str] = set()
    try:
        return _supported_answer(request, region, repository, spending, opt_in=opt_in)
    except NoAnswer:
        admission = Admission(repository, request.policy)
        opt_in |= {name for name in spending.rejected if admission.needing_opt_in(repository.releases(name))}
        if not opt_in:
            raise
        with suppress(Undecided), spending.another_try():
            return _supported_answer(request, region, repository, spending, opted_in=frozenset(opt_in))
        raise


def unmet(
    chosen: Mapping[str, Version], request: LockRequest, region: MarkerSet, repository: Repository
) -> frozenset[str]:
    """Projects that are required in `region`, one environment, and of which `chosen` has no admitted release that fits.

    Where there are none, `chosen` is an answer there.
    """
    provider = OneEnvironmentProvider(request, region, repository)
    return frozenset(
        name
        for name, wanted in _requirements_of(chosen, provider).items()
        if name not in chosen or chosen[name] not in provider.versions(name, {one.specifier for one in wanted})
    )


def _requirements_of(chosen: Mapping[str, Version], provider: OneEnvironmentProvider) -> Mapping[str, set[Wanted]]:
    """What is required of each project, from the roots on."""
    requirements: dict[str, set[Wanted]] = {}
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


def _supported_answer(
    request: LockRequest,
    region: MarkerSet,
    repository: Repository,
    spending: _Spending,
    *,
    opt_in: set[str] | None = None,
    opted_in: frozenset[str] = frozenset(),
) -> Mapping[str, Version]:
    """An answer in which each release that has to be named is, also of `opted_in` projects, whose releases are tried.

    Where resolvelib chooses another release of a project, requirements that came by way of the first one may stay, and
    a release that nobody else names may rest on them. Such a one is left out of another try.
    """
    tried = replace(request, policy=replace(request.policy, opted_in=opted_in)) if opted_in else request
    make = partial(OneEnvironmentProvider, tried, region, repository, opt_in=opt_in)
    left_out: frozenset[tuple[str, Version]] = frozenset()
    while True:
        try:
            chosen = _run_resolvelib(make(left_out=left_out), spending)
        except NoAnswer:
            # One choice at a time, nothing rests on what is no longer required.
            exactly = make(left_out=left_out if opted_in else (), jumps=False)
            chosen = _go_back_one_by_one(
                exactly, spending, otherwise=Undecided if left_out and not opted_in else NoAnswer
            )
        resting = {(name, chosen[name]) for name in unmet(chosen, request, region, repository) if name in chosen}
        if not resting:
            return chosen
        if resting <= left_out:
            raise Undecided
        left_out |= resting


def _go_back_one_by_one(
    provider: OneEnvironmentProvider, spending: _Spending, *, otherwise: type[NoAnswer | Undecided]
) -> Mapping[str, Version]:
    """The answer where resolvelib goes back one choice at a time; `otherwise` is raised where that takes too long.

    Where a choice has nothing left to try, resolvelib goes back to one that the conflict names, and may so jump over
    the one that brought the project of the conflict in: it finds no answer then, though there is one.
    """
    try:
        with spending.another_try():
            return _run_resolvelib(provider, spending)
    except Undecided as undecided:
        raise otherwise from undecided


def _run_resolvelib(provider: OneEnvironmentProvider, spending: _Spending) -> Mapping[str, Version]:
    try:
        # Not by way of a Resolver: to tell what is still required, it goes round without end in some circles.
        state = Resolution(provider, spending).resolve(provider.roots, max_rounds=max(spending.left, 1))
    except ResolutionImpossible as impossible:
        raise NoAnswer from impossible
    except ResolutionTooDeep as deep:
        raise Undecided from deep
    chosen = {name: candidate.version for name, candidate in state.mapping.items()}
    return {name: chosen[name] for name in sorted(_requirements_of(chosen, provider))}


class _Spending(_Reporter):
    """Hears of each step of resolvelib, and ends the resolution where the budget does.

    Attributes:
        left: Steps that may still be made.
        rejected: Projects of which candidates were rejected.
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

    def rejecting_candidate(self, criterion: Criterion[Wanted, Candidate], candidate: Candidate) -> None:
        """Count a candidate that is rejected."""
        del criterion
        self.rejected[candidate.name] = None
        self._spend()

    @contextmanager
    def another_try(self) -> Iterator[None]:
        """Inside, no more is spent than one try may cost that is not the first."""
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
