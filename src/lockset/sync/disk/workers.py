"""Run tasks in daemon threads, so that an interrupt does not wait for them."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock, start_new_thread  # `threading` is imported where it is needed
from contextlib import ExitStack, contextmanager
from functools import partial

from lockset.errors import StoppedError
from lockset.files.copies import assistant, hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from queue import SimpleQueue
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["InstallWorkers", "assisted", "in_turn", "meanwhile", "with_copy"]

# Seconds after which a wait is restarted. A signal that arrives just before a wait does not end it: it is handled at
# the next restart, so that an interrupt never has to wait for a task.
_HEARTBEAT = 0.2
# A pipe always holds this many numbers of two bytes.
_TURNS = 2048


class InstallWorkers:
    """Runs tasks in a few threads. After the first failure, or an interrupt, no further task starts.

    Args:
        threads: Largest number of threads.
    """

    def __init__(self, threads: int) -> None:
        import threading

        self._threads = threads
        self._stop = threading.Event()

    def stopped(self) -> bool:
        """Whether running tasks should end early."""
        return self._stop.is_set()

    def run(self, tasks: Sequence[Callable[[], T]], *, threads: int | None = None) -> list[T]:
        """Start `tasks` in order, and return their results in the same order; `threads` lowers the number of threads.

        Raises:
            BaseException: The error of the first failing task (by order), once all tasks have ended.
        """
        # Imported here: most syncs find everything in the cache.
        import threading
        from queue import Empty, SimpleQueue

        waiting: SimpleQueue[int] = SimpleQueue()
        done: SimpleQueue[tuple[int, T | None, BaseException | None]] = SimpleQueue()
        for index in range(len(tasks)):
            waiting.put(index)

        def work() -> None:
            while True:
                try:
                    index = waiting.get_nowait()
                except Empty:
                    return
                done.put(self._attempt(index, tasks[index]))

        most = min(threads or self._threads, len(tasks))
        try:
            try:
                for thread in [threading.Thread(target=work, daemon=True) for _ in range(most)]:
                    thread.start()
            except RuntimeError:
                # No further thread can be started: the running ones, and this one, do all the work.
                work()
            results = [_next(done) for _ in tasks]
        except BaseException:
            self._stop.set()
            raise
        results.sort(key=lambda one: one[0])
        return [_result(one, results) for one in results]

    def _attempt(self, index: int, task: Callable[[], T]) -> tuple[int, T | None, BaseException | None]:
        if self._stop.is_set():
            return index, None, TaskSkipped()
        try:
            return index, task(), None
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            skipped = self._stop.is_set()
            self._stop.set()
            return index, None, TaskSkipped() if skipped and _is_stop(error) else error


@contextmanager
def assisted(
    count: int, assist: Callable[[int, Callable[[int], bool]], object], *, copies: int = 1
) -> Iterator[Callable[[int], bool]]:
    """While the body runs, run `assist` in copies of this process, where that is safe; it receives their number from 1.

    All receive a function that takes one of the numbers below `count`: it returns False for one that is taken.
    """
    import mmap  # here, since few syncs are so large

    taken = mmap.mmap(-1, count)  # shared by all
    turn = _Turn()

    def take(number: int) -> bool:
        with turn:
            if taken[number]:
                return False
            taken[number] = 1
            return True

    with ExitStack() as stack:
        for number in range(1, copies + 1):
            stack.enter_context(_copy(partial(assist, number, take)))
        yield take


class _Turn:
    """A lock for the threads of this process and of its copies. That of a process ends with it, however it ends.

    Closing any descriptor of the pipe ends the lock, too (fcntl(2), advisory record locking): copies leave them open.
    """

    def __init__(self) -> None:
        self._pipe = os.pipe()
        self._threads = allocate_lock()

    def __enter__(self) -> None:
        self._threads.acquire()
        hold(self._pipe[1], alone=True)

    def __exit__(self, *_: object) -> None:
        hold(self._pipe[1], alone=False)
        self._threads.release()

    def __del__(self) -> None:
        # Not earlier: after an interrupt, threads that are still running may use them.
        for descriptor in self._pipe:
            os.close(descriptor)


@contextmanager
def _copy(work: Callable[[], object]) -> Iterator[Callable[[], bool] | None]:
    """Run `work` in a copy of this process while the body runs, and wait for it; an error of the body ends it.

    The body receives a function that waits for the copy, and returns whether `work` was done without an error; None if
    no copy can be made.
    """
    parent = os.getpid()
    done: list[bool] = []

    def run() -> None:
        start_new_thread(_end_with, (parent,))
        work()

    end = assistant(run)
    if end is None:
        yield None
        return

    def wait() -> bool:
        if not done:
            done.append(end(False))  # noqa: FBT003 (as its type says)
        return done[0]

    try:
        yield wait
        wait()
    except BaseException:
        if not done:
            end(True)  # noqa: FBT003
        raise


def with_copy(own: Callable[[], object], other: Callable[[], object]) -> bool:
    """Run `own` while a copy of this process runs `other`.

    False if `other` failed, or if no copy can be made; then `own` was not run either.

    Raises:
        BaseException: The error of `own`; the copy has been ended.
    """
    with _copy(other) as wait:
        if wait is None:
            return False
        own()
        return wait()


@contextmanager
def in_turn(items: Sequence[T]) -> Iterator[Iterator[T]]:
    """An iterator over `items` that copies of this process share: each item goes to the process that takes it first."""
    reader, writer = os.pipe()
    try:
        try:
            # Whatever the number of items: a full pipe would be waited for without end.
            os.write(writer, b"".join([number.to_bytes(2, "big") for number in range(min(len(items), _TURNS))]))
        finally:
            os.close(writer)
        turns = iter(partial(os.read, reader, 2), b"")
        yield (item for turn in turns for item in items[int.from_bytes(turn, "big") :: _TURNS])
    finally:
        os.close(reader)


@contextmanager
def meanwhile(task: Callable[[], None]) -> Iterator[None]:
    """Run `task` in a thread while the body runs, and wait for its end whatever happens in the body.

    Raises:
        BaseException: The error of `task`, unless the body raised one.
    """
    import threading

    failed: list[BaseException] = []

    def work() -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            failed.append(error)

    thread = threading.Thread(target=work)
    try:
        thread.start()
    except RuntimeError:  # no further thread can be started
        work()
    try:
        yield
    finally:
        while thread.is_alive():
            thread.join(_HEARTBEAT)
    if failed:
        raise failed[0]


def _end_with(parent: int) -> None:
    """End this process soon after its parent, which may have been killed."""
    while os.getppid() == parent:
        time.sleep(_HEARTBEAT)
    os._exit(0)


def _next(queue: SimpleQueue[T]) -> T:
    from queue import Empty

    while True:
        try:
            return queue.get(timeout=_HEARTBEAT)
        except Empty:
            continue


class TaskSkipped(Exception):
    """The task was not completed because another one had failed."""


def _is_stop(error: BaseException) -> bool:
    return isinstance(error, StoppedError)


def _result(
    one: tuple[int, T | None, BaseException | None], results: list[tuple[int, T | None, BaseException | None]]
) -> T:
    if one[2] is not None:
        raise next(error for _, _, error in results if error is not None and not isinstance(error, TaskSkipped))
    return one[1]  # type: ignore[return-value]
