"""Requests as callers mean them, and the answers as they come in: rates, limits, what is left unread."""

from __future__ import annotations

import time
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import dataclass
from lockset.errors import DownloadFailedError, KnownError
from lockset.index.credentials import redact
from lockset.index.http.body import Inflater

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.index.http.time_budget import TimeBudget
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["Again", "AnyAnswer", "Incoming", "Request"]

# Bytes of an unwanted body read so that its connection can serve again; beyond that the connection is dropped.
_DRAINED = 64 * 1024
# Seconds that this may take.
_DRAIN_SECONDS = 0.5
# Least seconds over which the rate of a transfer is measured, however short a silence may be.
_LEAST_WINDOW = 5.0


class AnyAnswer(Protocol):
    """`lockset.index.http.httpx_client.HttpxResponse`, or what looks like it."""

    status: int
    headers: dict[str, str]
    stream: Iterator[bytes]

    def hurry(self, seconds: float) -> None:
        """Wait no longer than this for each further piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the caller means it.

    Attributes:
        accepted: Statuses the caller can read; others are tried again or become errors.
        failure: The error where the answer never comes.
        compressed: The body may come compressed; it is inflated by `Incoming.body`.
        retried: Whether it is tried again where the connection fails.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})
    failure: type[KnownError] = DownloadFailedError
    compressed: bool = False
    retried: bool = True


class Again(Exception):  # noqa: N818 (not an error for anybody outside these modules)
    """The attempt failed in a way that another one may mend."""

    def __init__(self, why: str, *, wait: float | None = None, slow: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.slow = slow


class Incoming:
    """A response whose body has yet to come.

    Attributes:
        status: One of the request's accepted statuses.
        headers: Names in lower case.
        url: Where it came from at last, without credentials.
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
        """The body's bytes as they come over the wire."""
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
        """The whole body, inflated where it came compressed; LocksetError `download-too-large` beyond `limit` bytes."""
        return self.both(limit)[0]

    def both(self, limit: int) -> tuple[bytes, bytes]:
        """As `body`, and beside it the body as it came, where it came compressed (b"" where it did not)."""
        coding = self.headers.get("content-encoding", "")
        inflate = Inflater(coding, limit=limit, what=redact(self.url))
        came: list[bytes] = []
        parts: list[bytes] = []
        for chunk in self.chunks():
            came.append(chunk)
            parts.extend(inflate.feed(chunk))
        parts.extend(inflate.finish())
        return b"".join(parts), b"".join(came) if inflate.inflates else b""

    def drain(self) -> None:
        """Read a small rest of the body, so that the connection can be used again; failures do not matter."""
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
