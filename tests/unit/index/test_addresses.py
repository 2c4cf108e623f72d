"""Hosts are asked for once, by one thread, and again after a failure."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lockset.index.http.addresses import Address, Addresses

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Resolver:
    """Answers with what it is given, slowly enough that all callers of a test wait at once."""

    def __init__(self, *answers: list[Address] | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.all_wait = threading.Event()

    def __call__(self, host: str, port: int) -> list[Address]:
        assert host == "files.example.org"
        self.asked += 1
        self.all_wait.wait(5)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


def outcomes(addresses: Addresses, resolver: Resolver, port: int, callers: int) -> list[str]:
    def connect() -> str:
        try:
            addresses.connect("files.example.org", port, 5).close()
        except OSError as error:
            return str(error)
        return "connected"

    with ThreadPoolExecutor(callers) as pool:
        tasks = [pool.submit(connect) for _ in range(callers)]
        threading.Timer(0.05, resolver.all_wait.set).start()
        return [task.result(10) for task in tasks]


def test_many_at_once_ask_once(port: int) -> None:
    resolver = Resolver([(socket.AF_INET, ("127.0.0.1", port))])
    addresses = Addresses(resolver)
    assert outcomes(addresses, resolver, port, 16) == ["connected"] * 16
    assert resolver.asked == 1
    assert outcomes(addresses, resolver, port, 2) == ["connected"] * 2
    assert resolver.asked == 1


def test_a_failure_is_told_to_all_who_wait_and_not_kept(port: int) -> None:
    failure = socket.gaierror(-3, "Temporary failure in name resolution")
    resolver = Resolver(failure, [(socket.AF_INET, ("127.0.0.1", port))])
    addresses = Addresses(resolver)
    told = outcomes(addresses, resolver, port, 1)
    assert "Temporary failure" in told[0]
    assert outcomes(addresses, resolver, port, 3) == ["connected"] * 3
    assert resolver.asked == 2


def test_who_waits_for_a_failing_question_does_not_ask_one_after_the_other() -> None:
    resolver = Resolver(socket.gaierror(-3, "Temporary failure in name resolution"))
    told = outcomes(Addresses(resolver), resolver, 1, 8)
    assert all("Temporary failure" in text for text in told)
    assert resolver.asked < 8


def test_the_next_address_is_tried_and_dead_ones_are_asked_for_anew(port: int) -> None:
    dead = closed_port()
    both: list[Address] = [(socket.AF_INET, ("127.0.0.1", dead)), (socket.AF_INET, ("127.0.0.1", port))]
    resolver = Resolver(both)
    assert outcomes(Addresses(resolver), resolver, port, 1) == ["connected"]
    resolver = Resolver(both[:1], both[1:])
    addresses = Addresses(resolver)
    assert "refused" in outcomes(addresses, resolver, port, 1)[0].lower()
    assert outcomes(addresses, resolver, port, 1) == ["connected"]


def test_a_name_without_addresses_is_an_error() -> None:
    resolver = Resolver([])
    assert outcomes(Addresses(resolver), resolver, 1, 1) == ["the name has no address"]


def test_the_systems_resolver_is_asked(port: int) -> None:
    Addresses().connect("localhost", port, 5).close()
