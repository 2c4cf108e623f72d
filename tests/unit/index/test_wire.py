"""HTTP over sockets, against a server that says exactly what the test wants."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.index.http.wire import Target, WireError, Wires, plain_target

if TYPE_CHECKING:
    from collections.abc import Iterator


class Script:
    """A server; each inner list is one connection: what it answers to each request, then it closes."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.asked: list[bytes] = []
        self._connections = connections
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.target = Target("http", "127.0.0.1", self._listening.getsockname()[1], "/a?b=c")
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
    def running(self) -> Iterator[Wires]:
        self._thread.start()
        wires = Wires(unused, connect_timeout=2.0, read_timeout=0.5, keep=2, keep_seconds=30.0)
        try:
            yield wires
        finally:
            wires.close()
            self._listening.close()


def unused(target: Target) -> NoReturn:
    raise AssertionError(target)


def read(wires: Wires, script: Script, method: str = "GET") -> tuple[int, bytes]:
    answer = wires.send(method, script.target, {"accept": "text/html"})
    try:
        return answer.status, b"".join(answer.stream)
    finally:
        answer.close()


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
    ],
)
def test_every_way_to_send_a_body_is_read(answer: bytes) -> None:
    script = Script([answer])
    with script.running() as wires:
        assert read(wires, script) == (200, b"hello")
    host = script.target.authority.encode()
    assert script.asked == [b"GET /a?b=c HTTP/1.1\r\nhost: %b\r\naccept: text/html\r\n\r\n" % host]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
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
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 20_000,
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes) -> None:
    script = Script([answer])
    with script.running() as wires, pytest.raises(WireError):
        read(wires, script)


def test_a_connection_serves_again() -> None:
    script = Script([OK + b"Content-Length: 1\r\n\r\na", OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as wires:
        assert [read(wires, script), read(wires, script)] == [(200, b"a"), (200, b"b")]


@pytest.mark.parametrize(
    "first", [OK + b"Content-Length: 1\r\n\r\na", OK + b"Content-Length: 1\r\nConnection: close\r\n\r\na"]
)
def test_a_connection_that_was_closed_meanwhile_is_made_anew(first: bytes) -> None:
    script = Script([first], [OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as wires:
        assert [read(wires, script), read(wires, script)] == [(200, b"a"), (200, b"b")]


def test_bytes_that_nobody_asked_for_are_never_an_answer() -> None:
    forged = OK + b"Content-Length: 1\r\n\r\nX"
    script = Script([OK + b"Content-Length: 1\r\n\r\na" + forged], [OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as wires:
        assert [read(wires, script), read(wires, script)] == [(200, b"a"), (200, b"b")]


def test_an_answer_that_was_not_read_to_its_end_costs_the_connection() -> None:
    script = Script([OK + b"Content-Length: 2\r\n\r\nab"], [OK + b"Content-Length: 1\r\n\r\nc"])
    with script.running() as wires:
        wires.send("GET", script.target, {}).close()
        assert read(wires, script) == (200, b"c")


@pytest.mark.parametrize(("method", "status"), [("HEAD", b"200 OK"), ("GET", b"304 Not Modified")])
def test_answers_without_a_body_have_none_whatever_their_length_says(method: str, status: bytes) -> None:
    answer = b"HTTP/1.1 %b\r\nContent-Length: 5\r\n\r\n" % status
    script = Script([answer, OK + b"Content-Length: 1\r\n\r\nb"])
    with script.running() as wires:
        assert read(wires, script, method) == (int(status[:3]), b"")
        assert read(wires, script) == (200, b"b")


def test_silence_ends() -> None:
    script = Script([b"", b""])
    with script.running() as wires, pytest.raises(WireError):
        read(wires, script)


def test_a_header_cannot_bring_in_another_one() -> None:
    script = Script([OK + b"Content-Length: 0\r\n\r\n"])
    with script.running() as wires, pytest.raises(WireError):
        wires.send("GET", script.target, {"if-none-match": '"x"\r\nhost: elsewhere.example.org'})


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.example.org/a%20b?c=d&e", ("https", "x.example.org", 443, "/a%20b?c=d&e")),
        ("http://X.example.org:8080", ("http", "x.example.org", 8080, "/")),
        ("http://[::1]:80/", ("http", "::1", 80, "/")),
        ("http://x.example.org/?a#b", ("http", "x.example.org", 80, "/?a")),
    ],
)
def test_a_usual_url_is_a_target(url: str, target: tuple[str, str, int, str]) -> None:
    assert plain_target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example.org/",
        "file:///etc/passwd",
        "http:///x",
        "http://x.example.org:0/",
        "http://x.example.org:99999/",
        "http://x.example.org:port/",
        "http://me@x.example.org/",
        "http://b\u00fccher.example.org/",
        "http://x.example.org/a b",
        "http://x.example.org/\u00e9",
        "http://x.example.org/\x7f",
        "http://-x.example.org/",
        "http://[::1/",
        "//x.example.org/",
        "",
    ],
)
def test_an_unusual_url_is_left_to_others(url: str) -> None:
    assert plain_target(url) is None


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"]))
def test_no_answer_raises_anything_but_its_error(noise: bytes, before: bytes) -> None:
    script = Script([before + noise])
    with script.running() as wires:
        try:
            read(wires, script)
        except WireError as error:
            assert str(error)  # noqa: PT017 (either this, or an answer)
