"""Connections that are opened ahead: a wave of requests finds them, and nothing else changes for any server."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.composition.connections import connect
from lockset.index.http.transport import Request
from lockset.index.options import IndexOptions
from support.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

    from lockset.composition.connections import Connection

TLS = Path(__file__).parents[1] / "support" / "tls"
SPARES = 3


class Server:
    """Answers each request with its path; each connection but the first is handed to `treat_spare` first.

    Attributes:
        requests: How many requests each connection has had, in the order of the connections.
    """

    def __init__(
        self,
        *,
        secure: bool = False,
        head: bytes = b"HTTP/1.1 200 OK",
        headers: bytes = b"",
        pause: float = 0.1,
        treat_spare: Callable[[socket], object] = lambda _: None,
    ) -> None:
        self.requests: list[int] = []
        self._answer = head + b"\r\nContent-Length: %d\r\n" + headers + b"\r\n%b"
        self._pause = pause
        self._treat_spare = treat_spare
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if secure else None
        if context is not None:
            context.load_cert_chain(TLS / "server.pem")
        self._listener = Listener(self._serve, context=context)
        self.accepted = self._listener.accepted
        self.url = f"{'https' if secure else 'http'}://localhost:{self._listener.port}"
        self.close = self._listener.close

    def _serve(self, connected: socket) -> None:
        number = len(self.requests)
        self.requests.append(0)
        if number:
            self._treat_spare(connected)
        with connected, suppress(OSError):
            while request := connected.recv(65536):
                self.requests[number] += 1
                path = request.split(b" ")[1]
                time.sleep(self._pause)
                connected.sendall(self._answer % (len(path), path))
                if b"close" in self._answer or b"1.0" in self._answer:
                    return

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.requests) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)  # for the end of handshakes, and for connections that should not come


@contextmanager
def connected(server: Server, **options: object) -> Iterator[Connection]:
    facts: dict[str, object] = {"read_timeout": 10.0, "connect_timeout": 10.0, "retries": 0} | options
    result = IndexOptions(cert=str(TLS / "ca.pem"), **facts)  # type: ignore[arg-type]
    connection = connect(result, cache=None, clock=lambda: 0.0, environ={}, spares=SPARES)
    try:
        yield connection
    finally:
        connection.close()
        server.close()


def fetched(server: Server, connection: Connection, path: str) -> bytes:
    return connection.transport.exchange(Request(url=f"{server.url}{path}"), lambda incoming: incoming.body(10_000))


def wave(server: Server, connection: Connection, count: int) -> list[bytes]:
    """The bodies of so many requests at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda number: fetched(server, connection, f"/{number}"), range(count)))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_wave_of_requests_after_the_first_needs_no_new_connection(*, secure: bool) -> None:
    server = Server(secure=secure)
    with connected(server) as connection:
        assert fetched(server, connection, "/first") == b"/first"
        server.wait_for(1 + SPARES)
        assert len(server.accepted) == 1 + SPARES
        assert wave(server, connection, 1 + SPARES) == [b"/%d" % number for number in range(1 + SPARES)]
        assert sorted(server.requests) == [1, 1, 1, 2]


@pytest.mark.parametrize(
    "server",
    [{"headers": b"Connection: close\r\n"}, {"head": b"HTTP/1.0 200 OK"}],
    ids=["says that it closes", "old"],
)
def test_none_is_opened_to_a_server_that_closes_connections(server: dict[str, bytes]) -> None:
    made = Server(**server)  # type: ignore[arg-type]
    with connected(made) as connection:
        for path in ("/first", "/second"):
            assert fetched(made, connection, path) == path.encode()
        time.sleep(0.3)
        assert made.requests == [1, 1]


def test_none_is_opened_to_a_server_that_responds_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockset.index.http.httpx_client._FAR_SECONDS", 5.0)
    server = Server(pause=0.0)
    with connected(server) as connection:
        fetched(server, connection, "/first")
        time.sleep(0.3)
        assert server.requests == [1]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize(
    "treat",
    [lambda spare: spare.close(), lambda spare: spare.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")],
    ids=["closes", "sends unasked"],
)
def test_a_spare_on_which_anything_happens_is_not_used(treat: Callable[[socket], object], *, secure: bool) -> None:
    server = Server(
        secure=secure, treat_spare=lambda spare: treat(spare) if len(server.requests) <= 1 + SPARES else None
    )
    with connected(server) as connection:
        fetched(server, connection, "/first")
        server.wait_for(1 + SPARES)
        assert wave(server, connection, 2) == [b"/0", b"/1"]
        assert server.requests[1 : 1 + SPARES] == [0] * SPARES


def test_spares_are_closed_with_the_connections() -> None:
    ended: list[bytes] = []
    server = Server(treat_spare=lambda spare: ended.append(spare.recv(1)))
    with connected(server) as connection:
        fetched(server, connection, "/first")
        server.wait_for(1 + SPARES)
        connection.close()
        deadline = time.monotonic() + 30
        while len(ended) < SPARES and time.monotonic() < deadline:
            time.sleep(0.01)
    assert ended == [b""] * SPARES
