"""Connections of httpcore: within deadlines, opened ahead, to hosts looked up once, and checked before they are reused.

Each wait is limited by the time that its request has left. A connection serves one request at a time, also in HTTP/2:
neither h2 nor httpcore's use of it is safe with several threads. Two of them may take the same stream, or garble the
compression of headers, and so get the response to another request.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from contextlib import suppress
from types import NoneType
from typing import TYPE_CHECKING, Any

import httpcore

from lockset._named_tuple import NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from lockset.index.http.addresses import Addresses
    from lockset.index.http.deadlines import Deadlines

__all__ = ["KEPT_SECONDS", "BoundedBackend", "Pool", "SpareConnections"]

# Sockets take a timeout of 0 as non-blocking mode.
_LEAST_SECONDS = 0.01
# Seconds that an idle connection is kept.
KEPT_SECONDS = 30.0
# Seconds after which a connection is not used if it served no request, since servers close those sooner.
_SPARE_SECONDS = 4.0


class BoundedBackend(httpcore.NetworkBackend):
    """Opens connections, each to the first address of its host that accepts it; safe to use from several threads.

    The timeouts that httpcore passes are not used: `deadlines` has those of the thread's request, and
    `connect_timeout` is the limit in seconds for one address, and for a TLS handshake. `spares` has connections that
    were opened ahead.
    """

    def __init__(
        self,
        deadlines: Deadlines,
        addresses: Addresses,
        *,
        connect_timeout: float,
        spares: SpareConnections | None = None,
    ) -> None:
        self._deadlines = deadlines
        self._connect_timeout = connect_timeout
        self._addresses = addresses
        self._spares = spares
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
        spare = None if self._spares is None else self._spares.take(host, port)
        if spare is not None:
            return self._bounded(spare.stream, secured_by=spare.context)
        failure: Exception = httpcore.ConnectError("the host name has no address")
        for address in self._look_up(host, port):
            seconds = self._deadlines.to_connect(self._connect_timeout)
            if seconds <= 0:
                failure = httpcore.ConnectTimeout("no response in time")
                break
            # As bytes, for which the socket does not import the codec of international names.
            numeric: Any = address.encode()
            try:
                stream = self._sockets.connect_tcp(numeric, port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = _no_connection(error)
            else:
                return self._bounded(stream)
        self._addresses.forget(host, port)
        raise failure

    def _bounded(
        self, stream: httpcore.NetworkStream, *, secured_by: ssl.SSLContext | None = None
    ) -> httpcore.NetworkStream:
        self._deadlines.renew()
        self._opened.last = stream
        return _BoundedStream(stream, self._deadlines, self._connect_timeout, secured_by=secured_by)

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
    """A connection whose reads and writes end when the request of their thread has no time left.

    `secured_by` is what it was encrypted with before it was taken from the spare connections.
    """

    def __init__(
        self,
        stream: httpcore.NetworkStream,
        deadlines: Deadlines,
        connect_timeout: float,
        *,
        secured_by: ssl.SSLContext | None = None,
    ) -> None:
        self._stream = stream
        self._deadlines = deadlines
        self._connect_timeout = connect_timeout
        self._secured_by = secured_by

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
        """Encrypt the connection, unless it already is."""
        if self._secured_by is not None:
            if self._secured_by is not ssl_context:
                raise httpcore.ConnectError("the connection was encrypted for other requests")
            return _BoundedStream(self._stream, self._deadlines, self._connect_timeout)
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
        if info == "ssl_object" and "ssl" not in sys.modules:
            return None  # httpcore would import the module only to compare a class
        return self._stream.get_extra_info(info)


def _no_connection(error: Exception) -> Exception:
    if isinstance(error, httpcore.ConnectTimeout):
        return httpcore.ConnectTimeout("no response in time")
    return httpcore.ConnectError(str(error))


class _Spare(NamedTuple):
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

    A new connection takes two or three round trips before its first request leaves. A search makes requests in waves,
    each of which follows from the answers to the one before and is larger than it, so that most of a wave would wait
    for new connections. Spares are opened only to a host that has answered and keeps connections open: a server that
    serves one connection at a time would make a request wait for the end of an idle one.

    `connect_timeout` is the limit in seconds for a connection, and for a TLS handshake.
    """

    def __init__(self, count: int, addresses: Addresses, *, connect_timeout: float) -> None:
        self._count = count
        self._addresses = addresses
        self._connect_timeout = connect_timeout
        self._sockets = httpcore.SyncBackend()
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, int], list[_Spare]] = {}
        self._closed = False

    def open(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Start to open spares to a host, unless that was done before. Never fails, and never waits."""
        if (host, port) in self._hosts:
            return
        with self._lock:
            if (host, port) in self._hosts or self._closed:
                return
            self._hosts[host, port] = []
        self._start(self._open_all, host, port, context)  # which waits for the start of each thread

    def take(self, host: str, port: int) -> _Spare | None:
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

    def _open_all(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        for _ in range(self._count - 1):
            self._start(self._open, host, port, context)
        self._open(host, port, context)

    @staticmethod
    def _start(function: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the system allows no further thread
            threading.Thread(target=function, args=arguments, daemon=True).start()

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
                spares.append(_Spare(stream, context, time.monotonic() + _SPARE_SECONDS))
                return
        stream.close()


def _is_silent(stream: httpcore.NetworkStream) -> bool:
    """Whether the server has neither closed the connection nor sent anything but what TLS needs."""
    connected = stream.get_extra_info("socket")
    try:
        connected.settimeout(0)
        connected.recv(1)
    except BlockingIOError:
        return True
    except OSError as error:
        return type(error).__name__ == "SSLWantReadError"  # `ssl` is imported for TLS alone
    return False


class Pool(httpcore.ConnectionPool):
    """httpcore's pool, whose connections are checked before they are reused."""

    def __init__(self, deadlines: Deadlines, **settings: Any) -> None:
        super().__init__(**settings)
        self._deadlines = deadlines

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """A connection to `origin`; nothing is opened yet."""
        return _KeptConnection(super().create_connection(origin), origin, self._deadlines)


class _KeptConnection(httpcore.ConnectionInterface):
    """A connection that refuses a request if it cannot be reused; the pool then takes another one for it."""

    def __init__(self, connection: httpcore.ConnectionInterface, origin: httpcore.Origin, deadlines: Deadlines) -> None:
        self._connection = connection
        # The object that has the state, since the pool checks it often.
        self._state = connection
        self._origin = origin
        self._deadlines = deadlines
        self._connected = False
        self._lock = threading.Lock()
        self._served = False
        self._claimed = False
        self._expires = math.inf

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """As httpcore's; ConnectionNotAvailable if it serves another request, or the server has closed it meanwhile."""
        with self._lock:
            served, self._served = self._served, True
            if served:
                self._check()
            self._claimed = True
            self._expires = time.monotonic() + KEPT_SECONDS
        try:
            response = self._connection.handle_request(request)
        except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError) as error:
            if served and not self._deadlines.has_data:
                raise httpcore.ConnectionNotAvailable from error
            raise
        finally:
            self._claimed = False
        if not self._connected:
            self._connected, self._state = True, _innermost(self._connection) or self._connection
        return response

    def _check(self) -> None:
        """Refuse a connection that is in use, or cannot be used again.

        The pool may give one idle connection to several threads at once.
        """
        protocol = _innermost(self._connection)
        if self._claimed or protocol is None or not (protocol.is_idle() and protocol.is_available()):
            raise httpcore.ConnectionNotAvailable
        if protocol.has_expired() or (isinstance(protocol, httpcore.HTTP11Connection) and _holds_surplus(protocol)):
            self.close()
            raise httpcore.ConnectionNotAvailable

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def info(self) -> str:
        """As httpcore's."""
        return self._connection.info()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """As httpcore's."""
        return origin == self._origin

    def is_available(self) -> bool:
        """Whether it is idle, or was never used."""
        if self._claimed:
            return False
        # Idle connections of HTTP/2 may have failed, and available ones may be in use.
        state = self._state
        return state.is_idle() and state.is_available() if self._connected else not self._served

    def has_expired(self) -> bool:
        """Whether it has been idle too long. `handle_request` checks whether the server has closed it."""
        return time.monotonic() > self._expires and self._state.is_idle()

    def is_idle(self) -> bool:
        """Never: the pool would compare each connection with all others, to close some before they expire."""
        return False

    def is_closed(self) -> bool:
        """As httpcore's."""
        return self._state.is_closed()


def _innermost(connection: httpcore.ConnectionInterface) -> httpcore.HTTP11Connection | httpcore.HTTP2Connection | None:
    """The protocol's connection, below tunnels and proxies; None before it is connected."""
    inner: object = connection
    while not isinstance(inner, (httpcore.HTTP11Connection, httpcore.HTTP2Connection, NoneType)):
        inner = getattr(inner, "_connection", None)
    return inner


def _holds_surplus(connection: httpcore.HTTP11Connection) -> bool:
    """Whether more than its response arrived over an idle connection: h11 would read that as the next response.

    httpcore has no such check. If the state cannot be read, surplus is assumed, so that a change of httpcore costs new
    connections and never a wrong response.
    """
    state = getattr(connection, "_h11_state", None)
    return state is None or state.trailing_data != (b"", False)
