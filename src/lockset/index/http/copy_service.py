"""What a copy of this process does: it is opened, and then makes calls until the other process ends."""

from __future__ import annotations

import marshal
import threading
from contextlib import suppress
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING, Any

from lockset.index.http.pipes import read_message, write_message
from lockset.index.http.workers import Workers
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.progress import ProgressListener

__all__ = ["Service"]

# The most calls of one copy at the same time while all servers respond at once: more threads only hold each other up.
_MOST_NEAR = 4


class _NearWorkers(Workers):
    """Workers of a copy, few as long as `is_near` says that all servers respond at once.

    Calls wait for them in the copy, which takes the next one at once, however busy the other process is.
    """

    def __init__(self, count: int, is_near: Callable[[], bool]) -> None:
        super().__init__(count)
        self._is_near = is_near

    def _most(self) -> int:
        return min(self._count, _MOST_NEAR) if self._is_near() else self._count


class _ByteCount(NullListener):
    """Counts the bytes that the copy receives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0

    def transferred(self, amount: int) -> None:
        with self._lock:
            self.total += amount


class Service:
    """The calls of a copy, from when it is opened until the other process ends.

    Attributes:
        listener: Receives the bytes that the calls receive over the network.
        threads: The most calls at the same time; 0 before it is opened.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = FileIO(requests)
        self._replies = replies
        self._lock = threading.Lock()
        self.threads = 0
        self._received = _ByteCount()
        self.listener: ProgressListener = self._received

    def opening(self) -> Any:
        """Wait for the value that the copy is opened with; None if it is never opened."""
        message = read_message(self._requests)
        if message is None:
            return None
        opening, self.threads = message
        return opening

    def run(
        self, functions: Mapping[str, Callable[[Any], Any]], *, is_near: Callable[[], bool] = lambda: False
    ) -> None:
        """Make calls of `functions` by kind, which take and return plain values.

        `is_near` returns whether all servers so far respond at once.
        """
        workers = _NearWorkers(self.threads, is_near)
        while (request := read_message(self._requests)) is not None:
            number, kind, argument = request
            workers.start(partial(self._answer, number, functions[kind], argument))

    def _answer(self, number: int, function: Callable[[Any], Any], argument: Any) -> None:
        try:
            value = function(argument)
            reply = marshal.dumps((number, False, value, self._received.total))
        except BaseException as error:  # noqa: BLE001 (raised again in the other process)
            reply = marshal.dumps((number, True, _pickled(error), self._received.total))
        with self._lock, suppress(BrokenPipeError):  # the other process has ended: `run` ends this one
            write_message(self._replies, reply)


def _pickled(error: BaseException) -> bytes:
    import pickle  # only for errors

    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001 (pickle raises anything; no error of lockset)
        return pickle.dumps(RuntimeError(repr(error)))
