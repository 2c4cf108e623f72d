"""Time limits of the request that a thread waits for."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Deadlines"]


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
        self._after_write: Callable[[], object] | None = None

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

    def call_after_write(self, call: Callable[[], object]) -> None:
        """Call `call` once, after the next write of this thread."""
        self._after_write = call

    def written(self) -> None:
        """Report a write, or that there will be none."""
        call, self._after_write = self._after_write, None
        if call is not None:
            call()
