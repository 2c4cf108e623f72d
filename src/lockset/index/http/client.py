"""Indexes over HTTP and from disk: the implementation of `lockset.index.ports.Index`.

A page comes from the cache while it is fresh, else over the network; those of several indexes are combined.
"""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import read_version
from lockset.errors import IndexUnreachableError, LocksetError
from lockset.index.credentials import redact, split_credentials
from lockset.index.freshness import Freshness, freshness_of, lifetime, validators
from lockset.index.http.local import local_table
from lockset.index.http.transport import Incoming, Request
from lockset.index.options import sources_for, strategy_for
from lockset.index.pages.page_table import PageTable, in_memory
from lockset.index.pages.project_page import ProjectDetail, Rows, with_likely_rows
from lockset.index.pages.stored_parts import DamagedPartError
from lockset.index.ports import ProjectNotFound, RemoteCall
from lockset.index.strategy import IndexOrder
from lockset.package_names import canonicalize_name
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lockset.index.http.cache import DiskCache, PageEntry, StoredPage
    from lockset.index.http.incoming import Body
    from lockset.index.http.transport import Transport
    from lockset.index.http.workers import Job, Workers
    from lockset.index.options import IndexOptions, IndexSource
    from lockset.progress import ProgressListener

__all__ = ["PAGE_LIMIT", "HttpIndexes", "Pages", "page_url"]


# The most bytes of a page once inflated. The largest real pages have some 20 MB.
PAGE_LIMIT = 40 * 1024 * 1024
_ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_PAGE_STATUSES = frozenset({200, 304, 404, 410})
_KEPT_HEADERS = ("cache-control", "etag", "last-modified", "expires", "date", "age")


class _Answer(NamedTuple):
    """What the indexes have of a project, as plain values.

    Attributes:
        page_url: The URL of the page if it is the only one, under which the cache has it; "" if there are several.
    """

    table: PageTable
    page_url: str
    fingerprint: str
    index_urls: tuple[str, ...]
    index_numbers: tuple[tuple[str, int], ...]
    in_index_order: bool


