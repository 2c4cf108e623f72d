"""Keeps a test process on loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

__all__ = ["NetworkBlockedError", "stay_on_loopback"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "", None})


class NetworkBlockedError(RuntimeError):
    """A test reached for a host beyond loopback; not an OSError, so that nothing takes it for a failing network."""


def stay_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, connections and look-ups of other hosts raise NetworkBlockedError."""

    def check(host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in _LOOPBACK and not str(name).startswith("127."):
            message = f"a test reached for {name!r}"
            raise NetworkBlockedError(message)

    def guarded(inner: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6}:
                check(address[0])
            return inner(self, address)

        return connect

    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        check(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
