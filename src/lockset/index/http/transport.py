"""Requests over HTTP: retries, redirects, credentials, limits; downloads."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lockset._version import __version__
from lockset.errors import DownloadTooLargeError, FileMissingError, LocksetError, OfflineError
from lockset.index.credentials import Scope, origin_of, redact, split_credentials
from lockset.index.http.addresses import Addresses
from lockset.index.http.auth import Authenticator, proxy_for
from lockset.index.http.deadlines import TimeBudget
from lockset.index.http.incoming import Again, Incoming, Request
from lockset.index.options import IndexSource
from lockset.index.retries import REDIRECTS, RETRIED_STATUSES, backoff, redirect_target, retry_after
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lockset.index.credentials import Credentials, UrlOrigin
    from lockset.index.http.certificates import Contexts
    from lockset.index.http.httpx_client import HttpxClient
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Sink
    from lockset.progress import ProgressListener

__all__ = ["DEFAULT_DOWNLOAD_LIMIT", "HttpDownloads", "Incoming", "Request", "Transport"]

T = TypeVar("T")

USER_AGENT = f"lockset/{__version__}"
# Seconds that closing waits for requests of other threads, which end with the process in any case.
_LEAVE_SECONDS = 0.5

# The most bytes of a download without another limit, so that no server can fill the disk.
DEFAULT_DOWNLOAD_LIMIT = 16 * 1024**3


class Transport:
    """Makes requests, at most `options.connections` at the same time; safe to use from several threads.

    Nothing is opened before the first request. For the arguments see `connections.connect`.
    """

    def __init__(
        self,
        options: IndexOptions,
        *,
        clock: Callable[[], float],
        listener: ProgressListener | None = None,
        environ: Mapping[str, str] | None = None,
        spares: int = 0,
    ) -> None:
        self.options = options
        self._spares = spares
        self.listener: ProgressListener = listener or NullListener()
        self._environ = environ
        self._clock = clock
        self._slots = threading.BoundedSemaphore(options.connections)
        self._lock = threading.Lock()
        self._made: Authenticator | None = None
        self._client: HttpxClient | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}
        self._silent: set[UrlOrigin] = set()
        self._closed = False

    @property
    def _authenticator(self) -> Authenticator:
        """Made for the first request: a run may leave all requests to copies of the process."""
        with self._lock:
            if self._made is None:
                self._made = Authenticator(self._sources(), environ=self._environ, keyring=self.options.keyring)
            return self._made

    def _sources(self) -> Sequence[IndexSource]:
        options = self.options
        first = IndexSource(url=options.index_url, name=options.index_name)
        return (*options.indexes, first, *options.flat_sources())

    def is_silent(self, url: str) -> bool:
        """Whether the server of `url` did not respond in time in this run, so that it should be avoided if possible."""
        return origin_of(url) in self._silent

    def scope(self, url: str) -> Scope:
        """The index that `url` belongs to."""
        return self._authenticator.scopes.of(url)

    @property
    def is_near(self) -> bool:
        """Whether each server so far has responded at once; False before the first response."""
        return self._client is not None and self._client.is_near

    @property
    def has_shared_hosts(self) -> bool:
        """Whether several indexes are on one host."""
        return len(self._sources()) > 1 and self._authenticator.scopes.are_shared

    def link(self, index: str, urls: Callable[[], Iterable[str]]) -> None:
        """Use the credentials of `index` for the files that its page links to, if other indexes share its host."""
        if self._authenticator.scopes.is_shared(index):
            self._authenticator.scopes.link(index, urls())

    def exchange(self, request: Request, consume: Callable[[Incoming], T]) -> T:
        """Make the request and let `consume` read the response; both are retried if the connection fails.

        So `consume` may be called several times, each time with a new response.

        Raises:
            LocksetError: `request.failure`, `offline`, `index-refused` (401, 403), `file-not-found` (404, 410),
                `redirect-refused`, `certificate-refused`, and the errors that `consume` raises.
        """
        if self.options.offline:
            raise OfflineError(
                f"{redact(request.url)} is not in the cache, and the network is disabled",
                hint="Run again without `--offline`",
            )
        budget = TimeBudget(self.options.read_timeout)
        attempt, paused = 0, 0.0
        while True:
            try:
                with self._slots:
                    if self._closed:
                        raise request.failure("The run ended before the response arrived")
                    return self._attempt(request, consume, budget)
            except Again as failure:
                pause = self._pause_after(request, failure, attempt, paused)
                self._check_retry(request, failure, attempt, is_spent=budget.is_spent)
            time.sleep(pause)
            attempt += 1
            paused += pause

    def close(self) -> None:
        """Close all connections, after a short wait for requests in flight."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + _LEAVE_SECONDS
        for _ in range(self.options.connections):
            if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
                break
        if self._client is not None:
            self._client.close()

    def _check_retry(self, request: Request, failure: Again, attempt: int, *, is_spent: bool) -> None:
        """Raise LocksetError if there is no further attempt."""
        # A transfer that was too slow took long, and is unlikely to be faster next time.
        retries = self.options.retries if request.retried else 0
        if attempt < (min(retries, 1) if failure.slow else retries) and not is_spent:
            return
        if is_spent:
            self._silent.add(origin_of(request.url))
        more_time = ", or give the server more time with `--timeout`" if is_spent else ""
        raise request.failure(
            self._failure_text(request.url, failure, attempt + 1),
            location=redact(request.url),
            hint=f"Check the network and the URL, then try again{more_time}",
        ) from failure

    def _failure_text(self, url: str, failure: Again, attempts: int) -> str:
        """What failed with which host; for a proxy that cannot be reached, with the proxy."""
        proxy = self._proxy(url) if failure.is_unconnected else None
        server = urlsplit(redact(proxy or url)).netloc
        count = f" ({attempts} attempts)" if attempts > 1 else ""
        if failure.is_unconnected:
            return f"Could not connect to {'the proxy ' if proxy else ''}{server}{count}: {failure}"
        if failure.status is not None:
            return f"{server} returned status {failure.status}{count}"
        return f"The connection to {server} failed{count}: {failure}"

    def _pause_after(self, request: Request, failure: Again, attempt: int, paused: float) -> float:
        """Seconds before the next attempt; `paused` is the sum of all pauses so far."""
        if failure.wait is not None and paused + failure.wait > self.options.retry_after_cap:
            again = f" again, after {_seconds(paused)}" if paused >= 1 else ""
            raise request.failure(
                f"The server asks to wait for {_seconds(failure.wait)}{again}, which is longer than lockset waits",
                location=redact(request.url),
                hint="Try again later",
            ) from failure
        import random  # slow to import, and needed only where something failed

        return max(failure.wait or 0.0, backoff(attempt, random.random()))  # noqa: S311 (not used for security)

    def _attempt(self, request: Request, consume: Callable[[Incoming], T], budget: TimeBudget) -> T:
        with self._follow(request, budget) as incoming:
            result = consume(incoming)
            incoming.drain()
            return result

    @contextmanager
    def _follow(self, request: Request, budget: TimeBudget) -> Iterator[Incoming]:
        """Follow redirects and yield the last response."""
        try:
            url, own = split_credentials(request.url)
        except ValueError as error:
            raise _malformed(request, error) from error
        scopes = self._authenticator.scopes
        scope = scopes.of(url)
        # Credentials in the URL itself are only sent to its index, and to URLs on its host that belong to no index.
        own_scopes = set() if own is None else {scopes.under(url), Scope(origin_of(url))}
        after_refusal = self._authenticator.after_refusal
        hops, authenticated = 0, False
        while True:
            is_own = own is not None and scopes.under(url) in own_scopes
            credentials = own if is_own else self._authenticator.for_scope(scope)
            with self._send(request, url, credentials, budget) as incoming:
                if incoming.status in REDIRECTS:
                    hops += 1
                    target = redirect_target(url, incoming.headers.get("location"), hops=hops)
                    url, _ = split_credentials(target)
                    scope = scopes.of(url, before=scope)
                    incoming.drain()
                elif incoming.status == 401 and not authenticated and after_refusal(scope, credentials):
                    authenticated = True
                    own = None
                    incoming.drain()
                else:
                    self._check_status(request, incoming)
                    yield incoming
                    return

    @contextmanager
    def _send(
        self, request: Request, url: str, credentials: Credentials | None, budget: TimeBudget
    ) -> Iterator[Incoming]:
        headers = {
            "user-agent": USER_AGENT,
            "accept-encoding": "gzip" if request.compressed else "identity",
            **request.headers,
        }
        if credentials is not None:
            headers["authorization"] = credentials.header()
        client, proxy = self._httpx(url), self._proxy(url)
        with budget.waiting():
            try:
                answer = client.send(
                    *(request.method, url, headers),
                    content=request.content,
                    proxy=proxy,
                    silence=budget.next_wait,
                    until=budget.until,
                )
            except ValueError as error:
                raise _malformed(request, error) from error
        answer.hurry(budget.next_wait)
        try:
            yield Incoming(answer, url, self.options, self.listener, budget)
        finally:
            answer.close()

    def _check_status(self, request: Request, incoming: Incoming) -> None:
        """Return for accepted statuses, raise `Again` for temporary failures and LocksetError for others."""
        status = incoming.status
        if status in request.accepted:
            return
        incoming.drain()
        if status in RETRIED_STATUSES:
            wait = retry_after(incoming.headers.get("retry-after"), now=self._clock())
            raise Again(f"status {status}", wait=wait, status=status)
        location = redact(incoming.url)
        if status in {401, 403}:
            raise LocksetError(
                "index-refused",
                f"The server refused the request with status {status}",
                location=location,
                hint="Set LOCKSET_INDEX_<NAME>_USERNAME and _PASSWORD, or use a netrc file or the index URL",
            )
        if status in {404, 410}:
            raise FileMissingError(
                f"{urlsplit(location).netloc} has no such file (status {status})",
                location=location,
                hint="Check the URL: the file may have been removed or renamed",
            )
        raise request.failure(f"The server returned status {status}", location=location)

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        route = (parts.scheme, parts.netloc)
        if route not in self._proxies:
            self._proxies[route] = self.options.proxy or proxy_for(url)
        return self._proxies[route]

    def _httpx(self, url: str) -> HttpxClient:
        """The client of this run, created for the first request, which goes to `url`."""
        with self._lock:
            if self._client is None:
                from lockset.index.http.certificates import Contexts

                contexts, addresses = Contexts(self.options.cert, self.options.client_cert), Addresses()
                if self._proxy(url) is None and not self.options.insecure_hosts:
                    with suppress(RuntimeError):  # no further thread can be started: the request does it itself
                        threading.Thread(target=_prepare, args=(url, contexts, addresses), daemon=True).start()
                from lockset.index.http.httpx_client import HttpxClient

                self._client = HttpxClient(self.options, contexts, addresses, spares=self._spares)
            return self._client