class HttpIndexes:
    """`lockset.index.ports.Index` over all indexes of the options: one page per project, the same for the whole run."""

    def __init__(
        self,
        options: IndexOptions,
        *,
        transport: Transport,
        cache: DiskCache,
        workers: Workers,
        reader: Workers,
        clock: Callable[[], float],
        listener: ProgressListener | None = None,
    ) -> None:
        self._options = options
        self._pages = Pages(transport, cache, reader, clock=clock)
        self._workers = workers
        self._listener: ProgressListener = listener or NullListener()
        self._lock = threading.Lock()
        self._details: dict[str, ProjectDetail] = {}
        self._jobs: dict[str, Job[ProjectDetail]] = {}
        # By project whose page is fetched, what to call when it has arrived (None: nothing yet); and those that have.
        self._heard: dict[str, Callable[[str], object] | None] = {}
        self._arrived: set[str] = set()
        self._arrival_lock = threading.Lock()
        workers.offer("page", self._plain_answer)

    def hint(self, names: Iterable[str]) -> None:
        """Start to fetch the pages that are not in memory or in the cache."""
        self._fetch(names, None)

    def fetch(self, names: Iterable[str], heard: Callable[[str], object]) -> None:
        """As `hint`, and call `heard` for each page once it is fetched: see `releases.prefetch.PrefetchingIndex`."""
        self._fetch(names, heard)

    def _fetch(self, names: Iterable[str], heard: Callable[[str], object] | None) -> None:
        for spelled in names:
            name = canonicalize_name(spelled)
            if name in self._jobs:
                self._listen(name, heard)
            elif name not in self._details and not self._is_at_hand(name):
                self._workers.prepare()
                self._start(name, heard)

    def _listen(self, name: str, heard: Callable[[str], object] | None) -> None:
        """Call `heard` of a page that was only hinted at, once it is there."""
        with self._arrival_lock:
            if heard is None or self._heard[name] is not None:
                return
            self._heard[name] = heard
            is_late = name in self._arrived
        if is_late:
            heard(name)

    def _tell(self, name: str) -> None:
        """Call who waits for the page, which has arrived."""
        with self._arrival_lock:
            self._arrived.add(name)
            heard = self._heard[name]
        if heard is not None:
            heard(name)

    def known(self, name: str) -> ProjectDetail | None:
        """The page if it has arrived: `lockset.resolve.releases.prefetch.PrefetchingIndex`."""
        job = self._jobs.get(name)
        if name not in self._details and job is not None and job.done:
            try:
                return self.project(name)
            except LocksetError:
                return None  # `project` raises it to the caller that needs the page
        return self._details.get(name)

    def is_coming(self, name: str) -> bool:
        """Whether the page is being fetched: `lockset.resolve.releases.prefetch.PrefetchingIndex`."""
        job = self._jobs.get(name)
        return name not in self._details and job is not None and job.under_way

    def project(self, name: str) -> ProjectDetail:
        """The project's page: see the port."""
        normalized = canonicalize_name(name)
        known = self._details.get(normalized)
        if known is None:
            job = self._jobs.get(normalized)
            page = self._ask(normalized) if job is None else job.result()
            with self._lock:
                known = self._details.setdefault(normalized, page)
        return known

    def renew(self, names: Iterable[str]) -> bool:
        """See the port; a page is only requested again once."""
        changed = False
        for name in [name for name in map(canonicalize_name, names) if self._pages.recheck(name)]:
            with self._lock:
                before = self._details.pop(name, None)
                self._jobs.pop(name, None)
            try:
                now = self.project(name)
            except ProjectNotFound:
                changed |= before is not None
            else:
                changed |= before is None or not now.fingerprint or now.fingerprint != before.fingerprint
        return changed

    @property
    def fresh_until(self) -> float:
        """When the first of the pages returned so far expires, in seconds since the epoch; 0 if one is not cached."""
        return self._pages.fresh_until

    def _is_at_hand(self, name: str) -> bool:
        """Whether `_ask` needs no network, as far as the heads of stored pages show."""
        for source in sources_for(name, self._options):
            known = self._pages.presence(source, name)
            if known is not False:
                return known is True and strategy_for(name, self._options) == "first-index"
        return True

    def _start(self, name: str, heard: Callable[[str], object] | None) -> None:
        with self._lock:
            if name not in self._jobs:
                self._heard[name] = heard
                remote = RemoteCall(kind="page", argument=name, read=self._received)
                self._jobs[name] = self._workers.start(lambda: self._ask(name), lambda: self._tell(name), remote)

    def _ask(self, name: str) -> ProjectDetail:
        return self._detail(self._answer(name))

    def _plain_answer(self, name: str) -> tuple[Any, ...]:
        """The answer as plain values, with the time at which the first page so far expires.

        Without the packed page if the cache has that: most of it is never read, and those of a large lock have 20 MB.
        """
        answer = self._answer(name)
        try:
            table = in_memory(answer.table)
        except DamagedPartError:
            table = in_memory(self._renewed(name))
        if answer.page_url and self._pages.are_stored:
            table = table._replace(packed=b"")
        return (self._pages.fresh_until, tuple(table), *answer[1:])

    def _renewed(self, name: str) -> PageTable:
        """The table of a page of which a stored part turned out to be damaged: that entry counts as missing."""
        self._pages.distrust(name)
        return self._answer(name).table

    def _received(self, values: tuple[Any, ...]) -> ProjectDetail:
        """The page that another process has got."""
        fresh_until, table, *more = values
        self._pages.limit_freshness(fresh_until)
        return self._detail(_Answer(PageTable(*table), *more))

    def _packed(self, answer: _Answer) -> bytes:
        """The packed page that another process has stored.

        Raises:
            DamagedPartError: The cache lost it: the page must be fetched again.
        """
        stored = self._pages.stored(answer.page_url, answer.fingerprint)
        if stored is None:
            raise DamagedPartError
        return bytes(stored.packed)

    def _answer(self, name: str) -> _Answer:
        try:
            return self._combined(name)
        except DamagedPartError:  # where all files of several pages are read to combine them
            self._pages.distrust(name)
            return self._combined(name)

    def _combined(self, name: str) -> _Answer:
        try:
            return self._combined_once(name)
        except ProjectNotFound:
            # It may have been published since. Where the index cannot be reached, the cached page decides.
            with suppress(IndexUnreachableError):
                if self._pages.recheck(name):
                    return self._combined_once(name)
            raise

    def _combined_once(self, name: str) -> _Answer:
        strategy = strategy_for(name, self._options)
        plan = IndexOrder(strategy)
        searched = sources_for(name, self._options)
        pages: list[tuple[str, str]] = []
        for source in searched:
            table, fingerprint = self._pages.table(source, name)
            if table is not None:
                pages.append((page_url(source, name) if fingerprint else "", fingerprint))
            if plan.take(table):
                break
        locations = self._options.flat_sources()
        flat = [table for location in locations if (table := self._pages.table(location, name)[0]) is not None]
        answer = plan.answer(flat)
        if answer is None:
            raise ProjectNotFound(name, searched=tuple(redact(source.url) for source in (*searched, *locations)))
        numbers = plan.numbers(flat)
        url, fingerprint = pages[0] if len(pages) == 1 and not flat else ("", "")
        return _Answer(
            table=answer,
            page_url=url,
            fingerprint=fingerprint,
            index_urls=plan.index_urls,
            index_numbers=tuple((str(version), number) for version, number in numbers.items()),
            in_index_order=strategy == "unsafe-first-match",
        )

    def _detail(self, answer: _Answer) -> ProjectDetail:
        self._warn(answer.table)
        numbers = {read_version(text): number for text, number in answer.index_numbers}
        is_elsewhere = bool(answer.table.spans) and not answer.table.packed
        return ProjectDetail(
            answer.table,
            packed=(lambda: self._packed(answer)) if is_elsewhere else None,
            fingerprint=answer.fingerprint,
            index_urls={version: answer.index_urls[number] for version, number in numbers.items()},
            index_numbers=numbers if answer.in_index_order else {},
            renew=lambda: self._renewed(answer.table.name),
        )

    def _warn(self, table: PageTable) -> None:
        if table.refused:
            self._listener.note(
                f"Ignored {table.refused} links of `{table.name}` on {redact(table.index_url)}: "
                "a remote page may not link to local files"
            )


