"""The files of a wheel: RECORD (PEP 376 and PEP 427), and the manifest of an unpacked wheel in the store."""

from __future__ import annotations

import marshal
import os
import zlib
from _operator import itemgetter  # what `operator` exports: only that takes time to import

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["Manifest", "Row", "StoredFile", "StoredGroup", "StoredScript", "format_record", "parse_record"]

_COLUMNS = 3
# Digits of the largest file size that is accepted.
_LONGEST_SIZE = 20
# Increment with every change of the format, so that older entries are ignored.
_FORMAT = 3
_CHECKSUM = 4


class Row(NamedTuple):
    """One file: path as written, `algorithm=digest` (URL-safe base64 without padding) or "", size or None."""

    path: str
    hash: str
    size: int | None


def parse_record(text: str) -> tuple[Row, ...]:
    """The rows of `text`, without blank lines.

    Raises:
        ValueError: A row does not have three columns, or its size is not a number; the message says which row.
    """
    rows: list[Row] = []
    if '"' not in text:
        # Nearly every RECORD has no quotes, and the csv reader takes three times as long.
        lines = text.split("\n")
        cells = [
            line.split(",") for line in (lines if "\r" not in text else [line.rstrip("\r") for line in lines]) if line
        ]
    else:
        cells = [row for row in _csv_rows(text) if row]
    for number, row in enumerate(cells, 1):
        if len(row) != _COLUMNS:
            raise ValueError(f"row {number} is malformed")
        path, digest, size = row
        if not size:
            rows.append(Row(path, digest, None))
        elif size.isascii() and size.isdecimal() and len(size) <= _LONGEST_SIZE:
            rows.append(Row(path, digest, int(size)))
        else:
            raise ValueError(f"row {number} is malformed")
    return tuple(rows)


def _csv_rows(text: str) -> list[list[str]]:
    # Imported here, as below: quotes are rare.
    import csv
    import io

    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def format_record(rows: Iterable[tuple[str, str, int | None]]) -> bytes:
    """The text of `rows` (as `Row`), sorted by path.

    Rows without a hash come last, so that a truncated text lacks them.
    """
    by_path = sorted(rows, key=itemgetter(0))
    ordered = [row for row in by_path if row[1]]
    ordered += [row for row in by_path if not row[1]]
    text = "".join([f"{path},{digest},{'' if size is None else size}\n" for path, digest, size in ordered])
    if '"' not in text and "\r" not in text and text.count(",") == 2 * len(ordered) == 2 * text.count("\n"):
        return text.encode()
    # Few paths need quotes, and the csv writer takes three times as long.
    import csv
    import io

    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(
        (path, digest, "" if size is None else size) for path, digest, size in ordered
    )
    return out.getvalue().encode()


class StoredFile(NamedTuple):
    """One file of the store, at `<scheme>/<path>` of its entry.

    `hash` is as written in RECORD. `mtime` is in nanoseconds. `rewrite` is set if the first line has a placeholder for
    the interpreter, so that the file is generated for every target.
    """

    scheme: str
    path: str
    hash: str
    size: int
    mtime: int
    executable: bool
    rewrite: bool

    def location(self, folder: str) -> str:
        """Its path, for an entry at `folder`."""
        path = f"{folder}/{self.scheme}/{self.path}"
        return path if os.sep == "/" else path.replace("/", os.sep)


