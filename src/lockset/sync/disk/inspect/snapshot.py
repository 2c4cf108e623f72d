"""Snapshots of targets: the distributions of the last scan, with their files.

A snapshot shows quickly what has changed since. It only saves time: without it, the target is read.
"""

# Paths are strings here: there are thousands of them a run.

from __future__ import annotations

import marshal
import os
import stat
from functools import partial

from lockset._named_tuple import NamedTuple
from lockset.files.record_store import get_parts, put_parts
from lockset.sync.installed import InstalledDistribution, InstalledFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from typing import Any, TypeAlias

    from lockset.sync.target import Layout

    # The start of absolute paths; their ends, each but the first after a NUL character; sizes, `~size` of what is not a
    # regular file; times of modification.
    FileStamps: TypeAlias = tuple[str, str, Sequence[int | None], Sequence[int | None]]

__all__ = ["FileColumns", "Snapshot", "Stamp", "stamp_of"]

# Increment with every change of the stored rows.
_FORMAT = 6
# Time, size and inode of RECORD, time of its folder.
Stamp: TypeAlias = tuple[int, int, int, int]


class FileColumns(NamedTuple):
    """Files of a distribution.

    Attributes:
        above: The start of their absolute paths, such as a folder with the separator after it.
        names: The ends of their paths, each but the first after a NUL character.
        hashes: In the same form, their hashes as written in RECORD, "" where absent.
        sizes: Their sizes, None where unknown.
        times: Their modification times in nanoseconds, None where unknown.
    """

    above: str
    names: str
    hashes: str
    sizes: Sequence[int | None]
    times: Sequence[int | None]

    def paths(self) -> list[str]:
        """The absolute paths."""
        return [self.above + name for name in self.names.split("\0")] if self.sizes else []


class Snapshot:
    """Distributions by the path of their dist-info, and modification times of files by path (None if unknown).

    It is read when the first distribution is looked up, and each of its distributions when that is looked up.

    Args:
        location: The file with the snapshot for the target with these `roots`; None for an empty one.
        roots: The roots of the target.
    """

    def __init__(self, location: str | None = None, roots: tuple[str, ...] = ()) -> None:
        self.known: dict[str, tuple[Stamp, InstalledDistribution]] = {}
        self.times: dict[str, int | None] = {}
        self.changed = False
        self._location = location
        self._roots = roots
        self._unread: dict[str, tuple[Stamp, memoryview]] | None = None
        self._added: dict[str, tuple[Stamp, InstalledDistribution, Sequence[FileColumns]]] = {}

    def find(self, info: str, stamp: Stamp | None) -> InstalledDistribution | None:
        """The distribution at `info`, if it still has this `stamp`."""
        if self._unread is None:
            self._unread = self._read()
        row = self._unread.pop(info, None)
        if row is not None and row[0] == stamp:
            try:
                facts, several = marshal.loads(row[1])  # noqa: S302 (own bytes, whole by their checksum, from a private folder)
                files = [file for columns in several for file in self._files(FileColumns(*columns))]
                self.known[info] = (row[0], _from_row(info, facts, files))
            except (ValueError, TypeError, EOFError, AttributeError):
                self.known.pop(info, None)
        entry = self.known.get(info)
        return entry[1] if entry is not None and entry[0] == stamp else None

    def _files(self, columns: FileColumns) -> Iterable[InstalledFile]:
        """The files one by one; their times are noted."""
        paths = columns.paths()
        if not paths:
            return ()
        self.times.update(zip(paths, columns.times, strict=True))
        rows = zip(paths, columns.hashes.split("\0"), columns.sizes, strict=True)
        # As `_make`, without its check of every row, which takes twice the time.
        return map(partial(tuple.__new__, InstalledFile), rows)

    def _read(self) -> dict[str, tuple[Stamp, memoryview]]:
        """The stored rows; none if they are missing or damaged."""
        try:
            stamps, rows = get_parts(self._location, (_FORMAT, self._roots)) or ((), ())
            return {info: (stamp, row) for (info, stamp), row in zip(stamps, rows, strict=True)}
        except (ValueError, TypeError):
            return {}

    def replace(self, known: dict[str, tuple[Stamp, InstalledDistribution]]) -> None:
        """Replace the known distributions."""
        if self._unread or known.keys() != self.known.keys():
            self.changed = True
        self._unread = self._unread and {}
        self.known = known

    def add(self, one: InstalledDistribution, files: Sequence[FileColumns]) -> None:
        """Note that `one` was installed with `files` and RECORD, which are not in `one`."""
        stamp = stamp_of(one.info)
        self.known.pop(one.info, None)
        if stamp is not None:
            self._added[one.info] = (stamp, one, files)
        self.changed = True

    def save(self) -> None:
        """Write the snapshot if it has changed; errors of the disk are ignored."""
        if self._location is None or not self.changed:
            return
        stamps = [(info, stamp) for info, (stamp, _) in self.known.items()]
        rows = [_packed(one, [self._columns(one)]) for _, one in self.known.values()]
        for info, (stamp, one, files) in self._added.items():
            record = FileColumns(info, f"{os.sep}RECORD", "", (None,), (None,))
            stamps.append((info, stamp))
            rows.append(_packed(one, [*files, record]))
        put_parts(self._location, (_FORMAT, self._roots), stamps, rows)

    def _columns(self, one: InstalledDistribution) -> FileColumns:
        """The files of a distribution that was looked up."""
        paths, hashes, sizes = zip(*one.files, strict=True) if one.files else ((), (), ())
        return FileColumns("", "\0".join(paths), "\0".join(hashes), sizes, tuple(map(self.times.get, paths)))

    def file_stamps(self, layout: Layout, *, examined: Collection[str]) -> tuple[FileStamps, ...] | None:
        """Paths, sizes and times of every file that is known to be intact; None if they are not all known.

        For distributions whose names are not in `examined`, only the metadata is included.
        """
        known = {info: entry[0] for rows in (self.known, self._added) for info, entry in rows.items()}
        for library in layout.libraries:
            if any(f"{library}{os.sep}{name}" not in known for name in _infos(library)):
                return None
        stamps = [_metadata_stamps(info, stamp) for info, stamp in known.items()]
        stamps += [
            (columns.above, columns.names, columns.sizes, columns.times)
            for _, one, several in self._added.values()
            if one.name in examined
            for columns in several
        ]
        for info, (_, one) in self.known.items():
            record = f"{info}{os.sep}RECORD"
            files = [
                (path, size, self.times.get(path))
                for path, digest, size in (one.files if one.name in examined else ())
                if path != record and (digest or not path.endswith(".pyc"))
            ]
            if files:
                paths, sizes, times = zip(*files, strict=True)
                stamps.append(("", "\0".join(paths), sizes, times))
        if any(None in sizes or None in times for _, _, sizes, times in stamps):
            return None
        return tuple(stamps)


