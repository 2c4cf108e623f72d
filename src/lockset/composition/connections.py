"""Connections of one run, and requirements files that are fetched by URL; nothing here imports the resolver."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.read_file import MAX_BYTES
from lockset.index.credentials import redact
from lockset.index.http.connection import Connection, connect
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lockset.index.http.transport import Transport
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock
    from lockset.progress import ProgressListener

__all__ = ["SourceFetcher", "connected", "link_locked_files"]

# The most requirements files of one run.
MOST_FILES = 100


@contextmanager
def connected(options: IndexOptions, cache: Path | None, listener: ProgressListener) -> Iterator[Connection]:
    """Connections for one run; they are opened at the first request and closed at the end."""
    connection = connect(options, cache=cache, clock=time.time, listener=listener)
    try:
        yield connection
    finally:
        connection.close()


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
