"""Get project pages of single indexes: from the cache while fresh, else over the network."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from lockset.errors import IndexUnreachableError
from lockset.index.credentials import redact, split_credentials
from lockset.index.freshness import Freshness, freshness_of, lifetime, validators
from lockset.index.http.local import local_table
from lockset.index.http.transport import Incoming, Request
from lockset.index.pages.project_page import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.index.http.cache import DiskCache, StoredPage
    from lockset.index.http.incoming import Body
    from lockset.index.http.transport import Transport
    from lockset.index.http.workers import Workers
    from lockset.index.options import IndexSource
    from lockset.index.pages.page_table import PageTable

__all__ = ["PAGE_LIMIT", "Pages", "page_url"]

# The most bytes of a page once inflated. The largest real pages have some 20 MB.
PAGE_LIMIT = 40 * 1024 * 1024
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_PAGE_STATUSES = frozenset({200, 304, 404, 410})
_KEPT_HEADERS = ("cache-control", "etag", "last-modified", "expires", "date", "age")


def page_url(source: IndexSource, name: str) -> str:
    """The URL of the page of normalised project `name`; a flat index has one page for all projects."""
    public, _ = split_credentials(source.url)
    return public if source.flat else f"{public.rstrip('/')}/{name}/"


class _Received:
    """A page as it was received."""

    def __init__(self, incoming: Incoming) -> None:
        self.status = incoming.status
        self.headers = {name: incoming.headers[name] for name in _KEPT_HEADERS if name in incoming.headers}
        self.url = incoming.url
        self.content_type = incoming.headers.get("content-type", "")
        self.body = incoming.body_as_received(PAGE_LIMIT) if incoming.status == 200 else None


class Pages:
    """Gets the pages of single indexes; `HttpIndexes` combines them."""

    def __init__(self, transport: Transport, cache: DiskCache, reader: Workers, *, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._cache = cache
        self._clock = clock
        self._options = transport.options
        self._flat: dict[str, _Received] = {}
        self._flat_lock = threading.Lock()
        # A single thread: each one keeps the memory of the largest page that it has inflated, and threads that compute
        # only hold each other up.
        self._reader = reader
        self._fresh_until = math.inf

    @property
    def fresh_until(self) -> float:
        """When the first of the pages returned so far expires, in seconds since the epoch; 0 if one is not cached."""
        return self._fresh_until

    def limit_freshness(self, until: float) -> None:
        """Count pages that another process has got, the first of which expires then."""
        self._fresh_until = min(self._fresh_until, until)

    def presence(self, source: IndexSource, name: str) -> bool | None:
        """Whether the index has the project; None if only the network can tell.

        Local indexes count as having it, since reading them is as cheap.
        """
        if source.is_local or self._options.offline:
            return True
        head = self._cache.page_head(page_url(source, name))
        return None if head is None or self._decide(head, name) is not Freshness.USE else not head.absent

    def table(self, source: IndexSource, name: str) -> tuple[PageTable | None, str]:
        """The files of the project (None if the index does not have it), and a fingerprint of its page.

        Raises:
            LocksetError: As `lockset.index.ports.Index.project`.
        """
        table, fingerprint = self._table(source, name)
        if table is not None and not source.is_local:
            self._transport.link(source.url, lambda: _urls(table))
        return table, fingerprint

    def _table(self, source: IndexSource, name: str) -> tuple[PageTable | None, str]:
        if source.is_local or source.flat:
            self._fresh_until = 0.0
            return local_table(source, name) if source.is_local else self._flat_table(source, name), ""
        url = page_url(source, name)
        stored = self._cache.page(url)
        decision = Freshness.FETCH if stored is None else self._decide(stored[0], name)
        if stored is not None and (decision is Freshness.USE or self._options.offline):
            self._bound(stored[0].headers, stored[0].stored_at)
            return stored[1], stored[0].fingerprint
        conditions = validators(stored[0].headers).headers() if stored is not None else {}
        received = self._receive(source, url, conditions)
        if received.status == 304 and stored is not None:
            headers = {**stored[0].headers, **received.headers}
            self._bound(headers, self._clock())
            head = self._cache.put_page(url, stored[1], headers=headers, now=self._clock())
            return stored[1], head.fingerprint
        table = self._read(received, name, source)
        self._bound(received.headers, self._clock())
        if lifetime(received.headers) is None:
            return table, ""
        return table, self._cache.put_page(url, table, headers=received.headers, now=self._clock()).fingerprint

    def _bound(self, headers: Mapping[str, str], received_at: float) -> None:
        life = lifetime(headers) if self._options.max_age is None else self._options.max_age
        self._fresh_until = min(self._fresh_until, 0.0 if life is None else received_at + life)

    def _decide(self, head: StoredPage, name: str) -> Freshness:
        options = self._options
        return freshness_of(
            head.headers,
            stored_at=head.stored_at,
            now=self._clock(),
            refresh=options.refresh or name in options.refresh_packages,
            max_age=options.max_age,
        )

    def _receive(self, source: IndexSource, url: str, conditions: dict[str, str]) -> _Received:
        request = Request(
            url=url,
            headers={"accept": _ACCEPT, **conditions},
            accepted=_PAGE_STATUSES,
            failure=IndexUnreachableError,
            compressed=True,
        )
        received = self._transport.exchange(request, _Received)
        if received.status == 304 and not conditions:
            raise IndexUnreachableError("The index returned 304 for a first request", location=_public(source))
        return received

    def _read(self, received: _Received, name: str, source: IndexSource) -> PageTable | None:
        """The table of a page; None if there is no such page."""
        body = received.body
        if body is None:
            return None
        return self._reader.call(lambda: _parse(received, body, name, _public(source)))

    def _flat_table(self, source: IndexSource, name: str) -> PageTable | None:
        """The files of the project on the page of a flat index, which is fetched once per run."""
        with self._flat_lock:
            received = self._flat.get(source.url)
            if received is None:
                received = self._flat[source.url] = self._receive(source, page_url(source, name), {})
        table = self._read(received, name, source)
        return table if table is not None and table.versions else None


def _urls(table: PageTable) -> list[str]:
    rows = Rows(table)
    return [values[1] for at in range(len(table.versions)) for values in rows.of(at)]


def _public(source: IndexSource) -> str:
    return redact(source.url)


def _parse(received: _Received, body: Body, name: str, index_url: str) -> PageTable:
    """Parse a page according to its content type."""
    content, packed = body.content(), body.packed
    kind, _, parameters = received.content_type.partition(";")
    if kind.strip().lower().endswith("json"):
        # Imported only for a new page: these readers compile patterns, which takes longer than reading a cached page.
        from lockset.index.pages.simple_json import parse_json_page

        return parse_json_page(content, name=name, page_url=received.url, index_url=index_url, packed=packed)
    from lockset.index.pages.simple_html import parse_html

    charset = "utf-8"
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip('"') or charset
    return parse_html(content, name=name, page_url=received.url, index_url=index_url, charset=charset, packed=packed)
