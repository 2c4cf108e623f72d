"""A server on a raw socket of loopback: each connection in a thread of its own."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from socket import IPPROTO_TCP, TCP_NODELAY, create_server
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from socket import socket

__all__ = ["Listener"]


class Listener:
    """Hands each connection to `serve` in a thread of its own; all are closed with it.

    Attributes:
        port: The port on 127.0.0.1.
        accepted: When each connection was accepted, by the monotonic clock.
        open: The connections, also those that `serve` made of others.
    """

    def __init__(self, serve: Callable[[socket], None], *, context: ssl.SSLContext | None = None) -> None:
        self.accepted: list[float] = []
        self.open: list[socket] = []
        self._serve = serve
        self._context = context
        self._listening = create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listening.close()
        for connected in self.open:
            connected.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                self.accepted.append(time.monotonic())
                self.open.append(connected)
                threading.Thread(target=self._begin, args=(connected,), daemon=True).start()

    def _begin(self, connected: socket) -> None:
        with suppress(OSError, ValueError):
            connected.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self._context is not None:
                connected = self._context.wrap_socket(connected, server_side=True)
                self.open.append(connected)
            self._serve(connected)
