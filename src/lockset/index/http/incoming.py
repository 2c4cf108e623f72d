"""Requests, and responses as they arrive: transfer rates, size limits, unread rests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass, field
from lockset.errors import DownloadFailedError, KnownError
from lockset.index.credentials import redact
from lockset.index.http.body import Body, too_large

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.index.http.deadlines import TimeBudget
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["Again", "AnyAnswer", "Incoming", "Request"]

# The most bytes of an unused body that are read to keep its connection; a connection with more is dropped.
_DRAINED = 64 * 1024
# The most seconds that this may take.
_DRAIN_SECONDS = 0.5
# The least seconds over which the rate of a transfer is measured, however short the timeout is.
_LEAST_WINDOW = 5.0


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
                raise too_large(limit, what)
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
