"""Which indexes are asked for `.metadata` files that their pages do not promise: plain mirrors often have them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.index.credential_scopes import Scope

__all__ = ["MetadataProbes", "Outcome"]

# An index that answered this often that it has no such file, and less than a quarter as often that it has one, is not
# asked again.
_ENOUGH_MISSES = 4


class Outcome(Enum):
    """What came of a request."""

    HIT = "hit"
    MISS = "miss"
    ODD = "odd"  # an answer that is none to such a request: the index is not asked again


class MetadataProbes:
    """Counts outcomes by index; safe to use from several threads.

    The first request to an index is made alone, so that one that cannot take it hears it once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._indexes: dict[Scope, _Index] = {}

    @contextmanager
    def asking(self, index: Scope) -> Iterator[_Index | None]:
        """Something to report the outcome to; None where the index is not to be asked."""
        with self._lock:
            state = self._indexes.setdefault(index, _Index())
        if state.is_known:
            yield state if state.is_worth_asking else None
            return
        with state.first:
            yield state if state.is_worth_asking else None


class _Index:
    """What one index answered so far."""

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
        """Count what came of a request."""
        self._hits += outcome is Outcome.HIT
        self._misses += outcome is Outcome.MISS
        self._is_odd = self._is_odd or outcome is Outcome.ODD
        self.is_known = True
