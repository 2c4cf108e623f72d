"""Workers that leave calls to copies of this process, each of which makes them with `copy_service`.

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
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING, Any

from lockset.files.copies import assistant
from lockset.index.http.copy_service import Service
from lockset.index.http.pipes import Pipes, open_pipes, read_message, write_message
from lockset.index.http.workers import Job, T, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.ports import RemoteCall
    from lockset.progress import ProgressListener

__all__ = ["ProcessCopy", "SharedWorkers"]

# The most seconds to wait for the end of a copy.
_LEAVE_SECONDS = 5.0


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


def _unpickled(error: bytes) -> BaseException:
    import pickle  # only for errors

    restored: BaseException = pickle.loads(error)  # noqa: S301 (from the copy of this process)
    return restored
