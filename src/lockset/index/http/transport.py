"""Requests over HTTP: retries, redirects, certificates, limits. The only importer of httpx, at the first request."""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from lockset import __version__
from lockset.errors import LocksetError
from lockset.events import Silent
from lockset.index.credentials import origin_of, redact, split_credentials
from lockset.index.http.auth import environment_certificates, proxy_for
from lockset.index.http.body import Inflater
from lockset.index.retries import REDIRECTS, RETRIED_STATUSES, backoff, redirect_target, retry_after

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    import httpx

    from lockset.events import Listener
    from lockset.index.credentials import Credentials
    from lockset.index.http.auth import Authenticator
    from lockset.index.options import IndexOptions

__all__ = ["Incoming", "Request", "Transport"]

T = TypeVar("T")

USER_AGENT = f"lockset/{__version__}"
# Bytes of an unwanted body read so that its connection can serve again; beyond that the connection is dropped.
_DRAINED = 64 * 1024
_KEPT_SECONDS = 30.0
# How long closing waits for requests of other threads; they end with the process in any case.
_LEAVE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the caller means it.

    Attributes:
        accepted: Statuses the caller can read; others are tried again or become errors.
        failure: Code of the error where the answer never comes.
        compressed: The body may come compressed; it is inflated by `Incoming.body`.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset({200})
    failure: str = "download-failed"
    compressed: bool = False


