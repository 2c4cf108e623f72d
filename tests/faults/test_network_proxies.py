"""Requests through proxies of every kind: the same bytes, and the same bounds where one is silent or slow."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, create_connection, socket
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.http import httpx_client
from lockset.index.options import IndexOptions
from support.fakes.fake_index import BytesSink
from support.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TLS = Path(__file__).parents[1] / "support" / "tls"
TIMEOUT = 0.4
# For what succeeds, so that a busy machine has time for it.
AMPLE = 20.0
# Tells a wait that has an end from one that has none, on a busy machine too; tries are counted.
BOUND = 30.0
TRIES = 2
BODY = b"the bytes of a file" * 100
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


def head_of(connected: socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connected.recv(65536)
        if not piece:
            raise OSError
        head += piece
    return head


def drip(connected: socket, text: bytes) -> None:
    for at in range(len(text)):
        time.sleep(0.05)
        connected.sendall(text[at : at + 1])


def join(one: socket, other: socket) -> None:
    """Bytes of each to the other, until one ends."""

    def copy(source: socket, target: socket) -> None:
        with suppress(OSError, ValueError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.close()

    threading.Thread(target=copy, args=(one, other), daemon=True).start()
    copy(other, one)


class Proxies:
    """A proxy that speaks HTTP and SOCKS 5, to a server that `answers`.

    `stage` is where the proxy falls silent, or drips.
    """

    def __init__(self, answers: Callable[[socket], None], *, tls: bool = False) -> None:
        self.asked: list[bytes] = []
        self.stage = ""
        self.drips = False
        self.refuses = b""
        self._answers = answers
        self.listener = Listener(self._serve, context=tls_context() if tls else None)
        self._tls = tls

    def url(self, scheme: str, user_info: str = "") -> str:
        return f"{scheme}://{user_info}{'localhost' if self._tls else '127.0.0.1'}:{self.listener.port}"

    def _serve(self, connected: socket) -> None:
        first = connected.recv(1)
        if first == b"\x05":
            self._socks(connected)
            return
        while True:
            head = first + head_of(connected)
            first = b""
            self.asked.append(head)
            method, target, _ = head.split(b"\r\n")[0].split(b" ")
            if method != b"CONNECT":
                self._answers(connected)
                continue
            if self.refuses:
                connected.sendall(self.refuses)
                return
            self._say(connected, "connect", b"HTTP/1.1 200 Connected\r\nX: y\r\n" + b"Z: z\r\n" * 30 + b"\r\n")
            port = int(target.rpartition(b":")[2])
            join(connected, create_connection(("127.0.0.1", port)))
            return

    def _socks(self, connected: socket) -> None:
        methods = connected.recv(connected.recv(1)[0])
        if b"\x02" in methods:
            self._say(connected, "method", b"\x05\x02")
            _, length = connected.recv(2)
            user = connected.recv(length)
            self.asked.append(user + b":" + connected.recv(connected.recv(1)[0]))
            connected.sendall(b"\x01\x00")
        else:
            self._say(connected, "method", b"\x05\x00")
        request = connected.recv(300)
        port = int.from_bytes(request[-2:], "big")
        self._say(connected, "socks", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        join(connected, create_connection(("127.0.0.1", port)))

    def _say(self, connected: socket, stage: str, text: bytes) -> None:
        if stage != self.stage:
            connected.sendall(text)
        elif self.drips:
            drip(connected, text)
        else:
            time.sleep(120)


class Origin:
    """A server, with TLS or without."""

    def __init__(self, answers: Callable[[socket], None], *, tls: bool) -> None:
        self.asked: list[bytes] = []
        self._answers = answers
        self.listener = Listener(self._serve, context=tls_context() if tls else None)
        self.url = f"{'https' if tls else 'http'}://localhost:{self.listener.port}/file"

    def _serve(self, connected: socket) -> None:
        while True:
            self.asked.append(head_of(connected))
            self._answers(connected)


@contextmanager
def talking(
    kind: str,
    scheme: str,
    answers: Callable[[socket], None] | None = None,
    user_info: str = "",
    timeout: float = AMPLE,
) -> Iterator[tuple[Proxies, Origin, Callable[[], bytes]]]:
    answers = answers or (lambda connected: connected.sendall(OK + BODY))
    origin = Origin(answers, tls=scheme == "https")
    proxies = Proxies(answers, tls=kind == "https")
    facts: dict[str, Any] = {"read_timeout": timeout, "connect_timeout": timeout, "rate_window": timeout, "retries": 4}
    options = IndexOptions(proxy=proxies.url(kind, user_info), cert=str(TLS / "ca.pem"), **facts)
    connection = connect(options, cache=None, clock=lambda: 0.0, environ={})

    def fetch() -> bytes:
        sink = BytesSink()
        connection.downloads.fetch(origin.url, sink)
        return sink.content

    try:
        yield proxies, origin, fetch
    finally:
        connection.close()
        proxies.listener.close()
        origin.listener.close()


KINDS = [(kind, scheme) for kind in ("http", "https", "socks5") for scheme in ("http", "https")]


@pytest.mark.parametrize(("kind", "scheme"), KINDS)
def test_a_file_comes_through_every_kind_of_proxy_over_one_connection(kind: str, scheme: str) -> None:
    with talking(kind, scheme) as (proxies, origin, fetch):
        assert [fetch() for _ in range(3)] == [BODY] * 3
        if kind != "socks5":
            assert len(proxies.asked) == (3 if scheme == "http" else 1)
        assert len(origin.asked) == (0 if (kind, scheme) in {("http", "http"), ("https", "http")} else 3)


@pytest.mark.parametrize(("kind", "scheme"), KINDS)
def test_credentials_of_a_proxy_go_to_the_proxy_only(kind: str, scheme: str) -> None:
    with talking(kind, scheme, user_info="me:secret@") as (proxies, origin, fetch):
        assert fetch() == BODY
        expected = b"me:secret" if kind == "socks5" else base64.b64encode(b"me:secret")
        assert expected in proxies.asked[0]
        assert not any(b"uthorization" in request for request in origin.asked)


@pytest.mark.parametrize(
    ("kind", "stage"), [("http", "connect"), ("https", "connect"), ("socks5", "method"), ("socks5", "socks")]
)
@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_a_proxy_that_is_silent_or_drips_costs_bounded_time(kind: str, stage: str, *, drips: bool) -> None:
    with talking(kind, "https", timeout=TIMEOUT) as (proxies, _, fetch):
        proxies.stage, proxies.drips = stage, drips
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetch()
        assert time.monotonic() - begun < BOUND
        # A reply of SOCKS that comes in pieces is not waited for: its tries end by number.
        assert len(proxies.listener.accepted) <= (5 if drips and kind == "socks5" else TRIES)
        assert caught.value.diagnostic.code == "download-failed"


@pytest.mark.parametrize(("kind", "scheme"), KINDS)
@pytest.mark.parametrize(
    "text",
    [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, b"HTTP/1.1 100 Continue\r\n\r\n" * 100],
    ids=["head", "interim answers"],
)
def test_a_server_that_drips_through_a_proxy_costs_bounded_time(kind: str, scheme: str, text: bytes) -> None:
    with talking(kind, scheme, lambda connected: drip(connected, text), timeout=TIMEOUT) as (proxies, _, fetch):
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetch()
        assert time.monotonic() - begun < BOUND
        assert len(proxies.listener.accepted) <= TRIES
        assert caught.value.diagnostic.code == "download-failed"


def test_a_refused_tunnel_is_reported_with_the_status() -> None:
    with talking("http", "https", user_info="me:secret@") as (proxies, origin, fetch):
        proxies.refuses = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        with pytest.raises(LocksetError, match="status 407 Proxy Authentication Required") as caught:
            fetch()
        assert caught.value.diagnostic.code == "proxy-refused"
        assert "secret" not in repr(caught.value.diagnostic)
        assert len(proxies.asked) == 1
        assert origin.asked == []


def test_a_tunnel_that_cannot_be_made_now_is_tried_again() -> None:
    with talking("http", "https") as (proxies, _, fetch):
        proxies.refuses = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
        threading.Timer(0.1, lambda: setattr(proxies, "refuses", b"")).start()
        assert fetch() == BODY


def test_a_socks_proxy_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_client, "find_spec", lambda _name: None)
    with talking("socks5", "http") as (_, _, fetch), pytest.raises(LocksetError) as caught:
        fetch()
    assert caught.value.diagnostic.code == "proxy-refused"


@pytest.mark.parametrize("proxy", ["gopher://127.0.0.1:1", "http://[::1", "socks4://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_spoken_to_is_one_error(proxy: str) -> None:
    options = IndexOptions(proxy=proxy)
    connection = connect(options, cache=None, clock=lambda: 0.0, environ={})
    with socket(AF_INET, SOCK_STREAM), pytest.raises(LocksetError) as caught:
        connection.downloads.fetch("http://127.0.0.1:1/x", BytesSink())
    assert "\n" not in caught.value.diagnostic.message
    connection.close()
