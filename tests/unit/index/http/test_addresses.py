"""Hosts are looked up once, by one thread, and again after a failure; their addresses are tried in order."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpcore
import pytest

from lockset.index.http.addresses import Addresses
from lockset.index.http.deadlines import Deadlines
from lockset.index.http.pool import BoundedBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


# Nothing listens there, since `port` does on the other family.
DEAD, LIVE = "::1", "127.0.0.1"


class Resolver:
    """Answers with what it is given, slowly enough that all callers of a test wait at once."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.all_wait = threading.Event()

    def __call__(self, host: str, port: int) -> list[str]:
        assert host == "files.example.org"
        self.asked += 1
        self.all_wait.wait(60)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


def outcomes(addresses: Addresses, resolver: Resolver, port: int, callers: int) -> list[str]:
    backend = BoundedBackend(Deadlines(), addresses, connect_timeout=5)

    def connect() -> str:
        try:
            backend.connect_tcp("files.example.org", port).close()
        except httpcore.ConnectError as error:
            return str(error)
        return "connected"

    with ThreadPoolExecutor(callers) as pool:
        tasks = [pool.submit(connect) for _ in range(callers)]
        threading.Timer(0.05, resolver.all_wait.set).start()
        return [task.result(10) for task in tasks]


def test_many_at_once_ask_once(port: int) -> None:
    resolver = Resolver([LIVE])
    addresses = Addresses(resolver)
    assert outcomes(addresses, resolver, port, 16) == ["connected"] * 16
    assert resolver.asked == 1
    assert outcomes(addresses, resolver, port, 2) == ["connected"] * 2
    assert resolver.asked == 1


def test_a_failed_lookup_reaches_all_waiting_threads_and_is_not_cached(port: int) -> None:
    failure = socket.gaierror(-3, "Temporary failure in name resolution")
    resolver = Resolver(failure, [LIVE])
    addresses = Addresses(resolver)
    message = outcomes(addresses, resolver, port, 1)
    assert "Temporary failure" in message[0]
    assert outcomes(addresses, resolver, port, 3) == ["connected"] * 3
    assert resolver.asked == 2


def test_threads_waiting_for_a_failed_lookup_do_not_repeat_it_in_turn() -> None:
    resolver = Resolver(socket.gaierror(-3, "Temporary failure in name resolution"))
    message = outcomes(Addresses(resolver), resolver, 1, 8)
    assert all("Temporary failure" in text for text in message)
    assert resolver.asked < 8


def test_the_next_address_is_tried_and_dead_ones_are_looked_up_again(port: int) -> None:
    assert outcomes(Addresses(resolver := Resolver([DEAD, LIVE])), resolver, port, 1) == ["connected"]
    resolver = Resolver([DEAD], [LIVE])
    addresses = Addresses(resolver)
    assert outcomes(addresses, resolver, port, 1) != ["connected"]
    assert outcomes(addresses, resolver, port, 1) == ["connected"]


def test_addresses_share_the_time_of_their_request(port: int) -> None:
    deadlines = Deadlines()
    deadlines.begin(5, until=time.monotonic() - 1)
    backend = BoundedBackend(deadlines, Addresses(lambda _host, _port: [LIVE]), connect_timeout=5)
    with pytest.raises(httpcore.ConnectTimeout):
        backend.connect_tcp("files.example.org", port)


def test_a_name_without_addresses_is_an_error() -> None:
    resolver = Resolver([])
    assert outcomes(Addresses(resolver), resolver, 1, 1) == ["the host name has no address"]


def test_a_name_that_cannot_be_looked_up_is_an_error() -> None:
    def refuse(host: str, port: int) -> list[str]:
        raise UnicodeError("label too long")

    backend = BoundedBackend(Deadlines(), Addresses(refuse), connect_timeout=5)
    with pytest.raises(httpcore.ConnectError, match="label too long"):
        backend.connect_tcp("files.example.org", 1)


def test_the_resolver_of_the_system_is_used() -> None:
    assert LIVE in Addresses().of("localhost", 80)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("[Errno 111] Connection refused", "connection refused"),
        ("[Errno -2] Name or service not known", "name or service not known"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "wrong version number"),
        ("EOF occurred", "EOF occurred"),
    ],
)
def test_a_reason_has_no_number_and_no_source_line(error: str, reason: str) -> None:
    from lockset.index.http.httpx_client import _reason

    assert _reason(error) == reason
