"""Requests, and responses as they arrive: transfer rates, decompression within size limits, unread rests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass, field
from lockset.errors import DownloadFailedError, DownloadTooLargeError, KnownError, LocksetError
from lockset.index.credentials import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.index.http.deadlines import TimeBudget
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["Again", "AnyAnswer", "Body", "Incoming", "Request"]

# The most bytes that one step inflates to, so that a decompression bomb hits the limit before it fills the memory.
_STEP = 1024 * 1024
# The first bytes of each gzip member.
_GZIP = b"\x1f\x8b"
# The most bytes of an unused body that are read to keep its connection; a connection with more is dropped.
_DRAINED = 64 * 1024
# The most seconds that this may take.
_DRAIN_SECONDS = 0.5
# The least seconds over which the rate of a transfer is measured, however short the timeout is.
_LEAST_WINDOW = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A whole body as it was received, which takes a fraction of the memory of its content.

    Attributes:
        data: At most `limit` bytes.
        encoding: The header `Content-Encoding`, "" if there is none.
        limit: Limit for the content in bytes.
        what: Where it comes from, for messages.
    """

    data: bytes
    encoding: str
    limit: int
    what: str

    @property
    def packed(self) -> bytes:
        """The body if it is compressed, else b""."""
        return b"" if self._coding in {"", "identity"} else self.data

    def content(self) -> bytes:
        """The decompressed body.

        Raises:
            LocksetError: `download-failed`: damaged, or in an encoding that was not requested; `download-too-large`.
        """
        if self._coding in {"", "identity"}:
            return self.data
        if self._coding not in {"gzip", "x-gzip", "deflate"}:
            raise self._broken(f"its encoding {self._coding[:20]!r} was not requested")
        # Imported here: few bodies of a sync are compressed.
        from lockset.files.inflate import GZIP_OR_ZLIB, INFLATE_ERRORS, inflater

        parts: list[bytes] = []
        left, rest = self.limit, self.data
        while True:
            inflate = inflater(GZIP_OR_ZLIB)
            part = b"-"
            # Without input there may be output that the last step had no space for.
            while (rest or part) and not inflate.eof:
                try:
                    part = inflate.decompress(rest, _STEP)
                except INFLATE_ERRORS as error:
                    raise self._broken(str(error)) from error
                left -= len(part)
                if left < 0:
                    raise _too_large(self.limit, self.what)
                parts.append(part)
                rest = inflate.unconsumed_tail
            if not inflate.eof:
                raise self._broken("its compressed data end too early")
            rest = inflate.unused_data
            if not rest:
                return b"".join(parts)
            # "A gzip file consists of a series of members" (RFC 1952, 2.2): together they are the body.
            if self._coding == "deflate" or not rest.startswith(_GZIP):
                raise self._broken("further bytes follow its compressed data")

    @property
    def _coding(self) -> str:
        return self.encoding.strip().lower()

    def _broken(self, why: str) -> LocksetError:
        return DownloadFailedError(f"The response cannot be read: {why}", location=self.what)


def _too_large(limit: int, what: str) -> LocksetError:
    """The error for a body of more than `limit` bytes."""
    return DownloadTooLargeError(f"The response is larger than {limit} bytes", location=what)


class AnyAnswer(Protocol):
    """The interface of `lockset.index.http.httpx_client.HttpxResponse`."""

    status: int
    headers: dict[str, str]
    stream: Iterator[bytes]

    def hurry(self, seconds: float) -> None:
        """Wait at most `seconds` for each further piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        accepted: Statuses that the caller handles; others are retried or become errors.
        failure: The error to raise if there is no response.
        compressed: Whether the body may be compressed; `Incoming.body` inflates it.
        retried: Whether to retry if the connection fails.
        content: The body of the request; None for none.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})
    failure: type[KnownError] = DownloadFailedError
    compressed: bool = False
    retried: bool = True
    content: bytes | None = None


class Again(Exception):
    """The attempt failed, and another one may succeed.

    Attributes:
        wait: Seconds that the server requests to wait.
        slow: The transfer was too slow.
        status: The status of the response, if the failure is that the server is overloaded.
        is_unconnected: There was no connection to the server or proxy.
    """

    def __init__(
        self,
        why: str,
        *,
        wait: float | None = None,
        slow: bool = False,
        status: int | None = None,
        is_unconnected: bool = False,
    ) -> None:
        super().__init__(why)
        self.wait = wait
        self.slow = slow
        self.status = status
        self.is_unconnected = is_unconnected


class Incoming:
    """A response whose body has not been read yet.

    Attributes:
        status: One of the request's accepted statuses.
        headers: Names in lower case.
        url: The URL after all redirects, without credentials.
    """

    def __init__(
        self, answer: AnyAnswer, url: str, options: IndexOptions, listener: ProgressListener, budget: TimeBudget
    ) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.url = url
        self._answer = answer
        self._stream = answer.stream
        self._options = options
        self._listener = listener
        self._budget = budget
        self._ended = False

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the body as they arrive."""
        options, listener = self._options, self._listener
        window = min(options.rate_window, max(options.read_timeout, _LEAST_WINDOW))
        waited, received = 0.0, 0
        while not self._ended:
            begun = time.monotonic()
            try:
                chunk = next(self._stream, None)
            except Again:
                self._budget.spend(waited + time.monotonic() - begun)
                raise
            if chunk is None:
                self._ended = True
                return
            waited += time.monotonic() - begun
            received += len(chunk)
            listener.transferred(len(chunk))
            if waited >= window:
                if received < options.minimum_rate * waited:
                    self._budget.spend(waited)
                    raise Again(f"the transfer was slower than {options.minimum_rate:.0f} bytes a second", slow=True)
                waited, received = 0.0, 0
            yield chunk

    def body(self, limit: int) -> bytes:
        """The whole body, inflated if it is compressed; LocksetError `download-too-large` beyond `limit` bytes."""
        return self.body_as_received(limit).content()

    def body_as_received(self, limit: int) -> Body:
        """The whole body as it arrives; LocksetError `download-too-large` beyond `limit` bytes."""
        what, received = redact(self.url), 0
        chunks: list[bytes] = []
        for chunk in self.chunks():
            received += len(chunk)
            if received > limit:  # larger before it is inflated than it may be afterwards
                raise _too_large(limit, what)
            chunks.append(chunk)
        encoding = self.headers.get("content-encoding", "")
        return Body(data=b"".join(chunks), encoding=encoding, limit=limit, what=what)

    def drain(self) -> None:
        """Read a small rest of the body, so that the connection can be used again; failures are ignored."""
        if self._ended:
            return
        left, deadline = _DRAINED, time.monotonic() + _DRAIN_SECONDS
        self._answer.hurry(_DRAIN_SECONDS)
        try:
            with self._budget.waiting():
                for chunk in self.chunks():
                    left -= len(chunk)
                    if left < 0 or time.monotonic() > deadline:
                        return
        except Again:
            return
