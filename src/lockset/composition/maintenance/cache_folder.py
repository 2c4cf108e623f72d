"""The cache folder as a whole: what it holds, and how entries are removed and checked."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.files.atomic import IN_USE, LockFile, remove_tree
from lockset.files.system import rename, unlink, user_id
from lockset.sync.disk.store.inventory import store_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["KINDS", "CacheEntry", "CacheKind", "Removal", "entries_of", "held_alone", "remove_entries", "usable_folder"]

CacheKind = Literal["wheels", "archives", "pages", "metadata", "records", "temporary"]
KINDS: dict[CacheKind, str] = {
    "wheels": "unpacked wheels",
    "archives": "downloaded archives",
    "pages": "index pages",
    "metadata": "metadata of releases",
    "records": "records of earlier runs",
    "temporary": "leftovers of interrupted runs",
}
# Folders of this and of other versions of lockset.
_STORE = lazy_pattern(r"(wheels|archives)-v\d+\Z")
_RECORDS = lazy_pattern(r"[a-z][a-z-]*-v\d+\Z")
_OWN_RECORDS = lazy_pattern(r"(built|recall|patterns|targets|interpreters|locks|projects|conversions)-v\d+\Z")
_INDEX = lazy_pattern(r"v\d+\Z")
_OF_INDEX = frozenset({"pages", "metadata", "archives", "build-failures", "sizes"})
_TEMPORARY = "tmp"
# Seconds to wait for running commands that use the cache.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """One entry of the cache.

    Attributes:
        kind: What it is.
        path: Its absolute path: a file, or the folder of an unpacked wheel.
        size: Bytes on disk that it alone holds: without files that environments share as hard links.
        shared: Bytes of files that environments share.
        used: When it was last used, in seconds since the epoch, to the day.
    """

    kind: CacheKind
    path: str
    size: int
    shared: int
    used: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The removed entries, or those that would be removed.

    Attributes:
        entries: The entries.
        failed: Paths that could not be removed, and why.
    """

    entries: tuple[CacheEntry, ...]
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Bytes that become free."""
        return sum(entry.size for entry in self.entries)


def usable_folder(folder: Path | None) -> str | None:
    """The cache folder as text; None if it does not exist.

    Raises:
        LocksetError: `no-cache` without a folder; `cache-folder-refused` if the folder is not a cache of lockset.
    """
    if folder is None:
        raise LocksetError(
            "no-cache",
            "There is no cache folder: caching is disabled, or the default one belongs to another user",
            hint="Name a folder with `--cache-dir`",
        )
    path = str(folder)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        raise _refused(path, "it is not a folder")
    if status.st_uid != user_id():
        raise _refused(path, "it belongs to another user")
    with os.scandir(path) as entries:
        names = {entry.name: entry for entry in entries}
    foreign = sorted(name for name, entry in names.items() if not _is_known(entry))
    if not foreign and names and not any(_is_certain(name) for name in names):
        foreign = sorted(names)
    if foreign:
        raise _refused(path, f"it holds `{foreign[0]}`, which is not part of a cache")
    return path


def _refused(path: str, reason: str) -> LocksetError:
    return LocksetError(
        "cache-folder-refused",
        f"This is not a cache folder of lockset: {reason}",
        location=path,
        hint="Check `--cache-dir` and LOCKSET_CACHE_DIR; nothing was removed",
    )


def _is_known(entry: os.DirEntry[str]) -> bool:
    """Whether an entry at the top of a folder is one of a cache. A folder `v1` counts if all it holds is, too."""
    name = entry.name
    if name in {_TEMPORARY, IN_USE, "CACHEDIR.TAG", ".gitignore"} or _STORE.match(name) or _RECORDS.match(name):
        return True
    if _INDEX.match(name) is None:
        return False
    if not entry.is_dir(follow_symlinks=False):
        return entry.is_symlink()
    with os.scandir(entry.path) as inside:
        return all(one.name in _OF_INDEX for one in inside)


def _is_certain(name: str) -> bool:
    """Whether only a cache of lockset holds this name."""
    return bool(name == IN_USE or _INDEX.match(name) or _STORE.match(name) or _OWN_RECORDS.match(name))


@contextmanager
def held_alone(folder: str) -> Iterator[None]:
    """Hold the cache alone, once no running command uses it.

    Raises:
        LocksetError: `cache-busy` if others do not end.
    """
    lock = LockFile(os.path.join(folder, IN_USE), mode=0o600)
    try:
        taken = lock.take(seconds=_PATIENCE)
    except OSError as error:
        raise LocksetError(
            "cache-busy", f"The cache cannot be locked: {error.strerror or error}", location=folder
        ) from error
    if not taken:
        raise LocksetError(
            "cache-busy",
            "Another lockset is using the cache",
            location=folder,
            hint="Try again when it has finished",
        )
    try:
        yield
    finally:
        lock.release()


def entries_of(folder: str) -> Iterator[CacheEntry]:
    """All entries of a cache, without following links."""
    for one in store_entries(folder):
        kind: CacheKind = "wheels" if one.is_wheel else "archives"
        yield _measured("temporary" if one.is_leftover else kind, one.path)
    with os.scandir(folder) as top:
        for entry in sorted(top, key=lambda one: one.name):
            if not entry.is_dir(follow_symlinks=False):
                continue
            if entry.name == _TEMPORARY:
                yield from (_measured("temporary", path) for path in _children(entry.path))
            elif _INDEX.match(entry.name):
                yield from _index_entries(entry.path)
            elif _STORE.match(entry.name):
                if not entry.name.endswith("-v1"):  # of another version
                    yield from (_measured("temporary", path) for path in _children(entry.path))
            elif _RECORDS.match(entry.name):
                yield from (_measured("records", path) for path in _files(entry.path))


def _index_entries(folder: str) -> Iterator[CacheEntry]:
    for path in _files(folder):
        if os.path.basename(path).startswith("."):
            yield _measured("temporary", path)
        else:
            below = os.path.relpath(path, folder).split(os.sep)[0]
            yield _measured("pages" if below == "pages" else "metadata", path)


def _children(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        yield from sorted(entry.path for entry in entries)


def _files(folder: str) -> Iterator[str]:
    """Every file and link below `folder`; links are not followed."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry.path


