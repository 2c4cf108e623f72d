"""Addresses of hosts, asked for once a run: thirty connections that begin at once would ask thirty times.

Resolvers answer such a burst badly: of the datagrams that one of them drops, each costs a wait of seconds.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["Addresses"]

# Family and address, as `socket` takes them.
Address = tuple[int, "tuple[object, ...]"]


class Addresses:
    """Connects to hosts by name; safe to use from several threads.

    `resolve` gives the addresses of host and port, best first; the system's resolver when None.
    """

    def __init__(self, resolve: Callable[[str, int], list[Address]] | None = None) -> None:
        self._resolve = resolve or _resolved
        self._lock = threading.Lock()
        self._questions: dict[tuple[str, int], _Question] = {}

    def connect(self, host: str, port: int, timeout: float, *, until: float = math.inf) -> socket.socket:
        """A connection to the first address that takes it; each has `timeout` seconds, and all have `until` then.

        Raises:
            OSError: There is no such host, or none of its addresses can be reached; they are asked for anew next time.
        """
        import socket  # slow to import, and many runs make no request

        failure: OSError | None = None
        for family, address in self._of(host, port):
            left = min(timeout, until - time.monotonic())
            if left <= 0:
                failure = failure or TimeoutError()
                break
            connected = None
            try:
                connected = socket.socket(family, socket.SOCK_STREAM)
                connected.settimeout(left)
                connected.connect(address)
            except OSError as error:
                failure = error
                if connected is not None:
                    connected.close()
            except BaseException:
                if connected is not None:
                    connected.close()
                raise
            else:
                return connected
        self._forget(host, port)
        raise failure or OSError("the name has no address")

    def _of(self, host: str, port: int) -> list[Address]:
        """The addresses; one thread asks, and all that come meanwhile hear what it hears."""
        with self._lock:
            question = self._questions.get((host, port))
            asks = question is None
            if question is None:
                question = self._questions[host, port] = _Question()
        if asks:
            try:
                question.found = self._resolve(host, port)
            except BaseException as error:
                question.failure = error
                self._forget(host, port)
                raise
            finally:
                question.answered.set()
        else:
            question.answered.wait()
        if question.failure is not None:
            raise OSError(*question.failure.args) from question.failure
        return question.found

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            self._questions.pop((host, port), None)


class _Question:
    """One question for the addresses of a host, and its answer."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.found: list[Address] = []
        self.failure: BaseException | None = None


def _resolved(host: str, port: int) -> list[Address]:
    import socket

    return [(found[0], found[4]) for found in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]
