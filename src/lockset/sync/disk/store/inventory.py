"""An inventory of the store: unpacked wheels and archives, listed without knowing their hashes."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.files.atomic import read_remembered
from lockset.hashes import STRONG_ALGORITHMS
from lockset.sync.disk.inspect.installed_scan import has_hash
from lockset.sync.wheel.file_lists import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["StoreEntry", "archive_damage", "archive_project", "store_entries", "wheel_damage", "wheel_project"]

_WHEELS, _ARCHIVES = "wheels-v1", "archives-v1"
_NAME = lazy_pattern(r"([a-z0-9_]+)-([0-9a-f]{32,128})\Z")
_CHUNK = 1 << 20


class StoreEntry(NamedTuple):
    """One entry of the store.

    Attributes:
        path: Its absolute path.
        is_wheel: Whether it is the folder of an unpacked wheel; else it is the file of an archive.
        is_leftover: Whether it is the rest of an interrupted run.
    """

    path: str
    is_wheel: bool
    is_leftover: bool


def store_entries(root: str) -> Iterator[StoreEntry]:
    """The entries below the cache folder `root`, without following links."""
    for name, is_wheel in ((_WHEELS, True), (_ARCHIVES, False)):
        folder = os.path.join(root, name)
        if os.path.islink(folder) or not os.path.isdir(folder):
            continue
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda one: one.name):
                expected = entry.is_dir(follow_symlinks=False) if is_wheel else entry.is_file(follow_symlinks=False)
                leftover = not expected or _NAME.match(entry.name) is None
                yield StoreEntry(path=entry.path, is_wheel=is_wheel, is_leftover=leftover)


def wheel_project(path: str) -> tuple[str, str] | None:
    """Name and version of the unpacked wheel at `path`; None if its manifest is damaged."""
    manifest = _manifest(path)
    return None if manifest is None else (manifest.name, manifest.version)


def wheel_damage(path: str) -> str | None:
    """The damage of the unpacked wheel at `path`, after hashing all its files; None if it is intact."""
    manifest = _manifest(path)
    if manifest is None:
        return "its manifest is missing or damaged"
    for file in manifest.files:
        location = file.location(path)
        try:
            status = os.lstat(location)
        except OSError:
            return f"{file.path} is missing"
        if not stat.S_ISREG(status.st_mode):
            return f"{file.path} is not a regular file"
        if status.st_size != file.size or not has_hash(location, file.hash):
            return f"{file.path} was changed"
        if status.st_mtime_ns != file.mtime:
            return f"{file.path} was rewritten"
    return None


def archive_damage(path: str) -> str | None:
    """The damage of the archive at `path`, after hashing it; None if it is intact."""
    match = _NAME.match(os.path.basename(path))
    if match is None or match[1] not in STRONG_ALGORITHMS:
        return None if match is not None else "its name is not a hash"
    import hashlib  # OpenSSL takes longer to load than most commands of the cache to run

    digest = hashlib.new(match[1], usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if digest.hexdigest() == match[2] else "its hash does not match"


def archive_project(path: str) -> str | None:
    """Normalised name of the project of the archive at `path`: of a wheel or sdist; None if that is not clear."""
    from lockset.package_names import canonicalize_name

    try:
        name = _name_in_zip(path) or _name_in_tar(path)
    except Exception:  # noqa: BLE001 - a damaged archive, in any of the ways of its format
        return None
    return None if name is None else canonicalize_name(name)


def _name_in_zip(path: str) -> str | None:
    import zipfile

    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    info = next((name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info")), None)
    if info is not None:
        return info.removesuffix(".dist-info").rpartition("-")[0]
    return names[0].partition("/")[0].rpartition("-")[0] or None if names else None


def _name_in_tar(path: str) -> str | None:
    import tarfile

    with tarfile.open(path) as archive:
        first = archive.next()
    return first.name.partition("/")[0].rpartition("-")[0] or None if first is not None else None


def _manifest(path: str) -> Manifest | None:
    return Manifest.loads(read_remembered(f"{path}{os.sep}manifest"))