def _malformed(request: Request, error: ValueError) -> LocksetError:
    return request.failure(f"The URL is not valid: {error}", location=redact(request.url))


def _prepare(url: str, contexts: Contexts, addresses: Addresses) -> None:
    """Load certificates and look up the address for the first connection while httpx is imported."""
    origin = origin_of(url)
    try:
        if origin.scheme == "https":
            contexts.of(verified=True)
        if origin.port is not None:
            addresses.of(origin.host, origin.port)
    except Exception:  # noqa: BLE001 (the request that needs it runs into the same error and reports it)
        return


def _seconds(number: float) -> str:
    rounded = round(number)
    return f"{rounded} second{'' if rounded == 1 else 's'}"


class HttpDownloads:
    """`lockset.index.ports.Downloads` over HTTP."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        """Stream the file into `sink`: see the port."""
        bound = DEFAULT_DOWNLOAD_LIMIT if limit is None else limit
        if url.startswith("file:"):
            raise LocksetError("scheme-refused", f"A local file is not read here: {url}")
        begun = False

        def take(incoming: Incoming) -> None:
            nonlocal begun
            if begun:
                sink.restart()
            begun = True
            received = 0
            for chunk in incoming.chunks():
                received += len(chunk)
                sink.write(chunk)
                if received > bound:
                    raise _too_large(url, bound)

        self._transport.exchange(Request(url=url), take)


def _too_large(url: str, bound: int) -> LocksetError:
    return DownloadTooLargeError(f"The file is larger than the {bound} bytes expected", location=redact(url))
