"""How long the request of a thread may wait for the network."""

from __future__ import annotations

import math
import threading
import time

__all__ = ["Deadlines"]


class Deadlines(threading.local):
    """What the request of the current thread may wait; each thread sees its own.

    A response has two parts, and each is bounded as a whole, since a server that sends byte by byte is never silent:
    the head, and each piece of the body together with its framing.

    Attributes:
        has_data: Whether a byte came since `begin`, `renew` or `expect`.
    """

    def __init__(self) -> None:
        self._silence = math.inf
        self._until = math.inf
        self._deadline = math.inf
        self.has_data = False

    def begin(self, silence: float, until: float) -> None:
        """A request begins: its head has `silence` seconds once it is connected, and `until` (monotonic) in all."""
        self._silence = silence
        self._until = until
        self.renew()

    def renew(self) -> None:
        """A connection is established: the head has its whole time from now on, within the time in all."""
        self._deadline = min(self._until, time.monotonic() + self._silence)
        self.has_data = False

    def expect(self, seconds: float) -> None:
        """The next piece of the body has `seconds` from now on."""
        self._deadline = time.monotonic() + seconds
        self.has_data = False

    def to_connect(self, seconds: float) -> float:
        """At most `seconds`, and what is left of the request; not positive where nothing is."""
        return min(seconds, self._until - time.monotonic())

    def left(self) -> float:
        """Seconds until the deadline, for the next read or write; not positive where it is over."""
        return self._deadline - time.monotonic()
