"""What servers may say and what they may not, byte by byte, and what a kept connection is good for."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.http.transport import Request
from lockset.index.options import IndexOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.composition.connections import Connection
    from lockset.index.http.transport import Incoming


class Script:
    """A server; each inner list is one connection: what it answers to each request, then it closes."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.asked: list[bytes] = []
        self._connections = connections
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"http://{self.authority}/a?b=c"
        self._thread = threading.Thread(target=self._serve_all, daemon=True)

    def _serve_all(self) -> None:
        with suppress(OSError):  # the test has ended
            self._serve()

    def _serve(self) -> None:
        for answers in self._connections:
            connected, _ = self._listening.accept()
            with connected:
                for answer in answers:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        piece = connected.recv(1024)
                        if not piece:
                            break
                        request += piece
                    self.asked.append(request)
                    connected.sendall(answer)

    @contextmanager
    def running(self, **options: Any) -> Iterator[Connection]:
        self._thread.start()
        facts: dict[str, Any] = {"read_timeout": 0.5, "connect_timeout": 2.0, "retries": 0} | options
        connection = connect(IndexOptions(**facts), cache=None, clock=lambda: 0.0, environ={})
        try:
            yield connection
        finally:
            connection.close()
            self._listening.close()


def read(connection: Connection, script: Script, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    def whole(incoming: Incoming) -> tuple[int, bytes]:
        return incoming.status, b"".join(incoming.chunks())

    accepted = frozenset(range(200, 600))
    request = Request(url=script.url, method=method, headers={"accept": "text/html", **headers}, accepted=accepted)
    return connection.transport.exchange(request, whole)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"content-length:5\r\nX: 1\r\nx: 2\r\n folded\r\n\r\nhello",
        OK + b"Content-Length: 5, 5\r\n\r\nhello",
        b"HTTP/1.1 200\nContent-Length: 5\n\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: 1\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        OK + b"Connection: close\r\n\r\nhello",
        OK + b"\r\nhello",
    ],
)
def test_every_way_to_send_a_body_is_read(answer: bytes) -> None:
    script = Script([answer])
    with script.running() as connection:
        assert read(connection, script) == (200, b"hello")


def test_a_request_says_what_it_has_to_and_no_more() -> None:
    script = Script([OK + b"Content-Length: 5\r\n\r\nhello"])
    with script.running() as connection:
        read(connection, script)
    first, *lines = script.asked[0].removesuffix(b"\r\n\r\n").decode().split("\r\n")
    headers = dict(line.lower().split(": ") for line in lines)
    assert first == "GET /a?b=c HTTP/1.1"
    assert headers.pop("user-agent").startswith("lockset/")
    assert headers == {"host": script.authority, "accept": "text/html", "accept-encoding": "identity"}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
        OK + b"Content-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: 5, 6\r\n\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: five\r\n\r\nhello",
        OK + b"no colon\r\n\r\nhello",
        OK + b"bad name: 1\r\n\r\nhello",
        OK + b": 1\r\n\r\nhello",
        OK + b"x: \x00\r\n\r\nhello",
        OK + b"X: " + b"x" * 200_000,
        OK + b"X: " + b"x" * 200_000 + b"\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 20_000,
    ],
    ids=lambda answer: repr(answer[:70]),
)
def test_an_incomplete_response_is_an_error(answer: bytes) -> None:
    script = Script([answer])
    with script.running() as connection, pytest.raises(LocksetError) as caught:
        read(connection, script)
    assert caught.value.diagnostic.code == "download-failed"


