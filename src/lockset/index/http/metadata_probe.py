"""Decide from which indexes to request `.metadata` files that pages do not announce: plain mirrors often have them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.index.credentials import Scope

__all__ = ["MetadataProbes", "Outcome"]

# After this many misses, an index is no longer queried if less than a fifth of the requests were hits.
_ENOUGH_MISSES = 4


class Outcome(Enum):
    """The outcome of a request for a `.metadata` file."""

    HIT = "hit"
    MISS = "miss"
    ODD = "odd"  # an unexpected response: the index is not queried again


class MetadataProbes:
    """Counts outcomes by index; safe to use from several threads.

    The first request to an index is made alone, so that an index which cannot handle it gets only one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: dict[Scope, _Index] = {}

    @contextmanager
    def asking(self, index: Scope) -> Iterator[_Index | None]:
        """An object to report the outcome to; None if the index should not be queried."""
        with self._lock:
            state = self._indexes.setdefault(index, _Index())
        if state.is_known:
            yield state if state.is_worth_asking else None
            return
        with state.first:
            yield state if state.is_worth_asking else None


class _Index:
    """The outcomes of one index so far."""

    def __init__(self) -> None:
        self.first = threading.Lock()
        self.is_known = False
        self._hits = 0
        self._misses = 0
        self._is_odd = False

    @property
    def is_worth_asking(self) -> bool:
        return not self._is_odd and (self._misses < _ENOUGH_MISSES or 4 * self._hits >= self._misses)

    def report(self, outcome: Outcome) -> None:
        """Count the outcome of a request."""
        self._hits += outcome is Outcome.HIT
        self._misses += outcome is Outcome.MISS
        self._is_odd = self._is_odd or outcome is Outcome.ODD
        self.is_known = True
