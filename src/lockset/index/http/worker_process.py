"""Workers that share calls with a copy of this process, since two threads of Python never compute at the same time.

A cold lock spends half of its time on requests, and on inflating and scanning pages; the other half goes into imports
and the search. The copy inherits all that this process has in memory: options, credentials, the cache, and the
functions that make the calls. Only the kinds of calls, their arguments and their results are sent, as plain values.
"""

from __future__ import annotations

import marshal
import os
import struct
import threading
from contextlib import suppress
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING, Any, TypeVar

from lockset.files.system import assistant, large_pipe
from lockset.index.http.workers import Job, Workers
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.index.ports import RemoteCall
    from lockset.progress import ProgressListener

__all__ = ["SharedWorkers"]

T = TypeVar("T")

# Bytes of a message, which follow.
_LENGTH = struct.Struct("<Q")
# A shorter message is sent in one piece.
_SHORT = 64 * 1024


class SharedWorkers(Workers):
    """Workers of which half are threads of a copy of this process, where a copy is safe; all are threads elsewhere.

    Args:
        count: The most calls at the same time.
        listener: Receives the bytes that the copy receives.
        in_copy: Called in the copy with the listener to use there.
    """

    def __init__(
        self, count: int, *, listener: ProgressListener, in_copy: Callable[[ProgressListener], object]
    ) -> None:
        super().__init__(count)
        self._listener = listener
        self._in_copy = in_copy
        self._functions: dict[str, Callable[[Any], Any]] = {}
        self._known_to_copy: frozenset[str] = frozenset()
        self._copy: _Copy | None = None
        self._prepared = False

    def offer(self, kind: str, function: Callable[[Any], Any]) -> None:
        """Name a function of this process, so that the copy can call it with a plain value; it returns one."""
        self._functions[kind] = function

    def prepare(self) -> None:
        """Start the copy, unless that is not safe. Call it before the first `start`, without holding a lock."""
        if self._prepared:
            return
        self._prepared = True
        self._known_to_copy = frozenset(self._functions)
        half = self._count // 2
        self._copy = _Copy.started(partial(self._serve, half), half, self._listener, self._make_here) if half else None
        if self._copy is not None:
            self._count -= half

    def start(
        self, call: Callable[[], T], after: Callable[[], object] | None = None, remote: RemoteCall[T] | None = None
    ) -> Job[T]:
        """Queue `call`: for the copy as `remote` if it has a free thread, else for a thread of this process."""
        copy = self._copy
        if copy is not None and remote is not None and remote.kind in self._known_to_copy:
            job = _RemoteJob(call, after, remote.read)
            if copy.send(job, remote):
                return job
        return super().start(call, after)

    def close(self) -> None:
        """End the copy at once, and the threads once the queue is empty."""
        copy, self._copy = self._copy, None
        if copy is not None:
            copy.end()
        super().close()

    def _make_here(self, jobs: list[_RemoteJob[Any]], threads: int) -> None:
        """Make the calls in threads of this process, since the copy has ended."""
        with self._lock:
            self._copy = None
            self._count += threads
            for job in jobs:
                job.release()
                self._add(job)

    def _serve(self, threads: int, requests: int, replies: int) -> None:
        received = _ByteCount()
        self._in_copy(received)
        _Service(self._functions, threads, replies, received).run(requests)


class _RemoteJob(Job[T]):
    """A call that the copy makes; `release` makes it one of this process again."""

    __slots__ = ("_read",)

    def __init__(self, call: Callable[[], T], after: Callable[[], object] | None, read: Callable[[Any], T]) -> None:
        super().__init__(call, after)
        self._read = read
        self._claim.acquire()

    def release(self) -> None:
        self._claim.release()

    def receive(self, value: Any, *, is_error: bool) -> None:
        """Take over the result of the call, or its error."""
        try:
            if is_error:
                self._error = _unpickled(value)
            else:
                self._value = self._read(value)
        except BaseException as error:  # noqa: BLE001 (raised again by `result`)
            self._error = error
        finally:
            self._finish()


