"""Fast path for JSON pages as the public index writes them.

A page of ten thousand files has a hundred thousand values, of which a run needs a few dozen. So one pattern scans the
files, and records for each run of similar ones its position, version, requires-python and whether it is yanked; the
values of single files are decoded on first use. The pattern only matches valid JSON in the form that the public index
writes. All other pages are parsed by `json`, which is slower.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.index.filenames import LONGEST
from lockset.index.pages.file_groups import ScannedFiles, adjacent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.index.pages.file_groups import Pieces
    from lockset.index.pages.page_table import PageTable

__all__ = ["ScannedJson", "scan_json"]

_START = b'"files":['
# One file. `TEXT` is a JSON string, `URL` the rest of a JSON string with a URL.
_FILE = rb"""
\{
(?:"core-metadata":(?:false|true|\{(?:"sha256":TEXT)?\}),)?
(?:"data-dist-info-metadata":(?:false|true|\{(?:"sha256":TEXT)?\}),)?
"filename":"NAME",
(?:"gpg-sig":(?:false|true),)?
"hashes":\{"sha256":"[0-9A-Fa-f]{64}"\},
(?:"provenance":(?:null|TEXT),)?
"requires-python":PYTHON,
"size":(?:null|0|[1-9][0-9]{0,17}),
"upload-time":(?:null|TEXT),
"url":"(?:https?://[^][/"?#@\\]*(?=[/"?#])|/(?!/))URL",
"yanked":YANKED
\}
"""
_TAGS = rb"-(?:[0-9][A-Za-z0-9._]*-)?[A-Za-z0-9._]+-[A-Za-z0-9._]+-[A-Za-z0-9._]+\.whl"
_SHORT = rb'(?![^"]{%d})' % (LONGEST + 1)


# The same for the files that are nearly all on the public index: wheels with metadata, and sdists, which have none.
# Without optional parts, which cost a match as much again as the rest.
_USUAL_END = rb"""
"hashes":\{"sha256":"[0-9A-Fa-f]{64}"\},
"provenance":(?:null|TEXT),
"requires-python":PYTHON,
"size":[1-9][0-9]{0,17},
"upload-time":TEXT,
"url":"(?:https?://[^][/"?#@\\]*(?=[/"?#])|/(?!/))URL",
"yanked":YANKED
\}
"""
_USUAL_WHEEL = (
    rb"""
\{
"core-metadata":\{"sha256":TEXT\},
"data-dist-info-metadata":\{"sha256":TEXT\},
"filename":"NAME",
"""
    + _USUAL_END
)
_USUAL_SDIST = rb'\{"filename":"NAME",' + _USUAL_END
_WHEEL_NAME = _SHORT + rb"([A-Za-z0-9._]+-[A-Za-z0-9.!+_]+)" + _TAGS


def _run_pattern(text: bytes, url: bytes) -> re.Pattern[bytes]:
    """A pattern for one file, or for the wheels of a version and its sdist that follow each other and are alike.

    Its groups are those of `ScannedFiles.take`. Runs are limited, since a match takes memory for each file.
    """
    name = rb"(?:" + _WHEEL_NAME + rb'|([^"\\/]*))'
    return _pattern_of(name, _FILE, _FILE, {b"TEXT": text, b"URL": url})


def _pattern_of(first_name: bytes, wheel: bytes, sdist: bytes, parts: dict[bytes, bytes]) -> re.Pattern[bytes]:
    """A pattern for a run whose first file is of the form `wheel`, with `first_name`."""
    first = {b"NAME": first_name, b"PYTHON": b"(null|TEXT)", b"YANKED": b"(false|true|TEXT)"}
    same = {b"PYTHON": rb"\3", b"YANKED": rb"\4"}
    more = _filled(wheel, {b"NAME": _SHORT + rb"\1" + _TAGS, **same})
    last = _filled(sdist, {b"NAME": rb"(\1\.tar\.gz)", **same})
    run = _filled(wheel, first) + b"(?:," + more + b"){0,255}(?:," + last + rb")?(?:,|(?=\]))"
    return lazy_pattern(_filled(run, parts), re.VERBOSE)


def _filled(pattern: bytes, parts: dict[bytes, bytes]) -> bytes:
    for name, part in parts.items():
        pattern = pattern.replace(name, part)
    return pattern


# For files in ASCII without a backslash and without an @ (user info of a URL), which are nearly all: three times as
# fast.
_PLAIN = _run_pattern(rb'"[^"]*"', rb'[^"]*')
# The second group matches nothing: the first file is a wheel.
_USUAL = _pattern_of(_WHEEL_NAME + rb"(\0)?", _USUAL_WHEEL, _USUAL_SDIST, {b"TEXT": rb'"[^"]*"', b"URL": rb'[^"]*'})


@cache
def _careful_pattern() -> re.Pattern[bytes]:
    return _run_pattern(rb'"[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\]*)*"', rb'[^"\\@\x80-\xff]*')


_SPECIAL = lazy_pattern(rb"[\\@\x80-\xff]")


def _runs(data: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """The files from `start` on, by the fast pattern except for those that need the careful one."""
    if data.isascii() and b"\\" not in data and b"@" not in data:
        return adjacent(_plain_run, data, start)
    return _careful_runs(data, start)


def _plain_run(data: bytes, position: int) -> re.Match[bytes] | None:
    """The run at a position, by the fast patterns; a part of a run may be one, too."""
    return _USUAL.match(data, position) or _PLAIN.match(data, position)


def _careful_runs(data: bytes, position: int) -> Iterator[re.Match[bytes]]:
    careful, special = _careful_pattern(), _next_special(data, position)
    while True:
        run = _plain_run(data, position)
        if run is None or run.end() > special:
            run = careful.match(data, position)
            if run is None:
                return
            special = _next_special(data, run.end())
        yield run
        position = run.end()


def _next_special(data: bytes, position: int) -> int:
    """The position of the next character that the fast pattern cannot handle; the end of the page if there is none."""
    if data.isascii():
        return min([at for mark in (b"\\", b"@") if (at := data.find(mark, position)) != -1], default=len(data))
    match = _SPECIAL.search(data, position)
    return len(data) if match is None else match.start()


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
    end = files.take(_runs(data, start), start)
    if data[end : end + 1] != b"]" or (end > start and data[end - 1] == _COMMA):
        return None
    files.close(end + 1)
    rest = _rest(data[:start], data[end:])
    return None if rest is None else ScannedJson(rest, files.table(data, page_url=page_url, packed=packed))


class ScannedJson(NamedTuple):
    """A page: everything except its files, as parsed by `json`, and the table of its files."""

    rest: dict[str, Any]
    table: PageTable


def _decode(pieces: Pieces) -> tuple[str | None, bool]:
    python, yanked = pieces
    return json.loads(python), yanked not in _NOT_YANKED


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
