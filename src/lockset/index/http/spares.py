"""Spare connections, opened before a request needs them.

A new connection takes two or three round trips before its first request leaves. A search makes requests in waves, each
of which follows from the answers to the one before and is larger than it, so that most of a wave would wait for new
connections. Spares are opened to a host that has answered and keeps connections open: a server that serves one
connection at a time would make a request wait for the end of an idle one.
"""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpcore

from lockset._named_tuple import NamedTuple

if TYPE_CHECKING:
    from lockset.index.http.addresses import Addresses

__all__ = ["Spare", "SpareConnections"]

# Seconds after which a spare is not used any more, since servers close connections without requests.
_KEPT_SECONDS = 4.0


class Spare(NamedTuple):
    """An open connection that has served no request.

    Attributes:
        stream: Encrypted if there is a context.
        context: What it was encrypted with.
        expires: In seconds of `time.monotonic`.
    """

    stream: httpcore.NetworkStream
    context: ssl.SSLContext | None
    expires: float


class SpareConnections:
    """Opens up to `count` connections ahead to each host; safe to use from several threads.

    `connect_timeout` is the limit in seconds for a connection, and for a TLS handshake.
    """

    def __init__(self, count: int, addresses: Addresses, *, connect_timeout: float) -> None:
        self._count = count
        self._addresses = addresses
        self._connect_timeout = connect_timeout
        self._sockets = httpcore.SyncBackend()
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, int], list[Spare]] = {}
        self._closed = False

    def open(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Start to open spares to a host, unless that was done before. Never fails, and never waits."""
        if (host, port) in self._hosts:
            return
        with self._lock:
            if (host, port) in self._hosts or self._closed:
                return
            self._hosts[host, port] = []
        with suppress(RuntimeError):  # the system allows no further thread
            for _ in range(self._count):
                threading.Thread(target=self._open, args=(host, port, context), daemon=True).start()

    def take(self, host: str, port: int) -> Spare | None:
        """A spare that is still open, for one request at first; None if there is none."""
        while True:
            with self._lock:
                spares = self._hosts.get((host, port))
                if not spares:
                    return None
                spare = spares.pop()
            if time.monotonic() < spare.expires and _is_silent(spare.stream):
                return spare
            spare.stream.close()

    def close(self) -> None:
        """Close the spares that were not taken."""
        with self._lock:
            self._closed = True
            left = [spare for spares in self._hosts.values() for spare in spares]
            self._hosts.clear()
        for spare in left:
            spare.stream.close()

    def _open(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        try:
            stream = self._sockets.connect_tcp(self._addresses.of(host, port)[0], port, self._connect_timeout)
            if context is not None:
                stream = stream.start_tls(context, host, self._connect_timeout)
        except Exception:  # noqa: BLE001 (a request that needs a connection runs into the same error and reports it)
            return
        with self._lock:
            spares = self._hosts.get((host, port))
            if spares is not None and not self._closed:
                spares.append(Spare(stream, context, time.monotonic() + _KEPT_SECONDS))
                return
        stream.close()


def _is_silent(stream: httpcore.NetworkStream) -> bool:
    """Whether the server has neither closed the connection nor sent anything but what TLS needs."""
    connected = stream.get_extra_info("socket")
    with suppress(OSError):
        connected.settimeout(0)
        try:
            connected.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
    return False