def _metadata_stamps(info: str, stamp: Stamp) -> FileStamps:
    record_time, record_size, _, info_time = stamp
    return info, f"{os.sep}RECORD\0", (record_size, _folder_size(info)), (record_time, info_time)


def _packed(one: InstalledDistribution, files: Iterable[FileColumns]) -> bytes:
    # A few long strings are written and read much faster than many short ones.
    columns: Any = tuple(map(tuple, files))
    # Without references to equal numbers, which take time and are few (version 2).
    return marshal.dumps((_to_row(one), columns), 2)


def _to_row(one: InstalledDistribution) -> tuple[Any, ...]:
    facts = (one.name, one.version, one.installer, dict(one.origin), one.direct_url)
    return *facts, one.stray, one.problems, one.unlisted, dict(one.overlapped)


def _from_row(info: str, row: tuple[Any, ...], files: Iterable[InstalledFile]) -> InstalledDistribution:
    name, version, installer, origin, direct_url, stray, problems, unlisted, overlapped = row
    return InstalledDistribution(
        name=name,
        version=version,
        info=info,
        installer=installer,
        origin=origin,
        direct_url=direct_url,
        files=tuple(files),
        stray=stray,
        problems=problems,
        unlisted=unlisted,
        overlapped=overlapped,
    )


def _infos(library: str) -> list[str]:
    try:
        return [name for name in os.listdir(library) if name.lower().endswith(".dist-info")]
    except FileNotFoundError:
        return []


def _folder_size(path: str) -> int | None:
    """The size of a folder as `FileStamps` have it; None if there is no folder."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return ~status.st_size if stat.S_ISDIR(status.st_mode) else None


def stamp_of(info: str) -> Stamp | None:
    """A value that changes when the dist-info folder `info` is replaced, or its RECORD is rewritten."""
    try:
        record = os.lstat(f"{info}{os.sep}RECORD")
        return record.st_mtime_ns, record.st_size, record.st_ino, os.lstat(info).st_mtime_ns
    except OSError:
        return None
