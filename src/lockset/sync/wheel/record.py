"""Read and write RECORD: the files of an installed distribution or of a wheel (PEP 376 and PEP 427)."""

from __future__ import annotations

import binascii
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Row", "format_record", "hash_text", "parse_record"]


# From standard base64 to URL-safe base64.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_COLUMNS = 3
# Digits of the largest file size that is accepted.
_LONGEST_SIZE = 20


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


def hash_text(algorithm: str, digest: bytes) -> str:
    """The hash column of a file whose digest is `digest`."""
    letters = binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE).rstrip(b"=")
    return f"{algorithm}={letters.decode()}"
