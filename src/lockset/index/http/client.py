"""Indexes over HTTP and from disk: the implementation of `lockset.index.ports.Index`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.http.pages import Pages
from lockset.index.options import sources_for, strategy_for
from lockset.index.pages.page_table import PageTable
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.ports import ProjectNotFound, RemoteCall
from lockset.index.strategy import IndexOrder
from lockset.package_names import canonicalize_name
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.index.http.cache import DiskCache
    from lockset.index.http.transport import Transport
    from lockset.index.http.workers import Job, Workers
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["HttpIndexes"]


class _Answer(NamedTuple):
    """What the indexes have of a project, as plain values."""

    table: PageTable
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
        workers.offer("page", self._plain_answer)

    def hint(self, names: Iterable[str]) -> None:
        """Start to fetch the pages that are not in memory or in the cache."""
        self.fetch(names, lambda _: None)

    def fetch(self, names: Iterable[str], heard: Callable[[str], object]) -> None:
        """As `hint`, and call `heard` for each page once it is fetched: see `releases.prefetch.PrefetchingIndex`."""
        for spelled in names:
            name = canonicalize_name(spelled)
            if name in self._details or name in self._jobs:
                continue
            if not self._is_at_hand(name):
                self._workers.prepare()
                self._start(name, heard)

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
        normalised = canonicalize_name(name)
        known = self._details.get(normalised)
        if known is None:
            job = self._jobs.get(normalised)
            page = self._ask(normalised) if job is None else job.result()
            with self._lock:
                known = self._details.setdefault(normalised, page)
        return known

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

    def _start(self, name: str, heard: Callable[[str], object]) -> None:
        with self._lock:
            if name not in self._jobs:
                remote = RemoteCall(kind="page", argument=name, read=self._received)
                self._jobs[name] = self._workers.start(lambda: self._ask(name), lambda: heard(name), remote)

    def _ask(self, name: str) -> ProjectDetail:
        return self._detail(self._answer(name))

    def _plain_answer(self, name: str) -> tuple[Any, ...]:
        """The answer as plain values, with the time at which the first page so far expires."""
        answer = self._answer(name)
        table = answer.table._replace(packed=bytes(answer.table.packed))
        return (self._pages.fresh_until, tuple(table), *answer[1:])

    def _received(self, values: tuple[Any, ...]) -> ProjectDetail:
        """The page that another process has got."""
        fresh_until, table, *more = values
        self._pages.limit_freshness(fresh_until)
        return self._detail(_Answer(PageTable(*table), *more))

    def _answer(self, name: str) -> _Answer:
        strategy = strategy_for(name, self._options)
        plan = IndexOrder(strategy)
        searched = sources_for(name, self._options)
        fingerprints: list[str] = []
        for source in searched:
            table, fingerprint = self._pages.table(source, name)
            if table is not None:
                fingerprints.append(fingerprint)
            if plan.take(table):
                break
        locations = self._options.flat_sources()
        flat = [table for location in locations if (table := self._pages.table(location, name)[0]) is not None]
        answer = plan.answer(flat)
        if answer is None:
            raise ProjectNotFound(name, searched=tuple(redact(source.url) for source in (*searched, *locations)))
        numbers = plan.numbers(flat)
        return _Answer(
            table=answer,
            fingerprint=fingerprints[0] if len(fingerprints) == 1 and not flat else "",
            index_urls=plan.index_urls,
            index_numbers=tuple((str(version), number) for version, number in numbers.items()),
            in_index_order=strategy == "unsafe-first-match",
        )

    def _detail(self, answer: _Answer) -> ProjectDetail:
        self._warn(answer.table)
        numbers = {read_version(text): number for text, number in answer.index_numbers}
        return ProjectDetail(
            answer.table,
            fingerprint=answer.fingerprint,
            index_urls={version: answer.index_urls[number] for version, number in numbers.items()},
            index_numbers=numbers if answer.in_index_order else {},
        )

    def _warn(self, table: PageTable) -> None:
        if table.refused:
            self._listener.note(
                f"Ignored {table.refused} links of `{table.name}` on {redact(table.index_url)}: "
                "a remote page may not link to local files"
            )
