"""How often one choice displaced another, so that no two do so for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockset.resolve.problem.requirement import Key
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Displacements"]

# Each of two choices could displace the other for ever. After so many times they count as incompatible.
_MOST_DISPLACEMENTS = 6


class Displacements:
    """Counts, for pairs of choices, how often a requirement of the first made the solver replace the second.

    The counts outlive backjumps: they are about the run, not about its partial solution.

    Attributes:
        counts: By key and choice of the candidate that required something else, and of the pin that was replaced.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[Key, object, Key, object], int] = {}

    def count(self, displacing: Candidate, pin: Candidate) -> None:
        """Count one more displacement of `pin`."""
        pair = (displacing.key, displacing.choice, pin.key, pin.choice)
        self.counts[pair] = self.counts.get(pair, 0) + 1

    def is_exhausted(self, displacing: Candidate, pin: Candidate) -> bool:
        """Whether `pin` was displaced so often that the two count as incompatible."""
        return self.counts.get((displacing.key, displacing.choice, pin.key, pin.choice), 0) >= _MOST_DISPLACEMENTS

    def most_displaced(self) -> str | None:
        """Name of the package that was displaced most often by one other."""
        return max(self.counts, key=self.counts.__getitem__)[2][0] if self.counts else None
