"""Time limits: of one request that a thread waits for, and of one with all its attempts and redirects."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Deadlines", "TimeBudget"]


class Deadlines(threading.local):
    """The time limits of the current thread's request; each thread sees its own.

    The head of a response, and each piece of its body with its framing, has one limit as a whole, since a server that
    sends byte by byte is never silent.

    Attributes:
        has_data: Whether a byte has arrived since `begin`, `renew` or `expect`.
    """

    def __init__(self) -> None:
        self._silence = math.inf
        self._until = math.inf
        self._deadline = math.inf
        self.has_data = False

    def begin(self, silence: float, until: float) -> None:
        """Begin a request: its head may take `silence` seconds once connected, and must end by `until` (monotonic)."""
        self._silence = silence
        self._until = until
        self.renew()

    def renew(self) -> None:
        """Restart the time of the head, because a connection is established."""
        self._deadline = min(self._until, time.monotonic() + self._silence)
        self.has_data = False

    def expect(self, seconds: float) -> None:
        """Give the next piece of the body `seconds` from now on."""
        self._deadline = time.monotonic() + seconds
        self.has_data = False

    def to_connect(self, seconds: float) -> float:
        """At most `seconds`, and at most what is left of the request; zero or less if nothing is."""
        return min(seconds, self._until - time.monotonic())

    def left(self) -> float:
        """Seconds until the deadline, for the next read or write; zero or less if it has passed."""
        return self._deadline - time.monotonic()


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
