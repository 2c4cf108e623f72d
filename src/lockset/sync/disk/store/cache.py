"""The cache folder, or a temporary one for the run, and the unpacked wheels in it.

A wheel is stored by the hash of its archive; targets get links to its files, or copies.
"""

# Paths are strings here: there are thousands of them a run.

from __future__ import annotations

import errno
import io
import os
import stat
from _thread import allocate_lock  # `threading` is not needed for it
from contextlib import contextmanager, suppress

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.files.atomic import private_folder, read_remembered, remove_tree, use_folder
from lockset.files.last_use import record_use
from lockset.files.system import extended, rename
from lockset.sync.target import STORE_FOLDER
from lockset.sync.wheel.file_lists import Manifest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO

    from typing_extensions import Self

    from lockset.hashes import Digest
    from lockset.progress import ProgressListener
    from lockset.sync.desired import WheelIdentity
    from lockset.sync.wheel.zip_reader import Buffer, ZipMember

__all__ = ["Cache", "StoredWheel", "WheelStore", "is_whole"]

_MANIFEST = "manifest"
# Limits for the metadata files of a wheel; the largest RECORDs have a few megabytes.
_MOST_RECORD, _MOST_METADATA = 64 << 20, 16 << 20
# Limit for the race with processes that add the same entry; beyond it something else is wrong.
_MOST_TRIES = 8


class Cache:
    """Where downloads and unpacked wheels are stored.

    A context manager: the temporary folder is removed at its end. Safe to use from several threads.

    Attributes:
        folder: The persistent folder, or None.
    """

    def __init__(self, folder: Path | None, listener: ProgressListener) -> None:
        self.folder = folder
        self._listener = listener
        self._lock = allocate_lock()
        self._temporary: str | None = None
        self._gone_without = folder is None
        self._in_use: int | None = None

    def __enter__(self) -> Self:
        self._use()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._temporary is not None:
            remove_tree(self._temporary)
        if self._in_use is not None:
            os.close(self._in_use)
            self._in_use = None

    def _use(self) -> None:
        """Hold the lock of the folder together with other runs, so that `lockset cache` waits before it removes."""
        if self._in_use is None and self.folder is not None and os.path.isdir(self.folder):
            self._in_use = use_folder(str(self.folder))

    @property
    def readable(self) -> tuple[str, ...]:
        """Folders to look things up in."""
        folders = [extended(str(self.folder))] if self.folder is not None else []
        return (*folders, self._temporary) if self._temporary else tuple(folders)

    def writable(self) -> str:
        """A folder to write to, created on first use, private to the user."""
        if not self._gone_without and self.folder is not None:
            try:
                private_folder(str(self.folder))
            except OSError as error:
                self.go_without(error)
            else:
                with self._lock:
                    self._use()
                return extended(str(self.folder))
        with self._lock:
            if self._temporary is None:
                import tempfile  # only here, since it costs milliseconds

                self._temporary = extended(tempfile.mkdtemp(prefix="lockset-"))
            return self._temporary

    @property
    def is_gone_without(self) -> bool:
        """Whether the persistent folder is not used."""
        return self._gone_without

    def go_without(self, error: OSError) -> None:
        """Continue with a temporary folder, because the cache cannot be written."""
        with self._lock:
            if self._gone_without:
                return
            self._gone_without = True
        self._listener.note(f"The cache {self.folder} cannot be written ({error.strerror}): continuing without it")

    def temporary(self, root: str, name: str) -> str:
        """A new path for a file or folder that will be renamed into place below `root`."""
        folder = f"{root}{os.sep}tmp"
        private_folder(folder)
        return f"{folder}{os.sep}{name}-{os.urandom(8).hex()}"


class StoredWheel(NamedTuple):
    """An unpacked wheel; the files of its manifest are at `<folder>/<scheme>/<path>`."""

    folder: str
    manifest: Manifest