class _Copy:
    """The copy, as this process sees it: it takes `threads` calls at the same time."""

    def __init__(
        self,
        end: Callable[[bool], bool],
        pipes: tuple[int, int],
        threads: int,
        listener: ProgressListener,
        on_loss: Callable[[list[_RemoteJob[Any]], int], None],
    ) -> None:
        self._end = end
        self._requests, self._replies = pipes[0], FileIO(pipes[1])
        self._threads = threads
        self._listener = listener
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._jobs: dict[int, _RemoteJob[Any]] = {}
        self._calls = 0
        self._ended = False
        self._receiver = threading.Thread(target=self._receive, name="lockset-receiver", daemon=True)
        self._receiver.start()

    @classmethod
    def started(
        cls,
        serve: Callable[[int, int], None],
        threads: int,
        listener: ProgressListener,
        on_loss: Callable[[list[_RemoteJob[Any]], int], None],
    ) -> _Copy | None:
        """Start a copy that calls `serve` with its ends of the pipes; None where a copy is not safe."""
        theirs, requests = os.pipe()
        replies, answers = os.pipe()
        large_pipe(replies)

        def work() -> None:
            os.close(requests)
            os.close(replies)
            serve(theirs, answers)

        end = assistant(work)
        os.close(theirs)
        os.close(answers)
        if end is None:
            os.close(requests)
            os.close(replies)
            return None
        return cls(end, (requests, replies), threads, listener, on_loss)

    def send(self, job: _RemoteJob[Any], call: RemoteCall[Any]) -> bool:
        """Let the copy make the call; False if all its threads are busy, or it has ended."""
        with self._lock:
            if self._ended or len(self._jobs) >= self._threads:
                return False
            self._calls += 1
            try:
                _write_message(self._requests, (self._calls, call.kind, call.argument))
            except OSError:
                return False  # its receiver will notice the end, too
            self._jobs[self._calls] = job
            return True

    def end(self) -> None:
        """Kill the copy and wait for its end; calls under way are abandoned."""
        with self._lock:
            self._ended = True
        self._end(True)  # noqa: FBT003 (as its type says)
        self._receiver.join()
        os.close(self._requests)

    def _receive(self) -> None:
        known = 0
        while (reply := _read_message(self._replies)) is not None:
            number, is_error, value, received = reply
            if received > known:
                self._listener.transferred(received - known)
                known = received
            with self._lock:
                job = self._jobs.pop(number)
            job.receive(value, is_error=is_error)
        self._replies.close()
        with self._lock:
            was_ended, self._ended = self._ended, True
        if not was_ended:
            self._on_loss(list(self._jobs.values()), self._threads)


class _ByteCount(NullListener):
    """Counts the bytes that the copy receives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0

    def transferred(self, amount: int) -> None:
        with self._lock:
            self.total += amount


class _Service:
    """Makes the calls, in the copy."""

    def __init__(
        self, functions: Mapping[str, Callable[[Any], Any]], threads: int, replies: int, received: _ByteCount
    ) -> None:
        self._functions = functions
        self._workers = Workers(threads)
        self._replies = replies
        self._received = received
        self._lock = threading.Lock()

    def run(self, requests: int) -> None:
        """Make calls until the other process closes the pipe or ends."""
        file = FileIO(requests)
        while (request := _read_message(file)) is not None:
            number, kind, argument = request
            self._workers.start(partial(self._answer, number, self._functions[kind], argument))

    def _answer(self, number: int, function: Callable[[Any], Any], argument: Any) -> None:
        try:
            value, is_error = function(argument), False
        except BaseException as error:  # noqa: BLE001 (raised again in the other process)
            value, is_error = _pickled(error), True
        with self._lock, suppress(BrokenPipeError):  # the other process has ended: `run` ends this one
            _write_message(self._replies, (number, is_error, value, self._received.total))


def _pickled(error: BaseException) -> bytes:
    import pickle  # only for errors

    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001 (pickle raises anything; no error of lockset)
        return pickle.dumps(RuntimeError(repr(error)))


def _unpickled(error: bytes) -> BaseException:
    import pickle  # only for errors

    restored: BaseException = pickle.loads(error)  # noqa: S301 (from the copy of this process)
    return restored


def _write_message(pipe: int, message: tuple[Any, ...]) -> None:
    data = marshal.dumps(message)
    length = _LENGTH.pack(len(data))
    for part in [length + data] if len(data) < _SHORT else [length, data]:
        left = memoryview(part)
        while left:
            left = left[os.write(pipe, left) :]


def _read_message(pipe: FileIO) -> Any:
    """The next message; None at the end of the pipe."""
    length = _exactly(pipe, _LENGTH.size)
    data = None if length is None else _exactly(pipe, *_LENGTH.unpack(length))
    return None if data is None else marshal.loads(data)  # noqa: S302 (from the copy of this process, or for it)


def _exactly(pipe: FileIO, count: int) -> bytearray | None:
    data = bytearray(count)
    left = memoryview(data)
    while left:
        read = pipe.readinto(left)
        if not read:
            return None
        left = left[read:]
    return data
