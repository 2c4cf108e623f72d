"""Obtain archives: verified while they are written, and then read from the same open file."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
from typing import TYPE_CHECKING, BinaryIO

from lockset.errors import (
    DownloadTooLargeError,
    FileMissingError,
    FileNotRegularError,
    HashMismatchError,
    LocksetError,
    OfflineError,
    StoppedError,
)
from lockset.files.atomic import private_folder
from lockset.files.last_use import record_use
from lockset.files.system import BINARY, READ, REMOVED_WHEN_CLOSED, replace, unlink
from lockset.hashes import Verifier
from lockset.sync.disk.store.cache import WheelStore
from lockset.sync.wheel.safe_path import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lockset.index.ports import Downloads
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.store.cache import Cache

__all__ = ["MOST_BYTES", "Archives"]

# Limit for a download whose size is not locked.
MOST_BYTES = 8 << 30
# For a locked file that its server no longer has.
_GONE = (
    "If it was removed, `lockset lock` locks another one. If you have a copy, pass its folder with `--find-links DIR`, "
    "or another server with `--mirror FROM=TO`"
)
_CHUNK = 1 << 20
_FOLDER = "archives-v1"
# Limit for an archive that is held in memory until it is unpacked; each download may hold one.
_IN_MEMORY = 2 << 20


class Archives:
    """Obtains locked archives from the cache, from a local path, or over the network.

    Every archive is returned as an open file, positioned at its start, whose bytes have all locked digests and the
    locked size.
    """

    def __init__(
        self,
        cache: Cache,
        downloads: Callable[[], Downloads],
        *,
        stopped: Callable[[], bool],
        folders: Sequence[str] = (),
    ) -> None:
        self._cache = cache
        self._folders = Folders(folders)
        self._make_downloads = downloads
        self._opened_downloads: Downloads | None = None
        self._lock = threading.Lock()
        self._stopped = stopped

    def open(self, distribution: DesiredDistribution, *, keep: bool) -> BinaryIO:
        """The archive of `distribution`.

        With `keep`, a fetched archive is stored in the cache. Without, it ends when it is closed, which halves what a
        cache of unpacked wheels needs.

        Raises:
            LocksetError: `hash-mismatch`, `file-not-found`, and the errors of `Downloads.fetch`.
            OSError: A file cannot be written.
        """
        archive = self._from_cache(distribution) or self._from_folders(distribution, keep=keep)
        if archive is None and distribution.is_outside:
            raise outside(
                str(distribution),
                distribution.source,
                f"`-f FOLDER` with a folder that has `{distribution.filename}`, or ",
            )
        return archive or self._fetch(distribution, keep=keep)

    def forget(self, distribution: DesiredDistribution) -> None:
        """Remove an archive that was refused from the cache."""
        for root in self._cache.readable:
            _remove(_location(root, distribution))

    def connect(self) -> None:
        """Create the port to the network, which otherwise the first download does."""
        _ = self._downloads

    @property
    def _downloads(self) -> Downloads:
        with self._lock:
            if self._opened_downloads is None:
                self._opened_downloads = self._make_downloads()
            return self._opened_downloads

    def _from_cache(self, distribution: DesiredDistribution) -> BinaryIO | None:
        for root in self._cache.readable:
            path = _location(root, distribution)
            try:
                file = _open_regular(path)
            except (OSError, LocksetError):
                continue
            verifier = Verifier(distribution.digests, size=distribution.size)
            while not verifier.too_long and (chunk := file.read(_CHUNK)):
                verifier.update(chunk)
            if verifier.mismatch() is None:
                file.seek(0)
                with contextlib.suppress(OSError):
                    record_use(path, os.fstat(file.fileno()).st_mtime)
                return file
            # Truncated or changed since: treat it as missing.
            file.close()
            _remove(path)
        return None

    def _from_folders(self, distribution: DesiredDistribution, *, keep: bool) -> BinaryIO | None:
        """The file in `folders` that has the locked hash, whatever its name."""
        is_there = distribution.path is not None and not distribution.is_outside and os.path.exists(distribution.path)
        for path in self._folders.candidates(distribution) if not is_there else ():
            with contextlib.suppress(_OtherFile):
                return self._fetch_candidate(distribution._replace(path=path), keep=keep)
        return None

    def _fetch_candidate(self, distribution: DesiredDistribution, *, keep: bool) -> BinaryIO:
        try:
            return self._fetch(distribution, keep=keep)
        except (FileMissingError, FileNotRegularError, HashMismatchError) as error:
            raise _OtherFile from error

    def _fetch(self, distribution: DesiredDistribution, *, keep: bool) -> BinaryIO:
        if not keep:
            with _closed_on_error(self._passing(distribution.size)) as file:
                self._receive(distribution, file)
                return file
        root = self._cache.writable()
        temporary = self._cache.temporary(root, "archive")
        try:
            with _closed_on_error(_new(temporary)) as file:
                self._receive(distribution, file)
                return self._store(file, temporary, distribution, root)
        except BaseException:
            _remove(temporary)
            raise

    def _passing(self, size: int | None) -> BinaryIO:
        """A new file that no path leads to."""
        if size is not None and size <= _IN_MEMORY:
            return io.BytesIO()
        temporary = self._cache.temporary(self._cache.writable(), "archive")
        file = _new(temporary, REMOVED_WHEN_CLOSED)
        if not REMOVED_WHEN_CLOSED:
            _remove(temporary)
        return file

    def _receive(self, distribution: DesiredDistribution, file: BinaryIO) -> None:
        """Write the verified bytes of `distribution` to `file`, and return to its start."""
        sink = _VerifyingSink(file, Verifier(distribution.digests, size=distribution.size), self._stopped)
        try:
            if distribution.path is not None:
                _copy(distribution, sink)
            else:
                assert distribution.url is not None
                limit = distribution.size if distribution.size is not None else MOST_BYTES
                try:
                    self._downloads.fetch(distribution.url, sink, limit=limit)
                except FileMissingError as error:
                    raise error.replaced(hint=_GONE) from error
        except DownloadTooLargeError:
            raise _hash_mismatch(distribution, f"size: locked {distribution.size} bytes, got more") from None
        except OfflineError as error:
            if WheelStore(self._cache).find(distribution.digests, distribution.identity) is None:
                raise
            only = f"The cache has the files of `{distribution.filename}`, but not the archive itself"
            raise error.replaced(context=(only,)) from None
        _check(sink.verifier, distribution)
        file.flush()
        file.seek(0)

    def _store(self, file: BinaryIO, temporary: str, distribution: DesiredDistribution, root: str) -> BinaryIO:
        """Move the verified `file` into the cache; the archive, open at its start."""
        path = _location(root, distribution)
        if os.name != "nt":
            _keep(temporary, path)
            return file
        # Windows cannot move an open file, so close it first, and verify it again after opening.
        file.close()
        try:
            _keep(temporary, path)
        except PermissionError:
            # Another process is reading the same archive, which it has verified.
            _remove(temporary)
        archive = self._from_cache(distribution)
        if archive is None:
            raise LocksetError("cache-busy", "The cache entry keeps changing", location=path)
        return archive


@contextlib.contextmanager
def _closed_on_error(file: BinaryIO) -> Iterator[BinaryIO]:
    try:
        yield file
    except BaseException:
        file.close()
        raise


def _new(path: str, flags: int = 0) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY | flags, 0o600), "w+b")


class _OtherFile(Exception):
    """The file of the folder is a different one."""


class Folders:
    """Folders with files to use instead of downloads (`--find-links`)."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._listing: list[tuple[str, str, int]] | None = None

    def candidates(self, distribution: DesiredDistribution) -> Iterator[str]:
        """Files that may be `distribution`: those with its name first, then those with its size."""
        others: list[str] = []
        for path, name, size in self._files() if self._folders else ():
            if distribution.size is not None and size != distribution.size:
                continue
            if name == distribution.filename:
                yield path
            elif distribution.size is not None:
                others.append(path)
        yield from others

    def _files(self) -> list[tuple[str, str, int]]:
        with self._lock:
            if self._listing is None:
                self._listing = [row for folder in self._folders for row in _list_folder(folder)]
            return self._listing


