"""What a search has learned: choices that cannot be made together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.markers import MarkerSet
    from lockset.resolve.candidate import Candidate
    from lockset.resolve.requirement import Key, Origin, Requirement

__all__ = ["Cause", "Conflict", "Nogoods"]

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
    chain: tuple[Origin, ...] = ()

    @property
    def origin(self) -> Origin:
        """Who asks."""
        return self.requirement.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Candidates that cannot be chosen together, nor any that bring all they bring.

    Attributes:
        members: The candidates; none where there is no way at all.
        causes: The requirements they meet in, for explanations.
        boundaries: Pythons on one side of which there may be no conflict.
    """

    members: tuple[Candidate, ...]
    causes: tuple[Cause, ...]
    boundaries: tuple[MarkerSet, ...] = ()

    @classmethod
    def of(
        cls, members: Iterable[Candidate], causes: Iterable[Cause], boundaries: Iterable[MarkerSet] = ()
    ) -> Conflict:
        """The conflict with each member, cause and boundary once."""
        by_requirement = {id(c.requirement): c for c in causes}
        return cls(
            members=tuple(dict.fromkeys(members)),
            causes=tuple(by_requirement.values())[:_CAUSES],
            boundaries=tuple(dict.fromkeys(boundaries))[:_BOUNDARIES],
        )


class Nogoods:
    """Conflicts met in one universe. They hold for every run in it, in whatever order it decides."""

    def __init__(self) -> None:
        self._by_choice: dict[tuple[Key, object], list[Conflict]] = {}

    def learn(self, conflict: Conflict) -> None:
        """Remember `conflict`, which has members."""
        for member in conflict.members:
            self._by_choice.setdefault((member.key, member.choice), []).append(conflict)

    def met_by(self, candidate: Candidate, pin_of: Callable[[Key], Candidate | None]) -> Conflict | None:
        """The known conflict that `candidate` would complete, with what is now chosen for its other members."""
        for conflict in self._by_choice.get((candidate.key, candidate.choice), ()):
            others = _others(conflict, candidate, pin_of)
            if others is not None:
                return replace(conflict, members=others)
        return None


def _others(
    conflict: Conflict, candidate: Candidate, pin_of: Callable[[Key], Candidate | None]
) -> tuple[Candidate, ...] | None:
    """The pins in the way of `candidate`; None where the conflict is not met."""
    others: list[Candidate] = []
    for member in conflict.members:
        if member.key == candidate.key:
            if not candidate.covers(member):
                return None
            continue
        pin = pin_of(member.key)
        if pin is None or not pin.covers(member):
            return None
        others.append(pin)
    return tuple(others)
