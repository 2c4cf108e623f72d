"""Unpacked wheels by the hash of their archive; every target gets links to them, or copies."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH102, PTH120, PTH123
from __future__ import annotations

import mmap
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.files.atomic import private_folder, read_remembered, remove_tree
from lockset.files.system import rename
from lockset.sync.wheel.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lockset.hashes import Digest
    from lockset.sync.desired import Identity
    from lockset.sync.disk.store.cache import Cache
    from lockset.sync.wheel.zip_reader import Buffer, Member

__all__ = ["Store", "StoredWheel", "is_whole"]

_FOLDER = "wheels-v1"
_MANIFEST = "manifest"
# Bound the metadata files of a wheel, which are read whole; the largest RECORDs have some megabytes.
_MOST_RECORD, _MOST_METADATA = 64 << 20, 16 << 20
# Bounds the race with processes that put the same entry; beyond it something else is wrong.
_MOST_TRIES = 8


class StoredWheel(NamedTuple):
    """An unpacked wheel; a file of its manifest is at `<folder>/<scheme>/<path>`."""

    folder: str
    manifest: Manifest


class Store:
    """The unpacked wheels of a cache. Safe to use from several threads and processes."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def find(self, digests: Sequence[Digest], identity: Identity) -> StoredWheel | None:
        """The wheel whose archive had all these digests, if it is there and is what `identity` says.

        Whether its files are still as they were unpacked is checked when they are used.
        """
        for root in self._cache.readable:
            folder = _entry(root, digests[0])
            manifest = _manifest(folder)
            if (
                manifest is not None
                and all(manifest.digests.get(d.algorithm) == d.value for d in digests)
                and _is(manifest, identity)
            ):
                return StoredWheel(folder=folder, manifest=manifest)
        return None

    def add(
        self,
        archive: BinaryIO,
        digests: Sequence[Digest],
        identity: Identity,
        *,
        warn: Callable[[str], None],
    ) -> StoredWheel:
        """Unpack the wheel that `archive` holds, whose digests were verified; an entry that differs from it goes.

        `warn` hears of a wheel whose format has a greater minor version than the known one.

        Raises:
            LocksetError: `archive-refused`, `wheel-refused`.
            OSError: The disk did not let us.
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
        """Forget a wheel whose files are not as they were unpacked."""
        _put_away(wheel.folder)


def _entry(root: str, digest: Digest) -> str:
    return f"{root}{os.sep}{_FOLDER}{os.sep}{digest.algorithm}-{digest.value}"


def _manifest(folder: str) -> Manifest | None:
    return Manifest.loads(read_remembered(f"{folder}{os.sep}{_MANIFEST}"))


def _unpack(
    buffer: Buffer, folder: str, identity: Identity, digests: Mapping[str, str], warn: Callable[[str], None]
) -> Manifest:
    # Imported here: what is stored already is not read.
    from lockset.sync.disk.store.unpack import unpack
    from lockset.sync.wheel.contents import read_wheel
    from lockset.sync.wheel.zip_reader import members, read_member

    what = str(identity)

    def read(member: Member) -> bytes:
        limit = _MOST_RECORD if member.name.endswith("/RECORD") else _MOST_METADATA
        return read_member(buffer, member, what=what, limit=limit)

    wheel = read_wheel(members(buffer, what=what), read, identity=identity)
    if wheel.newer_format is not None:
        # "Warn if minor version is greater" (binary distribution format).
        warn(f"{wheel.name} {wheel.version} has Wheel-Version {wheel.newer_format}, newer than the known 1.0")
    files, scripts = unpack(buffer, wheel, folder, what=what)
    manifest = Manifest(
        name=wheel.name,
        version=str(wheel.version),
        dist_info=wheel.dist_info,
        root_scheme=wheel.root_scheme,
        digests=digests,
        files=files,
        scripts=scripts,
    )
    with open(f"{folder}{os.sep}{_MANIFEST}", "xb") as file:
        file.write(manifest.dumps())
    return manifest


@contextmanager
def _mapped(archive: BinaryIO) -> Iterator[Buffer]:
    """The bytes of `archive`, mapped no longer than they are read: Windows removes no file that is mapped."""
    if os.fstat(archive.fileno()).st_size == 0:
        yield b""
        return
    mapped = mmap.mmap(archive.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        yield mapped
    finally:
        # An error on its way may still refer to a part of it.
        with suppress(BufferError):
            mapped.close()


def _is(manifest: Manifest, identity: Identity) -> bool:
    if manifest.name != identity.name:
        return False
    return identity.version is None or identity.version == read_version(manifest.version)


def _keep(made: StoredWheel, folder: str) -> StoredWheel:
    """Move a finished entry to its place, or use what another process has put there meanwhile."""
    private_folder(os.path.dirname(folder))
    for _ in range(_MOST_TRIES):
        if _renamed(made.folder, folder):
            return StoredWheel(folder=folder, manifest=made.manifest)
        there = _manifest(folder)
        if there is not None and _is_alike(there, made.manifest) and is_whole(StoredWheel(folder, there)):
            return StoredWheel(folder=folder, manifest=there)
        _put_away(folder)
    raise LocksetError("cache-busy", "The cache entry changes again and again", place=folder)


def _is_alike(one: Manifest, other: Manifest) -> bool:
    """Whether both say the same of their files, but for the times at which these were unpacked."""
    return _timeless(one) == _timeless(other)


def _timeless(manifest: Manifest) -> Manifest:
    return manifest._replace(files=tuple(sorted(file._replace(mtime=0) for file in manifest.files)))


def _renamed(temporary: str, folder: str) -> bool:
    """False when something is at `folder` already."""
    try:
        rename(temporary, folder)
    except OSError:
        if not os.path.lexists(folder):
            raise
        return False
    return True


def is_whole(wheel: StoredWheel) -> bool:
    """Whether every file of `wheel` has the size and time that it was unpacked with."""
    for file in wheel.manifest.files:
        try:
            found = os.lstat(file.place(wheel.folder))
        except OSError:
            return False
        if not stat.S_ISREG(found.st_mode) or found.st_size != file.size or found.st_mtime_ns != file.mtime:
            return False
    return True


def _put_away(folder: str) -> None:
    aside = f"{folder}.{os.urandom(8).hex()}"
    try:
        rename(folder, aside)
    except OSError:
        return
    remove_tree(aside)