class _Again(Exception):  # noqa: N818 (not an error for anybody outside this module)
    """The attempt failed in a way that another one may mend."""

    def __init__(self, why: str, *, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Incoming:
    """A response whose body has yet to come.

    Attributes:
        status: One of the request's accepted statuses.
        headers: Names in lower case.
        url: Where it came from at last, without credentials.
    """

    def __init__(self, response: httpx.Response, url: str, transport: Transport) -> None:
        self.status = response.status_code
        self.headers: dict[str, str] = {}
        for name, value in response.headers.multi_items():
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self.url = url
        self._response = response
        self._transport = transport
        self._stream: Iterator[bytes] | None = None
        self._ended = False

    def chunks(self) -> Iterator[bytes]:
        """The body's bytes as they come over the wire."""
        options, listener = self._transport.options, self._transport.listener
        waited, received = 0.0, 0
        if self._stream is None:
            self._stream = iter(self._response.stream)  # type: ignore[arg-type]  # a synchronous transport's are such
        while not self._ended:
            begun = time.monotonic()
            chunk = next(self._stream, None)
            if chunk is None:
                self._ended = True
                return
            waited += time.monotonic() - begun
            received += len(chunk)
            listener.transferred(len(chunk))
            if waited >= options.rate_window:
                if received < options.minimum_rate * waited:
                    raise _Again(f"the transfer was slower than {options.minimum_rate:.0f} bytes a second")
                waited, received = 0.0, 0
            yield chunk

    def body(self, limit: int) -> bytes:
        """The whole body, inflated where it came compressed; LocksetError `download-too-large` beyond `limit` bytes."""
        inflate = Inflater(self.headers.get("content-encoding", ""), limit=limit, what=redact(self.url))
        parts = [part for chunk in self.chunks() for part in inflate.feed(chunk)]
        parts.extend(inflate.finish())
        return b"".join(parts)

    def drain(self) -> None:
        """Read a small rest of the body, so that the connection can be used again; failures do not matter."""
        import httpx

        left = _DRAINED
        try:
            for chunk in self.chunks():
                left -= len(chunk)
                if left < 0:
                    return
        except (httpx.TransportError, _Again):
            return


class Transport:
    """Does requests; safe to use from several threads, and never more under way than `options.connections`."""

    def __init__(
        self,
        options: IndexOptions,
        *,
        authenticator: Authenticator,
        clock: Callable[[], float],
        listener: Listener | None = None,
    ) -> None:
        self.options = options
        self.listener: Listener = listener or Silent()
        self._authenticator = authenticator
        self._clock = clock
        self._slots = threading.BoundedSemaphore(options.connections)
        self._lock = threading.Lock()
        self._clients: dict[tuple[str | None, bool, bool], httpx.HTTPTransport] = {}
        self._routes: dict[tuple[str, str], httpx.HTTPTransport] = {}
        self._context: ssl.SSLContext | None = None
        self._closed = False

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
        attempt = 0
        while True:
            try:
                with self._slots:
                    if self._closed:
                        raise LocksetError(request.failure, "The run ended before the answer came")
                    return self._attempt(request, consume)
            except _Again as failure:
                wait = self._wait_after(request, failure, attempt)
            time.sleep(wait)
            attempt += 1

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
        self._routes.clear()

    def _wait_after(self, request: Request, failure: _Again, attempt: int) -> float:
        place = redact(request.url)
        if failure.wait is not None and failure.wait > self.options.retry_after_cap:
            raise LocksetError(
                request.failure,
                f"The server asks to wait {failure.wait:.0f} seconds, too long for lockset to wait",
                place=place,
                hint="Try again later",
            ) from failure
        if attempt >= self.options.retries:
            raise LocksetError(
                request.failure,
                f"The server could not be reached or broke off, {attempt + 1} times: {failure}",
                place=place,
                hint="Check the network and the address, then try again",
            ) from failure
        return max(failure.wait or 0.0, backoff(attempt, random.random()))  # noqa: S311 (jitter is no secret)

    def _attempt(self, request: Request, consume: Callable[[Incoming], T]) -> T:
        import httpx

        try:
            with self._follow(request) as incoming:
                found = consume(incoming)
                incoming.drain()
                return found
        except httpx.InvalidURL as error:
            raise LocksetError(
                request.failure, f"The address is malformed: {error}", place=redact(request.url)
            ) from error
        except httpx.UnsupportedProtocol as error:
            raise LocksetError("scheme-refused", f"Not an http(s) address: {redact(request.url)}") from error
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise _certificate_error(request.url, str(error)) from error
            raise _Again(str(error) or type(error).__name__) from error

    @contextmanager
    def _follow(self, request: Request) -> Iterator[Incoming]:
        """The response at the end of all redirects."""
        url, own = split_credentials(request.url)
        origin = origin_of(url)
        hops, asked_again = 0, False
        while True:
            mine = own is not None and origin_of(url) == origin
            credentials = own if mine else self._authenticator.for_url(url)
            with self._send(request, url, credentials) as incoming:
                if incoming.status in REDIRECTS:
                    hops += 1
                    target = redirect_target(url, incoming.headers.get("location"), hops=hops)
                    url, _ = split_credentials(target)
                    incoming.drain()
                elif incoming.status == 401 and not asked_again and self._authenticator.after_refusal(url, credentials):  # noqa: PLR2004
                    asked_again = True
                    own = None
                    incoming.drain()
                else:
                    self._judge(request, incoming)
                    yield incoming
                    return

    @contextmanager
    def _send(self, request: Request, url: str, credentials: Credentials | None) -> Iterator[Incoming]:
        import httpx

        headers = {
            "user-agent": USER_AGENT,
            "accept-encoding": "gzip" if request.compressed else "identity",
            **request.headers,
        }
        if credentials is not None:
            headers["authorization"] = credentials.header()
        silence, connect = self.options.read_timeout, self.options.connect_timeout
        timeouts = {"connect": connect, "read": silence, "write": silence, "pool": None}
        sent = httpx.Request(request.method, url, headers=headers, extensions={"timeout": timeouts})
        response = self._client(url).handle_request(sent)
        try:
            yield Incoming(response, url, self)
        finally:
            response.close()

    def _judge(self, request: Request, incoming: Incoming) -> None:
        """Pass accepted statuses; have passing troubles tried again; refuse the rest."""
        status = incoming.status
        if status in request.accepted:
            return
        incoming.drain()
        if status in RETRIED_STATUSES:
            wait = retry_after(incoming.headers.get("retry-after"), now=self._clock())
            raise _Again(f"status {status}", wait=wait)
        place = redact(incoming.url)
        if status in {401, 403}:
            raise LocksetError(
                "index-refused",
                f"The server refused the request with status {status}",
                place=place,
                hint="Give credentials by LOCKSET_INDEX_<NAME>_USERNAME and _PASSWORD, a netrc file or the index URL",
            )
        if status in {404, 410}:
            raise LocksetError("file-not-found", "The server has no such file", place=place)
        raise LocksetError(request.failure, f"The server answered with status {status}", place=place)

    def _client(self, url: str) -> httpx.HTTPTransport:
        """The pool of connections that fits the URL; certificates are loaded when https is first needed."""
        parts = urlsplit(url)
        route = (parts.scheme, parts.netloc)
        client = self._routes.get(route)
        if client is None:
            with self._lock:
                proxy = self.options.proxy or proxy_for(url)
                tls = parts.scheme == "https" or (proxy or "").startswith("https:")
                insecure = not {parts.netloc, parts.hostname}.isdisjoint(self.options.insecure_hosts)
                key = (proxy, tls, insecure)
                client = self._clients.get(key)
                if client is None:
                    client = self._clients[key] = self._new_client(proxy, verified=tls and not insecure)
                self._routes[route] = client
        return client

    def _new_client(self, proxy: str | None, *, verified: bool) -> httpx.HTTPTransport:
        import httpx

        if verified and self._context is None:
            self._context = _with_client(_tls_context(self.options.cert), self.options.client_cert)
        count = self.options.connections
        via = None
        if proxy is not None:
            via = httpx.Proxy(proxy, ssl_context=self._context if proxy.startswith("https:") else None)
        return httpx.HTTPTransport(
            # Without https there is nothing to verify, and loading certificates takes tens of milliseconds.
            verify=self._context if verified and self._context is not None else False,
            proxy=via,
            limits=httpx.Limits(max_connections=count, max_keepalive_connections=count, keepalive_expiry=_KEPT_SECONDS),
            trust_env=True,
        )


def _with_client(context: ssl.SSLContext, client_cert: str | None) -> ssl.SSLContext:
    """`context`, showing the certificate of the user, where there is one."""
    import ssl

    if client_cert is not None:
        try:
            context.load_cert_chain(client_cert)
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file",
                f"The client certificate cannot be used: {error}",
                place=client_cert,
                hint="Give one PEM file that holds the certificate and its private key, without a password",
            ) from error
    return context


def _tls_context(cert: str | None) -> ssl.SSLContext:
    """Checks certificates against `cert`, else what the environment names, else the system's by truststore if there."""
    import ssl
    from pathlib import Path

    import httpx

    if cert is not None:
        try:
            folder = Path(cert).is_dir()
            return ssl.create_default_context(cafile=None if folder else cert, capath=cert if folder else None)
        except (OSError, ssl.SSLError) as error:
            raise LocksetError(
                "certificate-file", f"The CA certificates cannot be read: {error}", place=cert
            ) from error
    if not environment_certificates():
        try:
            context: ssl.SSLContext = import_module("truststore").SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except ImportError:
            pass  # an optional extra
        else:
            return context
    try:
        return httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise LocksetError(
            "certificate-file", f"The CA certificates named by SSL_CERT_FILE or SSL_CERT_DIR cannot be read: {error}"
        ) from error


def _certificate_error(url: str, why: str) -> LocksetError:
    return LocksetError(
        "certificate-refused",
        "The server's certificate cannot be verified",
        place=redact(url),
        context=(why,),
        hint="Name the CA certificates with --cert or SSL_CERT_FILE",
    )
