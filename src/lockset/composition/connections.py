"""Connections of one run, in a module that does not import the resolver."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lockset.index.http.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock
    from lockset.progress import ProgressListener

__all__ = ["connected", "link_locked_files"]


@contextmanager
def connected(options: IndexOptions, cache: Path | None, listener: ProgressListener) -> Iterator[Connection]:
    """Connections for one run; they are opened at the first request and closed at the end."""
    connection = connect(options, cache=cache, clock=time.time, listener=listener)  # noqa: TID251 - the clock's door
    try:
        yield connection
    finally:
        connection.close()


def link_locked_files(connection: Connection, locks: Callable[[], Iterable[Pylock]]) -> None:
    """Fetch locked files with the credentials of the index that the lock file records for them.

    This matters, and `locks` is called, only if several indexes share a host.
    """
    if not connection.transport.has_shared_hosts:
        return
    for package in (package for lock in locks() for package in lock.packages):
        if package.index is not None:
            connection.transport.link(package.index, partial(_urls, package))


def _urls(package: Package) -> list[str]:
    files: list[PackageWheel | PackageSdist] = list(package.wheels or ())
    if package.sdist is not None:
        files.append(package.sdist)
    return [file.url for file in files if file.url is not None]
