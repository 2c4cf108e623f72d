"""Addresses of hosts, looked up once a run: thirty connections that begin at once would ask thirty times.

Resolvers answer such a burst badly: of the datagrams that one of them drops, each costs a wait of seconds.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Addresses"]


class Addresses:
    """Numeric addresses by host and port; safe to use from several threads.

    `resolve` gives the addresses of host and port, best first; the system's resolver when None.
    """

    def __init__(self, resolve: Callable[[str, int], list[str]] | None = None) -> None:
        self._resolve = resolve or _resolved
        self._lock = threading.Lock()
        self._questions: dict[tuple[str, int], _Question] = {}

    def of(self, host: str, port: int) -> list[str]:
        """The addresses; one thread asks, and all that come meanwhile get the same answer.

        Raises:
            OSError: There is no such host; the next call asks again.
        """
        with self._lock:
            question = self._questions.get((host, port))
            asks = question is None
            if question is None:
                question = self._questions[host, port] = _Question()
        if asks:
            try:
                question.answer = self._resolve(host, port)
            except BaseException as error:
                question.failure = error
                self.forget(host, port)
                raise
            finally:
                question.answered.set()
        else:
            question.answered.wait()
        if question.failure is not None:
            raise OSError(*question.failure.args) from question.failure
        return question.answer

    def forget(self, host: str, port: int) -> None:
        """Have the next call ask again: none of the addresses could be reached."""
        with self._lock:
            self._questions.pop((host, port), None)


class _Question:
    """One question for the addresses of a host, and its answer."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.answer: list[str] = []
        self.failure: BaseException | None = None


def _resolved(host: str, port: int) -> list[str]:
    import socket

    answers = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))
