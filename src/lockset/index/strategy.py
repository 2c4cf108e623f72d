"""Several indexes, one answer per project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.index.pages.file_rows import Rows
from lockset.index.pages.page_table import PageTable, TableBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.index.options import IndexOptions, IndexSource

__all__ = ["IndexOrder", "join_tables", "sources_for"]


def sources_for(project: str, options: IndexOptions) -> tuple[IndexSource, ...]:
    """The indexes that may answer for normalised `project`, in the order of asking.

    A pinned project is asked for at its index only; explicit indexes are asked for nothing else.
    """
    pin = options.pins.get(project)
    if pin is not None:
        return tuple(source for source in options.sources() if source.name == pin)
    return tuple(source for source in options.sources() if not source.explicit)


class IndexOrder:
    """Which answers decide, for one strategy: fed one by one in order, tells when no further one is needed."""

    def __init__(self, *, join_all: bool) -> None:
        self._join_all = join_all
        self._found: list[PageTable] = []

    def take(self, table: PageTable | None) -> bool:
        """Take the answer of the next index (None: it does not have the project); True when that settles it."""
        if table is not None:
            self._found.append(table)
        return bool(self._found) and not self._join_all

    def answer(self, flat: Sequence[PageTable]) -> PageTable | None:
        """The one answer, joined with what flat places have; None where nobody has the project."""
        found = [*(table for table in flat if table.versions), *self._found]
        if not found:
            return None
        return found[0] if len(found) == 1 else join_tables(found)


def join_tables(tables: Iterable[PageTable]) -> PageTable:
    """One table with the files of all; of two files with one name the first table's counts.

    It bears the URL of the last table: flat places come first, and are no index.
    """
    listed = list(tables)
    builder = TableBuilder(listed[0].name)
    for table in listed:
        builder.dropped += table.dropped
        builder.refused += table.refused
        rows = Rows(table)
        for at in range(len(table.versions)):
            for values in rows.of(at):
                builder.add(*values)
    status = next((table.status for table in listed if table.status), None)
    return builder.build(index_url=listed[-1].index_url, status=status)
