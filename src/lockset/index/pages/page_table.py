"""The compact form of a project page, which the cache stores.

A table is a tuple of plain values for `marshal`. The files of each version are a separate blob, so that reading a
stored page of ten thousand files only decodes those that are needed.
"""

from __future__ import annotations

import marshal
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lockset._named_tuple import NamedTuple
from lockset.index.filenames import FileNames, parse_version
from lockset.index.pages.stored_parts import StoredBlobs, StoredBytes, StoredSpans
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

__all__ = [
    "ALL_YANKED",
    "MARSHAL_VERSION",
    "PRERELEASE",
    "TABLE_FORMAT",
    "PageTable",
    "Row",
    "TableBuilder",
    "compact_ids",
    "flags_of",
    "group_equal_versions",
    "in_memory",
    "is_table",
    "join_spans",
]

# Increment with every change of tables or rows: stored tables of another format are ignored.
TABLE_FORMAT = 14
# Flags of a version, besides the kinds of its files.
ALL_YANKED, PRERELEASE = 4, 8
# The last version of marshal without references, which could give equal tables different bytes.
MARSHAL_VERSION = 2

# One file: URL, file name (None: the end of the URL), hashes (a sha256, or pairs), size, id of the requires-python
# text, upload time as text, yanked (None, or the reason, which may be empty), metadata (None, True: promised without
# a hash, or like hashes), URL of the provenance (PEP 740) or None.
Row = tuple[str, "str | None", Any, "int | None", int, "str | None", "str | None", Any, "str | None"]


# Ids into `requires_pythons`: the one of most versions, or those of a version whose files differ.
PythonIds = int | tuple[int, ...]


class PageTable(NamedTuple):
    """A project page as plain values, but for parts of a stored page that are not read yet: see `in_memory`."""

    format: int
    name: str
    index_url: str
    status: str | None
    requires_pythons: tuple[str | None, ...]
    versions: tuple[str, ...]  # newest first, one spelling for equal versions
    flags: bytes  # per version
    python_ids: tuple[PythonIds, ...]  # per version
    blobs: Sequence[bytes]  # per version: marshalled tuple of rows, or the page's own JSON or HTML of its files
    refused: int  # links that the page must not contain
    page_url: str = ""  # the base of URLs in JSON
    spans: Sequence[tuple[int, ...]] = ()  # for the versions after those of blobs: pieces of the packed page
    packed: bytes | memoryview | StoredBytes = b""  # the page, compressed as received
    status_reason: str | None = None


def is_table(value: object) -> bool:
    """Whether `value`, read from a store, has the structure of a table of the current format."""
    if not (isinstance(value, tuple) and len(value) == len(PageTable._fields) and value[0] == TABLE_FORMAT):
        return False
    versions, flags, ids, blobs, spans = value[5], value[6], value[7], value[8], value[11]
    if not (isinstance(versions, tuple) and isinstance(flags, bytes) and isinstance(blobs, tuple | StoredBlobs)):
        return False
    if not (isinstance(ids, tuple) and isinstance(spans, tuple | StoredSpans)):
        return False
    if not isinstance(value[12], bytes | StoredBytes):
        return False
    return len(versions) == len(flags) == len(ids) == len(blobs) + len(spans)


def in_memory(table: PageTable) -> PageTable:
    """The table as plain values, all of them read and checked.

    Raises:
        DamagedPartError: A part of a stored page is damaged.
    """
    return table._replace(blobs=tuple(table.blobs), spans=tuple(table.spans), packed=bytes(table.packed))


def compact_ids(ids: Iterable[int]) -> PythonIds:
    """The ids of one version in the form of a table."""
    every = tuple(ids)
    return every[0] if len(every) == 1 else every


def join_spans(page: bytes, spans: tuple[int, ...]) -> bytes:
    """The pieces of a page with one version's files, as a list without brackets."""
    if len(spans) == 2:
        return page[spans[0] : spans[1]]
    return b",".join([page[start:end] for start, end in zip(spans[::2], spans[1::2], strict=True)])


class VersionGroup(Protocol):
    """The files of one version: its text in the file names, the parsed version, and what its flags say."""

    text: str
    version: Version
    kinds: int
    all_yanked: bool