class WheelStore:
    """The unpacked wheels of a cache. Safe to use from several threads and processes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def find(self, digests: Sequence[Digest], identity: WheelIdentity) -> StoredWheel | None:
        """The stored wheel whose archive had all these digests, if it matches `identity`.

        Whether its files are unchanged is checked when they are used.
        """
        for root in self._cache.readable:
            folder = _entry(root, digests[0])
            manifest = _manifest(folder)
            if (
                manifest is not None
                and all(manifest.digests.get(d.algorithm) == d.value for d in digests)
                and _is(manifest, identity)
            ):
                with suppress(OSError):
                    record_use(folder, os.stat(folder).st_mtime)
                return StoredWheel(folder=folder, manifest=manifest)
        return None

    def add(
        self,
        archive: BinaryIO,
        digests: Sequence[Digest],
        identity: WheelIdentity,
        *,
        warn: Callable[[str], None],
    ) -> StoredWheel:
        """Unpack the wheel `archive`, whose digests were verified; a different entry at its place is replaced.

        `warn` is called for a wheel whose format has a newer minor version than the supported one.

        Raises:
            LocksetError: `archive-refused`, `wheel-refused`.
            OSError: A file cannot be written.
        """
        root = self._cache.writable()
        temporary = self._cache.temporary(root, "wheel")
        try:
            os.mkdir(temporary, 0o700)
            with _mapped(archive) as buffer:
                manifest = _unpack(buffer, temporary, identity, {d.algorithm: d.value for d in digests}, warn)
            return _keep(StoredWheel(folder=temporary, manifest=manifest), _entry(root, digests[0]))
        finally:
            remove_tree(temporary)

    def drop(self, wheel: StoredWheel) -> None:
        """Remove a wheel whose files were changed since they were unpacked."""
        _put_away(wheel.folder)


def _entry(root: str, digest: Digest) -> str:
    return f"{root}{os.sep}{STORE_FOLDER}{os.sep}{digest.algorithm}-{digest.value}"


def _manifest(folder: str) -> Manifest | None:
    return Manifest.loads(read_remembered(f"{folder}{os.sep}{_MANIFEST}"))


def _unpack(
    buffer: Buffer, folder: str, identity: WheelIdentity, digests: Mapping[str, str], warn: Callable[[str], None]
) -> Manifest:
    # Imported here: not needed for stored wheels.
    from lockset.sync.disk.store.unpack import unpack_wheel
    from lockset.sync.wheel.contents import read_wheel
    from lockset.sync.wheel.zip_reader import members, read_member

    what = str(identity)

    def read(member: ZipMember) -> bytes:
        limit = _MOST_RECORD if member.name.endswith("/RECORD") else _MOST_METADATA
        return read_member(buffer, member, what=what, limit=limit)

    wheel = read_wheel(members(buffer, what=what), read, identity=identity)
    if wheel.newer_format is not None:
        # "Warn if minor version is greater" (binary distribution format).
        warn(f"{wheel.name} {wheel.version} has Wheel-Version {wheel.newer_format}, newer than the supported 1.0")
    files, scripts = unpack_wheel(buffer, wheel, folder, what=what)
    manifest = Manifest(
        name=wheel.name,
        version=str(wheel.version),
        dist_info=wheel.dist_info,
        root_scheme=wheel.root_scheme,
        digests=digests,
        groups=(),
        scripts=scripts,
    ).with_files(files)
    with open(f"{folder}{os.sep}{_MANIFEST}", "xb") as file:
        file.write(manifest.dumps())
    return manifest


@contextmanager
def _mapped(archive: BinaryIO) -> Iterator[Buffer]:
    """The bytes of `archive`, mapped no longer than they are read: Windows removes no file that is mapped."""
    if isinstance(archive, io.BytesIO):
        yield archive.getvalue()
        return
    if os.fstat(archive.fileno()).st_size == 0:
        yield b""
        return
    import mmap  # here, since stored wheels are not mapped

    mapped = mmap.mmap(archive.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield mapped
    finally:
        # An error on its way may still refer to a part of it.
        with suppress(BufferError):
            mapped.close()


def _is(manifest: Manifest, identity: WheelIdentity) -> bool:
    if manifest.name != identity.name:
        return False
    if identity.version_text in {None, manifest.version}:
        return True
    from lockset.dependency_specifiers import read_version  # here, since both are normalized

    return identity.version == read_version(manifest.version)


def _keep(fresh: StoredWheel, folder: str) -> StoredWheel:
    """Move a finished entry into place, or use the one that another process has added meanwhile."""
    private_folder(os.path.dirname(folder))
    for _ in range(_MOST_TRIES):
        if _try_rename(fresh.folder, folder):
            return StoredWheel(folder=folder, manifest=fresh.manifest)
        existing = _manifest(folder)
        if existing is not None and _is_alike(existing, fresh.manifest) and is_whole(StoredWheel(folder, existing)):
            return StoredWheel(folder=folder, manifest=existing)
        _put_away(folder)
    raise LocksetError("cache-busy", "The cache entry keeps changing", location=folder)


def _is_alike(one: Manifest, other: Manifest) -> bool:
    """Whether both have the same files, apart from modification times."""
    return _timeless(one) == _timeless(other)


def _timeless(manifest: Manifest) -> Manifest:
    return manifest.with_files(sorted(file._replace(mtime=0) for file in manifest.files))


def _try_rename(temporary: str, folder: str) -> bool:
    """Rename `temporary` to `folder`; False if `folder` exists already."""
    try:
        rename(temporary, folder)
    except OSError:
        if not os.path.lexists(folder):
            raise
        return False
    return True


def is_whole(wheel: StoredWheel) -> bool:
    """Whether every file of `wheel` still has the size and time from when it was unpacked."""
    for file in wheel.manifest.files:
        try:
            status = os.lstat(file.location(wheel.folder))
        except OSError:
            return False
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.size or status.st_mtime_ns != file.mtime:
            return False
    return True


def _put_away(folder: str) -> None:
    aside = f"{folder}.{os.urandom(8).hex()}"
    try:
        rename(folder, aside)
    except OSError as error:
        if error.errno == errno.EXDEV:
            # A folder in a lower layer of an overlay, as in container images, cannot be renamed.
            remove_tree(folder)
        return
    remove_tree(aside)
