"""Connect the parts of a run that use indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.index.http.cache import DiskCache
from lockset.index.http.client import HttpIndexes
from lockset.index.http.downloads import HttpDownloads
from lockset.index.http.files import HttpFiles
from lockset.index.http.transport import open_transport
from lockset.index.http.worker_process import SharedWorkers
from lockset.index.http.workers import Workers
from lockset.index.options import plain_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lockset.index.http.transport import Transport
    from lockset.index.http.worker_process import ProcessCopy
    from lockset.index.options import IndexOptions
    from lockset.progress import ProgressListener

__all__ = ["Connection", "connect"]

# Connections that workers leave free, so that a request which something waits for is not delayed by prefetching.
_FREE_SLOTS = 2


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
    allow_files: bool = False,
    copy: Callable[[], ProcessCopy | None] | None = None,
) -> Connection:
    """Create the parts for `options`; nothing is opened before the first request.

    `cache` is the cache folder (None disables the cache), `clock` returns seconds since the epoch, `environ` replaces
    the process's environment for credentials, `allow_files` lets downloads read `file:` URLs. `copy` starts a copy of
    this process for a part of the calls, which is opened with the plain options and the cache folder as text.
    """
    transport = open_transport(options, clock=clock, listener=listener, environ=environ)
    count, reader = options.connections - _FREE_SLOTS, Workers(1)
    workers = Workers(count)
    if copy is not None and _may_share(options, transport):
        opening = plain_options(options), None if cache is None else str(cache)
        workers = SharedWorkers(count, copy=copy, opening=opening, listener=transport.listener)
    stored = DiskCache(cache)
    downloads = HttpDownloads(transport, allow_files=allow_files)
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
