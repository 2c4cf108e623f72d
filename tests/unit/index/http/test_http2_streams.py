"""Streams of one HTTP/2 connection are opened by one thread at a time, and used by many."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpcore

from lockset.index.http.deadlines import Deadlines
from lockset.index.http.pool import Pool

if TYPE_CHECKING:
    import pytest

THREADS = 5


class Streams(httpcore.ConnectionInterface):
    """A connection that opens streams as httpcore does: it chooses a number, and takes it with the headers."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._together = threading.Barrier(THREADS, timeout=5)
        self._next = 1
        self.opened: list[int] = []

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        del request
        number = self._next
        time.sleep(0.01)
        self.opened.append(number)
        self._next = number + 2
        self._deadlines.written()
        self._together.wait()  # every request has its stream before any has its response
        return httpcore.Response(200)

    def close(self) -> None:
        pass


class OneConnection(Pool):
    """A pool whose connections have these streams."""

    def __init__(self, deadlines: Deadlines) -> None:
        super().__init__(deadlines)
        self.streams = Streams(deadlines)


def test_threads_get_different_streams_and_wait_for_responses_together(monkeypatch: pytest.MonkeyPatch) -> None:
    deadlines = Deadlines()
    pool = OneConnection(deadlines)
    monkeypatch.setattr(httpcore.ConnectionPool, "create_connection", lambda *_: pool.streams)
    request = httpcore.Request("GET", "https://index.example.org/", headers={"Host": "index.example.org"})
    connection = pool.create_connection(request.url.origin)
    threads = [threading.Thread(target=connection.handle_request, args=(request,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(pool.streams.opened) == [1, 3, 5, 7, 9]


def test_a_request_that_fails_before_it_is_written_lets_the_next_one_begin() -> None:
    deadlines = Deadlines()
    opening = threading.Lock()
    opening.acquire()
    deadlines.call_after_write(opening.release)
    deadlines.written()
    deadlines.written()
    assert not opening.locked()
