"""An answer is read whole however its body is framed, and wherever the network splits it.

Nothing here knows the client: a server on a raw socket, and what the ports give for it.
"""

from __future__ import annotations

import gzip
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.index.ports import ProjectNotFound
from support.fakes.fake_index import BytesSink
from support.listener import Listener

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Sequence

    from lockset.composition.connections import Connection

CONTENT = b"the bytes of a file\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
# Seconds between two pieces: enough for the first to be read alone.
GAP = 0.001


def head(version: str, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *headers, "", ""]).encode()


def chunked(body: bytes, size: int, *, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join([*chunks, b"0\r\n", trailer, b"\r\n"])


# Body, further headers and status to the whole answer.
FRAMINGS: dict[str, Callable[[bytes, tuple[str, ...], str], bytes]] = {
    "1.0 until the end": lambda body, more, status: head("1.0", *more, status=status) + body,
    "1.0 with a length": lambda body, more, status: (
        head("1.0", *more, f"Content-Length: {len(body)}", status=status) + body
    ),
    "1.0 kept open": lambda body, more, status: (
        head("1.0", "Connection: keep-alive", f"content-length:{len(body)}", *more, status=status) + body
    ),
    "1.1 until the end": lambda body, more, status: head("1.1", "Connection: close", *more, status=status) + body,
    "1.1 until the end, unannounced": lambda body, more, status: head("1.1", *more, status=status) + body,
    "1.1 with a length": lambda body, more, status: (
        head("1.1", *more, f"Content-Length: {len(body)}", status=status) + body
    ),
    "1.1 without a reason": lambda body, more, status: (
        head("1.1", *more, f"Content-Length: {len(body)}", status=status.partition(" ")[0] + " ") + body
    ),
    "1.1 in chunks": lambda body, more, status: (
        head("1.1", *more, "Transfer-Encoding: chunked", status=status) + chunked(body, 7)
    ),
    "1.1 in chunks with extensions and trailers": lambda body, more, status: (
        head("1.1", "transfer-encoding: Chunked", *more, status=status)
        + chunked(body, 20, extension=b";a=b", trailer=b"X-Sum: 1\r\nX-More: 2\r\n")
    ),
    "1.1 after other answers that are not yet it": lambda body, more, status: (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        + head("1.1", *more, f"Content-Length: {len(body)}", status=status)
        + body
    ),
}
BOUNDED = [name for name in FRAMINGS if "until" not in name]
CLOSED_AFTER = [name for name in FRAMINGS if "until" in name or name == "1.0 with a length"]


class Pieces:
    """A server that sends what is `next`, piece by piece, and then closes the connection where that is part of it."""

    def __init__(self) -> None:
        self.next: Sequence[bytes] = ()
        self.closes = False
        self._listener = Listener(self._serve)
        self.origin = f"http://{self._listener.authority}"
        self.close = self._listener.close

    def _serve(self, connected: socket.socket) -> None:
        with connected:
            while b"\r\n\r\n" in connected.recv(65536):
                for number, piece in enumerate(self.next):
                    time.sleep(GAP if number else 0)
                    connected.sendall(piece)
                if self.closes:
                    return


@contextmanager
def talking(**options: Any) -> Iterator[tuple[Pieces, Connection]]:
    server = Pieces()
    facts: dict[str, Any] = {"index_url": f"{server.origin}/simple/", "read_timeout": 5.0, "retries": 0} | options
    connection = connect(IndexOptions(**facts), cache=None, clock=lambda: 0.0, environ={})
    try:
        yield server, connection
    finally:
        connection.close()
        server.close()


def fetched(server: Pieces, connection: Connection) -> bytes:
    sink = BytesSink()
    connection.downloads.fetch(f"{server.origin}/file", sink)
    return sink.content


def splits(answer: bytes) -> Iterator[list[bytes]]:
    """The answer at once, in two pieces at every position, and byte by byte."""
    yield [answer]
    for at in range(1, len(answer)):
        yield [answer[:at], answer[at:]]
    yield [answer[at : at + 1] for at in range(len(answer))]


@pytest.mark.parametrize("content", [CONTENT, b""], ids=["content", "empty"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_file_is_read_whole_in_every_framing_and_split(framing: str, content: bytes) -> None:
    answer = FRAMINGS[framing](content, (), "200 OK")
    with talking() as (server, connection):
        server.closes = framing in CLOSED_AFTER
        for pieces in splits(answer):
            server.next = pieces
            assert fetched(server, connection) == content, pieces


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_page_is_read_whole_in_every_framing_and_split(framing: str, coding: str) -> None:
    headers = ("Content-Type: text/html", *(("Content-Encoding: gzip",) if coding == "gzip" else ()))

    def answer(name: str) -> bytes:
        page = f'<html><body><a href="../../{name}-1.0-py3-none-any.whl">x</a></body></html>'.encode()
        body = gzip.compress(page, mtime=0) if coding == "gzip" else page
        return FRAMINGS[framing](body, headers, "200 OK")

    with talking() as (server, connection):
        server.closes = framing in CLOSED_AFTER
        for at in range(len(answer("hull0000"))):
            name = f"hull{at:04}"  # always another, since a page is fetched once
            whole = answer(name)
            server.next = [whole[:at], whole[at:]] if at else [whole]
            page = connection.index.project(name)
            assert [file.filename for file in page.files(Version("1.0"))] == [f"{name}-1.0-py3-none-any.whl"], (
                server.next
            )


@pytest.mark.parametrize(
    "rest",
    [b"\0", b"\x1f", b"\x1f\x8b\x08", b"<html>", gzip.compress(b"x", mtime=0)[:-1]],
    ids=["zero", "half a sign", "head", "page", "cut member"],
)
def test_bytes_after_a_compressed_page_are_refused(rest: bytes) -> None:
    body = gzip.compress(b"<html></html>", mtime=0) + rest
    headers = ("Content-Type: text/html", "Content-Encoding: gzip")
    with talking() as (server, connection):
        server.next = [FRAMINGS["1.1 with a length"](body, headers, "200 OK")]
        with pytest.raises(LocksetError) as caught:
            connection.index.project("hull")
        assert caught.value.diagnostic.code == "download-failed"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_that_a_project_is_missing_is_read_in_every_framing_and_split(framing: str) -> None:
    whole = FRAMINGS[framing](b"not found", ("Content-Type: text/plain",), "404 Not Found")
    with talking() as (server, connection):
        server.closes = framing in CLOSED_AFTER
        for at in range(1, len(whole)):
            server.next = [whole[:at], whole[at:]]
            with pytest.raises(ProjectNotFound):
                connection.index.project(f"hull{at}")


@pytest.mark.parametrize("framing", BOUNDED)
def test_an_answer_cut_anywhere_is_not_taken_for_a_whole_one(framing: str) -> None:
    whole = FRAMINGS[framing](CONTENT, (), "200 OK")
    with talking() as (server, connection):
        server.closes = True
        for at in range(len(whole)):
            server.next = [whole[:at]]
            with pytest.raises(LocksetError) as caught:
                fetched(server, connection)
            assert caught.value.diagnostic.code == "download-failed", at


@pytest.mark.parametrize("framing", CLOSED_AFTER)
def test_an_answer_cut_in_its_head_is_not_an_empty_one(framing: str) -> None:
    whole = FRAMINGS[framing](CONTENT, (), "200 OK")
    with talking() as (server, connection):
        server.closes = True
        for at in range(whole.index(b"\r\n\r\n")):
            server.next = [whole[:at]]
            with pytest.raises(LocksetError) as caught:
                fetched(server, connection)
            assert caught.value.diagnostic.code == "download-failed", at


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_answers_that_follow_each_other_stay_apart_in_any_framing_and_split(data: st.DataObject) -> None:
    with talking() as (server, connection):
        for number in range(data.draw(st.integers(1, 4))):
            framing = data.draw(st.sampled_from(sorted(FRAMINGS)))
            content = data.draw(st.binary(max_size=60)) + str(number).encode()
            whole = FRAMINGS[framing](content, (), "200 OK")
            cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=6)))
            server.closes = framing in CLOSED_AFTER
            server.next = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
            assert fetched(server, connection) == content


@pytest.mark.parametrize(
    "odd",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000,
        b"\r\n" * 10_000,
        b"\x15\x03\x01\x00\x02\x02\x50",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0;" + b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nx",
    ],
    ids=lambda odd: repr(odd[:50]),
)
def test_a_flood_or_another_protocol_is_refused_in_bounded_time(odd: bytes) -> None:
    with talking(read_timeout=1.0) as (server, connection):
        server.next, server.closes = [odd], True
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetched(server, connection)
        assert caught.value.diagnostic.code == "download-failed"
        assert len(caught.value.diagnostic.message) < 500
        assert time.monotonic() - begun < 60


def test_a_connection_that_is_said_to_stay_open_and_is_closed_costs_nothing() -> None:
    whole = FRAMINGS["1.0 kept open"](CONTENT, ("Keep-Alive: timeout=60, max=1000",), "200 OK")
    with talking() as (server, connection):
        server.next, server.closes = [whole], True
        for _ in range(20):
            assert fetched(server, connection) == CONTENT
