"""The connection pool of httpx: each connection serves one request at a time, and is checked before it is reused.

That holds for HTTP/2, too: neither h2 nor httpcore's use of it is safe with several threads. Two of them may take the
same stream, or garble the compression of headers, and so get the response to another request.
"""

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
