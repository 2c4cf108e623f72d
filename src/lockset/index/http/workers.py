"""A small pool of worker threads, which may share its calls with copies of this process.

Two threads of Python never compute at the same time. A cold lock spends half of its time on requests, and on inflating
and scanning pages; the other half goes into imports and the search. The copies are opened with the options of the run;
then only the kinds of calls, their arguments and their results are sent, as plain values. All calls that a copy can
make are left to them, so that this process need not even import what makes requests. There may be more copies than
processors that are free for them: this process mostly waits while they compute. If a copy ends, its calls are made
here.
"""

from __future__ import annotations

import marshal
import os
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from io import FileIO
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lockset.files.copies import assistant
from lockset.index.http.pipes import Pipes, open_pipes, read_message, write_message
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.index.ports import RemoteCall
    from lockset.progress import ProgressListener

__all__ = ["Job", "ProcessCopy", "Service", "SharedWorkers", "Workers"]

T = TypeVar("T")

# Seconds after which a wait is restarted, so that an interrupt is handled.
_HEARTBEAT = 0.2
# The most calls of one copy at the same time while all servers respond at once: more threads only hold each other up.
_MOST_NEAR = 4
# The most seconds to wait for the end of a copy.
_LEAVE_SECONDS = 5.0


class Job(Generic[T]):
    """A call that is made once, by a worker or by the first thread that waits for it."""

    __slots__ = ("_after", "_call", "_claim", "_done", "_error", "_value")

    def __init__(self, call: Callable[[], T], after: Callable[[], object] | None = None) -> None:
        self._call: Callable[[], T] | None = call
        self._after = after
        self._claim = threading.Lock()
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    @property
    def done(self) -> bool:
        """Whether `result` would return at once."""
        return self._done.is_set()

    @property
    def under_way(self) -> bool:
        """Whether a thread is making the call."""
        return self._claim.locked() and not self._done.is_set()

    def run(self) -> None:
        """Make the call, unless another thread has begun it."""
        if not self._claim.acquire(blocking=False):
            return
        call, self._call = self._call, None
        assert call is not None
        try:
            self._value = call()
        except BaseException as error:  # noqa: BLE001 (raised again by `result`)
            self._error = error
        finally:
            self._finish()

    def _finish(self) -> None:
        self._done.set()
        if self._after is not None:
            self._after()

    def result(self) -> T:
        """Return the call's value or raise its exception. A call that no worker has begun is made at once, here."""
        self.run()
        return self.outcome()

    def outcome(self) -> T:
        """As `result`, for a call that a worker has begun or is sure to begin."""
        # In short waits, since a signal that arrives just before a wait does not end it.
        while not self._done.wait(_HEARTBEAT):
            continue
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set, since there was no error


class Workers:
    """Starts up to `count` daemon threads as calls are added. Where the system allows no thread, adding makes the call.

    Attributes:
        offered: Functions for remote calls, by kind: `lockset.index.ports.RemoteCall`.
    """

    def __init__(self, count: int) -> None:
        self._count = max(1, count)
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._calls = 0  # queued or under way
        self._closed = False
        self.offered: dict[str, Callable[[Any], Any]] = {}

    @property
    def is_shared(self) -> bool:
        """Whether other processes make remote calls."""
        return False

    def call(self, call: Callable[[], T]) -> T:
        """Make `call` in one of the threads, and return its value; after `close`, here."""
        job = Job(call)
        if not self._closed:
            self._added(job)
        return job.result() if self._closed else job.outcome()

    def offer(self, kind: str, function: Callable[[Any], Any]) -> None:
        """Name the function for remote calls of this kind, which takes a plain value and returns one."""
        self.offered[kind] = function

    def prepare(self) -> None:
        """See `lockset.index.http.workers.SharedWorkers`, which these may be."""

    def end_idle_copies(self) -> None:
        """See `lockset.index.http.workers.SharedWorkers`, which these may be."""

    def start(
        self,
        call: Callable[[], T],
        after: Callable[[], object] | None = None,
        remote: RemoteCall[T] | None = None,  # noqa: ARG002 (of `SharedWorkers`)
    ) -> Job[T]:
        """Queue `call`; calls begin in this order. `after` is called once the result is there."""
        return self._added(Job(call, after))

    def close(self) -> None:
        """End the threads once the queue is empty."""
        with self._lock:
            self._closed = True
            for _ in range(self._threads):
                self._queue.put(None)

    def _added(self, job: Job[T]) -> Job[T]:
        """The job, which a thread makes, or has been made here."""
        with self._lock:
            self._queue.put(job)
            self._calls += 1
            if self._threads < self._calls and self._may_grow():
                with suppress(RuntimeError):  # fewer threads than allowed will do
                    name = f"lockset-{self._threads + 1}"
                    threading.Thread(target=self._work, name=name, daemon=True).start()
                    self._threads += 1
            alone = not self._threads
        if alone:
            job.run()
        return job

    def _most(self) -> int:
        """How many threads there may be."""
        return self._count

    def _may_grow(self) -> bool:
        """Whether one more thread may be started."""
        return self._threads < self._most()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            job.run()
            with self._lock:
                self._calls -= 1
                if self._threads > self._most():
                    self._threads -= 1
                    return


