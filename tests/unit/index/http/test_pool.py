"""A connection of the pool belongs to one thread at a time."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import httpcore
import pytest

from lockset.index.http.addresses import Addresses
from lockset.index.http.deadlines import Deadlines
from lockset.index.http.pool import BoundedBackend, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that keeps its connections, and answers each request with its path."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(connected: socket.socket) -> None:
        with connected, suppress(OSError):
            while request := connected.recv(65536):
                path = request.split(b" ")[1]
                connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connected, _ = listening.accept()
                threading.Thread(target=serve, args=(connected,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield int(listening.getsockname()[1])
    listening.close()


def test_a_connection_in_use_refuses_a_second_request_and_is_left_alone(port: int) -> None:
    deadlines = Deadlines()
    deadlines.begin(5, until=float("inf"))
    pool = Pool(deadlines, network_backend=BoundedBackend(deadlines, Addresses(), connect_timeout=5))

    def request(path: str) -> httpcore.Request:
        return httpcore.Request("GET", f"http://127.0.0.1:{port}{path}", headers={"Host": "x"})

    connection = pool.create_connection(request("/").url.origin)
    first = connection.handle_request(request("/first"))
    assert first.read() == b"/first"
    first.close()
    second = connection.handle_request(request("/second"))  # whose body has come with its head
    assert not connection.is_available()
    with pytest.raises(httpcore.ConnectionNotAvailable):
        connection.handle_request(request("/third"))
    assert second.read() == b"/second"
    second.close()
    assert connection.is_available()
    connection.close()
