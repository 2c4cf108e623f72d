"""Send requests with httpx over pooled connections, directly and through proxies. No other module imports httpx."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpcore
import httpx

from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.http.certificates import certificate_error
from lockset.index.http.deadlines import Deadlines
from lockset.index.http.incoming import Again
from lockset.index.http.network_backend import BoundedBackend
from lockset.index.http.pool import KEPT_SECONDS, Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.index.http.addresses import Addresses
    from lockset.index.http.certificates import Contexts
    from lockset.index.options import IndexOptions

__all__ = ["HttpxClient", "HttpxResponse"]

_LAST_PORT = 65535
_NUMBER = re.compile(r"^\[Errno -?\d+\] |^\[SSL: \w+\] ")
_SOURCE_LINE = re.compile(r" \(_ssl\.c:\d+\)$")
# An origin, and a path that needs no escapes and has no segments of dots.
_PLAIN_URL = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)((?:/[A-Za-z0-9_~+-][A-Za-z0-9_~+.-]*)+/?)")
# h11 reads any version as if it were 1.1.
_VERSIONS = frozenset({"HTTP/1.0", "HTTP/1.1", "HTTP/2"})


class HttpxClient:
    """Sends requests; safe to use from several threads. Created once per run.

    There is one pool of connections for each proxy and each policy on certificates.
    """

    def __init__(self, options: IndexOptions, contexts: Contexts, addresses: Addresses) -> None:
        self._options = options
        self._contexts = contexts
        self._deadlines = Deadlines()
        self._backend = BoundedBackend(self._deadlines, addresses, connect_timeout=options.connect_timeout)
        self._lock = threading.Lock()
        self._origins: dict[str, httpx.URL] = {}
        self._transports: dict[tuple[str | None, bool | None], _PoolTransport] = {}

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        proxy: str | None = None,
        silence: float,
        until: float,
    ) -> HttpxResponse:
        """Send a request and return the response once its head is complete.

        The head may take `silence` seconds once there is a connection, and must end by `until` (`time.monotonic`).

        Raises:
            ValueError: The URL, or that of the proxy, is malformed.
            Again: The connection failed, or the server sent something that is not an HTTP response.
            LocksetError: `scheme-refused`, `proxy-refused`, `certificate-refused`, `certificate-file`.
        """
        self._deadlines.begin(silence, until)
        self._backend.begin()
        try:
            if proxy is None and content is None:
                request = self._request(method, url, headers)
            else:
                request = httpx.Request(method, url, headers=headers, content=content)
            if (request.url.port or 0) > _LAST_PORT:
                raise ValueError(f"Port out of range 0-{_LAST_PORT}")
            response = self._transport(request.url, proxy).handle_request(request)
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from error
        except httpx.UnsupportedProtocol as error:
            raise LocksetError("scheme-refused", f"Not an http(s) URL: {redact(url)}") from error
        except httpx.TransportError as error:
            self._backend.abandon()
            if isinstance(error, httpx.ProxyError) and str(error).startswith("4"):
                raise LocksetError(
                    "proxy-refused",
                    f"The proxy refused the request with status {error}",
                    location=redact(proxy or ""),
                    hint="Check the proxy URL; it can contain a user name and password",
                ) from error
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise certificate_error(url, str(error)) from error
            raise _again(error) from error
        except _socks_failures(proxy) as error:
            self._backend.abandon()
            raise _again(error) from error
        if response.http_version not in _VERSIONS:
            response.close()
            raise Again("the server uses an unknown version of HTTP")
        return HttpxResponse(response, self._deadlines, silence)

    def _request(self, method: str, url: str, headers: Mapping[str, str]) -> httpx.Request:
        """A request without proxy; httpx checks an origin only once if it would send the rest of the URL as it is.

        (Through a proxy, the extension would replace the target of CONNECT.)
        """
        plain = _PLAIN_URL.fullmatch(url)
        if plain is None:
            return httpx.Request(method, url, headers=headers)
        origin, target = plain.groups()
        checked = self._origins.get(origin)
        if checked is None:
            checked = self._origins[origin] = httpx.URL(origin)
        return httpx.Request(method, checked, headers=headers, extensions={"target": target.encode()})

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            transports = list(self._transports.values())
            self._transports.clear()
        for transport in transports:
            transport.close()

    def _transport(self, url: httpx.URL, proxy: str | None) -> _PoolTransport:
        """The pool for a URL."""
        # Without TLS nothing is verified, and loading certificates takes tens of milliseconds.
        verified: bool | None = None
        if url.scheme == "https" or (proxy or "").lower().startswith("https:"):
            verified = {url.host, url.netloc.decode("ascii")}.isdisjoint(self._options.insecure_hosts)
        key = (proxy, verified)
        with self._lock:
            transport = self._transports.get(key)
            if transport is None:
                context = None if verified is None else self._contexts.of(verified=verified)
                via = None if proxy is None else _proxy(proxy, self._contexts)
                pool = Pool(
                    self._deadlines,
                    ssl_context=context,
                    proxy=via,
                    max_connections=None,  # the transport limits the requests in flight
                    keepalive_expiry=KEPT_SECONDS,
                    http2=find_spec("h2") is not None,
                    network_backend=self._backend,
                )
                transport = self._transports[key] = _PoolTransport(pool)
            return transport


class HttpxResponse:
    """A response whose body has not been read yet; read by the thread that sent the request.

    Attributes:
        status: The status code.
        headers: Names in lower case; values of one name joined.
        stream: Pieces of the body as they arrive; raises `Again` if the connection fails.
    """

    def __init__(self, response: httpx.Response, deadlines: Deadlines, silence: float) -> None:
        self.status = response.status_code
        self.headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers.raw:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
            self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value
        self._response = response
        self._deadlines = deadlines
        self._silence = silence
        self.stream = self._pieces()

    def hurry(self, seconds: float) -> None:
        """Wait at most `seconds` for each further piece."""
        self._silence = seconds

    def close(self) -> None:
        """Release the connection; it is kept if the body was read to its end."""
        with suppress(KeyError):
            self._response.close()

    def _pieces(self) -> Iterator[bytes]:
        assert isinstance(self._response.stream, httpx.SyncByteStream)
        pieces = iter(self._response.stream)
        try:
            self._deadlines.expect(self._silence)
            for piece in pieces:
                yield piece
                self._deadlines.expect(self._silence)
        except httpx.TransportError as error:
            raise _again(error) from error


class _PoolTransport(httpx.HTTPTransport):
    """httpx's transport over a pool with another network backend, which its constructor does not accept."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool


