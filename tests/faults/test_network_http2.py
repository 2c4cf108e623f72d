"""HTTP/2, where the package for it is installed and the server offers it: the same answers and the same bounds."""

from __future__ import annotations

import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from h2.exceptions import ProtocolError

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.http.transport import Request
from lockset.index.options import IndexOptions
from support.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

    from lockset.composition.connections import Connection

TLS = Path(__file__).parents[1] / "support" / "tls"
TIMEOUT = 0.4
# Tells a wait that has an end from one that has none, on a busy machine too; tries are counted.
BOUND = 30.0


class Server:
    """Speaks HTTP/2 over TLS, and HTTP/1.1 never; `behave` answers each request.

    With `pause`, a handshake takes so many seconds; without `offers`, HTTP/1.1 is spoken, and all is answered.
    """

    def __init__(
        self,
        behave: Callable[[H2Connection, int, str, Callable[[], None]], None],
        *,
        offers: bool = True,
        pause: float = 0.0,
    ) -> None:
        self._offers = offers
        self._pause = pause
        self.connections = 0
        self._behave = behave
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(TLS / "server.pem")
        self._context.set_alpn_protocols(["h2"] if offers else ["http/1.1"])
        self._listener = Listener(self._serve)
        self.accepted = self._listener.accepted
        self.url = f"https://localhost:{self._listener.port}"
        self.close = self._listener.close

    def _serve(self, plain: socket) -> None:
        with suppress(OSError, ValueError, ProtocolError):
            time.sleep(self._pause)
            connected = self._context.wrap_socket(plain, server_side=True)
            self._listener.open.append(connected)
            self.connections += 1
            while not self._offers and (request := connected.recv(65536)):
                time.sleep(0.2)
                output = request.split(b" ")[1]
                connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(output), output))
            protocol = H2Connection(H2Configuration(client_side=False, header_encoding=None))

            def send() -> None:
                connected.sendall(protocol.data_to_send())

            protocol.initiate_connection()
            send()
            while data := connected.recv(65536):
                for event in protocol.receive_data(data):
                    if isinstance(event, RequestReceived):
                        assert event.headers is not None
                        assert event.stream_id is not None
                        path = dict(event.headers)[b":path"].decode()
                        self._behave(protocol, event.stream_id, path, send)
                send()


def answers(protocol: H2Connection, stream: int, path: str, send: Callable[[], None]) -> None:
    protocol.send_headers(stream, [(":status", "200"), ("content-length", str(len(path)))])
    protocol.send_data(stream, path.encode(), end_stream=True)
    send()


def falls_silent(*_: object) -> None:
    """Nothing is said."""


def falls_silent_in_the_body(protocol: H2Connection, stream: int, path: str, send: Callable[[], None]) -> None:
    protocol.send_headers(stream, [(":status", "200"), ("content-length", "100")])
    protocol.send_data(stream, path.encode())
    send()


def drips_a_body(protocol: H2Connection, stream: int, _: str, send: Callable[[], None]) -> None:
    protocol.send_headers(stream, [(":status", "200")])
    for _number in range(2_000):
        protocol.send_data(stream, b"x")
        send()
        time.sleep(0.05)


def drips_pings(protocol: H2Connection, *rest: Any) -> None:
    for _number in range(2_000):
        protocol.ping(b"12345678")
        rest[-1]()
        time.sleep(0.05)


def resets(protocol: H2Connection, stream: int, _: str, send: Callable[[], None]) -> None:
    protocol.reset_stream(stream)
    send()


def goes_away(protocol: H2Connection, _stream: int, _path: str, send: Callable[[], None]) -> None:
    protocol.close_connection()
    send()


@contextmanager
def talking(
    behave: Callable[[H2Connection, int, str, Callable[[], None]], None],
    *,
    offers: bool = True,
    pause: float = 0.0,
    **options: Any,
) -> Iterator[tuple[Server, Connection]]:
    server = Server(behave, offers=offers, pause=pause)
    facts: dict[str, Any] = {"read_timeout": TIMEOUT, "connect_timeout": 5.0, "rate_window": TIMEOUT, "retries": 4}
    result = IndexOptions(cert=str(TLS / "ca.pem"), **facts | options)
    connection = connect(result, cache=None, clock=lambda: 0.0, environ={})
    try:
        yield server, connection
    finally:
        connection.close()
        server.close()


def fetched(server: Server, connection: Connection, path: str = "/x") -> bytes:
    return connection.transport.exchange(Request(url=f"{server.url}{path}"), lambda incoming: incoming.body(10_000))


def test_threads_share_connections_and_each_gets_its_own_answer() -> None:
    with talking(answers, read_timeout=10.0, connections=8) as (server, connection), ThreadPoolExecutor(8) as pool:
        paths = [f"/{number}" for number in range(200)]
        bodies = list(pool.map(lambda path: fetched(server, connection, path), paths))
        assert bodies == [path.encode() for path in paths]
        assert server.connections <= 8


def test_a_server_without_it_is_connected_to_by_many_threads_at_once() -> None:
    """Not to one after the other, each for the time of a handshake, in the hope that one connection serves all."""
    with (
        talking(answers, offers=False, pause=2.0, read_timeout=30.0, connections=8) as (server, connection),
        ThreadPoolExecutor(8) as pool,
    ):
        paths = [f"/{number}" for number in range(64)]
        bodies = list(pool.map(lambda path: fetched(server, connection, path), paths))
        assert bodies == [path.encode() for path in paths]
        second, *_, last = server.accepted[1:]
        assert last - second < 8, "one after the other, it would be twelve seconds and more"


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    def behave(protocol: H2Connection, stream: int, path: str, send: Callable[[], None]) -> None:
        answers(protocol, stream, path, send)
        protocol.close_connection()
        send()

    with talking(behave, retries=0) as (server, connection):
        for number in range(3):
            assert fetched(server, connection, f"/{number}") == f"/{number}".encode()
            time.sleep(0.05)
        assert server.connections == 3


@pytest.mark.parametrize(
    "behave", [falls_silent, falls_silent_in_the_body, drips_a_body, drips_pings], ids=lambda one: one.__name__
)
def test_a_server_that_is_silent_or_drips_costs_bounded_time(
    behave: Callable[[H2Connection, int, str, Callable[[], None]], None],
) -> None:
    requests: list[str] = []

    def counted(protocol: H2Connection, stream: int, path: str, send: Callable[[], None]) -> None:
        requests.append(path)
        behave(protocol, stream, path, send)

    with talking(counted) as (server, connection):
        begun = time.monotonic()
        with pytest.raises(LocksetError) as caught:
            fetched(server, connection)
        assert time.monotonic() - begun < BOUND
        assert len(requests) <= 2
        assert caught.value.diagnostic.code == "download-failed"


@pytest.mark.parametrize("fault", [resets, goes_away], ids=lambda one: one.__name__)
def test_a_passing_fault_is_tried_again(
    fault: Callable[[H2Connection, int, str, Callable[[], None]], None],
) -> None:
    count = 0

    def behave(protocol: H2Connection, stream: int, path: str, send: Callable[[], None]) -> None:
        nonlocal count
        count += 1
        (fault if count <= 2 else answers)(protocol, stream, path, send)

    with talking(behave) as (server, connection):
        assert fetched(server, connection) == b"/x"
