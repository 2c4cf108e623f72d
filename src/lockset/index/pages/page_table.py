"""The compact form of a project page: what the cache stores, and how it is built from rows.

A table is a tuple of plain values that `marshal` can write. The files of each version are one blob of their own, so
that a stored page of ten thousand files is opened without touching more of them than are asked for.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.utils import canonicalize_name

from lockset.index.filenames import FileNames, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

__all__ = [
    "ALL_YANKED",
    "MARSHAL_VERSION",
    "TABLE_FORMAT",
    "PageTable",
    "Row",
    "TableBuilder",
    "is_table",
    "spelled_alike",
]

# Raised whenever the meaning of a table or row changes: stored tables of another format are misses.
TABLE_FORMAT = 8
# Flags of a version, beside the kinds of its files.
ALL_YANKED = 4
# Of the versions of marshal the last without references: with them, equal tables can be different bytes.
MARSHAL_VERSION = 2

# One file: URL, file name (None: the end of the URL), hashes (a sha256, or pairs), size, id of the requires-python
# text, upload time as text, yanked (None, or the reason, which may be empty), metadata (None, True: promised without
# a hash, or like hashes).
Row = tuple[str, "str | None", Any, "int | None", int, "str | None", "str | None", Any]


class PageTable(NamedTuple):
    """A project page as plain values; see the module for what they are for."""

    format: int
    name: str
    index_url: str
    status: str | None
    requires_pythons: tuple[str | None, ...]
    versions: tuple[str, ...]  # newest first, one spelling for equal versions
    flags: bytes  # per version
    python_ids: tuple[tuple[int, ...], ...]  # per version: ids into requires_pythons
    blobs: tuple[bytes, ...]  # per version: marshalled tuple of rows, or the page's own JSON or HTML of its files
    dropped: int  # links that name no file of the project
    refused: int  # links to where the page may not link
    page_url: str = ""  # what URLs in JSON are relative to
    spans: tuple[tuple[int, ...], ...] = ()  # for the versions after those of blobs: pieces of what is packed
    packed: bytes | memoryview = b""  # the page, compressed as it came


def is_table(value: object) -> bool:
    """Whether `value`, read back from a store, has the shape of a table of the present format."""
    if not (isinstance(value, tuple) and len(value) == len(PageTable._fields) and value[0] == TABLE_FORMAT):
        return False
    versions, flags, ids, blobs, spans = value[5], value[6], value[7], value[8], value[12]
    if not (isinstance(versions, tuple) and isinstance(flags, bytes) and isinstance(blobs, tuple)):
        return False
    if not (isinstance(ids, tuple) and isinstance(spans, tuple) and isinstance(value[13], bytes)):
        return False
    return len(versions) == len(flags) == len(ids) == len(blobs) + len(spans)


class _Group:
    """The files of one version, so far."""

    __slots__ = ("all_yanked", "files", "kinds")

    def __init__(self) -> None:
        self.files: dict[str, Row] = {}
        self.kinds = 0
        self.all_yanked = True


class TableBuilder:
    """Takes the links of one page, in any order, and groups them by version.

    Of two links with one file name the first counts. Links that name no file of the project are counted and dropped.
    Who finds a link that may not be followed counts it in `refused`.
    """

    def __init__(self, name: str) -> None:
        self.name = canonicalize_name(name)
        self.dropped = 0
        self.refused = 0
        self._names = FileNames(self.name)
        self._groups: dict[str, _Group] = {}
        self._python_ids: dict[str | None, int] = {}

    def add(  # noqa: PLR0917 (called for every link: keywords would cost a fifth of it)
        self,
        filename: str,
        url: str,
        hashes: object,
        size: int | None,
        requires_python: str | None,
        upload_time: str | None,
        yanked: str | None,
        metadata: object,
    ) -> None:
        """Take one link; values as `Row` describes them."""
        found = self._names.version(filename)
        if found is None:
            self.dropped += 1
            return
        version, kind = found
        group = self._groups.get(version)
        if group is None:
            if parse_version(version) is None:
                self.dropped += 1
                return
            group = self._groups[version] = _Group()
        files = group.files
        if filename in files:
            return
        if yanked is None:
            group.all_yanked = False
        group.kinds |= kind
        python_id = self._python_ids.get(requires_python)
        if python_id is None:
            python_id = self._python_ids[requires_python] = len(self._python_ids)
        stored = None if url.endswith(filename) and url[-len(filename) - 1] == "/" else filename
        files[filename] = (url, stored, hashes, size, python_id, upload_time, yanked, metadata)

    def build(self, *, index_url: str, status: str | None = None) -> PageTable:
        """The table of all links taken."""
        texts = self._merge_equal_versions()
        groups = [self._groups[text] for text in texts]
        rows = [tuple(group.files.values()) for group in groups]
        return PageTable(
            format=TABLE_FORMAT,
            name=self.name,
            index_url=index_url,
            status=status,
            requires_pythons=tuple(self._python_ids),
            versions=tuple(texts),
            flags=bytes(group.kinds | (ALL_YANKED if group.all_yanked else 0) for group in groups),
            python_ids=tuple(tuple({row[4]: None for row in group}) for group in rows),
            blobs=tuple(marshal.dumps(group, MARSHAL_VERSION) for group in rows),
            dropped=self.dropped,
            refused=self.refused,
        )

    def _merge_equal_versions(self) -> list[str]:
        """Texts of the versions, newest first; spellings of one version (`1.0`, `1.0.0`) become one group."""
        alike = spelled_alike(self._groups)
        for text, *further in alike:
            first = self._groups[text]
            for other in map(self._groups.__getitem__, further):
                first.files.update((name, row) for name, row in other.files.items() if name not in first.files)
                first.kinds |= other.kinds
                first.all_yanked = first.all_yanked and other.all_yanked
        return [texts[0] for texts in alike]


def spelled_alike(texts: Iterable[str]) -> list[list[str]]:
    """Texts of versions, newest first; spellings of one version (`1.0`, `1.0.0`) together, in one certain order."""
    # Pages are mostly in order, which makes the one sort by version quick; texts of one version are put in order after.
    found: list[list[str]] = []
    last = None
    for text in sorted(texts, key=_known_version, reverse=True):
        version = _known_version(text)
        if version == last:
            found[-1].append(text)
        else:
            found.append([text])
            last = version
    for alike in found:
        if len(alike) > 1:
            alike.sort(reverse=True)
    return found


def _known_version(text: str) -> Version:
    version = parse_version(text)
    assert version is not None, "only texts that parse were taken"
    return version
