"""Send requests over the connections of httpcore, which httpx stands on, directly and through proxies.

httpx itself takes longer to import than most runs need the network for. It is imported for what it adds to httpcore: it
reads and escapes the URLs that are not plain, and those of proxies. No other module imports httpx.
"""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpcore

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.http.certificates import certificate_error
from lockset.index.http.deadlines import Deadlines
from lockset.index.http.incoming import Again
from lockset.index.http.pool import KEPT_SECONDS, BoundedBackend, Pool, SpareConnections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from lockset.index.http.addresses import Addresses
    from lockset.index.http.certificates import Contexts
    from lockset.index.options import IndexOptions

__all__ = ["HttpxClient", "HttpxResponse", "prepare_requests"]

_LAST_PORT = 65535
# Seconds for a response from which on a server is far: it pays to open connections ahead.
_FAR_SECONDS = 0.015
_NUMBER = lazy_pattern(r"^\[Errno -?\d+\] |^\[SSL: \w+\] ")
_SOURCE_LINE = lazy_pattern(r" \(_ssl\.c:\d+\)$")
# A host of ASCII letters and digits, a port, and a path that needs no escapes and has no segments of dots.
_PLAIN_URL = lazy_pattern(
    r"(https?)://(?!xn--)([a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])(?!xn--))*)(?::([0-9]{1,5}))?"
    r"((?:/[A-Za-z0-9_~+-][A-Za-z0-9_~+.-]*)+/?)"
)
_PORTS = {"http": 80, "https": 443}
# h11 reads any version as if it were 1.1.
_VERSIONS = frozenset({b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2"})
_FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)


def prepare_requests() -> None:
    """Compile and look up what the first request needs, for a process that waits for it."""
    _address("http://localhost/simple/")
    _has_http2()


@cache
def _has_http2() -> bool:
    return find_spec("h2") is not None


class HttpxClient:
    """Sends requests; safe to use from several threads. Created once per run.

    There is one pool of connections for each proxy and each policy on certificates. `spares` is how many connections
    are opened ahead to each host.
    """

    def __init__(self, options: IndexOptions, contexts: Contexts, addresses: Addresses, *, spares: int = 0) -> None:
        self._options = options
        self._contexts = contexts
        self._deadlines = Deadlines()
        self._spares = SpareConnections(spares, addresses, connect_timeout=options.connect_timeout) if spares else None
        self._backend = BoundedBackend(
            self._deadlines, addresses, connect_timeout=options.connect_timeout, spares=self._spares
        )
        self._lock = threading.Lock()
        self._fastest: dict[str, float] = {}
        self._pools: dict[tuple[str | None, bool | None], Pool] = {}

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
        begun = time.monotonic()
        self._deadlines.begin(silence, until)
        self._backend.begin()
        address = _address(url)
        if (address.url.port or 0) > _LAST_PORT:
            raise ValueError(f"Port out of range 0-{_LAST_PORT}")
        fields = [(b"Host", address.netloc.encode("ascii"))]
        fields += [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        if content is not None:
            fields.append((b"Content-Length", str(len(content)).encode("ascii")))
        request = httpcore.Request(method, address.url, headers=fields, content=content)
        try:
            response = self._pool(address, proxy).handle_request(request)
        except httpcore.UnsupportedProtocol as error:
            raise LocksetError("scheme-refused", f"Not an http(s) URL: {redact(url)}") from error
        except _FAILURES as error:
            self._backend.abandon()
            if isinstance(error, httpcore.ProxyError) and str(error).startswith("4"):
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
        if response.extensions.get("http_version") not in _VERSIONS:
            response.close()
            raise Again("the server uses an unknown version of HTTP")
        received = HttpxResponse(response, self._deadlines, silence)
        self._learn(address, time.monotonic() - begun, keeps=proxy is None and _stays_open(response, received))
        return received

    def _learn(self, address: _Address, seconds: float, *, keeps: bool) -> None:
        """Note how fast a host responds, and open connections to it ahead if it is far and `keeps` them."""
        fastest = self._fastest[address.netloc] = min(seconds, self._fastest.get(address.netloc, seconds))
        if self._spares is not None and keeps and fastest >= _FAR_SECONDS:
            verified = self._verifies(address, None)
            context = None if verified is None else self._contexts.of(verified=verified)
            self._spares.open(address.host, address.url.port or _PORTS[address.url.scheme.decode()], context)

    @property
    def is_near(self) -> bool:
        """Whether each server so far has responded at once."""
        return max(list(self._fastest.values()), default=_FAR_SECONDS) < _FAR_SECONDS

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()
        if self._spares is not None:
            self._spares.close()

    def _verifies(self, address: _Address, proxy: str | None) -> bool | None:
        """Whether certificates are verified; None without TLS."""
        # Without TLS nothing is verified, and loading certificates takes tens of milliseconds.
        if address.url.scheme == b"https" or (proxy or "").lower().startswith("https:"):
            return {address.host, address.netloc}.isdisjoint(self._options.insecure_hosts)
        return None

    def _pool(self, address: _Address, proxy: str | None) -> Pool:
        """The pool for an address."""
        verified = self._verifies(address, proxy)
        key = (proxy, verified)
        with self._lock:
            pool = self._pools.get(key)
            if pool is None:
                context = None if verified is None else self._contexts.of(verified=verified)
                via = None if proxy is None else _proxy(proxy, self._contexts)
                pool = self._pools[key] = Pool(
                    self._deadlines,
                    ssl_context=context,
                    proxy=via,
                    max_connections=None,  # the transport limits the requests in flight
                    keepalive_expiry=KEPT_SECONDS,
                    http2=_has_http2(),
                    network_backend=self._backend,
                )
            return pool


def _stays_open(response: httpcore.Response, received: HttpxResponse) -> bool:
    """Whether the server lets the connection serve further requests."""
    return (
        response.extensions.get("http_version") != b"HTTP/1.0"
        and "close" not in received.headers.get("connection", "").lower()
    )


class _Address(NamedTuple):
    """Where a request goes: what httpcore sends, the host without brackets, and host and port as in `Host`."""

    url: httpcore.URL
    host: str
    netloc: str


def _address(url: str) -> _Address:
    """The address of `url`; ValueError if it is malformed."""
    plain = _PLAIN_URL.fullmatch(url)
    if plain is not None:
        scheme, host, digits, target = plain.groups()
        port = int(digits) if digits and int(digits) != _PORTS[scheme] else None
        sent = httpcore.URL(scheme=scheme.encode(), host=host.encode(), port=port, target=target.encode())
        return _Address(sent, host, host if port is None else f"{host}:{port}")
    with _without_command_line():
        import httpx
    try:
        return _read(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _read(url: httpx.URL) -> _Address:
    sent = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return _Address(sent, url.host, url.netloc.decode("ascii"))


class HttpxResponse:
    """A response whose body has not been read yet; read by the thread that sent the request.

    Attributes:
        status: The status code.
        headers: Names in lower case; values of one name joined.
        stream: Pieces of the body as they arrive; raises `Again` if the connection fails.
    """

    def __init__(self, response: httpcore.Response, deadlines: Deadlines, silence: float) -> None:
        self.status = response.status
        self.headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
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
        pieces = self._response.iter_stream()
        try:
            self._deadlines.expect(self._silence)
            for piece in pieces:
                yield piece
                self._deadlines.expect(self._silence)
        except _FAILURES as error:
            raise _again(error) from error


def _proxy(url: str, contexts: Contexts) -> httpcore.Proxy:
    """A proxy for the pool; ValueError if its URL is malformed, LocksetError if a package is missing."""
    if url.lower().startswith("socks") and find_spec("socksio") is None:
        raise LocksetError(
            "proxy-refused",
            "The proxy uses SOCKS, for which lockset needs the package `socksio`",
            hint="Install `lockset[socks]`, or use an HTTP proxy",
        )
    with _without_command_line():
        import httpx
    try:
        read = httpx.Proxy(url)
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error
    context = contexts.of(verified=True) if read.url.scheme == "https" else None
    return httpcore.Proxy(_read(read.url).url, auth=read.raw_auth, headers=read.headers.raw, ssl_context=context)


@contextmanager
def _without_command_line() -> Iterator[None]:
    """Import httpx without its command line, which imports rich and click if they are installed."""
    name = "httpx._main"
    if "httpx" in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the import system reads None as "cannot be imported"
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def _socks_failures(proxy: str | None) -> tuple[type[Exception], ...]:
    """Exceptions that httpcore does not convert if a SOCKS proxy sends a malformed reply."""
    if proxy is None or not proxy.lower().startswith("socks"):
        return ()
    from socksio import SOCKSError

    return SOCKSError, AssertionError


def _again(error: Exception) -> Again:
    is_unconnected = isinstance(error, (httpcore.ConnectError, httpcore.ConnectTimeout))
    return Again(_reason(str(error)) or type(error).__name__, is_unconnected=is_unconnected)


def _reason(text: str) -> str:
    """The message of an error of the system or of OpenSSL, without its number and its source line."""
    text = _SOURCE_LINE.sub("", _NUMBER.sub("", text))
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
