"""Fast path for JSON pages as the public index writes them.

A page of ten thousand files has a hundred thousand values, of which a run needs a few dozen. So one pattern scans the
files, and records for each its position, name, requires-python and whether it is yanked; the values of single files are
decoded on first use. The pattern only matches valid JSON in the form that the public index writes. All other pages are
parsed by `json`, which is slower.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lockset.index.pages.file_groups import ScannedFiles

if TYPE_CHECKING:
    from lockset.index.pages.file_groups import FileDescription
    from lockset.index.pages.page_table import PageTable

__all__ = ["ScannedJson", "scan_json"]

_START = b'"files":['
# One file. `TEXT` is a JSON string, `URL` the rest of a JSON string with a URL.
_FILE = rb"""
\{
(?:"core-metadata":(?:false|true|\{(?:"sha256":TEXT)?\}),)?
(?:"data-dist-info-metadata":(?:false|true|\{(?:"sha256":TEXT)?\}),)?
"filename":"(
    ([A-Za-z0-9._]+)-([A-Za-z0-9.!+_]+)-(?:[0-9][A-Za-z0-9._]*-)?[A-Za-z0-9._]+-[A-Za-z0-9._]+-[A-Za-z0-9._]+\.whl
    |[^"\\]*
)",
(?:"gpg-sig":(?:false|true),)?
"hashes":\{"sha256":"[0-9A-Fa-f]{64}"\},
(?:"provenance":(?:null|TEXT),)?
"requires-python":(null|TEXT),
"size":(?:null|0|[1-9][0-9]{0,17}),
"upload-time":(?:null|TEXT),
"url":"(?:https?://[^][/"?#@\\]*(?=[/"?#])|/(?!/))URL",
"yanked":(false|true|TEXT)
\}(?:,|(?=\]))
"""


def _pattern(text: bytes, url: bytes) -> re.Pattern[bytes]:
    return re.compile(_FILE.replace(b"TEXT", text).replace(b"URL", url), re.VERBOSE)


# For files in ASCII without a backslash and without an @ (user info of a URL), which are nearly all: three times as
# fast.
_PLAIN = _pattern(rb'"[^"]*"', rb'[^"]*')
_CAREFUL = _pattern(rb'"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\]*)*"', rb'[^"\\@\x80-\xff]*')


def _either(data: bytes, position: int) -> re.Match[bytes] | None:
    """The file at `position`, by the fast pattern unless the file needs the careful one."""
    match = _PLAIN.match(data, position)
    if match is not None:
        file = match[0]
        if file.isascii() and b"\\" not in file and b"@" not in file:
            return match
    return _CAREFUL.match(data, position)


# Characters that JSON strings cannot contain, and that do not occur between values of common pages.
_CONTROLS = tuple(bytes([code]) for code in (*range(32), 127))
_NOT_YANKED = frozenset({b"false", b'""'})
_COMMA = 0x2C


def scan_json(data: bytes, *, name: str, page_url: str, packed: bytes = b"") -> ScannedJson | None:
    """The same result as from `json.loads(data)`, with the files as a table; None if `json` must parse it.

    `packed` is the page as received, if it was compressed: the table stores it with the files of the newest versions,
    instead of the whole page.
    """
    start = data.find(_START) + len(_START)
    if start < len(_START) or not _is_plain_text(data):
        return None
    files = ScannedFiles(name, _decode)
    plain = data.isascii() and b"\\" not in data and b"@" not in data
    end = files.take(data, start, _PLAIN.match if plain else _either)
    if end is None or data[end : end + 1] != b"]" or (end > start and data[end - 1] == _COMMA):
        return None
    files.close(end + 1)
    rest = _rest(data[:start], data[end:])
    return None if rest is None else ScannedJson(rest, files.table(data, page_url=page_url, packed=packed))


class ScannedJson(NamedTuple):
    """A page: everything except its files, as parsed by `json`, and the table of its files."""

    rest: dict[str, Any]
    table: PageTable


def _decode(description: FileDescription) -> tuple[str | None, bool]:
    python, yanked = description
    return json.loads(python or b"null"), yanked not in _NOT_YANKED


def _is_plain_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8 without control characters."""
    if any(control in data for control in _CONTROLS):
        return False
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True


def _rest(before: bytes, after: bytes) -> dict[str, Any] | None:
    """The page without its files; None if it is ambiguous."""
    if b"\\" in before or b"\\" in after or before.count(b'"files"') + after.count(b'"files"') != 1:
        return None
    try:
        page = json.loads(before + after)
    except (ValueError, RecursionError):
        return None
    return page if isinstance(page, dict) and page.get("files") == [] else None
