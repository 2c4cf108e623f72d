"""The connection pool of httpx: each connection serves one thread at a time, and is checked before it is reused."""

from __future__ import annotations

import math
import threading
import time
from types import NoneType
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from lockset.index.http.deadlines import Deadlines

__all__ = ["KEPT_SECONDS", "Pool"]

# Seconds that an idle connection is kept.
KEPT_SECONDS = 30.0


class Pool(httpcore.ConnectionPool):
    """httpcore's pool, whose connections are checked before they are reused."""

    def __init__(self, deadlines: Deadlines, **settings: Any) -> None:
        super().__init__(**settings)
        self._deadlines = deadlines
        self._without_http2: set[str] = set()

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """A connection to `origin`; nothing is opened yet."""
        return _KeptConnection(super().create_connection(origin), origin, self._deadlines, self._without_http2)


class _KeptConnection(httpcore.ConnectionInterface):
    """A connection that refuses a request if it cannot be reused; the pool then takes another one for it.

    `without_http2` are the origins, of the whole pool, that use HTTP/1.1: a new connection to one of them takes a
    single request, while one that may turn out to use HTTP/2 takes all.
    """

    def __init__(
        self,
        connection: httpcore.ConnectionInterface,
        origin: httpcore.Origin,
        deadlines: Deadlines,
        without_http2: set[str],
    ) -> None:
        self._connection = connection
        # The object that has the state, since the pool checks it often.
        self._state = connection
        self._origin = origin
        self._origin_text = str(origin)
        self._deadlines = deadlines
        self._without_http2 = without_http2
        self._connected = False
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._served = False
        self._claimed = False
        self._expires = math.inf

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """As httpcore's; ConnectionNotAvailable if the server has closed a kept connection meanwhile."""
        with self._lock:
            served, self._served = self._served, True
            self._expires = time.monotonic() + KEPT_SECONDS
            is_own = not served or self._claim()
        try:
            response = self._respond(request)
        except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError) as error:
            if served and not self._deadlines.has_data:
                raise httpcore.ConnectionNotAvailable from error
            raise
        finally:
            if is_own:
                self._claimed = False
            if not self._connected and self._is_http1():
                self._without_http2.add(self._origin_text)
        if not self._connected:
            self._connected, self._state = True, _innermost(self._connection) or self._connection
        if not is_own and self._is_http1():
            self.close()  # the protocol was not known yet, so surplus bytes were not checked for
            raise httpcore.ConnectionNotAvailable
        return response

    def _respond(self, request: httpcore.Request) -> httpcore.Response:
        """The response. HTTP/2 streams are opened by one thread at a time: httpcore may give two threads the same one.

        A stream has its number once its headers are written.
        """
        if self._is_http1():
            return self._connection.handle_request(request)
        self._opening.acquire()
        self._deadlines.call_after_write(self._opening.release)
        try:
            return self._connection.handle_request(request)
        finally:
            self._deadlines.written()

    def _is_http1(self) -> bool:
        return isinstance(_innermost(self._connection), httpcore.HTTP11Connection)

    def _claim(self) -> bool:
        """Whether the connection now belongs to this thread alone, which HTTP/2 does not need.

        The pool may give one idle connection to several threads at once. Only a thread that owns it can check it.
        """
        protocol = _innermost(self._connection)
        if not isinstance(protocol, httpcore.HTTP11Connection):
            if isinstance(protocol, httpcore.HTTP2Connection) and protocol.has_expired():
                self.close()
                raise httpcore.ConnectionNotAvailable
            return False
        if self._claimed or not protocol.is_idle():
            raise httpcore.ConnectionNotAvailable
        self._claimed = True
        if protocol.has_expired() or _holds_surplus(protocol):
            self.close()
            raise httpcore.ConnectionNotAvailable
        return True

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
        """As httpcore's, and False as soon as a thread has claimed it."""
        may_share = self._connected or self._origin_text not in self._without_http2
        return may_share and not self._claimed and self._state.is_available()

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
