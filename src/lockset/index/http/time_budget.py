"""The total time that one request may wait for servers, over all its attempts and redirects."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TimeBudget"]

# A request waits at most this many times the longest silence: a silent server gets a second attempt, not a third.
_SILENCES = 2
# With less than this many seconds left there is no further attempt.
_LEAST = 0.05


class TimeBudget:
    """The time left to wait; used by one thread.

    Waiting for a connection and for the head of a response is counted. A body is not counted as long as it arrives;
    once it breaks off or is too slow, the time since it last arrived fast enough is counted too. Pauses between
    attempts are not counted: their number and length are limited elsewhere.

    Attributes:
        silence: Seconds of the longest single wait.
    """

    def __init__(self, silence: float) -> None:
        self.silence = silence
        self._left = _SILENCES * silence

    @property
    def is_spent(self) -> bool:
        """Whether there is no time left for another attempt."""
        return self._left < _LEAST

    @property
    def next_wait(self) -> float:
        """Seconds that the next wait may take."""
        return max(_LEAST, min(self.silence, self._left))

    @property
    def until(self) -> float:
        """When all time is spent, in seconds of `time.monotonic`."""
        return time.monotonic() + max(_LEAST, self._left)

    def spend(self, seconds: float) -> None:
        """Count `seconds` of waiting."""
        self._left -= seconds

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count the time that the block takes."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.spend(time.monotonic() - begun)
