"""A server that is silent or slow at any stage costs a request bounded time, with all its tries and redirects.

Nothing here knows the client: a server on a raw socket, and how long the ports take.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.index.pages.project_page import unlisted_file
from support.fakes.fake_index import BytesSink
from support.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lockset.composition.connections import Connection
    from support.command import Command

TIMEOUT = 0.3
# For what succeeds, so that a busy machine has time for it.
AMPLE = 1.2
# Tells a wait that has an end from one that has none, on a busy machine too. Tries are counted: two take twice the
# time-out and a pause.
BOUND = 30.0
TRIES = 2


class Server:
    """Hands each request to `behave`; what that leaves open stays open, in silence."""

    def __init__(self, behave: Callable[[socket.socket, bytes], None]) -> None:
        self.requests = 0
        self._behave = behave
        self._listener = Listener(self._serve)
        self.authority = self._listener.authority
        self.close = self._listener.close

    def _serve(self, connected: socket.socket) -> None:
        while request := connected.recv(65536):
            self.requests += 1
            self._behave(connected, request)


@contextmanager
def talking(behave: Callable[[socket.socket, bytes], None], **options: Any) -> Iterator[tuple[Server, Connection]]:
    server = Server(behave)
    facts: dict[str, Any] = {"read_timeout": TIMEOUT, "connect_timeout": TIMEOUT, "retries": 4, "rate_window": TIMEOUT}
    connection = connect(IndexOptions(**facts | options), cache=None, clock=lambda: 0.0, environ={})
    try:
        yield server, connection
    finally:
        connection.close()
        server.close()


def fetched(server: Server, connection: Connection, *, scheme: str = "http") -> bytes:
    sink = BytesSink()
    connection.downloads.fetch(f"{scheme}://{server.authority}/file", sink)
    return sink.content


def sends(text: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connected, _: connected.sendall(text)


def drips(at_once: bytes, bit_by_bit: bytes, pause: float = 0.05) -> Callable[[socket.socket, bytes], None]:
    def behave(connected: socket.socket, _: bytes) -> None:
        connected.sendall(at_once)
        for at in range(len(bit_by_bit)):
            time.sleep(pause)
            connected.sendall(bit_by_bit[at : at + 1])

    return behave


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LENGTH = OK + b"Content-Length: 5000\r\n\r\n"

SILENT = {
    "after the request": sends(b""),
    "in the status": sends(b"HTTP/1.1 2"),
    "in the head": sends(OK + b"Content-"),
    "after an interim answer": sends(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "before a counted body": sends(LENGTH),
    "in a counted body": sends(LENGTH + b"x" * 4_999),
    "in a body until the end": sends(b"HTTP/1.0 200 OK\r\n\r\nxxxx"),
    "before the chunks": sends(CHUNKED),
    "in the size of a chunk": sends(CHUNKED + b"5"),
    "in a chunk": sends(CHUNKED + b"5\r\nxx"),
    "after the last chunk": sends(CHUNKED + b"5\r\nxxxxx\r\n0\r\nTrailer: "),
    "in the body of an error": sends(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n"),
}
DRIPPING = {
    "the status": drips(b"", OK * 50),
    "the head": drips(OK, b"X: y\r\n" * 500),
    "interim answers": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a counted body": drips(LENGTH, b"x" * 5_000),
    "a body until the end": drips(b"HTTP/1.0 200 OK\r\n\r\n", b"x" * 5_000),
    "chunks": drips(CHUNKED, b"1\r\nx\r\n" * 500),
    "the extension of a chunk": drips(CHUNKED + b"5;", b"x" * 7_000),
    "trailers": drips(CHUNKED + b"0\r\n", b"X: y\r\n" * 500),
}


@pytest.mark.parametrize("stage", SILENT)
def test_a_server_that_falls_silent_costs_bounded_time(stage: str) -> None:
    with talking(SILENT[stage]) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetched(server, connection)
        assert time.monotonic() - begun < BOUND
        # The error's body is not waited for: its tries end by number.
        assert server.requests <= (TRIES if "error" not in stage else 5)
        assert caught.value.diagnostic.code == "download-failed"


@pytest.mark.parametrize("part", DRIPPING)
def test_a_server_that_drips_costs_bounded_time(part: str) -> None:
    with talking(DRIPPING[part]) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetched(server, connection)
        assert time.monotonic() - begun < BOUND
        assert server.requests <= TRIES
        assert caught.value.diagnostic.code == "download-failed"


def test_a_server_that_is_silent_in_the_handshake_costs_bounded_time() -> None:
    with talking(sends(b"")) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError):
            fetched(server, connection, scheme="https")
        assert time.monotonic() - begun < BOUND
        assert server.requests <= TRIES


def test_a_server_that_takes_no_connection_costs_bounded_time() -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.settimeout(0)
            with suppress(BlockingIOError):
                waiting.connect(full.getsockname())
        time.sleep(0.1)
        options = IndexOptions(read_timeout=TIMEOUT, connect_timeout=TIMEOUT, retries=4)
        connection = connect(options, cache=None, clock=lambda: 0.0, environ={})
        begun = time.monotonic()
        with pytest.raises(LocksetError):
            connection.downloads.fetch(f"http://127.0.0.1:{full.getsockname()[1]}/x", BytesSink())
        assert time.monotonic() - begun < BOUND
        connection.close()


@pytest.mark.parametrize("body", [b"", b"x" * 10_000], ids=["bare", "with a body that does not come"])
def test_a_chain_of_slow_redirects_costs_bounded_time(body: bytes) -> None:
    def behave(connected: socket.socket, request: bytes) -> None:
        time.sleep(TIMEOUT * 0.7)
        hop = len(request.split(b" ")[1])
        connected.sendall(b"HTTP/1.1 302 Go\r\nLocation: /%b\r\nContent-Length: %d\r\n\r\n" % (b"x" * hop, len(body)))

    with talking(behave) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError):
            fetched(server, connection)
        assert time.monotonic() - begun < BOUND
        assert server.requests <= 5


def test_different_silences_of_one_request_count_together() -> None:
    answers = [b"", OK, LENGTH, LENGTH + b"x", CHUNKED]
    number = 0

    def behave(connected: socket.socket, _: bytes) -> None:
        nonlocal number
        number += 1
        connected.sendall(answers[(number - 1) % len(answers)])

    with talking(behave) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetched(server, connection)
        assert time.monotonic() - begun < BOUND
        assert server.requests <= TRIES
    assert "--timeout" in (caught.value.diagnostic.hint or "")


def test_one_silence_is_tried_again() -> None:
    number = 0

    def behave(connected: socket.socket, _: bytes) -> None:
        nonlocal number
        number += 1
        if number > 1:
            connected.sendall(OK + b"Content-Length: 4\r\n\r\nhull")

    with talking(behave, read_timeout=AMPLE) as (server, connection):
        assert fetched(server, connection) == b"hull"


def test_a_body_that_comes_steadily_may_take_longer_than_any_bound() -> None:
    def behave(connected: socket.socket, _: bytes) -> None:
        connected.sendall(OK + b"Content-Length: 30000\r\n\r\n")
        for _number in range(30):
            time.sleep(AMPLE / 12)
            connected.sendall(b"x" * 1_000)

    with talking(behave, read_timeout=AMPLE, rate_window=AMPLE) as (server, connection):
        assert fetched(server, connection) == b"x" * 30_000
        assert server.requests == 1


def test_after_a_long_body_that_broke_off_there_are_as_many_tries_as_ever() -> None:
    number = 0

    def behave(connected: socket.socket, _: bytes) -> None:
        nonlocal number
        number += 1
        connected.sendall(OK + b"Content-Length: 20000\r\n\r\n")
        for _number in range(20 if number > 2 else 15):
            time.sleep(AMPLE / 6)
            connected.sendall(b"x" * 1_000)
        if number <= 2:
            connected.shutdown(socket.SHUT_RDWR)

    with talking(behave, read_timeout=AMPLE, rate_window=AMPLE) as (server, connection):
        assert fetched(server, connection) == b"x" * 20_000


def test_a_server_may_ask_for_pauses_up_to_the_cap_in_all() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    with talking(sends(busy), retry_after_cap=2.0) as (server, connection):
        with pytest.raises(LocksetError, match="asks to wait for 1 second again"):
            fetched(server, connection)
        assert server.requests == 3


def test_sizes_of_many_files_cost_no_more_than_one_of_a_silent_server() -> None:
    with talking(sends(b""), connections=4) as (server, connection):
        files = [
            unlisted_file(
                filename=f"hull-{number}.0.tar.gz",
                project="hull",
                version=Version(f"{number}.0"),
                url=f"http://{server.authority}/hull-{number}.0.tar.gz",
                hashes={},
            )
            for number in range(40)
        ]
        begun = time.monotonic()
        assert connection.files.sizes(files) == {}
        assert time.monotonic() - begun < BOUND
        assert server.requests <= 8, "each of four threads has two tries, not each of forty files"


@pytest.mark.parametrize("behaviour", ["silent", "dripping"])
def test_lock_ends_within_what_the_time_out_of_the_user_means(cli: Command, tmp_path: Path, behaviour: str) -> None:
    server = Server(sends(b"") if behaviour == "silent" else DRIPPING["the head"])
    (tmp_path / "requirements.in").write_text("hull\n")
    begun = time.monotonic()
    paragraph = cli.refused(
        *("lock", "requirements.in", "--python", ">=3.10", "-i", f"http://{server.authority}/simple/"),
        *("--timeout", "0.5"),
    )
    assert time.monotonic() - begun < BOUND
    assert server.requests <= TRIES
    assert server.authority in paragraph
    assert "--timeout" in paragraph
    assert not (tmp_path / "pylock.toml").exists()
    server.close()
