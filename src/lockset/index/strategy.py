"""Combine several indexes into one page per project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.index.filenames import parse_version
from lockset.index.pages.page_table import PageTable, TableBuilder
from lockset.index.pages.project_page import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

__all__ = ["IndexOrder", "first_match", "join_tables"]


class IndexOrder:
    """Collects the pages of the indexes in order, and says when no further index is needed."""

    def __init__(self, strategy: str) -> None:
        self._strategy = strategy
        self._tables: list[PageTable] = []

    def take(self, table: PageTable | None) -> bool:
        """Add the page of the next index (None if it does not have the project); True if no further one is needed."""
        if table is not None:
            self._tables.append(table)
        return bool(self._tables) and self._strategy == "first-index"

    def answer(self, flat: Sequence[PageTable]) -> PageTable | None:
        """The combined page with the files of flat sources; None if no source has the project."""
        indexes = self._tables if self._strategy != "unsafe-first-match" else first_match(self._tables, flat)
        tables = [*(table for table in flat if table.versions), *indexes]
        if not tables:
            return None
        return tables[0] if len(tables) == 1 else join_tables(tables)

    def numbers(self, flat: Sequence[PageTable]) -> dict[Version, int]:
        """For each version the number of the first index that has it, which is 0 for those of flat sources.

        Empty if only one index has the project.
        """
        if len(self._tables) < 2:
            return {}
        numbers = dict.fromkeys(_versions(flat), 0)
        for number, table in enumerate(self._tables):
            for version in _versions([table]):
                numbers.setdefault(version, number)
        return numbers

    @property
    def index_urls(self) -> tuple[str, ...]:
        """The addresses of the indexes that have the project, in order."""
        return tuple(table.index_url for table in self._tables)


def _versions(tables: Iterable[PageTable]) -> list[Version]:
    return [version for table in tables for version in map(parse_version, table.versions) if version is not None]


def first_match(tables: Sequence[PageTable], flat: Sequence[PageTable] = ()) -> list[PageTable]:
    """The tables of indexes, each without the versions of earlier ones.

    Versions of `flat` sources count as those of the first index, which adds its files to them.
    """
    seen: set[Version] = set()
    kept = []
    for table in tables:
        versions = [parse_version(text) for text in table.versions]
        kept.append(_only(table, [at for at, version in enumerate(versions) if version not in seen]))
        seen.update(_versions([table] if kept[1:] else [table, *flat]))
    return kept


def _only(table: PageTable, positions: Sequence[int]) -> PageTable:
    """The table with the versions at `positions`, which ascend."""
    listed = len(table.blobs)
    return table._replace(
        versions=tuple(table.versions[at] for at in positions),
        flags=bytes(table.flags[at] for at in positions),
        python_ids=tuple(table.python_ids[at] for at in positions),
        blobs=tuple(table.blobs[at] for at in positions if at < listed),
        spans=tuple(table.spans[at - listed] for at in positions if at >= listed),
    )


def join_tables(tables: Iterable[PageTable]) -> PageTable:
    """One table with the files of all `tables`; of two files with the same name, the first one is used.

    Its URL is that of the last table: flat sources come first, and are not an index. Its status is the first one
    given, but a project that one of the sources has quarantined is quarantined.
    """
    listed = list(tables)
    builder = TableBuilder(listed[0].name)
    for table in listed:
        builder.refused += table.refused
        rows = Rows(table)
        for at in range(len(table.versions)):
            for values in rows.of(at):
                builder.add(*values)
    marked = [table for table in listed if table.status]
    marked.sort(key=lambda table: table.status != "quarantined")
    status, reason = (marked[0].status, marked[0].status_reason) if marked else (None, None)
    return builder.build(index_url=listed[-1].index_url, status=status, status_reason=reason)