def _measured(kind: CacheKind, path: str) -> CacheEntry:
    """The entry at `path`, of which another process may remove a part meanwhile."""
    size = shared = 0
    try:
        own = os.lstat(path)
    except OSError:
        return CacheEntry(kind=kind, path=path, size=0, shared=0, used=0.0)
    paths: Iterable[str] = _files(path) if stat.S_ISDIR(own.st_mode) else (path,)
    try:
        for one in paths:
            status = os.lstat(one)
            if status.st_nlink > 1:
                shared += status.st_size
            else:
                size += status.st_size
    except OSError:
        pass  # it is going away
    return CacheEntry(kind=kind, path=path, size=size, shared=shared, used=own.st_mtime)


def remove_entries(folder: str, entries: Iterable[CacheEntry], *, dry_run: bool) -> Removal:
    """Remove entries of the cache at `folder`, which the caller holds alone."""
    removed: list[CacheEntry] = []
    failed: list[tuple[str, str]] = []
    for entry in entries:
        reason = None if dry_run else _refusal(folder, entry.path)
        if reason is None:
            removed.append(entry)
        else:
            failed.append((entry.path, reason))
    return Removal(entries=tuple(removed), failed=tuple(failed))


def _refusal(folder: str, path: str) -> str | None:
    """Remove an entry; why that fails, or None."""
    try:
        _remove(folder, path)
    except FileNotFoundError:
        return None  # another process has removed it
    except OSError as error:
        return error.strerror or str(error)
    return None


def _remove(folder: str, path: str) -> None:
    """Remove a file, a link or a folder. A folder is renamed first, so that no run finds a part of it."""
    if os.path.islink(path) or not os.path.isdir(path):
        unlink(path)
        return
    aside = path
    if os.path.basename(os.path.dirname(path)) != _TEMPORARY:
        os.makedirs(os.path.join(folder, _TEMPORARY), exist_ok=True)
        aside = os.path.join(folder, _TEMPORARY, f"removed-{os.urandom(8).hex()}")
        rename(path, aside)
    remove_tree(aside)
    if os.path.lexists(aside):
        raise OSError(0, "a part of it cannot be removed")
