"""Worker threads."""

from __future__ import annotations

import threading

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


def _name() -> str:
    return threading.current_thread().name