class StoredGroup(NamedTuple):
    """Files of the store that go from one folder to one folder, as columns: a target has thousands of them.

    Attributes:
        scheme: Their scheme.
        inside: The folder of the scheme that holds them, "" for its root; the dist-info folder has a group of its own.
        executable: As `StoredFile`; the same for all, as is `rewrite`.
        names: Their paths below `inside`, sorted, each but the first after a NUL character, which no path has.
        folders: In the same form, all folders below `inside` that they need, each after the one that contains it.
        hashes: In the same form, their hashes in the order of `names`.
        sizes: Their sizes.
        times: Their modification times in nanoseconds.
    """

    scheme: str
    inside: str
    executable: bool
    rewrite: bool
    names: str
    folders: str
    hashes: str
    sizes: tuple[int, ...]
    times: tuple[int, ...]

    @classmethod
    def of_rows(cls, scheme: str, inside: str, rows: Iterable[StoredFile]) -> StoredGroup:
        """The group of `rows`, at least one, which are all below the folder `inside` of `scheme`."""
        ordered = sorted(rows, key=itemgetter(1))
        names = [row.path[len(inside) + 1 if inside else 0 :] for row in ordered]
        folders: set[str] = set()
        for name in names:
            folder = name.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        return cls(
            scheme,
            inside,
            ordered[0].executable,
            ordered[0].rewrite,
            "\0".join(names),
            "\0".join(sorted(folders)),
            "\0".join([row.hash for row in ordered]),
            tuple([row.size for row in ordered]),
            tuple([row.mtime for row in ordered]),
        )

    def rows(self) -> list[StoredFile]:
        """The files one by one, in the order of `names`."""
        start = f"{self.inside}/" if self.inside else ""
        columns = zip(self.names.split("\0"), self.hashes.split("\0"), self.sizes, self.times, strict=True)
        return [
            StoredFile(self.scheme, start + name, digest, size, time, self.executable, self.rewrite)
            for name, digest, size, time in columns
        ]

    def split(self, inside: str, chosen: Iterable[bool]) -> tuple[StoredGroup | None, StoredGroup | None]:
        """The `chosen` files, as a group of the folder `inside`, and the others, in the same folder; None for no file.

        `chosen` is in the order of `names`.
        """
        parts: tuple[list[StoredFile], list[StoredFile]] = [], []
        for row, is_chosen in zip(self.rows(), chosen, strict=True):
            parts[0 if is_chosen else 1].append(row)
        return (
            StoredGroup.of_rows(self.scheme, inside, parts[0]) if parts[0] else None,
            StoredGroup.of_rows(self.scheme, self.inside, parts[1]) if parts[1] else None,
        )

    def is_sound(self) -> bool:
        """Whether the columns have the same length, and no path is absolute or has `..`."""
        count = len(self.sizes)
        if not count == len(self.times) == self.names.count("\0") + 1 == self.hashes.count("\0") + 1:
            return False
        inside = f"/{self.inside}" if self.inside else ""
        paths = f"{inside}/{self.names}/{self.folders or '.'}/".replace("\0", "/")
        return "//" not in paths and "/../" not in paths


class StoredScript(NamedTuple):
    """A command of entry_points.txt; `body` is its text after the line with the interpreter."""

    name: str
    section: str
    module: str
    attribute: str
    body: bytes


class Manifest(NamedTuple):
    """One wheel. `digests` are hashes of the archive that were verified before it was unpacked."""

    name: str
    version: str
    dist_info: str
    root_scheme: str
    digests: Mapping[str, str]
    groups: tuple[StoredGroup, ...]
    scripts: tuple[StoredScript, ...]

    @property
    def files(self) -> list[StoredFile]:
        """The files one by one."""
        return [row for group in self.groups for row in group.rows()]

    def with_files(self, files: Iterable[StoredFile]) -> Manifest:
        """The same wheel with these files; groups are in the order of their first files."""
        own = self.root_scheme, f"{self.dist_info}/"
        rows: dict[tuple[str, str, bool, bool], list[StoredFile]] = {}
        for file in files:
            inside = self.dist_info if file.scheme == own[0] and file.path.startswith(own[1]) else ""
            rows.setdefault((file.scheme, inside, file.executable, file.rewrite), []).append(file)
        return self._replace(groups=tuple(StoredGroup.of_rows(*key[:2], rows[key]) for key in rows))

    def dumps(self) -> bytes:
        """Bytes with a checksum."""
        payload = marshal.dumps(
            (
                _FORMAT,
                self.name,
                self.version,
                self.dist_info,
                self.root_scheme,
                dict(self.digests),
                tuple(map(tuple, self.groups)),
                tuple(map(tuple, self.scripts)),
            )
        )
        return zlib.crc32(payload).to_bytes(_CHECKSUM, "big") + payload

    @classmethod
    def loads(cls, data: bytes) -> Manifest | None:
        """Read the output of `dumps`; None if the bytes are damaged or have another format."""
        payload = memoryview(data)[_CHECKSUM:]
        if zlib.crc32(payload).to_bytes(_CHECKSUM, "big") != data[:_CHECKSUM]:
            return None
        try:
            values: Any = marshal.loads(payload)  # noqa: S302 (own bytes, whole by their checksum, from a private folder)
            if values[0] != _FORMAT:
                return None
            _, name, version, dist_info, root_scheme, digests, groups, scripts = values
            manifest = cls(
                name=name,
                version=version,
                dist_info=dist_info,
                root_scheme=root_scheme,
                digests=digests,
                groups=tuple(map(StoredGroup._make, groups)),
                scripts=tuple(map(StoredScript._make, scripts)),
            )
            return manifest if manifest._is_sound() else None
        except (EOFError, ValueError, TypeError, LookupError, AttributeError):
            return None

    def _is_sound(self) -> bool:
        names = [self.dist_info, *(script.name for script in self.scripts)]
        return not any("/" in name or name in {"", ".."} for name in names) and all(
            group.is_sound() for group in self.groups
        )
