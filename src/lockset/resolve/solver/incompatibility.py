"""What a search has learned: choices that cannot be made together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Cause", "Incompatibilities", "Incompatibility", "Term"]

# Requirements kept with a conflict for its explanation: one that was met by way of many others would keep them all.
_CAUSES = 200
# Boundaries kept with a conflict.
_BOUNDARIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One requirement of a conflict.

    Attributes:
        requirement: What is asked for.
        parent: The candidate that asks for it, None for a root.
        chain: Who asks for whom, from a root down to `requirement` itself; shorter where the search had forgotten.
    """

    requirement: Requirement
    parent: Candidate | None
    chain: tuple[RequirementOrigin, ...] = ()

    @property
    def origin(self) -> RequirementOrigin:
        """Who asks."""
        return self.requirement.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One choice that takes part in a conflict: any of its cell that asks for all of `asks` and covers all of `wholes`.

    Attributes:
        key: The cell.
        asks: What it asks for that matters; most often a single requirement, the same in many releases.
        wholes: Choices of which all that they bring matters.
    """

    key: Key
    asks: tuple[Requirement, ...] = ()
    wholes: tuple[Candidate, ...] = ()

    @classmethod
    def whole(cls, candidate: Candidate) -> Term:
        """A choice that takes part by all it brings."""
        return cls(key=candidate.key, wholes=(candidate,))

    def joined(self, other: Term) -> Term:
        """Both, of one cell."""
        asks, wholes = dict.fromkeys((*self.asks, *other.asks)), dict.fromkeys((*self.wholes, *other.wholes))
        return Term(key=self.key, asks=tuple(asks), wholes=tuple(wholes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incompatibility:
    """Choices that cannot be made together, nor any that bring all they bring.

    Attributes:
        members: One a cell; none where there is no way at all.
        causes: The requirements they meet in, for explanations.
        boundaries: Pythons on one side of which there may be no conflict.
    """

    members: tuple[Term, ...]
    causes: tuple[Cause, ...]
    boundaries: tuple[MarkerSet, ...] = ()

    @classmethod
    def of(
        cls, members: Iterable[Term], causes: Iterable[Cause], boundaries: Iterable[MarkerSet] = ()
    ) -> Incompatibility:
        """The conflict with each cell, cause and boundary once."""
        by_key: dict[Key, Term] = {}
        for member in members:
            known = by_key.get(member.key)
            by_key[member.key] = member if known is None else known.joined(member)
        by_requirement = {id(c.requirement): c for c in causes}
        return cls(
            members=tuple(by_key.values()),
            causes=tuple(by_requirement.values())[:_CAUSES],
            boundaries=tuple(dict.fromkeys(boundaries))[:_BOUNDARIES],
        )


class Incompatibilities:
    """Conflicts met in one universe. They hold for every run in it, in whatever order it decides."""

    def __init__(
        self, brought_by: Callable[[Candidate], Iterable[Requirement]], fits: Callable[[Requirement], int]
    ) -> None:
        self._brought_by = brought_by
        self._fits = fits
        self._by_choice: dict[tuple[Key, object], list[Incompatibility]] = {}
        # By cell, and by one of the cells that it asks something of.
        self._by_asked: dict[Key, dict[Key, list[Incompatibility]]] = {}
        self._brings: dict[tuple[Candidate, Requirement], bool] = {}

    def learn(self, conflict: Incompatibility) -> None:
        """Remember `conflict`, which has members."""
        for member in conflict.members:
            if member.wholes:
                # What is chosen covers all of them, so that they are one choice under different guards.
                choice = member.wholes[0].choice
                self._by_choice.setdefault((member.key, choice), []).append(conflict)
            else:
                asked = member.asks[0].key
                self._by_asked.setdefault(member.key, {}).setdefault(asked, []).append(conflict)

    def met_by(self, candidate: Candidate, pin_of: Callable[[Key], Candidate | None]) -> Incompatibility | None:
        """The known conflict that `candidate` would complete, with what is now chosen for its other members."""
        for conflict in self._concerning(candidate):
            if all(self._is_met(m, candidate if m.key == candidate.key else pin_of(m.key)) for m in conflict.members):
                return conflict
        return None

    def _concerning(self, candidate: Candidate) -> Iterator[Incompatibility]:
        yield from self._by_choice.get((candidate.key, candidate.choice), ())
        asked = self._by_asked.get(candidate.key)
        if asked is not None:
            for key in dict.fromkeys(r.key for r in self._brought_by(candidate)):
                yield from asked.get(key, ())

    def _is_met(self, member: Term, pin: Candidate | None) -> bool:
        if pin is None:
            return False
        return all(map(pin.covers, member.wholes)) and all(self._asks(pin, asked) for asked in member.asks)

    def _asks(self, pin: Candidate, requirement: Requirement) -> bool:
        known = self._brings.get((pin, requirement))
        if known is None:
            known = self._brings[pin, requirement] = any(
                r is requirement
                or (
                    r.key == requirement.key
                    and r.extras >= requirement.extras
                    and not self._fits(r) & ~self._fits(requirement)
                    and requirement.region.implies(r.region)
                )
                for r in self._brought_by(pin)
            )
        return known
