"""The content of the cache, and what was removed from it, as tables and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.api.cache import KINDS
from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lockset.api.cache import CacheDamage, CacheEntry, Removal
    from lockset.cli.output.streams import Output

__all__ = ["bytes_text", "removal_json", "show_damages", "show_removal", "show_size", "size_json", "verify_json"]

_UNITS = ("B", "kB", "MB", "GB", "TB")
# The most damaged entries that are listed without --verbose.
_SHOWN = 10


def bytes_text(size: float) -> str:
    """A number of bytes, such as `812 B`, `4.2 kB` and `1.3 GB`."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.0f} {_UNITS[unit]}" if unit == 0 or size >= 100 else f"{size:.1f} {_UNITS[unit]}"


def _by_kind(entries: Sequence[CacheEntry]) -> dict[str, tuple[int, int, int]]:
    """Number, bytes and shared bytes for each kind of which there are entries."""
    kinds: dict[str, tuple[int, int, int]] = {}
    for kind in KINDS:
        own = [entry for entry in entries if entry.kind == kind]
        if own:
            kinds[kind] = (len(own), sum(e.size for e in own), sum(e.shared for e in own))
    return kinds


def show_size(folder: Path, entries: Sequence[CacheEntry], out: Output) -> None:
    """Show a table by kind, and the total."""
    rows = [
        (KINDS[kind], str(number), bytes_text(size + shared))  # type: ignore[index]
        for kind, (number, size, shared) in _by_kind(entries).items()
    ]
    total = sum(entry.size + entry.shared for entry in entries)
    rows.append(("total", str(len(entries)), bytes_text(total)))
    out.table(("kind", "entries", "size"), rows, stdout=True)
    shared = sum(entry.shared for entry in entries)
    if shared:
        out.line(f"{bytes_text(shared)} are shared with environments by hard links: removing them frees no space")
    out.line(f"The cache is {plain(str(folder))}")


def size_json(folder: Path, entries: Sequence[CacheEntry]) -> dict[str, Any]:
    """The sizes as JSON."""
    return {
        "folder": str(folder),
        "kinds": {
            kind: {"entries": number, "bytes": size + shared, "shared": shared}
            for kind, (number, size, shared) in _by_kind(entries).items()
        },
        "entries": len(entries),
        "bytes": sum(entry.size + entry.shared for entry in entries),
        "shared": sum(entry.shared for entry in entries),
    }


def show_removal(removal: Removal, out: Output, *, dry_run: bool) -> None:
    """Show what was removed, or would be."""
    for path, reason in removal.failed:
        out.warn(f"{path} cannot be removed: {reason}")
    if not removal.entries:
        out.line("Nothing to remove")
        return
    parts = [f"{number} {_noun(kind, number)}" for kind, (number, _, _) in _by_kind(removal.entries).items()]
    verb = "Would remove" if dry_run else "Removed"
    out.line(out.style(f"{verb} {', '.join(parts)}: {bytes_text(removal.size)}", "bold green"))
    shared = sum(entry.shared for entry in removal.entries)
    if shared:
        out.line(f"Environments keep {bytes_text(shared)} that they share with the cache by hard links")


def _noun(kind: str, number: int) -> str:
    words = {
        "wheels": ("unpacked wheel", "unpacked wheels"),
        "archives": ("archive", "archives"),
        "pages": ("index page", "index pages"),
        "metadata": ("entry of metadata", "entries of metadata"),
        "records": ("record", "records"),
        "temporary": ("leftover", "leftovers"),
    }
    return words[kind][number != 1]


def removal_json(folder: Path, removal: Removal, *, dry_run: bool) -> dict[str, Any]:
    """The removal as JSON."""
    return {
        "folder": str(folder),
        "dry-run": dry_run,
        "kinds": {kind: {"entries": number, "bytes": size} for kind, (number, size, _) in _kinds(removal).items()},
        "entries": len(removal.entries),
        "bytes": removal.size,
        "failed": [{"path": path, "reason": reason} for path, reason in removal.failed],
    }


def _kinds(removal: Removal) -> dict[str, tuple[int, int, int]]:
    return _by_kind(removal.entries)


def show_damages(count: int, damages: Sequence[CacheDamage], removal: Removal, out: Output, *, fix: bool) -> None:
    """Show the damaged entries."""
    shown = damages if out.verbose else damages[:_SHOWN]
    for damage in shown:
        out.data(f"{plain(damage.entry.path)}: {plain(damage.text)}")
    if len(damages) > len(shown):
        out.line(f"and {len(damages) - len(shown)} more (--verbose lists them)")
    for path, reason in removal.failed:
        out.warn(f"{path} cannot be removed: {reason}")
    checked = count_text(count, "entry").replace("entrys", "entries")
    if not damages:
        out.line(out.style(f"Checked {checked}: no damage", "bold green"))
    elif fix:
        out.line(f"Checked {checked}: removed {len(removal.entries)} of {len(damages)} damaged ones")
    else:
        out.line(f"Checked {checked}: {len(damages)} damaged; `lockset cache verify --fix` removes them")


def verify_json(folder: Path, count: int, damages: Sequence[CacheDamage], removal: Removal) -> dict[str, Any]:
    """The damaged entries as JSON."""
    removed = {entry.path for entry in removal.entries}
    return {
        "folder": str(folder),
        "entries": count,
        "damaged": [
            {"path": one.entry.path, "kind": one.entry.kind, "reason": one.text, "removed": one.entry.path in removed}
            for one in damages
        ],
    }
