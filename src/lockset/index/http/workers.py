"""A small pool of worker threads, and the calls that they make."""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.ports import RemoteCall

__all__ = ["Job", "Workers"]

T = TypeVar("T")

# Seconds after which a wait is restarted, so that an interrupt is handled.
_HEARTBEAT = 0.2


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
        self._started: list[threading.Thread] = []
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
        """See `lockset.index.http.process_copies.SharedWorkers`, which these may be."""

    def end_idle_copies(self) -> None:
        """See `lockset.index.http.process_copies.SharedWorkers`, which these may be."""

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

    def drop(self) -> None:
        """Forget the calls that no thread has begun; nothing may wait for them."""
        with self._lock, suppress(Empty):
            while True:
                self._queue.get_nowait()
                self._calls -= 1

    def join(self, most: float = math.inf) -> None:
        """Wait for the end of the threads, after `close`, at `most` so many seconds."""
        end = time.monotonic() + most
        for thread in self._started:
            while thread.is_alive() and time.monotonic() < end:
                thread.join(_HEARTBEAT)

    def _added(self, job: Job[T]) -> Job[T]:
        """The job, which a thread makes, or has been made here."""
        with self._lock:
            self._queue.put(job)
            self._calls += 1
            if self._threads < self._calls and self._may_grow():
                with suppress(RuntimeError):  # fewer threads than allowed will do
                    name = f"lockset-{self._threads + 1}"
                    thread = threading.Thread(target=self._work, name=name, daemon=True)
                    thread.start()
                    self._started.append(thread)
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
