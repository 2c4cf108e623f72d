"""HTTP/1.1 over sockets, as far as fetching pages and files takes it: GET and HEAD, connections that are kept.

A lock makes hundreds of small requests, and a general client spends more time on each than the network. What is
out of the ordinary (proxies, names in other scripts, odd URLs) is not for this module: see `plain_target`.
"""

from __future__ import annotations

import math
import re
import threading
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from lockset.files.system import readable
from lockset.index.http.addresses import Addresses
from lockset.index.http.head import WireError, keeps_open, length_of, parse_head

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Answer", "Target", "WireError", "Wires", "plain_target"]

_PIECE = 256 * 1024
# Bytes of a status line with all its headers, and of one line of a chunked body.
_HEAD_LIMIT = 100 * 1024
_LINE_LIMIT = 8 * 1024
# Answers of the kind "not yet" (1xx) before the one that counts.
_INTERIM = 10
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00]*)?")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|[0-9A-Fa-f:.]+")
# A path and query as they may be sent: printable ASCII but for what has to be escaped.
_PATH = re.compile(r"/[!$-;=?-\[\]_a-z~]*(?:\?[!$-;=?-\[\]_a-z~]*)?")


class Target(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def plain_target(url: str) -> Target | None:
    """Where a request for `url` goes; None where anything about the URL is out of the ordinary."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host, path = parts.hostname or "", parts.path or "/"
    if parts.query:
        path = f"{path}?{parts.query}"
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _PATH.fullmatch(path) or port == 0:
        return None
    if not _HOST.fullmatch(host) or len(host) > 253:  # noqa: PLR2004 (the longest name)
        return None
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


class Wires:
    """Connections to servers, kept for further requests; safe to use from several threads.

    `context` gives the TLS context for an origin; at most `keep` idle connections are held, none longer than
    `keep_seconds`.
    """

    def __init__(
        self,
        context: Callable[[Target], ssl.SSLContext],
        *,
        connect_timeout: float,
        read_timeout: float,
        keep: int,
        keep_seconds: float,
    ) -> None:
        self._context = context
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._keep = keep
        self._keep_seconds = keep_seconds
        self._addresses = Addresses()
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str, int], list[_Wire]] = {}
        self._held = 0
        self._closed = False

    def send(self, method: str, target: Target, headers: Mapping[str, str], *, until: float = math.inf) -> Answer:
        """Send a request; gives the answer once its headers are there, at `until` (by `time.monotonic`) at the latest.

        Raises:
            WireError: Nothing came of it.
        """
        request = _request(method, target, headers)
        while (wire := self._take(target)) is not None:
            answer = wire.exchange(method, request, until)
            if answer is not None:
                return answer  # else the server had closed it meanwhile: the next one, at last a new one
        answer = self._connect(target, until).exchange(method, request, until)
        if answer is None:
            raise WireError("the server closed the connection without an answer")
        return answer

    def close(self) -> None:
        """Close all that are idle, and each of the others as it becomes so."""
        with self._lock:
            self._closed = True
            idle = [wire for wires in self._idle.values() for wire in wires]
            self._idle.clear()
        for wire in idle:
            wire.close()

    def _take(self, target: Target) -> _Wire | None:
        while True:
            with self._lock:
                wires = self._idle.get(target[:3])
                if not wires:
                    return None
                wire = wires.pop()
                self._held -= 1
            if time.monotonic() - wire.idle_since < self._keep_seconds and wire.is_quiet():
                return wire
            wire.close()

    def give_back(self, wire: _Wire) -> None:
        """Keep a connection whose answer was read to its end."""
        wire.idle_since = time.monotonic()
        with self._lock:
            if not self._closed and self._held < self._keep:
                self._idle.setdefault(wire.key, []).append(wire)
                self._held += 1
                return
        wire.close()

    def _connect(self, target: Target, until: float) -> _Wire:
        import socket  # slow to import, and many runs make no request

        context = self._context(target) if target.scheme == "https" else None
        try:
            connected = self._addresses.connect(target.host, target.port, self._connect_timeout, until=until)
            try:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context is not None:
                    connected.settimeout(_left(self._connect_timeout, until))
                    connected = context.wrap_socket(connected, server_hostname=target.host)
            except BaseException:
                connected.close()
                raise
        except (OSError, ValueError, UnicodeError) as error:
            raise WireError(f"no connection: {_told(error)}") from error
        return _Wire(connected, target, self, self._read_timeout)


class _Wire:
    """One connection, used by one thread at a time."""

    def __init__(self, connected: socket.socket, target: Target, wires: Wires, read_timeout: float) -> None:
        self._socket = connected
        self._wires = wires
        self._read_timeout = self._patience = read_timeout
        self._buffer = b""
        self._used = False
        self.key = target[:3]
        self.idle_since = 0.0

    def is_quiet(self) -> bool:
        """Whether nothing has come since the last answer: neither an end nor what nobody asked for."""
        pending = getattr(self._socket, "pending", None)  # decrypted already, where it is TLS
        if self._buffer or (pending is not None and pending()):
            return False
        try:
            return not readable(self._socket.fileno())
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        try:
            self._socket.close()
        except OSError:
            return

    def exchange(self, method: str, request: bytes, until: float) -> Answer | None:
        """The answer; None where the connection ended before any byte of one came."""
        try:
            self.hurry(_left(self._read_timeout, until))
            deadline = self.deadline()
            self._buffer = self._ask(request)
            if self._buffer:
                return self._answer(method, deadline)
        except OSError as error:
            self.close()
            raise WireError(_told(error)) from error
        except BaseException:
            self.close()
            raise
        self.close()
        return None

    def _ask(self, request: bytes) -> bytes:
        used, self._used = self._used, True
        try:
            self._socket.sendall(request)
            return self._socket.recv(_PIECE)
        except ConnectionError:
            if not used:
                raise
            return b""

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for further bytes of this answer."""
        self._patience = seconds
        self._socket.settimeout(seconds)

    def _answer(self, method: str, deadline: float) -> Answer:
        for _ in range(_INTERIM):
            status, version, headers = parse_head(self._head(deadline))
            if status >= 200:  # noqa: PLR2004 (all below only announce the answer)
                return Answer(self, method, status, version, headers)
            if status == 101:  # noqa: PLR2004 (other protocols)
                break
        raise WireError("the server does not come to its answer")

    def _head(self, deadline: float) -> bytes:
        """Bytes up to the empty line, without it."""
        while True:
            found = _END_OF_HEAD.search(self._buffer)
            if found is not None:
                head, self._buffer = self._buffer[: found.start()], self._buffer[found.end() :]
                return head
            if len(self._buffer) > _HEAD_LIMIT:
                raise WireError("the headers of the answer are too long")
            self._buffer += self._more()
            _check_time(deadline)

    def _more(self) -> bytes:
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise WireError("the server closed the connection before its answer was complete")
        return piece

    def line(self, deadline: float | None = None) -> bytes:
        """The next line, without its end; it has to come by `deadline`."""
        while (end := self._buffer.find(b"\n")) == -1:
            if len(self._buffer) > _LINE_LIMIT:
                raise WireError("a line of the answer is too long")
            deadline = deadline or self.deadline()
            self._buffer += self._receive()
            _check_time(deadline)
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def deadline(self) -> float:
        """Until when something begun now has to come."""
        # Bytes that come one by one are never silent: so what is no body has as long to be complete.
        return time.monotonic() + self._patience

    def some(self, limit: int) -> bytes:
        """At least one and at most `limit` of the next bytes."""
        piece = self._buffer or self._receive()
        self._buffer = piece[limit:]
        return piece[:limit]

    def until_end(self) -> Iterator[bytes]:
        """All bytes until the server closes the connection."""
        piece, self._buffer = self._buffer, b""
        if piece:
            yield piece
        try:
            # Nothing buffered is not the end: the head often comes alone, and the body after it.
            while piece := self._socket.recv(_PIECE):
                yield piece
        except OSError as error:
            raise WireError(_told(error)) from error

    def _receive(self) -> bytes:
        try:
            return self._more()
        except OSError as error:
            raise WireError(_told(error)) from error

    def give_back(self) -> None:
        self._wires.give_back(self)


class Answer:
    """An answer whose body has yet to come.

    Attributes:
        status: Its number.
        headers: Names in lower case; values of one name joined.
    """

    def __init__(self, wire: _Wire, method: str, status: int, version: bytes, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._keep = keeps_open(version, headers)
        self._ended = False
        self.stream = self._body(method)

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for further bytes."""
        self._wire.hurry(seconds)

    def close(self) -> None:
        """Done with it: the connection is kept where the body was read to its end."""
        if self._ended and self._keep:
            self._wire.give_back()
        else:
            self._wire.close()
        self._keep = False

    def _body(self, method: str) -> Iterator[bytes]:
        coding = self.headers.get("transfer-encoding")
        if method == "HEAD" or self.status in {204, 304}:
            pieces: Iterator[bytes] = iter(())
        elif coding is not None:
            if coding.strip().lower() != "chunked":
                raise WireError("the server answers in a coding that was not asked for")
            pieces = self._chunked()
        elif "content-length" in self.headers:
            pieces = self._counted(length_of(self.headers["content-length"]))
        else:
            self._keep = False
            pieces = self._wire.until_end()
        return self._to_end(pieces)

    def _to_end(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield from pieces
        self._ended = True

    def _counted(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self._wire.some(left)
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterator[bytes]:
        wire = self._wire
        while True:
            said = _CHUNK_SIZE.fullmatch(wire.line())
            if said is None:
                raise WireError("the chunks of the answer are malformed")
            left = int(said[1], 16)
            if not left:
                break
            yield from self._counted(left)
            if wire.line():
                raise WireError("the chunks of the answer are malformed")
        deadline = wire.deadline()
        for _ in range(_LINE_LIMIT):
            if not wire.line(deadline):
                return
        raise WireError("what follows the answer has no end")


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise WireError("the answer comes too slowly")


def _left(seconds: float, until: float) -> float:
    """At most `seconds`, and what remains until then; never nothing, which would mean not to wait at all."""
    return max(0.01, min(seconds, until - time.monotonic()))


def _request(method: str, target: Target, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target.path} HTTP/1.1", f"host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise WireError("a header would break the request")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
