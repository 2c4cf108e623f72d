"""Worker threads."""

from __future__ import annotations

import threading
import time
from queue import SimpleQueue
from typing import Any

import pytest

from lockset.index.http.workers import Workers


def test_calls_of_one_worker_are_made_in_its_thread_one_after_the_other() -> None:
    workers = Workers(1)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(workers.call(_name))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    workers.close()
    assert len(names) == 5
    assert set(names) == {"lockset-1"}


def test_a_call_after_the_end_of_the_threads_is_made_at_once() -> None:
    workers = Workers(1)
    workers.close()
    assert workers.call(_name) == threading.current_thread().name


def test_a_call_raises_the_exception_of_the_function() -> None:
    def fail() -> None:
        raise ValueError("why")

    workers = Workers(1)
    with pytest.raises(ValueError, match="why"):
        workers.call(fail)
    workers.close()


def test_a_thread_that_has_only_just_taken_a_call_does_not_count_as_idle() -> None:
    class Slow(SimpleQueue[Any]):
        """Leaves time between the moment a thread takes a call and its next step."""

        def get(self, *args: Any, **options: Any) -> Any:
            job = super().get(*args, **options)
            time.sleep(0.2)
            return job

    workers, second = Workers(2), threading.Event()
    workers._queue = Slow()
    workers.start(lambda: None).result()
    first = workers.start(lambda: second.wait(20))
    while not workers._queue.empty():
        time.sleep(0.001)
    workers.start(second.set)
    assert first.outcome(), "the second call is made while the first one waits for it"
    workers.close()


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_calls_are_made_however_few_threads_the_system_allows(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    start, left = threading.Thread.start, [None] * allowed

    def limited(thread: threading.Thread) -> None:
        if not left:
            raise RuntimeError("can't start new thread")
        left.pop()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    workers, arrived = Workers(8), threading.Semaphore(0)
    jobs = [workers.start(lambda number=number: number, arrived.release) for number in range(5)]  # type: ignore[misc]
    assert workers.call(lambda: 5) == 5
    assert [job.outcome() for job in jobs] == list(range(5))
    assert all(arrived.acquire(timeout=20) for _ in jobs)
    workers.close()


def _name() -> str:
    return threading.current_thread().name


def test_dropped_calls_are_never_made_and_threads_are_waited_for() -> None:
    workers, begun, end = Workers(1), threading.Event(), threading.Event()
    made: list[str] = []

    def first() -> None:
        begun.set()
        end.wait(20)
        made.append("first")

    workers.start(first)
    workers.start(lambda: made.append("second"))
    assert begun.wait(20)
    workers.drop()
    workers.close()
    threading.Timer(0.05, end.set).start()
    workers.join()
    assert made == ["first"]
