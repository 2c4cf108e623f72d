"""The budget of an explanation: decisions, not seconds, so that results are the same on every computer."""

from __future__ import annotations

from lockset.progress import NullListener

__all__ = ["BudgetSpentError", "SearchBudget"]


class BudgetSpentError(Exception):
    """The budget is spent; caught where searches are tried."""


class SearchBudget(NullListener):
    """A listener that counts the decisions of searches, and ends a search that exceeds its share.

    Attributes:
        left: Decisions that may still be made, in all.
    """

    def __init__(self, decisions: int) -> None:
        self.left = decisions
        self._stop = 0

    def begin(self, share: int) -> None:
        """Begin a search that may make up to `share` of the decisions that are left."""
        self._stop = max(self.left - share, 0)

    def step(self, what: str, *, done: int = 1) -> None:
        """Count a decision.

        Raises:
            BudgetSpentError: the search has made its share of decisions.
        """
        del what
        self.left -= done
        if self.left < self._stop:
            raise BudgetSpentError
