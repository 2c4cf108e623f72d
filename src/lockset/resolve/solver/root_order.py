"""Of two root requirements whose newest releases do not fit together, the first one gets its newest release.

With the roots `starlette` and `fastapi`, which bounds starlette, a slightly older fastapi that fits the newest
starlette goes before an older starlette. Only a few releases back: otherwise, what bounds another package is the
newest, as everywhere else.
"""

from __future__ import annotations

from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.fork_points import partial_regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate
    from lockset.resolve.solver.provider import Provider

__all__ = ["RootOrder"]

# Releases of either package to go back for the sake of the order, at most.
_NEAR = 5


class RootOrder:
    """The packages of the roots, in their order."""

    def __init__(self, provider: Provider, roots: Iterable[Requirement]) -> None:
        self._provider = provider
        names = dict.fromkeys(requirement.name for requirement in roots)
        self._rank = {name: position for position, name in enumerate(names)}

    def earlier_pin(
        self,
        candidate: Candidate,
        requirements_on: Callable[[Key], tuple[Requirement, ...]],
        pin_of: Callable[[Key], Candidate | None],
    ) -> tuple[Requirement, ReleaseCandidate] | None:
        """The pin of an earlier root package that `candidate` does not fit, with the requirement on it.

        None where there is no such pin, or where no release near `candidate` fits it either.

        Args:
            candidate: The candidate to choose.
            requirements_on: The requirements on a decision.
            pin_of: The pin of a decision.
        """
        rank = self._rank.get(candidate.name)
        if not rank or not isinstance(candidate, ReleaseCandidate):
            return None
        for requirement in self._provider.dependencies(candidate):
            if self._rank.get(requirement.name, rank) >= rank:
                continue
            pin = pin_of(requirement.key)
            if not isinstance(pin, ReleaseCandidate) or requirement.specifier.admits(pin.version):
                continue
            # A member of a declared conflict has a release of its own, and all others keep theirs.
            if self._provider.is_kept_apart(requirement.region, pin.guard):
                continue
            # Where `candidate` does not require it, the newest may stay: offered before anything older is tried.
            self._provider.suggest_forks(pin, partial_regions([requirement], pin))
            if self._fit_nearby(candidate, requirements_on(candidate.key), pin, requirements_on(pin.key)):
                return requirement, pin
        return None

    def _fit_nearby(
        self,
        candidate: ReleaseCandidate,
        requirements: tuple[Requirement, ...],
        pin: ReleaseCandidate,
        requirements_on_pin: tuple[Requirement, ...],
    ) -> bool:
        """Whether a release a little older than `candidate` fits `pin`; where none does, a little older than `pin`."""
        later = self._following(candidate, requirements, _NEAR + 1)
        if any(self._admits(one, pin) for one in later[:_NEAR]):
            return True
        if len(later) > _NEAR:
            return False
        older = self._following(pin, requirements_on_pin, _NEAR)
        return any(self._admits(one, other) for other in older for one in (candidate, *later))

    def _following(
        self, candidate: ReleaseCandidate, requirements: tuple[Requirement, ...], most: int
    ) -> Sequence[ReleaseCandidate]:
        """Releases that are tried after `candidate`, the next first."""
        releases = (
            c for c in self._provider.candidates(candidate.key, requirements) if isinstance(c, ReleaseCandidate)
        )
        return list(islice(dropwhile(lambda c: c.version != candidate.version, releases), 1, most + 1))

    def _admits(self, one: ReleaseCandidate, other: ReleaseCandidate) -> bool:
        requirements = (r for r in self._provider.dependencies(one) if r.key == other.key)
        return all(requirement.specifier.admits(other.version) for requirement in requirements)