def _list_folder(folder: str) -> list[tuple[str, str, int]]:
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.path, entry.name, entry.stat().st_size) for entry in entries if entry.is_file())
    except OSError as error:
        raise LocksetError(
            "find-links", f"The folder of `--find-links` cannot be read: {error.strerror}", location=folder
        ) from error


class _VerifyingSink:
    """Writes chunks to `file` and hashes the same bytes."""

    def __init__(self, file: BinaryIO, verifier: Verifier, stopped: Callable[[], bool]) -> None:
        self._file = file
        self.verifier = verifier
        self._stopped = stopped

    def write(self, chunk: bytes) -> None:
        if self._stopped():
            raise StoppedError("The sync stops because another download failed")
        self.verifier.update(chunk)
        if self.verifier.too_long:
            raise DownloadTooLargeError("The download is larger than the locked size")
        self._file.write(chunk)

    def restart(self) -> None:
        self.verifier.restart()
        self._file.seek(0)
        self._file.truncate()


def _copy(distribution: DesiredDistribution, sink: _VerifyingSink) -> None:
    assert distribution.path is not None
    try:
        source = _open_regular(distribution.path)
    except OSError as error:
        raise FileMissingError(
            f"The file of {distribution} cannot be read: {error.strerror}",
            location=distribution.path,
            hint="Paths in a lock file are relative to its folder",
        ) from error
    limit = distribution.size if distribution.size is not None else MOST_BYTES
    with source:
        while chunk := source.read(min(_CHUNK, limit + 1)):
            sink.write(chunk)


def _open_regular(path: str) -> BinaryIO:
    """Open the regular file `path`, without blocking on a pipe or a device."""
    descriptor = os.open(path, READ)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotRegularError("A lock file may name regular files only", location=path)
    return os.fdopen(descriptor, "rb")


def _location(root: str, distribution: DesiredDistribution) -> str:
    digest = distribution.digests[0]
    return f"{root}{os.sep}{_FOLDER}{os.sep}{digest.algorithm}-{digest.value}"


def _keep(temporary: str, path: str) -> None:
    private_folder(os.path.dirname(path))
    replace(temporary, path)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        unlink(path)


def _check(verifier: Verifier, distribution: DesiredDistribution) -> None:
    mismatch = verifier.mismatch()
    if mismatch is not None:
        raise _hash_mismatch(distribution, mismatch)


def _hash_mismatch(distribution: DesiredDistribution, mismatch: str) -> LocksetError:
    return HashMismatchError(
        f"`{distribution.filename}` of {distribution} is not the file that was locked",
        location=distribution.source,
        context=(mismatch,),
        hint=f"Do not install it unless you know why it changed. Then run `lockset lock -P {distribution.name}`",
    )
