"""A bound on what is spent on explaining a failure: decisions of searches are counted, not seconds.

Counting makes an explanation the same on every computer, as everything else that lockset says.
"""

from __future__ import annotations

from lockset.progress import NullListener

__all__ = ["BudgetSpentError", "SearchBudget"]


class BudgetSpentError(Exception):
    """What was set aside for this has been used up; caught where searches are tried."""


class SearchBudget(NullListener):
    """The listener of searches that only explain: counts their decisions, and ends a search beyond its share.

    Attributes:
        left: Decisions that may still be made, in all.
    """

    def __init__(self, decisions: int) -> None:
        self.left = decisions
        self._stop = 0

    def begin(self, share: int) -> None:
        """A search begins, which may make up to `share` of the decisions that are left."""
        self._stop = max(self.left - share, 0)

    def step(self, what: str, *, done: int = 1) -> None:
        """Count a decision.

        Raises:
            SpentError: the search has had its share.
        """
        del what
        self.left -= done
        if self.left < self._stop:
            raise BudgetSpentError
