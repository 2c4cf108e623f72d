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

from packaging.utils import canonicalize_name

from lockset.index.file_name import LONGEST, WHEEL, FileNames, parse_version
from lockset.index.rows import joined
from lockset.index.table import ALL_YANKED, TABLE_FORMAT, Table, spelled_alike

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Scanned", "scan_json"]

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
# Of a page that came compressed: bytes of the newest versions' files kept at hand, and the least number of versions.
_NEAR_BYTES = 64 * 1024
_NEAR_VERSIONS = 3


def scan_json(data: bytes, *, name: str, page_url: str, packed: bytes = b"") -> Scanned | None:
    """What `json.loads(data)` would tell of a page, its files as a table; None where `json` has to read it.

    `packed` is the page as it came, where it came compressed: the table keeps that, and the files of the newest
    versions, in place of the whole page.
    """
    start = data.find(_START) + len(_START)
    if start < len(_START) or not _is_plain_text(data):
        return None
    files = _Files(name)
    plain = data.isascii() and b"\\" not in data and b"@" not in data
    end = files.take(data, start, _PLAIN.match if plain else _either)
    rest = None if end is None else _rest(data[:start], data[end:])
    return None if rest is None else Scanned(rest, files.table(data, page_url=page_url, packed=packed))


class Scanned(NamedTuple):
    """A page: everything but its files, as `json` reads it, and the table of its files."""

    rest: dict[str, Any]
    table: Table


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


class _Group:
    """What is known of the files of one version."""

    __slots__ = ("all_yanked", "kinds", "python_ids", "spans")

    def __init__(self) -> None:
        self.kinds = 0
        self.all_yanked = True
        self.python_ids: dict[int, None] = {}
        self.spans: list[int] = []  # start and end of each piece of the page, in turn


class _Files:
    """Groups the files of a page by version."""

    def __init__(self, name: str) -> None:
        self._name = canonicalize_name(name)
        self._names = FileNames(self._name)
        self._same: dict[bytes, bool] = {}
        self._groups: dict[bytes, _Group | None] = {}
        self._python_ids: dict[bytes, int] = {}
        self._dropped = 0

    def take(self, data: bytes, start: int, match: Callable[[bytes, int], re.Match[bytes] | None]) -> int | None:
        """Take all files from `start` on; gives where the bracket is that ends them, None for what is not expected.

        Files of one version mostly follow one another and tell the same: these take a few comparisons each.
        """
        seen, count, position = set[bytes](), 0, start
        known: tuple[bytes | None, ...] = ()
        group: _Group | None = None
        while (found := match(data, position)) is not None:
            filename, spelled, version, python, yanked = found.groups()
            count += 1
            seen.add(filename)
            told = (spelled, version, python, yanked)
            if told != known or spelled is None:
                known = told
                other = self._of_wheel(spelled, version) if spelled is not None else self._of_other(filename)
                if other is not group:
                    _turn(group, other, position)
                    group = other
                if group is not None:
                    self._learn(group, python, yanked)
            if group is None:
                self._dropped += 1
            position = found.end()
        if data[position : position + 1] != b"]" or (count and data[position - 1] == _COMMA) or len(seen) != count:
            return None
        _turn(group, None, position + 1)
        return None if any(b"/" in filename or len(filename) > LONGEST for filename in seen) else position

    def _learn(self, group: _Group, python: bytes, yanked: bytes) -> None:
        if yanked in _NOT_YANKED:
            group.all_yanked = False
        group.python_ids[self._python_ids.setdefault(python, len(self._python_ids))] = None

    def _of_wheel(self, spelled: bytes, version: bytes) -> _Group | None:
        """The group of a wheel; None where it is none of the project's."""
        same = self._same.get(spelled)
        if same is None:
            same = self._same[spelled] = self._names.belongs(spelled.decode())
        return self._of_version(version, WHEEL) if same else None

    def _of_other(self, filename: bytes) -> _Group | None:
        """The group of a file whose name is not that of a usual wheel; None where it is none of the project's."""
        told = self._names.version(filename.decode())
        return None if told is None else self._of_version(told[0].encode(), told[1])

    def _of_version(self, version: bytes, kind: int) -> _Group | None:
        try:
            group = self._groups[version]
        except KeyError:
            group = self._groups[version] = None if parse_version(version.decode()) is None else _Group()
        if group is not None:
            group.kinds |= kind
        return group

    def table(self, data: bytes, *, page_url: str, packed: bytes) -> Table:
        """The table of what was taken of the page `data`."""
        known = {version.decode(): group for version, group in self._groups.items() if group is not None}
        texts = spelled_alike(known)
        alike = [[known[text] for text in same] for same in texts]
        spans = [tuple(span for group in groups for span in group.spans) for groups in alike]
        near = _near(spans) if packed else len(spans)
        return Table(
            format=TABLE_FORMAT,
            name=self._name,
            index_url="",
            status=None,
            requires_pythons=tuple(json.loads(text) for text in self._python_ids),
            versions=tuple(same[0] for same in texts),
            flags=bytes(_flags(groups) for groups in alike),
            python_ids=tuple(tuple({at: None for group in groups for at in group.python_ids}) for groups in alike),
            blobs=tuple(joined(data, pieces) for pieces in spans[:near]),
            dropped=self._dropped,
            refused=0,
            page_url=page_url,
            spans=tuple(spans[near:]),
            packed=packed if near < len(spans) else b"",
        )


def _turn(group: _Group | None, other: _Group | None, position: int) -> None:
    """The files of one version end before the comma or bracket before `position`, and those of another begin there."""
    if group is not None:
        group.spans.append(position - 1)
    if other is not None:
        other.spans.append(position)


def _near(spans: list[tuple[int, ...]]) -> int:
    """How many of the newest versions are kept unpacked."""
    left = _NEAR_BYTES
    for at, pieces in enumerate(spans):
        left -= sum(pieces[1::2]) - sum(pieces[::2])
        if left < 0 and at >= _NEAR_VERSIONS:
            return at
    return len(spans)


def _flags(groups: list[_Group]) -> int:
    kinds = 0
    for group in groups:
        kinds |= group.kinds
    return kinds | (ALL_YANKED if all(group.all_yanked for group in groups) else 0)


def _rest(before: bytes, after: bytes) -> dict[str, Any] | None:
    """The page without its files, where nothing about it is ambiguous."""
    if b"\\" in before or b"\\" in after or before.count(b'"files"') + after.count(b'"files"') != 1:
        return None
    try:
        page = json.loads(before + after)
    except (ValueError, RecursionError):
        return None
    return page if isinstance(page, dict) and page.get("files") == [] else None
