"""Group the files of a page by version, with their positions in the page's bytes.

A run uses only a few versions of most pages. So a scan only records what a table needs for each version; the values of
single files are decoded from the bytes of the page on first use (see `project_page`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.index.filenames import LONGEST, WHEEL, FileNames, parse_version
from lockset.index.pages.page_table import ALL_YANKED, TABLE_FORMAT, PageTable, group_equal_versions, join_spans

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

__all__ = ["FileDescription", "ScannedFiles"]

# For a compressed page: bytes of the newest versions that are kept uncompressed, and the least number of versions.
_NEAR_BYTES = 64 * 1024
_NEAR_VERSIONS = 3

# What a scan records for a file after its name, as bytes of the page.
FileDescription = tuple["bytes | None", ...]


class _Group:
    """The files of one version."""

    __slots__ = ("all_yanked", "kinds", "python_ids", "spans")

    def __init__(self) -> None:
        self.kinds = 0
        self.all_yanked = True
        self.python_ids: dict[int, None] = {}
        self.spans: list[int] = []  # start and end of each piece of the page, alternating


class ScannedFiles:
    """Groups the files of a page for project `name` by version.

    `decode` returns the requires-python of a description (or None) and whether the file is yanked.
    """

    def __init__(self, name: str, decode: Callable[[FileDescription], tuple[str | None, bool]]) -> None:
        self._decode = decode
        self._name = canonicalize_name(name)
        self._names = FileNames(self._name)
        self._same: dict[bytes, bool] = {}
        self._groups: dict[bytes, _Group | None] = {}
        self._python_ids: dict[str | None, int] = {}
        self._decoded: dict[FileDescription, tuple[int, bool]] = {}
        self._current: _Group | None = None
        self._dropped = 0

    def take(self, data: bytes, start: int, match_file: Callable[[bytes, int], re.Match[bytes] | None]) -> int | None:
        """Add all files from `start` on, and return the position after the last one.

        `match_file` matches a file with its separator of one character. Its groups are the file name, for most wheels
        the project and version in it, and then the description of the file. The result is None if two files have the
        same name, or a name is not valid. Consecutive files of one version mostly have the same description, which
        takes only a few comparisons each.
        """
        seen, count, position = set[bytes](), 0, start
        known: FileDescription = ()
        group: _Group | None = None
        while (match := match_file(data, position)) is not None:
            groups = match.groups()
            filename, description = groups[0], groups[1:]
            count += 1
            seen.add(filename)
            if description != known or description[0] is None:
                known = description
                spelled, version = description[:2]
                other = self._of_wheel(spelled, version) if spelled is not None else self._of_other(filename)
                if other is not group:
                    _switch(group, other, position)
                    group = other
                if group is not None:
                    self._learn(group, description[2:])
            if group is None:
                self._dropped += 1
            position = match.end()
        self._current = group
        if len(seen) != count or b"/" in b"".join(seen) or max(map(len, seen), default=0) > LONGEST:
            return None
        return position

    def close(self, position: int) -> None:
        """End the last group; `position` is after the separator of the last file, present or not."""
        _switch(self._current, None, position)

    def _learn(self, group: _Group, description: FileDescription) -> None:
        known = self._decoded.get(description)
        if known is None:
            python, yanked = self._decode(description)
            known = self._decoded[description] = (self._python_ids.setdefault(python, len(self._python_ids)), yanked)
        if not known[1]:
            group.all_yanked = False
        group.python_ids[known[0]] = None

    def _of_wheel(self, spelled: bytes, version: bytes) -> _Group | None:
        """The group of a wheel; None if it belongs to another project."""
        same = self._same.get(spelled)
        if same is None:
            same = self._same[spelled] = self._names.belongs(spelled.decode())
        return self._of_version(version, WHEEL) if same else None

    def _of_other(self, filename: bytes) -> _Group | None:
        """The group of a file that is not a common wheel; None if it belongs to another project."""
        parsed = self._names.version(filename.decode())
        return None if parsed is None else self._of_version(parsed[0].encode(), parsed[1])

    def _of_version(self, version: bytes, kind: int) -> _Group | None:
        try:
            group = self._groups[version]
        except KeyError:
            group = self._groups[version] = None if parse_version(version.decode()) is None else _Group()
        if group is not None:
            group.kinds |= kind
        return group

    def table(self, data: bytes, *, page_url: str, packed: bytes) -> PageTable:
        """The table of the added files of the page `data`."""
        known = {version.decode(): group for version, group in self._groups.items() if group is not None}
        texts = group_equal_versions(known)
        alike = [[known[text] for text in same] for same in texts]
        spans = [tuple(span for group in groups for span in group.spans) for groups in alike]
        near = _unpacked_count(spans) if packed else len(spans)
        return PageTable(
            format=TABLE_FORMAT,
            name=self._name,
            index_url="",
            status=None,
            requires_pythons=tuple(self._python_ids),
            versions=tuple(same[0] for same in texts),
            flags=bytes(_flags(groups) for groups in alike),
            python_ids=tuple(tuple({at: None for group in groups for at in group.python_ids}) for groups in alike),
            blobs=tuple(join_spans(data, pieces) for pieces in spans[:near]),
            dropped=self._dropped,
            refused=0,
            page_url=page_url,
            spans=tuple(spans[near:]),
            packed=packed if near < len(spans) else b"",
        )


def _switch(group: _Group | None, other: _Group | None, position: int) -> None:
    """End the span of `group` before the separator, which is before `position`; start one of `other` at `position`."""
    if group is not None:
        group.spans.append(position - 1)
    if other is not None:
        other.spans.append(position)


def _unpacked_count(spans: list[tuple[int, ...]]) -> int:
    """How many of the newest versions are kept uncompressed."""
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
