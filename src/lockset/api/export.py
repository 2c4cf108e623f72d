"""export(): a lock file as requirements, constraints or a bill of materials; nothing is written to disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.composition.conversions.export import FORMATS, Export, ExportOptions, export_lock
from lockset.composition.open_lock import open_lock
from lockset.composition.run_context import context_of
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from os import PathLike

    from lockset.composition.run_context import RunContext

__all__ = ["FORMATS", "Export", "ExportOptions", "export"]


def export(
    path: str | PathLike[str] | None,
    options: ExportOptions | None = None,
    *,
    context: RunContext | None = None,
) -> Export:
    """A lock file in another format; nothing is written: see `Export.write`.

    Args:
        path: The lock file; `-` is what `context.stdin` gives; None: the nearest pylock.toml.
        options: What is exported, and how.
        context: Folder, the time a bill of materials says it was made at, and the like.

    Raises:
        LocksetError: what is wrong with the file, unknown extras and groups, `library-missing`, `not-expressible`, or
            (`strict`) what would be lost.
    """
    options = check_argument("options", options, "ExportOptions | None") or ExportOptions()
    context = context_of(context)
    document = open_lock(path, context)
    location = document.path if document.path and path != "-" else "pylock.toml"
    name = options.name or Path(context.here, location).parent.name or "pylock"
    style = options.style
    if style.source == "pylock.toml":
        style = replace(style, source=Path(location).name)
    return export_lock(document.lock, replace(options, name=name, style=style), now=context.moment, location=location)