class _NearWorkers(Workers):
    """Workers of a copy, few as long as `is_near` says that all servers respond at once.

    Calls wait for them in the copy, which takes the next one at once, however busy the other process is.
    """

    def __init__(self, count: int, is_near: Callable[[], bool]) -> None:
        super().__init__(count)
        self._is_near = is_near

    def _most(self) -> int:
        return min(self._count, _MOST_NEAR) if self._is_near() else self._count


class SharedWorkers(Workers):
    """Workers that are threads of copies of this process, if there are any, for all calls that those can make.

    Args:
        count: The most calls at the same time, in all processes together.
        copies: Starts copies, or returns those that were started earlier; none where that is not safe.
        opening: The plain value that copies are opened with.
        listener: Receives the bytes that the copies receive over the network.
    """

    def __init__(
        self, count: int, *, copies: Callable[[], list[ProcessCopy]], opening: Any, listener: ProgressListener
    ) -> None:
        super().__init__(count)
        self._start_copies = copies
        self._opening = opening
        self._listener = listener
        self._copies: list[ProcessCopy] = []
        self._lost: list[ProcessCopy] = []
        self._prepared = False

    def prepare(self) -> None:
        """Open the copies, unless that is not safe. Call it before the first `start`, without holding a lock."""
        if self._prepared:
            return
        self._prepared = True
        threads = self._count - 1  # one is for the calls that only this process can make
        copies = self._start_copies() if threads else []
        for copy in copies[threads:]:
            copy.end()
        count = min(threads, len(copies))
        for at, copy in enumerate(copies[:count]):
            share = threads * (at + 1) // count - threads * at // count
            if copy.open(self._opening, share, self._listener, self._make_here):
                self._copies.append(copy)

    @property
    def is_shared(self) -> bool:
        """Whether copies make the remote calls."""
        return bool(self._copies)

    def start(
        self, call: Callable[[], T], after: Callable[[], object] | None = None, remote: RemoteCall[T] | None = None
    ) -> Job[T]:
        """Queue `call`: for a copy as `remote` if there is one, else for a thread of this process."""
        if remote is not None and self._copies:
            job = _RemoteJob(call, after, remote.read)
            for copy in sorted(self._copies, key=ProcessCopy.load):
                if copy.send(job, remote):
                    return job
        return super().start(call, after)

    def end_idle_copies(self) -> None:
        """Let the copies without a call end; all later calls are made here.

        A process takes milliseconds to end. `close` waits for that, unless they end while this process computes.
        """
        with self._lock:
            idle = [copy for copy in self._copies if copy.leave_if_idle()]
            self._copies = [copy for copy in self._copies if copy not in idle]
            self._lost += idle

    def close(self) -> None:
        """End the copies at once, and the threads once the queue is empty."""
        copies, self._copies, self._lost = self._copies + self._lost, [], []
        for copy in copies:
            copy.leave()
        for copy in copies:
            copy.end()
        super().close()

    def _may_grow(self) -> bool:
        if not super()._may_grow():
            return False
        return not (self._threads and self._copies) or any(copy.give_up_thread() for copy in self._copies)

    def _make_here(self, lost: ProcessCopy, jobs: list[_RemoteJob[Any]]) -> None:
        """Make the calls in threads of this process, since the copy has ended."""
        with self._lock:
            self._copies = [copy for copy in self._copies if copy is not lost]
            self._lost.append(lost)
        for job in jobs:
            job.release()
            self._added(job)


