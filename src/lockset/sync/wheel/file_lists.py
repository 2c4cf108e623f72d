"""The files of a wheel: RECORD (PEP 376 and PEP 427), and the manifest of an unpacked wheel in the store."""

from __future__ import annotations

import marshal
import os
import zlib
from functools import partial
from operator import itemgetter

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

__all__ = ["Manifest", "Row", "StoredFile", "StoredScript", "format_record", "parse_record"]

_COLUMNS = 3
# Digits of the largest file size that is accepted.
_LONGEST_SIZE = 20
# Increment with every change of the format, so that older entries are ignored.
_FORMAT = 2
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
    ordered = [*(row for row in by_path if row[1]), *(row for row in by_path if not row[1])]
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
    files: tuple[StoredFile, ...]
    scripts: tuple[StoredScript, ...]

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
                tuple(map(tuple, self.files)),
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
            _, name, version, dist_info, root_scheme, digests, files, scripts = values
            manifest = cls(
                name=name,
                version=version,
                dist_info=dist_info,
                root_scheme=root_scheme,
                digests=digests,
                # As `_make`, without its check of every row, which takes twice the time.
                files=tuple(map(partial(tuple.__new__, StoredFile), files)),
                scripts=tuple(map(StoredScript._make, scripts)),
            )
            whole = set(map(len, manifest.files)) <= {len(StoredFile._fields)}
            return manifest if whole and manifest._stays_inside() else None
        except (EOFError, ValueError, TypeError, LookupError, AttributeError):
            return None

    def _stays_inside(self) -> bool:
        """Whether no path is absolute or has `..`."""
        paths = "/".join(["", *(file.path for file in self.files), ""])
        names = [self.dist_info, *(script.name for script in self.scripts)]
        return (
            "//" not in paths and "/../" not in paths and not any("/" in name or name in {"", ".."} for name in names)
        )
