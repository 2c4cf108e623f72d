"""Connections of one run, with the copies of this process that make requests, and requirements files fetched by URL.

Nothing here imports the resolver. A lock that will need the network starts the copies first of all: they import what
makes requests and reads pages, while this process imports the rest and reads the project.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lockset._dataclass import dataclass, replace
from lockset.errors import LocksetError
from lockset.files.pattern_cache import save_patterns
from lockset.files.read_file import MAX_BYTES
from lockset.files.system import processors
from lockset.index.credentials import redact
from lockset.index.http.cache import DiskCache
from lockset.index.http.client import HttpIndexes
from lockset.index.http.files import HttpFiles
from lockset.index.http.process_copies import ProcessCopy, SharedWorkers
from lockset.index.http.transport import HttpDownloads, Transport
from lockset.index.http.workers import Workers
from lockset.index.options import options_of_plain, plain_options
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.http.copy_service import Service
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock
    from lockset.progress import ProgressListener
    from lockset.sources.project import RootProject

__all__ = [
    "Connection",
    "SourceFetcher",
    "connect",
    "connected",
    "link_locked_files",
    "opened_for",
    "query_indexes",
    "start_copy_early",
]

_Locked = TypeVar("_Locked")
_Result = TypeVar("_Result")

# Connections that workers leave free, so that a request which something waits for is not delayed by prefetching.
_FREE_SLOTS = 2
# The most requirements files of one run.
MOST_FILES = 100

# The most copies. Even with two processors, a second one uses the time in which this process waits for pages.
_MOST_COPIES = 3
# The copies that were started before they are needed, if any.
_early: list[ProcessCopy] = []
# Thresholds of their garbage collectors, since pages are many objects and little garbage.
_COLLECTED_AT = (200_000, 50, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The implementations of the ports; they share connections, threads and cache."""

    index: HttpIndexes
    downloads: HttpDownloads
    files: HttpFiles
    cache: DiskCache
    workers: Workers
    reader: Workers
    transport: Transport

    def close(self) -> None:
        """Close connections and end threads; requests in flight are abandoned."""
        self.workers.close()
        self.reader.close()
        self.transport.close()


def connect(
    options: IndexOptions,
    *,
    cache: Path | None,
    clock: Callable[[], float],
    listener: ProgressListener | None = None,
    environ: Mapping[str, str] | None = None,
    copies: Callable[[], list[ProcessCopy]] | None = None,
    spares: int = 0,
) -> Connection:
    """Create the parts for `options`; nothing is opened before the first request.

    `cache` is the cache folder (None disables the cache), `clock` returns seconds since the epoch, `environ` replaces
    the process's environment for credentials. `copies` starts copies of this process for most calls, which are opened
    with the plain options and the cache folder as text.
    `spares` is how many connections to each host are opened before they are needed.
    """
    transport = Transport(options, clock=clock, listener=listener, environ=environ, spares=spares)
    count, reader = options.connections - _FREE_SLOTS, Workers(1)
    workers = Workers(count)
    if copies is not None and _may_share(options, transport):
        opening = plain_options(options), None if cache is None else str(cache)
        workers = SharedWorkers(count, copies=copies, opening=opening, listener=transport.listener)
    stored = DiskCache(cache)
    downloads = HttpDownloads(transport)
    return Connection(
        index=HttpIndexes(
            options,
            transport=transport,
            cache=stored,
            workers=workers,
            reader=reader,
            clock=clock,
            listener=listener,
        ),
        downloads=downloads,
        files=HttpFiles(transport, downloads, stored, workers),
        cache=stored,
        workers=workers,
        reader=reader,
        transport=transport,
    )


def _may_share(options: IndexOptions, transport: Transport) -> bool:
    """Whether another process may make requests, too: not what is done once per run, or learned from a page."""
    remote_folders = any(not source.is_local for source in options.flat_sources())
    return not (options.offline or options.keyring or transport.has_shared_hosts or remote_folders)


def start_copy_early() -> None:
    """Start the copies for the connections that are opened later."""
    _early.extend(_new_copies())


def _take_copies() -> list[ProcessCopy]:
    """The copies that were started early, else new ones; none where a copy is not safe."""
    taken, _early[:] = _early[:], []
    return taken or _new_copies()


def _new_copies() -> list[ProcessCopy]:
    """New copies; none where one is not safe, or no processor is left for it."""
    count = min(processors(), _MOST_COPIES)
    return ProcessCopy.started(_serve, prepare=_prepare, count=count) if processors() > 1 else []


