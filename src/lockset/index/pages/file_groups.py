"""Group the files of a page by version, with their positions in the page's bytes.

A run uses only a few versions of most pages. So a scan only records what a table needs for each version; the values of
single files are decoded from the bytes of the page on first use (see `project_page`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.index.filenames import SDIST, WHEEL, FileNames, parse_version
from lockset.index.pages.page_table import (
    TABLE_FORMAT,
    PageTable,
    compact_ids,
    flags_of,
    group_equal_versions,
    join_spans,
)
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

    from packaging.version import Version

__all__ = ["ScannedFiles", "adjacent"]

# For a compressed page: bytes of the newest versions that are kept uncompressed, and the least number of versions.
_NEAR_BYTES = 64 * 1024
_NEAR_VERSIONS = 3

# Pieces of a page that have the requires-python of a file, and whether it is yanked.
Pieces = tuple[bytes, ...]


class _Group:
    """The files of one version."""

    __slots__ = ("all_yanked", "kinds", "python_ids", "spans", "text", "version")

    def __init__(self, text: str, version: Version) -> None:
        self.text = text
        self.version = version
        self.kinds = 0
        self.all_yanked = True
        self.python_ids: dict[int, None] = {}
        self.spans: list[int] = []  # start and end of each piece of the page, alternating

    def merge(self, other: _Group) -> None:
        """Add the files of an equal version that is spelled differently."""
        self.kinds |= other.kinds
        self.all_yanked = self.all_yanked and other.all_yanked
        self.python_ids |= other.python_ids
        self.spans += other.spans


class ScannedFiles:
    """Groups the files of a page for project `name` by version.

    `decode` returns the requires-python of a file (or None) and whether it is yanked, from the pieces of the page that
    a match has for these.
    """

    def __init__(self, name: str, decode: Callable[[Pieces], tuple[str | None, bool]]) -> None:
        self._decode = decode
        self._name = canonicalize_name(name)
        self._names = FileNames(self._name)
        self._starts: dict[bytes, _Group | None] = {}
        self._groups: dict[str, _Group | None] = {}
        self._python_ids: dict[str | None, int] = {}
        self._decoded: dict[Pieces, tuple[int, bool]] = {}
        self._current: _Group | None = None

    def take(self, runs: Iterable[re.Match[bytes]], start: int) -> int:
        """Add the files of a page, which begin at `start`, and return the position after the last one.

        A match is a run of files of one version that differ in nothing that a table needs, with the separator of one
        character after the last. Each begins where the one before it ends. Its groups are the start of the file names
        with project and version if they are common wheels, or else (None before) the name of the single file, without
        slash and of at most `LONGEST` characters; then the pieces to decode; and whether an sdist ends the run.
        """
        current: _Group | None = None
        run: re.Match[bytes] | None = None
        for run in runs:
            groups = run.groups()
            wheel, pieces = groups[0], groups[2:-1]
            group = self._of_other(groups[1]) if wheel is None else self._of_wheel(wheel)
            if group is not current:
                _switch(current, group, run.start())
                current = group
            if group is not None:
                self._learn(group, pieces)
                if groups[-1] is not None:
                    group.kinds |= SDIST
        self._current = current
        return start if run is None else run.end()

    def close(self, position: int) -> None:
        """End the last group; `position` is after the separator of the last file, present or not."""
        _switch(self._current, None, position)

    def _learn(self, group: _Group, pieces: Pieces) -> None:
        known = self._decoded.get(pieces)
        if known is None:
            python, yanked = self._decode(pieces)
            known = self._decoded[pieces] = (self._python_ids.setdefault(python, len(self._python_ids)), yanked)
        if not known[1]:
            group.all_yanked = False
        group.python_ids[known[0]] = None

    def _of_wheel(self, start: bytes) -> _Group | None:
        """The group of a wheel whose name starts with this project and version; None if it is another project's."""
        try:
            return self._starts[start]
        except KeyError:
            spelled, _, version = start.decode().partition("-")
            group = self._of_version(version, WHEEL) if self._names.belongs(spelled) else None
            self._starts[start] = group
            return group

    def _of_other(self, filename: bytes) -> _Group | None:
        """The group of a file that is not a common wheel; None if it belongs to another project."""
        parsed = self._names.version(filename.decode())
        return None if parsed is None else self._of_version(*parsed)

    def _of_version(self, text: str, kind: int) -> _Group | None:
        try:
            group = self._groups[text]
        except KeyError:
            version = parse_version(text)
            group = self._groups[text] = None if version is None else _Group(text, version)
        if group is not None:
            group.kinds |= kind
        return group

    def table(self, data: bytes, *, page_url: str, packed: bytes) -> PageTable:
        """The table of the added files of the page `data`."""
        groups = _newest_first([group for group in self._groups.values() if group is not None])
        spans = [tuple(group.spans) for group in groups]
        near = _unpacked_count(spans) if packed else len(spans)
        return PageTable(
            format=TABLE_FORMAT,
            name=self._name,
            index_url="",
            status=None,
            requires_pythons=tuple(self._python_ids),
            versions=tuple([group.text for group in groups]),
            flags=flags_of(groups),
            python_ids=tuple([compact_ids(group.python_ids) for group in groups]),
            blobs=tuple([join_spans(data, pieces) for pieces in spans[:near]]),
            refused=0,
            page_url=page_url,
            spans=tuple(spans[near:]),
            packed=packed if near < len(spans) else b"",
        )


def adjacent(
    match_at: Callable[[bytes, int], re.Match[bytes] | None], data: bytes, position: int
) -> Iterator[re.Match[bytes]]:
    """Matches from `position` on, each of which begins where the one before it ends."""
    while (match := match_at(data, position)) is not None:
        yield match
        position = match.end()


def _newest_first(groups: list[_Group]) -> list[_Group]:
    """The groups by version; those of equal versions (`1.0`, `1.0.0`) are merged into one of them."""
    merged: list[_Group] = []
    for alike in group_equal_versions(groups):
        first, *others = alike
        for other in others:
            first.merge(other)
        merged.append(first)
    return merged


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
