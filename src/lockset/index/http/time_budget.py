"""The time that one request may spend waiting for servers, over all its tries and redirects."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TimeBudget"]

# A request waits this many times the longest silence in all: a server that says nothing gets a second try, not a third.
_SILENCES = 2
# Seconds that are not worth another try.
_LEAST = 0.05


class TimeBudget:
    """What is left of the time to wait; used by one thread.

    Waiting for a connection and for the head of an answer costs. A body costs nothing as long as it comes; once it
    breaks off or crawls, the time since it last came well is spent too. Pauses between tries are not part of it:
    their number and length are limited elsewhere.

    Attributes:
        silence: Seconds of the longest single wait.
    """

    def __init__(self, silence: float) -> None:
        self.silence = silence
        self._left = _SILENCES * silence

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left for another try."""
        return self._left < _LEAST

    @property
    def next_wait(self) -> float:
        """Seconds that the next wait may take."""
        return max(_LEAST, min(self.silence, self._left))

    @property
    def until(self) -> float:
        """When everything will be spent, by `time.monotonic`."""
        return time.monotonic() + max(_LEAST, self._left)

    def spend(self, seconds: float) -> None:
        """Count time that was waited."""
        self._left -= seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time of the block."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spend(time.monotonic() - begun)
