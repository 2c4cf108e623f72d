"""The files of a page where they stand in it, grouped by version: what a scan of a page's bytes leaves.

A run looks at a few versions of most pages. So what is noted of a file is what a table tells of its version; the
values of single files are decoded out of the page's own bytes when somebody asks for them (see `file_rows`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.index.filenames import LONGEST, WHEEL, FileNames, parse_version
from lockset.index.pages.file_rows import join_spans
from lockset.index.pages.page_table import ALL_YANKED, TABLE_FORMAT, PageTable, spelled_alike

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

__all__ = ["Described", "ScannedFiles"]

# Of a page that came compressed: bytes of the newest versions' files kept at hand, and the least number of versions.
_NEAR_BYTES = 64 * 1024
_NEAR_VERSIONS = 3

# What a scan noted behind the names of a file, in the bytes of the page.
Described = tuple["bytes | None", ...]


class _Group:
    """What is known of the files of one version."""

    __slots__ = ("all_yanked", "kinds", "python_ids", "spans")

    def __init__(self) -> None:
        self.kinds = 0
        self.all_yanked = True
        self.python_ids: dict[int, None] = {}
        self.spans: list[int] = []  # start and end of each piece of the page, in turn


class ScannedFiles:
    """Groups the files of a page for project `name` by version.

    `described` gives the requires-python (a value of its own, the text or None) and whether the file is yanked.
    """

    def __init__(self, name: str, described: Callable[[Described], tuple[str | None, bool]]) -> None:
        self._described = described
        self._name = canonicalize_name(name)
        self._names = FileNames(self._name)
        self._same: dict[bytes, bool] = {}
        self._groups: dict[bytes, _Group | None] = {}
        self._python_ids: dict[str | None, int] = {}
        self._learned: dict[Described, tuple[int, bool]] = {}
        self._open: _Group | None = None
        self._dropped = 0

    def take(self, data: bytes, start: int, match: Callable[[bytes, int], re.Match[bytes] | None]) -> int | None:
        """Take all files from `start` on; gives where the first thing stands that is none.

        `match` finds a file with its separator, one character. Its groups: the file name, and of a usual wheel the
        project and version in it; then whatever describes the file. None where two files have one name, or a name is
        none. Files of one version mostly follow one another and tell the same: these take a few comparisons each.
        """
        seen, count, position = set[bytes](), 0, start
        known: Described = ()
        group: _Group | None = None
        while (found := match(data, position)) is not None:
            groups = found.groups()
            filename, told = groups[0], groups[1:]
            count += 1
            seen.add(filename)
            if told != known or told[0] is None:
                known = told
                spelled, version = told[:2]
                other = self._of_wheel(spelled, version) if spelled is not None else self._of_other(filename)
                if other is not group:
                    _turn(group, other, position)
                    group = other
                if group is not None:
                    self._learn(group, told[2:])
            if group is None:
                self._dropped += 1
            position = found.end()
        self._open = group
        if len(seen) != count or any(b"/" in filename or len(filename) > LONGEST for filename in seen):
            return None
        return position

    def close(self, position: int) -> None:
        """The separator of the last file, which it may not have, stands or would stand before this position."""
        _turn(self._open, None, position)

    def _learn(self, group: _Group, told: Described) -> None:
        known = self._learned.get(told)
        if known is None:
            python, yanked = self._described(told)
            known = self._learned[told] = (self._python_ids.setdefault(python, len(self._python_ids)), yanked)
        if not known[1]:
            group.all_yanked = False
        group.python_ids[known[0]] = None

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

    def table(self, data: bytes, *, page_url: str, packed: bytes) -> PageTable:
        """The table of what was taken of the page `data`."""
        known = {version.decode(): group for version, group in self._groups.items() if group is not None}
        texts = spelled_alike(known)
        alike = [[known[text] for text in same] for same in texts]
        spans = [tuple(span for group in groups for span in group.spans) for groups in alike]
        near = _near(spans) if packed else len(spans)
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
