"""Names of projects that a requirements file requires by URL or path alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.indexes import resolve_indexes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.sources.project import RootProject

__all__ = ["static_naming"]


def static_naming(
    indexes: IndexOptions | IndexOverrides | None, context: RunContext, *, folder: Path
) -> Callable[[RootProject], RootProject]:
    """A function that adds the names that the sources state themselves; paths are relative to `folder`, absolute."""

    def named(project: RootProject) -> RootProject:
        from lockset.composition.conversions.static_names import with_static_names  # few files need it

        return with_static_names(project, resolve_indexes(indexes, project, context), context, folder=folder.absolute())

    return named
