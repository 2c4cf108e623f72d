"""JSON pages as the public index writes them, read by a scan of their bytes.

A page of ten thousand files is a tree of a hundred thousand values, of which a run looks at a few dozen. So one
pattern goes over the files and notes of each where it stands, its name, its requires-python and whether it is yanked;
the values of single files are decoded when somebody asks for them. The pattern matches valid JSON only, of the shape
that index writes; a page that is otherwise in any way is left to `json`, which is slower and knows all shapes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lockset.index.pages.file_groups import ScannedFiles

if TYPE_CHECKING:
    from lockset.index.pages.file_groups import Described
    from lockset.index.pages.page_table import PageTable

__all__ = ["ScannedJson", "scan_json"]

_START = b'"files":['
# One file. `TEXT` is a string of JSON, `URL` the rest of one that is a URL.
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


# For files of ASCII without a backslash and without an @ (user info of a URL), which are nearly all; three times as
# fast.
_PLAIN = _pattern(rb'"[^"]*"', rb'[^"]*')
_CAREFUL = _pattern(rb'"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\]*)*"', rb'[^"\\@\x80-\xff]*')


def _either(data: bytes, position: int) -> re.Match[bytes] | None:
    """The file at this position of any page; by the fast pattern where nothing in the file needs the careful one."""
    found = _PLAIN.match(data, position)
    if found is not None:
        file = found[0]
        if file.isascii() and b"\\" not in file and b"@" not in file:
            return found
    return _CAREFUL.match(data, position)


# What no string of JSON holds (or none of a usual page), and no page between its values.
_CONTROLS = tuple(bytes([code]) for code in (*range(32), 127))
_NOT_YANKED = frozenset({b"false", b'""'})
_COMMA = 0x2C


def scan_json(data: bytes, *, name: str, page_url: str, packed: bytes = b"") -> ScannedJson | None:
    """What `json.loads(data)` would tell of a page, its files as a table; None where `json` has to read it.

    `packed` is the page as it came, where it came compressed: the table keeps that, and the files of the newest
    versions, in place of the whole page.
    """
    start = data.find(_START) + len(_START)
    if start < len(_START) or not _is_plain_text(data):
        return None
    files = ScannedFiles(name, _described)
    plain = data.isascii() and b"\\" not in data and b"@" not in data
    end = files.take(data, start, _PLAIN.match if plain else _either)
    if end is None or data[end : end + 1] != b"]" or (end > start and data[end - 1] == _COMMA):
        return None
    files.close(end + 1)
    rest = _rest(data[:start], data[end:])
    return None if rest is None else ScannedJson(rest, files.table(data, page_url=page_url, packed=packed))


class ScannedJson(NamedTuple):
    """A page: everything but its files, as `json` reads it, and the table of its files."""

    rest: dict[str, Any]
    table: PageTable


def _described(told: Described) -> tuple[str | None, bool]:
    python, yanked = told
    return json.loads(python or b"null"), yanked not in _NOT_YANKED


def _is_plain_text(data: bytes) -> bool:
    """Whether `json` would read the bytes as UTF-8, and find no control character."""
    if any(control in data for control in _CONTROLS):
        return False
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True


def _rest(before: bytes, after: bytes) -> dict[str, Any] | None:
    """The page without its files, where nothing about it is ambiguous."""
    if b"\\" in before or b"\\" in after or before.count(b'"files"') + after.count(b'"files"') != 1:
        return None
    try:
        page = json.loads(before + after)
    except (ValueError, RecursionError):
        return None
    return page if isinstance(page, dict) and page.get("files") == [] else None
