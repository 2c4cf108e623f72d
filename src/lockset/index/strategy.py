"""Combine several indexes into one page per project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.index.pages.page_table import PageTable, TableBuilder
from lockset.index.pages.project_page import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.index.options import IndexOptions, IndexSource

__all__ = ["IndexOrder", "join_tables", "sources_for"]


def sources_for(project: str, options: IndexOptions) -> tuple[IndexSource, ...]:
    """The indexes to use for the normalised name `project`, in order.

    A pinned project uses its index only; explicit indexes are used for pinned projects only.
    """
    pin = options.pins.get(project)
    if pin is not None:
        return tuple(source for source in options.sources() if source.name == pin)
    return tuple(source for source in options.sources() if not source.explicit)


class IndexOrder:
    """Collects the pages of the indexes in order, and says when no further index is needed."""

    def __init__(self, *, join_all: bool) -> None:
        self._join_all = join_all
        self._tables: list[PageTable] = []

    def take(self, table: PageTable | None) -> bool:
        """Add the page of the next index (None if it does not have the project); True if no further one is needed."""
        if table is not None:
            self._tables.append(table)
        return bool(self._tables) and not self._join_all

    def answer(self, flat: Sequence[PageTable]) -> PageTable | None:
        """The combined page with the files of flat sources; None if no source has the project."""
        tables = [*(table for table in flat if table.versions), *self._tables]
        if not tables:
            return None
        return tables[0] if len(tables) == 1 else join_tables(tables)


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
