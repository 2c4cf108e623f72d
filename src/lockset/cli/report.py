"""Values as text for people: what changed between two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.output import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.cli.output import Output
    from lockset.lockfile.diff import LockDiff

__all__ = ["change_lines"]


def change_lines(changes: LockDiff, out: Output) -> Iterator[str]:
    """One line for each package that changed: `+ name version`, `- name version`, `~ name old -> new`."""
    for change in changes.changes:
        name = plain(change.name)
        if change.old is None and change.new is not None:
            yield f"  {out.style('+', 'bold green')} {name} {change.new.version}"
        elif change.new is None and change.old is not None:
            yield f"  {out.style('-', 'bold red')} {name} {change.old.version}"
        elif change.old is not None and change.new is not None:
            if "version" in change.kinds:
                said = f"{change.old.version} -> {change.new.version}"
            else:
                said = f"{change.new.version} ({', '.join(change.kinds)})"
            yield f"  {out.style('~', 'bold yellow')} {name} {said}"
