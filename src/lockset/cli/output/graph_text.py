"""Entries of a lock file and their conditions, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import LockEntry

__all__ = ["condition_text", "entry_json"]


def condition_text(condition: str | None, out: Output) -> str:
    """Where something applies, dimmed, to stand behind it; nothing where it always does."""
    return "" if condition is None else " " + out.style(f"; {plain(condition)}", "dim", stdout=True)


def entry_json(entry: LockEntry) -> dict[str, str | None]:
    """One entry as JSON."""
    return {"name": entry.name, "version": entry.version, "marker": entry.condition}
