"""A snapshot of a target at the last scan, to detect quickly what has changed since.

A snapshot only saves time: where it is missing or differs, files are hashed and compared with RECORD.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from lockset.files.record_store import get_value, put_value
from lockset.sync.installed import InstalledDistribution, InstalledFile

if TYPE_CHECKING:
    from collections.abc import Collection

    from lockset.sync.layout import Layout

__all__ = ["Snapshot", "Stamp", "file_stamps"]

# Increment with every change of the stored rows.
_FORMAT = 4
# Time, size and inode of RECORD, time of its folder.
Stamp: TypeAlias = tuple[int, int, int, int]


class Snapshot:
    """Distributions by the path of their dist-info, and modification times of files by path (None if unknown)."""

    def __init__(self, unread: dict[str, Any] | None = None) -> None:
        self.known: dict[str, tuple[Stamp, InstalledDistribution]] = {}
        self.times: dict[str, int | None] = {}
        self.unread = unread or {}
        self.changed = False

    @classmethod
    def load(cls, location: str | None, roots: tuple[str, ...]) -> Snapshot:
        """Read the snapshot for the target with these `roots`; empty if there is none, or it is damaged."""
        try:
            return cls(unread={info: row for info, *row in get_value(location, (_FORMAT, roots)) or ()})
        except (ValueError, TypeError):
            return cls()

    def find(self, info: str, stamp: Stamp | None) -> InstalledDistribution | None:
        """The distribution at `info`, if it still has this `stamp`. Rows are decoded on first use."""
        row = self.unread.pop(info, None)
        if row is not None and row[0] == stamp:
            _, facts, files, times = row
            one = _from_row(info, facts, files)
            self.known[info] = (row[0], one)
            self.times.update(zip((file.path for file in one.files), times, strict=True))
        entry = self.known.get(info)
        return entry[1] if entry is not None and entry[0] == stamp else None

    def replace(self, known: dict[str, tuple[Stamp, InstalledDistribution]]) -> None:
        """Replace the known distributions."""
        if self.unread or known.keys() != self.known.keys():
            self.changed = True
        self.unread.clear()
        self.known = known

    def save(self, location: str | None, roots: tuple[str, ...]) -> None:
        """Write the snapshot if it has changed; errors of the disk are ignored."""
        if location is None or not self.changed:
            return
        rows = []
        for info, (stamp, one) in self.known.items():
            paths, hashes, sizes = zip(*one.files, strict=True) if one.files else ((), (), ())
            # A few long strings are written and read much faster than many short ones.
            files = ("\0".join(paths), "\0".join(hashes), sizes)
            rows.append((info, stamp, _to_row(one), files, tuple(map(self.times.get, paths))))
        put_value(location, (_FORMAT, roots), rows)


def _to_row(one: InstalledDistribution) -> tuple[Any, ...]:
    facts = (one.name, one.version, one.installer, dict(one.origin), one.direct_url)
    return *facts, one.stray, one.problems, one.unlisted, dict(one.overlapped)


def _from_row(info: str, row: tuple[Any, ...], files: tuple[str, str, tuple[int | None, ...]]) -> InstalledDistribution:
    name, version, installer, origin, direct_url, stray, problems, unlisted, overlapped = row
    paths, hashes, sizes = files
    columns = zip(paths.split("\0"), hashes.split("\0"), sizes, strict=True) if sizes else ()
    return InstalledDistribution(
        name=name,
        version=version,
        info=info,
        installer=installer,
        origin=origin,
        direct_url=direct_url,
        files=tuple(map(InstalledFile._make, columns)),
        stray=stray,
        problems=problems,
        unlisted=unlisted,
        overlapped=overlapped,
    )


def file_stamps(
    snapshot: Snapshot, layout: Layout, *, examined: Collection[str]
) -> tuple[tuple[str, int, int], ...] | None:
    """Path, size and time of every file that `snapshot` knows to be intact; None if it does not know them all.

    For distributions that are not in `examined`, only the metadata is included.
    """
    stamps: list[tuple[str, int, int]] = []
    for library in layout.libraries:
        if any(f"{library}{os.sep}{name}" not in snapshot.known for name in _infos(library)):
            return None
    times = snapshot.times
    for info, ((record_time, record_size, _, info_time), one) in snapshot.known.items():
        record = f"{info}{os.sep}RECORD"
        stamps.append((record, record_size, record_time))
        stamps.append((info, _size(info), info_time))
        if one.name not in examined:
            continue
        for path, digest, size in one.files:
            if path == record or (not digest and path.endswith(".pyc")):
                continue
            time = times.get(path)
            if size is None or time is None:
                return None
            stamps.append((path, size, time))
    return tuple(stamps)


def _infos(library: str) -> list[str]:
    try:
        return [name for name in os.listdir(library) if name.lower().endswith(".dist-info")]
    except FileNotFoundError:
        return []


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return -1
