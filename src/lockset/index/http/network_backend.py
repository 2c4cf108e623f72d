"""The network backend of httpx: each wait is limited by the time its request has left, and a host is looked up once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from lockset.index.http.addresses import Addresses
    from lockset.index.http.deadlines import Deadlines

__all__ = ["BoundedBackend"]

# Sockets take a timeout of 0 as non-blocking mode.
_LEAST_SECONDS = 0.01


class BoundedBackend(httpcore.NetworkBackend):
    """Opens connections, each to the first address of its host that accepts it; safe to use from several threads.

    The timeouts that httpcore passes are not used: `deadlines` has those of the thread's request, and
    `connect_timeout` is the limit in seconds for one address, and for a TLS handshake.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        addresses: Addresses,
        *,
        connect_timeout: float,
    ) -> None:
        self._deadlines = deadlines
        self._connect_timeout = connect_timeout
        self._addresses = addresses
        self._sockets = httpcore.SyncBackend()
        self._opened = threading.local()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the interface has it)
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect; ConnectError or ConnectTimeout if the host is unknown or no address can be reached."""
        failure: Exception = httpcore.ConnectError("the host name has no address")
        for address in self._look_up(host, port):
            seconds = self._deadlines.to_connect(self._connect_timeout)
            if seconds <= 0:
                failure = httpcore.ConnectTimeout("no response in time")
                break
            try:
                stream = self._sockets.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = _no_connection(error)
            else:
                self._deadlines.renew()
                self._opened.last = stream
                return _BoundedStream(stream, self._deadlines, self._connect_timeout)
        self._addresses.forget(host, port)
        raise failure

    def begin(self) -> None:
        """Begin a request of this thread."""
        self._opened.last = None

    def abandon(self) -> None:
        """Close the connection of this thread's failed request, which httpcore does not do if SOCKS fails."""
        stream: httpcore.NetworkStream | None = self._opened.last
        if stream is not None:
            stream.close()

    def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return self._addresses.of(host, port)
        except (OSError, ValueError) as error:  # ValueError: names that cannot be looked up
            raise httpcore.ConnectError(str(error)) from error


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose reads and writes end when the request of their thread has no time left."""

    def __init__(self, stream: httpcore.NetworkStream, deadlines: Deadlines, connect_timeout: float) -> None:
        self._stream = stream
        self._deadlines = deadlines
        self._connect_timeout = connect_timeout

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 (the interface has it)
        """The next bytes, empty at the end of the connection."""
        seconds = self._deadlines.left()
        if seconds > 0:
            try:
                data = self._stream.read(max_bytes, seconds)
            except httpcore.ReadTimeout:
                pass  # handled as if the time had been over before
            else:
                self._deadlines.has_data = self._deadlines.has_data or bool(data)
                return data
        is_slow = self._deadlines.has_data
        raise httpcore.ReadTimeout("the response comes too slowly" if is_slow else "no response in time")

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (the interface has it)
        """Send the bytes."""
        seconds = self._deadlines.left()
        if seconds <= 0:
            raise httpcore.WriteTimeout("the request could not be sent in time")
        self._stream.write(buffer, seconds)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 (the interface has it)
    ) -> httpcore.NetworkStream:
        """Encrypt the connection."""
        seconds = max(_LEAST_SECONDS, self._deadlines.to_connect(self._connect_timeout))
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, ValueError) as error:  # ValueError: odd host names
            self.close()
            raise _no_connection(error) from error
        self._deadlines.renew()
        return _BoundedStream(stream, self._deadlines, self._connect_timeout)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        """Properties that httpcore checks, such as `is_readable`: whether bytes or the end arrived unrequested."""
        if info == "is_readable":
            pending = getattr(self._stream.get_extra_info("socket"), "pending", None)  # decrypted already
            if pending is not None and pending():
                return True
        return self._stream.get_extra_info(info)


def _no_connection(error: Exception) -> Exception:
    if isinstance(error, httpcore.ConnectTimeout):
        return httpcore.ConnectTimeout("no response in time")
    return httpcore.ConnectError(str(error))