def _proxy(url: str, contexts: Contexts) -> httpcore.Proxy:
    """A proxy for the pool; ValueError if its URL is malformed, LocksetError if a package is missing."""
    if url.lower().startswith("socks") and find_spec("socksio") is None:
        raise LocksetError(
            "proxy-refused",
            "The proxy uses SOCKS, for which lockset needs the package `socksio`",
            hint="Install `lockset[socks]`, or use an HTTP proxy",
        )
    read = httpx.Proxy(url)
    context = contexts.of(verified=True) if read.url.scheme == "https" else None
    target = httpcore.URL(
        scheme=read.url.raw_scheme, host=read.url.raw_host, port=read.url.port, target=read.url.raw_path
    )
    return httpcore.Proxy(target, auth=read.raw_auth, headers=read.headers.raw, ssl_context=context)


def _socks_failures(proxy: str | None) -> tuple[type[Exception], ...]:
    """Exceptions that httpcore does not convert if a SOCKS proxy sends a malformed reply."""
    if proxy is None or not proxy.lower().startswith("socks"):
        return ()
    from socksio import SOCKSError

    return SOCKSError, AssertionError


def _again(error: Exception) -> Again:
    is_unconnected = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    return Again(_reason(str(error)) or type(error).__name__, is_unconnected=is_unconnected)


def _reason(text: str) -> str:
    """The message of an error of the system or of OpenSSL, without its number and its source line."""
    text = _SOURCE_LINE.sub("", _NUMBER.sub("", text))
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
