"""Workers that share calls with a copy of this process, since two threads of Python never compute at the same time.

A cold lock spends half of its time on requests, and on inflating and scanning pages; the other half goes into imports
and the search. The copy is opened with the options of the run; then only the kinds of calls, their arguments and their
results are sent, as plain values. If the copy ends, its calls are made here.
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

from lockset.files.copies import assistant, large_pipe
from lockset.index.http.workers import Job, Workers
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.index.ports import RemoteCall
    from lockset.progress import ProgressListener

__all__ = ["ProcessCopy", "Service", "SharedWorkers"]

T = TypeVar("T")

# Bytes of a message, which follow.
_LENGTH = struct.Struct("<Q")
# A shorter message is sent in one piece.
_SHORT = 64 * 1024


class SharedWorkers(Workers):
    """Workers of which three quarters are threads of a copy of this process, if there is one.

    Args:
        count: The most calls at the same time.
        copy: Starts a copy, or returns one that was started earlier; None where that is not safe.
        opening: The plain value that a copy is opened with.
        listener: Receives the bytes that the copy receives over the network.
    """

    def __init__(
        self, count: int, *, copy: Callable[[], ProcessCopy | None], opening: Any, listener: ProgressListener
    ) -> None:
        super().__init__(count)
        self._start_copy = copy
        self._opening = opening
        self._listener = listener
        self._copy: ProcessCopy | None = None
        self._prepared = False

    def prepare(self) -> None:
        """Open the copy, unless that is not safe. Call it before the first `start`, without holding a lock."""
        if self._prepared:
            return
        self._prepared = True
        threads = self._count * 3 // 4  # the search is this process's alone
        copy = self._start_copy() if threads else None
        if copy is not None and copy.open(self._opening, threads, self._listener, self._make_here):
            self._copy = copy
            self._count -= threads

    def start(
        self, call: Callable[[], T], after: Callable[[], object] | None = None, remote: RemoteCall[T] | None = None
    ) -> Job[T]:
        """Queue `call`: for the copy as `remote` if it has a free thread, else for a thread of this process."""
        copy = self._copy
        if copy is not None and remote is not None:
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
            self._count += threads
        for job in jobs:
            job.release()
            self._added(job)


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


class ProcessCopy:
    """A copy of this process that makes calls, as this process sees it."""

    def __init__(self, end: Callable[[bool], bool], requests: int, replies: int) -> None:
        self._end = end
        self._requests, self._replies = requests, FileIO(replies)
        self._lock = threading.Lock()
        self._threads = 0
        self._jobs: dict[int, _RemoteJob[Any]] = {}
        self._calls = 0
        self._receiver: threading.Thread | None = None
        self._ended = False

    @classmethod
    def started(cls, serve: Callable[[Service], object]) -> ProcessCopy | None:
        """Start a copy that calls `serve`; None where a copy is not safe."""
        theirs, requests = os.pipe()
        replies, answers = os.pipe()
        large_pipe(replies)

        def work() -> None:
            os.close(requests)
            os.close(replies)
            serve(Service(theirs, answers))

        end = assistant(work)
        os.close(theirs)
        os.close(answers)
        if end is None:
            os.close(requests)
            os.close(replies)
            return None
        return cls(end, requests, replies)

    def open(
        self,
        opening: Any,
        threads: int,
        listener: ProgressListener,
        on_loss: Callable[[list[_RemoteJob[Any]], int], None],
    ) -> bool:
        """Let the copy make up to `threads` calls at the same time; False if it has ended.

        `on_loss` is called with the calls under way and `threads` if the copy ends by itself.
        """
        try:
            _write(self._requests, marshal.dumps((opening, threads)))
        except OSError:
            self.end()
            return False
        self._threads = threads
        receiver = threading.Thread(
            target=self._receive, args=(listener, on_loss), name="lockset-receiver", daemon=True
        )
        try:
            receiver.start()
        except RuntimeError:  # the system allows no further thread
            self.end()
            return False
        self._receiver = receiver
        return True

    def send(self, job: _RemoteJob[Any], call: RemoteCall[Any]) -> bool:
        """Let the copy make the call; False if all its threads are busy, or it has ended."""
        with self._lock:
            if self._ended or len(self._jobs) >= self._threads:
                return False
            self._calls += 1
            try:
                _write(self._requests, marshal.dumps((self._calls, call.kind, call.argument)))
            except OSError:
                return False  # its receiver will notice the end, too
            self._jobs[self._calls] = job
            return True

    def end(self) -> None:
        """Kill the copy and wait for its end; calls under way are abandoned."""
        with self._lock:
            self._ended = True
        self._end(True)  # noqa: FBT003 (as its type says)
        if self._receiver is not None:
            self._receiver.join()
        self._replies.close()
        os.close(self._requests)

    def _receive(self, listener: ProgressListener, on_loss: Callable[[list[_RemoteJob[Any]], int], None]) -> None:
        try:
            self._receive_replies(listener)
        finally:
            with self._lock:
                was_ended, self._ended = self._ended, True
            if not was_ended:
                on_loss(list(self._jobs.values()), self._threads)

    def _receive_replies(self, listener: ProgressListener) -> None:
        known = 0
        while (reply := _read_message(self._replies)) is not None:
            number, is_error, value, received = reply
            if received > known:
                listener.transferred(received - known)
                known = received
            with self._lock:
                job = self._jobs.pop(number)
            job.receive(value, is_error=is_error)


class _ByteCount(NullListener):
    """Counts the bytes that the copy receives."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.total = 0

    def transferred(self, amount: int) -> None:
        with self._lock:
            self.total += amount


class Service:
    """What the copy does: it is opened, and then makes calls until the other process ends.

    Attributes:
        listener: Receives the bytes that the calls receive over the network.
    """

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = FileIO(requests)
        self._replies = replies
        self._lock = threading.Lock()
        self._threads = 0
        self._received = _ByteCount()
        self.listener: ProgressListener = self._received

    def opening(self) -> Any:
        """Wait for the value that the copy is opened with; None if it is never opened."""
        message = _read_message(self._requests)
        if message is None:
            return None
        opening, self._threads = message
        return opening

    def run(self, functions: Mapping[str, Callable[[Any], Any]]) -> None:
        """Make calls of `functions` by kind, which take and return plain values."""
        workers = Workers(self._threads)
        while (request := _read_message(self._requests)) is not None:
            number, kind, argument = request
            workers.start(partial(self._answer, number, functions[kind], argument))

    def _answer(self, number: int, function: Callable[[Any], Any], argument: Any) -> None:
        try:
            reply = marshal.dumps((number, False, function(argument), self._received.total))
        except BaseException as error:  # noqa: BLE001 (raised again in the other process)
            reply = marshal.dumps((number, True, _pickled(error), self._received.total))
        with self._lock, suppress(BrokenPipeError):  # the other process has ended: `run` ends this one
            _write(self._replies, reply)


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


def _write(pipe: int, data: bytes) -> None:
    """Write a message."""
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
