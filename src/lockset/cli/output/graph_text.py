"""Entries of a lock file and their conditions, for people and as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.cli.output.streams import Output
    from lockset.lockfile.dependency_graph import LockEntry, LockGraph

__all__ = ["condition_text", "entry_json", "entry_text", "requirements_without_markers"]


def condition_text(condition: str | None, out: Output) -> str:
    """Where something applies, dimmed, to stand behind it; nothing where it always does."""
    return "" if condition is None else " " + out.style(f"; {plain(condition)}", "dim", stdout=True)


def requirements_without_markers(graph: LockGraph, number: int) -> tuple[str, ...]:
    """The requirements of the project that an entry is locked for: `httpx[http2]>=0.27`; empty if there is none."""
    texts = (text.partition(" ;")[0].strip() for text in graph.requested.get(number, ()))
    return tuple(dict.fromkeys(texts))


def entry_text(graph: LockGraph, number: int, out: Output) -> str:
    """Name and version; of a requirement of the project, also its extras and, dimmed, its versions.

    For example `httpx[http2] 0.28.1 (>=0.27)`.
    """
    entry = graph.entries[number]
    requirements = [_split(text) for text in requirements_without_markers(graph, number)]
    extras = sorted({extra for names, _ in requirements for extra in names})
    versions = ", ".join(dict.fromkeys(text for _, text in requirements if text))
    version = f" {entry.version}" if entry.version is not None else ""
    shown = f"[{','.join(extras)}]" if extras else ""
    name = plain(f"{entry.name}{shown}{version}")
    return f"{name} {out.style(plain(f'({versions})'), 'dim', stdout=True)}" if versions else name


def _split(requirement: str) -> tuple[tuple[str, ...], str]:
    """The extras of a requirement, and what follows: the versions, or `@` and an address."""
    match = re.match(r"[\w.-]+\s*(?:\[([^\]]*)\])?\s*(.*)", requirement)
    if match is None:
        return (), ""
    names = (name.strip() for name in (match[1] or "").split(","))
    return tuple(name for name in names if name), match[2]


def entry_json(entry: LockEntry) -> dict[str, str | None]:
    """One entry as JSON."""
    return {"name": entry.name, "version": entry.version, "marker": entry.condition}
