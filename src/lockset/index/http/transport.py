"""Requests over HTTP: retries, redirects, credentials, limits. The only importer of httpx, where it is needed."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lockset import __version__
from lockset.errors import LocksetError
from lockset.index.credential_scopes import Scope
from lockset.index.credentials import origin_of, redact, split_credentials
from lockset.index.http.auth import proxy_for
from lockset.index.http.head import WireError
from lockset.index.http.incoming import Again, Incoming, Request
from lockset.index.http.time_budget import TimeBudget
from lockset.index.http.wire import Target, Wires, plain_target
from lockset.index.retries import REDIRECTS, RETRIED_STATUSES, backoff, redirect_target, retry_after
from lockset.progress import NullListener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    import httpx

    from lockset.index.credentials import Credentials, UrlOrigin
    from lockset.index.http.auth import Authenticator
    from lockset.index.http.wire import Answer
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["Incoming", "Request", "Transport"]

T = TypeVar("T")

USER_AGENT = f"lockset/{__version__}"
_KEPT_SECONDS = 30.0
# How long closing waits for requests of other threads; they end with the process in any case.
_LEAVE_SECONDS = 0.5


class Transport:
    """Does requests; safe to use from several threads, and never more under way than `options.connections`."""

    def __init__(
        self,
        options: IndexOptions,
        *,
        authenticator: Authenticator,
        clock: Callable[[], float],
        listener: ProgressListener | None = None,
    ) -> None:
        self.options = options
        self.listener: ProgressListener = listener or NullListener()
        self._authenticator = authenticator
        self._clock = clock
        self._slots = threading.BoundedSemaphore(options.connections)
        self._lock = threading.Lock()
        self._wires = Wires(
            self._context_for,
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            keep=options.connections,
            keep_seconds=_KEPT_SECONDS,
        )
        self._clients: dict[tuple[str | None, bool], httpx.HTTPTransport] = {}
        self._proxies: dict[tuple[str, str], str | None] = {}
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._silent: set[UrlOrigin] = set()
        self._closed = False

    def is_silent(self, url: str) -> bool:
        """Whether the server of `url` let a request of this run wait in vain: what can be done without it should be."""
        return origin_of(url) in self._silent

    def scope(self, url: str) -> Scope:
        """The index that `url` belongs to."""
        return self._authenticator.scopes.of(url)

    @property
    def has_shared_hosts(self) -> bool:
        """Whether several indexes are on one host."""
        return self._authenticator.scopes.are_shared

    def link(self, index: str, urls: Callable[[], Iterable[str]]) -> None:
        """Have files that a page of `index` links to get its credentials, where other indexes share its host."""
        if self._authenticator.scopes.is_shared(index):
            self._authenticator.scopes.link(index, urls())

    def exchange(self, request: Request, consume: Callable[[Incoming], T]) -> T:
        """Do the request and have `consume` read the response; tried again as a whole where the connection fails.

        So `consume` may be called several times, each time for a response from its beginning.

        Raises:
            LocksetError: `request.failure`, `offline`, `index-refused` (401, 403), `file-not-found` (404, 410),
                `redirect-refused`, `certificate-refused`, and whatever `consume` raises.
        """
        if self.options.offline:
            raise LocksetError(
                "offline",
                f"{redact(request.url)} is needed, and the network is off",
                hint="Run again without --offline",
            )
        budget = TimeBudget(self.options.read_timeout)
        attempt, paused = 0, 0.0
        while True:
            try:
                with self._slots:
                    if self._closed:
                        raise LocksetError(request.failure, "The run ended before the answer came")
                    return self._attempt(request, consume, budget)
            except Again as failure:
                pause = self._pause_after(request, failure, attempt, paused)
                self._check_retry(request, failure, attempt, is_spent=budget.is_spent)
            time.sleep(pause)
            attempt += 1
            paused += pause

    def close(self) -> None:
        """Close all connections, once what is under way has ended, or has not within a moment."""
        if self._closed:
            return
        self._closed = True
        deadline = time.monotonic() + _LEAVE_SECONDS
        for _ in range(self.options.connections):
            if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
                break
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._wires.close()

    def _check_retry(self, request: Request, failure: Again, attempt: int, *, is_spent: bool) -> None:
        """LocksetError where there is no further try."""
        # A transfer that was too slow took long, and will hardly be faster again and again.
        retries = self.options.retries if request.retried else 0
        if attempt < (min(retries, 1) if failure.slow else retries) and not is_spent:
            return
        if is_spent:
            self._silent.add(origin_of(request.url))
        more_time = ", or give the server more time with `--timeout`" if is_spent else ""
        raise LocksetError(
            request.failure,
            f"The server could not be reached or broke off{f', {attempt + 1} times' if attempt else ''}: {failure}",
            location=redact(request.url),
            hint=f"Check the network and the address, then try again{more_time}",
        ) from failure

    def _pause_after(self, request: Request, failure: Again, attempt: int, paused: float) -> float:
        """Seconds before the next try; `paused` is the sum of all pauses so far."""
        if failure.wait is not None and paused + failure.wait > self.options.retry_after_cap:
            again = f" again, after {paused:.0f} seconds" if paused >= 1 else ""
            raise LocksetError(
                request.failure,
                f"The server asks to wait {failure.wait:.0f} seconds{again}, too long for lockset to wait",
                location=redact(request.url),
                hint="Try again later",
            ) from failure
        import random  # slow to import, and needed only where something failed

        return max(failure.wait or 0.0, backoff(attempt, random.random()))  # noqa: S311 (jitter is no secret)

    def _attempt(self, request: Request, consume: Callable[[Incoming], T], budget: TimeBudget) -> T:
        try:
            with self._follow(request, budget) as incoming:
                found = consume(incoming)
                incoming.drain()
                return found
        except WireError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                from lockset.index.http.certificates import certificate_error

                raise certificate_error(request.url, str(error)) from error
            raise Again(str(error)) from error

    @contextmanager
    def _follow(self, request: Request, budget: TimeBudget) -> Iterator[Incoming]:
        """The response at the end of all redirects."""
        url, own = split_credentials(request.url)
        scopes = self._authenticator.scopes
        scope = scopes.of(url)
        # Credentials of the URL itself go no further than its index, or what belongs to no index on its host.
        own_scopes = set() if own is None else {scopes.under(url), Scope(origin_of(url))}
        after_refusal = self._authenticator.after_refusal
        hops, asked_again = 0, False
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
                elif incoming.status == 401 and not asked_again and after_refusal(scope, credentials):  # noqa: PLR2004
                    asked_again = True
                    own = None
                    incoming.drain()
                else:
                    self._judge(request, incoming)
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
        target, proxy = plain_target(url), self._proxy(url)
        answer: Answer | _ByHttpx
        with budget.waiting():
            if target is not None and proxy is None:
                answer = self._wires.send(request.method, target, headers, until=budget.until)
            else:
                answer = self._by_httpx(request, url, headers, proxy, budget)
        answer.hurry(budget.next_wait)
        try:
            yield Incoming(answer, url, self.options, self.listener, budget)
        finally:
            answer.close()

    def _by_httpx(
        self, request: Request, url: str, headers: dict[str, str], proxy: str | None, budget: TimeBudget
    ) -> _ByHttpx:
        """The same by the general client, which knows proxies and everything that can be odd about a URL."""
        import httpx

        silence = budget.next_wait
        timeouts = {
            "connect": min(self.options.connect_timeout, silence),
            "read": silence,
            "write": silence,
            "pool": None,
        }
        try:
            sent = httpx.Request(request.method, url, headers=headers, extensions={"timeout": timeouts})
            return _ByHttpx(self._client(url, proxy).handle_request(sent))
        except (httpx.InvalidURL, ValueError) as error:  # ValueError: host names that cannot be written in ASCII
            raise LocksetError(request.failure, f"The address is malformed: {error}", location=redact(url)) from error
        except httpx.UnsupportedProtocol as error:
            raise LocksetError("scheme-refused", f"Not an http(s) address: {redact(url)}") from error
        except httpx.TransportError as error:
            raise WireError(str(error) or type(error).__name__) from error

    def _judge(self, request: Request, incoming: Incoming) -> None:
        """Pass accepted statuses; have passing troubles tried again; refuse the rest."""
        status = incoming.status
        if status in request.accepted:
            return
        incoming.drain()
        if status in RETRIED_STATUSES:
            wait = retry_after(incoming.headers.get("retry-after"), now=self._clock())
            raise Again(f"status {status}", wait=wait)
        location = redact(incoming.url)
        if status in {401, 403}:
            raise LocksetError(
                "index-refused",
                f"The server refused the request with status {status}",
                location=location,
                hint="Give credentials by LOCKSET_INDEX_<NAME>_USERNAME and _PASSWORD, a netrc file or the index URL",
            )
        if status in {404, 410}:
            raise LocksetError("file-not-found", "The server has no such file", location=location)
        raise LocksetError(request.failure, f"The server answered with status {status}", location=location)

    def _proxy(self, url: str) -> str | None:
        parts = urlsplit(url)
        route = (parts.scheme, parts.netloc)
        if route not in self._proxies:
            self._proxies[route] = self.options.proxy or proxy_for(url)
        return self._proxies[route]

    def _context_for(self, target: Target) -> ssl.SSLContext:
        """The TLS context for an origin; certificates are loaded when https is first needed."""
        return self._tls(verified={target.host, target.authority}.isdisjoint(self.options.insecure_hosts))

    def _tls(self, *, verified: bool) -> ssl.SSLContext:
        with self._lock:
            if verified not in self._contexts:
                from lockset.index.http.certificates import trusting, unverified

                made = trusting(self.options.cert, self.options.client_cert) if verified else unverified()
                self._contexts[verified] = made
            return self._contexts[verified]

    def _client(self, url: str, proxy: str | None) -> httpx.HTTPTransport:
        """The pool of connections that fits the URL."""
        import httpx

        parts = urlsplit(url)
        insecure = not {parts.netloc, parts.hostname}.isdisjoint(self.options.insecure_hosts)
        tls = parts.scheme == "https" or (proxy or "").startswith("https:")
        # Without https there is nothing to verify, and loading certificates takes tens of milliseconds.
        context = self._tls(verified=True) if tls and not insecure else None
        with self._lock:
            key = (proxy, context is not None)
            if key not in self._clients:
                via = None
                if proxy is not None:
                    if proxy.lower().startswith("socks"):
                        _need_socks()
                    via = httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None)
                count = self.options.connections
                self._clients[key] = httpx.HTTPTransport(
                    verify=False if context is None else context,
                    proxy=via,
                    limits=httpx.Limits(
                        max_connections=count, max_keepalive_connections=count, keepalive_expiry=_KEPT_SECONDS
                    ),
                    trust_env=True,
                )
            return self._clients[key]


def _need_socks() -> None:
    from importlib.util import find_spec

    if find_spec("socksio") is None:
        raise LocksetError(
            "proxy-refused",
            "The proxy speaks SOCKS, for which lockset needs the package `socksio`",
            hint="Install `socksio` beside lockset, or name an http proxy",
        )


class _ByHttpx:
    """An answer as `lockset.index.http.wire.Answer`, of the general client."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers: dict[str, str] = {}
        for name, value in response.headers.multi_items():
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._response = response
        self.stream = self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        import httpx

        try:
            yield from self._response.stream  # type: ignore[misc]  # a synchronous transport's are such
        except httpx.TransportError as error:
            raise WireError(str(error) or type(error).__name__) from error

    def hurry(self, seconds: float) -> None:
        """Has no effect here: the general client keeps its time limits."""

    def close(self) -> None:
        """Done with it."""
        self._response.close()