class _RemoteJob(Job[T]):
    """A call that a copy makes; `release` makes it one of this process again."""

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

    def __init__(self, end: Callable[[], object], requests: int, replies: int) -> None:
        self._end = end
        self._requests, self._replies = requests, FileIO(replies)
        self._lock = threading.Lock()
        self._threads = 0
        self._jobs: dict[int, _RemoteJob[Any]] = {}
        self._waiting: deque[tuple[_RemoteJob[Any], RemoteCall[Any]]] = deque()
        self._calls = 0
        self._receiver: threading.Thread | None = None
        self._ended = self._left = False

    @classmethod
    def started(
        cls, serve: Callable[[Service], object], *, prepare: Callable[[], object] | None = None, count: int = 1
    ) -> list[ProcessCopy]:
        """Start copies, each of which calls `serve`; none where a copy is not safe.

        Only one of them is a copy of this process. It calls `prepare`, and the others are copies of it.
        """
        try:
            pipes = open_pipes(count)
        except OSError:  # this process may open no more files
            return []

        def work() -> None:
            for each in pipes:
                each.close_ours()
            if prepare is not None:
                prepare()
            for each in pipes[1:]:
                assistant(partial(_serve_alone, each, pipes, serve))
            _serve_alone(pipes[0], pipes, serve)

        end = assistant(work) if pipes else None
        for each in pipes:
            each.close_theirs()
        if end is None:
            for each in pipes:
                each.close_ours()
            return []
        first, *others = pipes
        return [
            cls(partial(end, True), first.requests, first.replies),  # noqa: FBT003 (as its type says)
            *(cls(_nothing, each.requests, each.replies) for each in others),
        ]

    def open(
        self,
        opening: Any,
        threads: int,
        listener: ProgressListener,
        on_loss: Callable[[ProcessCopy, list[_RemoteJob[Any]]], None],
    ) -> bool:
        """Let the copy make up to `threads` calls at the same time; False if it has ended.

        `on_loss` is called with the copy and the calls that have no result if it ends by itself.
        """
        try:
            write_message(self._requests, marshal.dumps((opening, threads)))
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

    def load(self) -> int:
        """How many calls it has to make."""
        return len(self._jobs) + len(self._waiting)

    def send(self, job: _RemoteJob[Any], call: RemoteCall[Any]) -> bool:
        """Let the copy make the call, after earlier ones if all its threads are busy; False if it has ended."""
        with self._lock:
            if self._ended:
                return False
            self._waiting.append((job, call))
            self._send_waiting()
            return True

    def give_up_thread(self) -> bool:
        """Make one call less at the same time from now on; False if all threads are busy."""
        with self._lock:
            if self._threads <= max(1, len(self._jobs)):
                return False
            self._threads -= 1
            return True

    def _send_waiting(self) -> None:
        """Send the calls for which there are threads; with the lock held."""
        while self._waiting and len(self._jobs) < self._threads:
            job, call = self._waiting[0]
            self._calls += 1
            try:
                write_message(self._requests, marshal.dumps((self._calls, call.kind, call.argument)))
            except OSError:
                return  # the receiver will notice the end, too
            self._jobs[self._calls] = job
            self._waiting.popleft()

    def end(self) -> None:
        """End the copy at once and wait for its end; calls under way are abandoned."""
        self.leave()
        self._end()
        if self._receiver is not None:
            self._receiver.join(_LEAVE_SECONDS)
            if self._receiver.is_alive():  # something has stopped the copy of a copy: it ends when it goes on
                return
        self._replies.close()

    def leave(self) -> None:
        """Let the copy end, which `end` waits for."""
        with self._lock:
            self._leave()

    def leave_if_idle(self) -> bool:
        """As `leave`, unless it has a call to make; returns whether it ends."""
        with self._lock:
            if not self.load():
                self._leave()
            return self._left

    def _leave(self) -> None:
        """As `leave`, with the lock held."""
        if not self._left:
            self._left = self._ended = True
            os.close(self._requests)

    def _receive(
        self, listener: ProgressListener, on_loss: Callable[[ProcessCopy, list[_RemoteJob[Any]]], None]
    ) -> None:
        try:
            self._receive_replies(listener)
        finally:
            with self._lock:
                was_ended, self._ended = self._ended, True
            if not was_ended:
                on_loss(self, [*self._jobs.values(), *(job for job, _ in self._waiting)])

    def _receive_replies(self, listener: ProgressListener) -> None:
        known = 0
        while (reply := read_message(self._replies)) is not None:
            number, is_error, value, received = reply
            if received > known:
                listener.transferred(received - known)
                known = received
            with self._lock:
                job = self._jobs.pop(number)
                self._send_waiting()
            job.receive(value, is_error=is_error)


def _serve_alone(mine: Pipes, every: list[Pipes], serve: Callable[[Service], object]) -> None:
    """Serve over `mine`; a copy would not notice the end of another one whose pipes it holds."""
    for each in every:
        if each is not mine:
            each.close_theirs()
    serve(Service(mine.their_requests, mine.their_replies))


def _nothing() -> None:
    """How a copy of a copy is ended: it ends with its pipe."""


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


def _unpickled(error: bytes) -> BaseException:
    import pickle  # only for errors

    restored: BaseException = pickle.loads(error)  # noqa: S301 (from the copy of this process)
    return restored