def _prepare() -> None:
    """Import what the first calls need, and compile patterns that are compiled on first use.

    This process waits for its first call anyway, and the first requests of a lock are waited for.
    """
    if hasattr(gc, "set_threshold"):  # not on PyPy
        gc.set_threshold(*_COLLECTED_AT)
    gc.enable()
    import encodings.idna  # to look hosts up
    import hashlib

    from lockset.files import inflate
    from lockset.hashes import quick_sha256
    from lockset.index.http import certificates
    from lockset.index.http.httpx_client import prepare_requests
    from lockset.index.pages.simple_json import parse_json_page
    from lockset.metadata.retrieve import Retriever

    del certificates, encodings, hashlib, inflate, Retriever
    prepare_requests()
    quick_sha256(b"")  # imports its module
    for page in (b'{"files":[]}', '{"files":[],"é":1}'.encode()):  # of both kinds that have patterns of their own
        parse_json_page(page, name="sample", page_url="", index_url="")
    save_patterns()


def _serve(service: Service) -> None:
    from lockset.metadata.retrieve import Retriever

    opening = service.opening()
    if opening is None:
        return
    options, cache = options_of_plain(opening[0]), None if opening[1] is None else Path(opening[1])
    connection = connect(options, cache=cache, clock=time.time, listener=service.listener, spares=service.threads // 2)
    Retriever(connection.files, store=connection.cache, tasks=connection.workers)
    service.run(connection.workers.offered, is_near=lambda: connection.transport.is_near)
    save_patterns()


@contextmanager
def connected(options: IndexOptions, cache: Path | None, listener: ProgressListener) -> Iterator[Connection]:
    """Connections for one run; they are opened at the first request and closed at the end."""
    connection = connect(options, cache=cache, clock=time.time, listener=listener, copies=_take_copies)
    try:
        yield connection
    finally:
        connection.close()
        while _early:  # the connection did not take them
            _early.pop().end()


def query_indexes(
    packages: Iterable[tuple[_Locked, str | None]],
    query: Callable[[list[_Locked], HttpIndexes], Iterable[_Result]],
    indexes: IndexOptions | IndexOverrides | None,
    project: RootProject | None,
    context: RunContext,
) -> list[_Result]:
    """The results of `query` for the packages of each index: the given one, else the one that is recorded for them.

    Each package comes with the index that is recorded for it; that of the project serves those without one.
    """
    from lockset.composition.indexes import chosen_urls, resolve_indexes

    options = resolve_indexes(indexes, project, context)
    is_given = chosen_urls(indexes) or bool(getattr(indexes, "no_index", False))
    by_index: dict[str | None, list[_Locked]] = {}
    for package, recorded in packages:
        by_index.setdefault(None if is_given else recorded, []).append(package)
    results: list[_Result] = []
    for url, own in by_index.items():
        from_one = options if url is None else replace(options, index_url=url)
        with connected(from_one, context.cache_folder, context.heard) as connection:
            results += query(own, connection.index)
    return results


@contextmanager
def opened_for(
    names: Sequence[str], options: IndexOptions, cache: Path | None, listener: ProgressListener
) -> Iterator[Connection | None]:
    """Connections for one run over which the pages of the projects `names` are requested; None without names."""
    if not names:
        yield None
        return
    with connected(options, cache, listener) as connection:
        connection.index.hint(names)
        yield connection


def link_locked_files(transport: Transport, locks: Iterable[Pylock]) -> None:
    """Fetch locked files with the credentials of the index that the lock file records for them.

    This matters only if several indexes share a host: `Transport.has_shared_hosts`.
    """
    for package in (package for lock in locks for package in lock.packages):
        if package.index is not None:
            transport.link(package.index, partial(_urls, package))


def _urls(package: Package) -> list[str]:
    files: list[PackageWheel | PackageSdist] = list(package.wheels or ())
    if package.sdist is not None:
        files.append(package.sdist)
    return [file.url for file in files if file.url is not None]


class SourceFetcher:
    """Fetches requirements files by URL, limited in number and size: `lockset.sources.discover.Fetch`.

    `options` returns the certificates, proxies, timeouts and credentials of the run. It is called for the first file.

    Attributes:
        count: Number of fetched files.
    """

    def __init__(self, options: Callable[[], IndexOptions]) -> None:
        self._options = options
        self.count = 0

    def __call__(self, url: str) -> bytes:
        """Fetch a file and return its content.

        Raises:
            LocksetError: If lockset is offline, the file is not available or too large, or there are too many files.
        """
        self.count += 1
        if self.count > MOST_FILES:
            message = f"More than {MOST_FILES} requirements files would be fetched"
            raise LocksetError("requirements-depth", message, location=redact(url))
        content = _Content()
        with connected(self._options(), None, NullListener()) as connection:
            connection.downloads.fetch(url, content, limit=MAX_BYTES)
        return bytes(content.data)


class _Content:
    """A sink in memory."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append the next bytes."""
        self.data += chunk

    def restart(self) -> None:
        """Discard all bytes so far."""
        self.data.clear()