def test_a_connection_serves_again() -> None:
    script = Script([OK + b"Content-Length: 1\r\n\r\na", OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as connection:
        assert [read(connection, script), read(connection, script)] == [(200, b"a"), (200, b"b")]


@pytest.mark.parametrize(
    "first", [OK + b"Content-Length: 1\r\n\r\na", OK + b"Content-Length: 1\r\nConnection: close\r\n\r\na"]
)
def test_a_connection_that_was_closed_meanwhile_is_made_anew(first: bytes) -> None:
    script = Script([first], [OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as connection:
        assert [read(connection, script), read(connection, script)] == [(200, b"a"), (200, b"b")]


def test_a_connection_that_ends_with_the_next_request_is_made_anew() -> None:
    """The server takes the second request, and closes the connection without a byte for it."""
    script = Script([OK + b"Content-Length: 1\r\n\r\na", b""], [OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as connection:
        assert [read(connection, script), read(connection, script)] == [(200, b"a"), (200, b"b")]
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    "surplus",
    [
        OK + b"Content-Length: 1\r\n\r\nX",
        OK + b"X: half of a head ",
        b"\r\n",
        b"H",
    ],
)
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 1\r\n\r\na", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"]
)
def test_surplus_bytes_are_never_part_of_a_response(framing: bytes, surplus: bytes) -> None:
    second = OK + b"Content-Length: 1\r\n\r\n"
    script = Script([OK + framing + surplus, second + b"Y"], [second + b"b"])
    with script.running() as connection:
        assert [read(connection, script), read(connection, script)] == [(200, b"a"), (200, b"b")]


def test_an_answer_that_was_not_read_to_its_end_costs_the_connection() -> None:
    script = Script([OK + b"Content-Length: 100000\r\n\r\nab"], [OK + b"Content-Length: 1\r\n\r\nc"])
    with script.running() as connection:
        connection.transport.exchange(Request(url=script.url), lambda incoming: incoming.status)
        assert read(connection, script) == (200, b"c")


@pytest.mark.parametrize(("method", "status"), [("HEAD", b"200 OK"), ("GET", b"304 Not Modified")])
def test_answers_without_a_body_have_none_whatever_their_length_says(method: str, status: bytes) -> None:
    answer = b"HTTP/1.1 %b\r\nContent-Length: 5\r\n\r\n" % status
    script = Script([answer, OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as connection:
        assert read(connection, script, method) == (int(status[:3]), b"")
        assert read(connection, script) == (200, b"b")


def test_a_header_cannot_bring_in_another_one() -> None:
    script = Script([OK + b"Content-Length: 0\r\n\r\n"])
    with script.running() as connection, pytest.raises(LocksetError):
        read(connection, script, **{"if-none-match": '"x"\r\nhost: elsewhere.example.org'})
    assert not any(script.asked)


@pytest.mark.parametrize(
    ("path", "requested"),
    [
        ("/a%20b?c=d&e", b"/a%20b?c=d&e"),
        ("/a%2Fb/%c3%bc?sig=a%2Bb%3D", b"/a%2Fb/%c3%bc?sig=a%2Bb%3D"),
        ("/a+b-1.0~x;y,z=!$*()@:", b"/a+b-1.0~x;y,z=!$*()@:"),
        ("/a b", b"/a%20b"),
        ("/\u00fc", b"/%C3%BC"),
        ("?a#b", b"/?a"),
        ("", b"/"),
    ],
)
def test_a_url_is_requested_as_it_is_written(path: str, requested: bytes) -> None:
    script = Script([OK + b"Content-Length: 0\r\n\r\n"])
    with script.running() as connection:
        connection.transport.exchange(Request(url=f"http://{script.authority}{path}"), lambda incoming: incoming.status)
    assert script.asked[0].split(b" ")[1] == requested


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example.org/",
        "http:///x",
        "http://x.example.org:99999/",
        "http://x.example.org:port/",
        "http://[::1/",
        "http://\u0080.example.org/",
        "//x.example.org/",
        "",
    ],
)
def test_an_address_that_leads_nowhere_is_one_error(url: str) -> None:
    with Script().running() as connection, pytest.raises(LocksetError) as caught:
        connection.transport.exchange(Request(url=url), lambda incoming: incoming.status)
    assert "\n" not in caught.value.diagnostic.message


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_no_answer_raises_anything_but_its_error(noise: bytes, before: bytes) -> None:
    script = Script([before + noise])
    with script.running() as connection, suppress(LocksetError):
        read(connection, script)


class Echo:
    """Answers each request with its path, on connections that it keeps, or closes after some answers."""

    def __init__(self, answers: int) -> None:
        self.connections = 0
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        with connected, suppress(OSError):
            for _ in range(self._answers):
                request = connected.recv(65536)
                if not request:
                    return
                path = request.split(b" ")[1]
                connected.sendall(OK + b"Content-Length: %d\r\n\r\n%b" % (len(path), path))


@pytest.mark.parametrize("answers", [1_000_000, 3], ids=["kept", "closed after a few"])
def test_threads_share_connections_and_each_gets_its_own_answer(answers: int) -> None:
    server = Echo(answers)
    options = IndexOptions(retries=0, connections=16)
    connection = connect(options, cache=None, clock=lambda: 0.0, environ={})

    def fetch(number: int) -> bytes:
        return connection.transport.exchange(Request(url=f"{server.url}/{number}"), lambda incoming: incoming.body(100))

    begun = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(fetch, range(600))) == [f"/{number}".encode() for number in range(600)]
    assert time.monotonic() - begun < options.read_timeout
    if answers > 600:
        assert server.connections <= 16
    connection.close()
    server.close()
