"""Fill a wheelhouse: a folder with the files of a lock file, under their own names."""

# Paths are strings here, as in the rest of this folder.
from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.output_file import replacing
from lockset.hashes import Verifier
from lockset.progress import expect_bytes
from lockset.sync.disk.store.archives import Archives
from lockset.sync.disk.workers import InstallWorkers
from lockset.sync.wheel.safe_path import path_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import Cache

__all__ = ["fill_wheelhouse"]

_THREADS = 8
_CHUNK = 1 << 20
# Timeout for another process that writes the same file.
_SECONDS = 600.0


def fill_wheelhouse(
    folder: str,
    distributions: Sequence[DesiredDistribution],
    *,
    cache: Cache,
    downloads: Callable[[], Downloads],
    folders: Sequence[str],
    listener: ProgressListener,
) -> tuple[bool, ...]:
    """Put every file of `distributions` into `folder`, verified, and return for each whether it is new.

    An existing file is kept if its hashes match, and replaced otherwise. Nothing else in the folder is touched, and a
    file never appears there incomplete.

    Raises:
        LocksetError: The errors of a download; `unsafe-path` for a name that is not a safe file name.
    """
    for one in distributions:
        problem = "is a path" if "/" in (one.filename or "") else path_problem(one.filename or "")
        if problem is not None:
            raise LocksetError("unsafe-path", f"The file name `{one.filename}` of {one} {problem}")
    os.makedirs(folder, exist_ok=True)
    workers = InstallWorkers(_THREADS)
    archives = Archives(cache, downloads, stopped=workers.stopped, folders=folders)
    listener.phase("Downloading", total=len(distributions))
    if all(one.size is not None or one.path is not None for one in distributions):
        expect_bytes(listener, sum(one.size or 0 for one in distributions if one.path is None))
    return tuple(workers.run([partial(_put, one, folder, archives, listener) for one in distributions]))


def _put(distribution: DesiredDistribution, folder: str, archives: Archives, listener: ProgressListener) -> bool:
    goal = os.path.join(folder, distribution.filename or "")
    missing = not _is_there(goal, distribution)
    if missing:
        with archives.open(distribution, keep=True) as source, replacing(goal, seconds=_SECONDS) as file:
            while chunk := source.read(_CHUNK):
                file.write(chunk)
    listener.step(distribution.filename or str(distribution))
    return missing


def _is_there(path: str, distribution: DesiredDistribution) -> bool:
    verifier = Verifier(distribution.digests, size=distribution.size)
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    with open(path, "rb") as file:
        while not verifier.too_long and (chunk := file.read(_CHUNK)):
            verifier.update(chunk)
    return verifier.mismatch() is None