def flags_of(groups: Iterable[VersionGroup]) -> bytes:
    """The flags of each version."""
    return bytes(
        [
            group.kinds | (ALL_YANKED if group.all_yanked else 0) | (PRERELEASE if group.version.is_prerelease else 0)
            for group in groups
        ]
    )


G = TypeVar("G", bound=VersionGroup)


class _Group:
    """The files of one version."""

    __slots__ = ("all_yanked", "files", "kinds", "python_ids", "text", "version")

    def __init__(self, text: str, version: Version) -> None:
        self.text = text
        self.version = version
        self.files: dict[str, Row] = {}
        self.python_ids: dict[int, None] = {}
        self.kinds = 0
        self.all_yanked = True


class TableBuilder:
    """Collects the links of one page, in any order, and groups them by version.

    Of two links with the same file name, the first one is used; both count as to whether a version is yanked. Links to
    files that do not belong to the project are left out. The caller counts links that are not allowed in `refused`.
    """

    def __init__(self, name: str) -> None:
        self.name = canonicalize_name(name)
        self.refused = 0
        self._names = FileNames(self.name)
        self._groups: dict[str, _Group] = {}
        self._python_ids: dict[str | None, int] = {}

    def add(  # noqa: PLR0917 (called for every link, and keywords would take a fifth longer)
        self,
        filename: str,
        url: str,
        hashes: object,
        size: int | None,
        requires_python: str | None,
        upload_time: str | None,
        yanked: str | None,
        metadata: object,
        provenance: str | None = None,
    ) -> None:
        """Add one link; see `Row` for the values."""
        parsed = self._names.version(filename)
        if parsed is None:
            return
        text, kind = parsed
        group = self._groups.get(text)
        if group is None:
            version = parse_version(text)
            if version is None:
                return
            group = self._groups[text] = _Group(text, version)
        # What a page says of one file twice counts twice, as for scanned pages, where nobody looks for doubles.
        if yanked is None:
            group.all_yanked = False
        group.kinds |= kind
        python_id = self._python_ids.get(requires_python)
        if python_id is None:
            python_id = self._python_ids[requires_python] = len(self._python_ids)
        group.python_ids[python_id] = None
        files = group.files
        if filename in files:
            return
        stored = None if url.endswith(filename) and url[-len(filename) - 1] == "/" else filename
        files[filename] = (url, stored, hashes, size, python_id, upload_time, yanked, metadata, provenance)

    def build(self, *, index_url: str, status: str | None = None, status_reason: str | None = None) -> PageTable:
        """The table of all added links."""
        groups = self._merge_equal_versions()
        return PageTable(
            format=TABLE_FORMAT,
            name=self.name,
            index_url=index_url,
            status=status,
            requires_pythons=tuple(self._python_ids),
            versions=tuple(group.text for group in groups),
            flags=flags_of(groups),
            python_ids=tuple(compact_ids(group.python_ids) for group in groups),
            blobs=tuple(marshal.dumps(tuple(group.files.values()), MARSHAL_VERSION) for group in groups),
            refused=self.refused,
            status_reason=status_reason,
        )

    def _merge_equal_versions(self) -> list[_Group]:
        """The groups, newest first; those of equal versions (`1.0`, `1.0.0`) are merged."""
        alike = group_equal_versions(self._groups.values())
        for first, *others in alike:
            for other in others:
                first.files.update((name, row) for name, row in other.files.items() if name not in first.files)
                first.python_ids |= other.python_ids
                first.kinds |= other.kinds
                first.all_yanked = first.all_yanked and other.all_yanked
        return [groups[0] for groups in alike]


def group_equal_versions(groups: Iterable[G]) -> list[list[G]]:
    """Bring groups of equal versions (`1.0`, `1.0.0`) together, newest first, in a deterministic order."""
    # Pages are mostly sorted, which makes sorting by version fast; equal versions are sorted by text afterwards.
    together: list[list[G]] = []
    last = None
    for group in sorted(groups, key=attrgetter("version"), reverse=True):
        if group.version == last:
            together[-1].append(group)
        else:
            together.append([group])
            last = group.version
    for alike in together:
        if len(alike) > 1:
            alike.sort(key=attrgetter("text"), reverse=True)
    return together