def page_url(source: IndexSource, name: str) -> str:
    """The URL of the page of normalized project `name`; a flat index has one page for all projects."""
    public = split_credentials(source.url)[0] if "@" in source.url else source.url
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
        # Fresh entries of the cache, from the first look at them until their tables are needed.
        self._fresh: dict[str, PageEntry] = {}
        self._distrusted: set[str] = set()
        # Projects of which a page was taken from the cache without a request, and those to request whatever is cached.
        self._unasked: set[str] = set()
        self._rechecked: set[str] = set()
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

    def distrust(self, name: str) -> None:
        """Let entries of the project in the cache count as missing."""
        self._distrusted.add(name)

    def recheck(self, name: str) -> bool:
        """Request the pages of the project from now on, if one was taken from the cache without a request."""
        if name not in self._unasked:
            return False
        self._unasked.discard(name)
        self._rechecked.add(name)
        return True

    @property
    def are_stored(self) -> bool:
        """Whether pages with a fingerprint are in the cache."""
        return self._cache.is_writable

    def stored(self, url: str, fingerprint: str) -> PageTable | None:
        """The page that another process has stored, however old, if it has this fingerprint."""
        self._cache.expect_pages()
        stored = self._cache.page(url) if url else None
        return None if stored is None or stored.head.fingerprint != fingerprint else stored.table()

    def presence(self, source: IndexSource, name: str) -> bool | None:
        """Whether the index has the project; None if only the network can tell.

        Local indexes count as having it, since reading them is as cheap.
        """
        if source.is_local or self._options.offline:
            return True
        url = page_url(source, name)
        entry = self._cache.page(url)
        if entry is None or self._decide(entry.head, name) is not Freshness.USE:
            return None
        self._fresh[url] = entry
        return not entry.head.absent

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
        stored = None if name in self._distrusted else self._stored(url)
        decision = Freshness.FETCH if stored is None else self._decide(stored[0], name)
        if stored is not None and (decision is Freshness.USE or self._options.offline):
            self._bound(stored[0].headers, stored[0].stored_at)
            if not self._options.offline:
                self._unasked.add(name)
            return stored[1], stored[0].fingerprint
        stored = None if stored is None else _in_memory(*stored)
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

    def _stored(self, url: str) -> tuple[StoredPage, PageTable | None] | None:
        """The page in the cache, with its table (None if the index has no such project)."""
        entry = self._fresh.pop(url, None) or self._cache.page(url)
        if entry is None or entry.head.absent:
            return None if entry is None else (entry.head, None)
        table = entry.table()
        return None if table is None else (entry.head, table)

    def _bound(self, headers: Mapping[str, str], received_at: float) -> None:
        life = lifetime(headers) if self._options.max_age is None else self._options.max_age
        self._fresh_until = min(self._fresh_until, 0.0 if life is None else received_at + life)

    def _decide(self, head: StoredPage, name: str) -> Freshness:
        options = self._options
        return freshness_of(
            head.headers,
            stored_at=head.stored_at,
            now=self._clock(),
            refresh=options.refresh or name in options.refresh_packages or name in self._rechecked,
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


def _in_memory(head: StoredPage, table: PageTable | None) -> tuple[StoredPage, PageTable | None] | None:
    """A page of the cache that is to be stored again; None if a part of it is damaged."""
    try:
        return head, None if table is None else in_memory(table)
    except DamagedPartError:
        return None


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

        table = parse_json_page(content, name=name, page_url=received.url, index_url=index_url, packed=packed)
        return with_likely_rows(table)
    from lockset.index.pages.simple_html import parse_html

    charset = "utf-8"
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            charset = value.strip().strip('"') or charset
    table = parse_html(content, name=name, page_url=received.url, index_url=index_url, charset=charset, packed=packed)
    return with_likely_rows(table)
