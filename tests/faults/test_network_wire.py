"""Servers that lie at any byte of HTTP: told in one sentence and bounded time; no byte ends up in another answer."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from support.fakes.fake_index import BytesSink
from support.listener import Listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

BODY = b"0123456789" * 20
Served = bytes | tuple[bytes, bytes]  # said at once; or the first at once and the rest byte by byte


class Liar:
    """Answers the n-th request with the n-th of `answers`, the last one for all further ones."""

    def __init__(self, *answers: Served) -> None:
        self._answers = answers
        self.requests = 0
        self._listener = Listener(self._serve)
        self.url = f"http://{self._listener.authority}/x"
        self.close = self._listener.close

    def _serve(self, connected: socket.socket) -> None:
        with connected:
            while b"\r\n\r\n" in connected.recv(65536):
                answer = self._answers[min(self.requests, len(self._answers) - 1)]
                self.requests += 1
                first, rest = answer if isinstance(answer, tuple) else (answer, b"")
                connected.sendall(first)
                for at in range(len(rest)):
                    time.sleep(0.02)
                    connected.sendall(rest[at : at + 1])
                if b"close" in first:
                    return


def answer(*headers: str, body: bytes = BODY, status: int = 200) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} OK", *headers, "", ""]).encode("latin-1") + body


@contextmanager
def fetching(*answers: Served, **options: Any) -> Iterator[tuple[Liar, Callable[[], bytes]]]:
    facts: dict[str, Any] = {"read_timeout": 1.0, "connect_timeout": 1.0, "retries": 0} | options
    opened = connect(IndexOptions(**facts), cache=None, clock=lambda: 0.0, environ={})
    liar = Liar(*answers)

    def fetch() -> bytes:
        sink = BytesSink()
        opened.downloads.fetch(liar.url, sink)
        return sink.content

    try:
        yield liar, fetch
    finally:
        opened.close()
        liar.close()


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "output",
    [
        answer(CHUNKED, body=b"-5\r\n"),
        answer(CHUNKED, body=b"0x5\r\n01234\r\n0\r\n\r\n"),
        answer(CHUNKED, body=b"5\r\n0123456789\r\n0\r\n\r\n"),
        answer(CHUNKED, "Connection: close", body=b"5\r\n01234\r\n"),
        answer("Content-Length: -1"),
        answer("Content-Length: +200"),
        answer("Content-Length: 1", "Content-Length: 2"),
        answer(f"Content-Length: {10**30}"),
        answer(LENGTH, "X: a\0b"),
        answer("Content-Length : 3"),
        answer(LENGTH, "no colon"),
        answer(LENGTH, *(f"X-{number}: {'y' * 90}" for number in range(2_000))),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"SSH-2.0-close\r\n\r\n",
    ],
    ids=lambda output: repr(output[:60]),
)
def test_an_invalid_response_is_refused(output: bytes) -> None:
    with fetching(output) as (_, fetch), pytest.raises(LocksetError) as caught:
        fetch()
    assert caught.value.diagnostic.code == "download-failed"


@pytest.mark.parametrize(
    "served",
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 4_000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
        (answer(CHUNKED, body=b""), b"5;" + b"x" * 7_000),
        (answer(CHUNKED, body=b"5\r\n01234\r\n0\r\n"), b"X: y\r\n" * 4_000),
    ],
    ids=["head", "interim answers", "chunk extension", "trailers"],
)
def test_a_response_in_single_bytes_has_a_deadline(served: Served) -> None:
    begun = time.monotonic()
    with fetching(served, read_timeout=0.3) as (_, fetch), pytest.raises(LocksetError, match="too slowly"):
        fetch()
    assert time.monotonic() - begun < 60, "it would take minutes"


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    slow = (answer("Location: /y", "Content-Length: 9999", body=b"", status=302), b"x" * 9_999)
    begun = time.monotonic()
    with fetching(slow, answer(LENGTH), read_timeout=100.0) as (_, fetch):
        assert fetch() == BODY
    assert time.monotonic() - begun < 60, "it would take minutes"


def test_bytes_after_a_response_are_not_the_next_response() -> None:
    lie = answer("Content-Length: 4", body=b"evil")
    with fetching(answer(LENGTH) + lie, answer(LENGTH)) as (liar, fetch):
        assert fetch() == BODY
        assert fetch() == BODY
        assert liar.requests == 2


def test_a_slow_transfer_is_tried_once_more_only() -> None:
    slow = (answer(LENGTH, body=b""), BODY[:50])
    with fetching(slow, retries=4, rate_window=0.2) as (liar, fetch), pytest.raises(LocksetError, match="slower"):
        fetch()
    assert liar.requests == 2
