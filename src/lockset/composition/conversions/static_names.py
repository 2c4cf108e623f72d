"""Learn the names of projects that a requirements file requires by URL or path alone. A conversion builds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.connections import connected
from lockset.composition.sources.source_reader import Sources
from lockset.resolve.problem.direct_source import source_of
from lockset.sources.requirements.requirement_line import missing_name_error

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.composition.run_context import RunContext
    from lockset.index.options import IndexOptions
    from lockset.sources.project import RequirementLine, RootProject

__all__ = ["with_static_names"]


def with_static_names(project: RootProject, indexes: IndexOptions, context: RunContext, *, folder: Path) -> RootProject:
    """`project` with the names that the files of repositories and archives state. Paths are relative to `folder`.

    Raises:
        LocksetError: A source cannot be fetched or read; `requirement-name` if only a build would show its name.
    """
    listener = context.heard
    with connected(indexes, context.cache_folder, listener) as connection:
        sources = Sources(
            connection.files,
            store=connection.cache,
            builder=None,
            may_build=_never,
            environ=context.process_variables,
            build_key=_unknown,
            fingerprint=str,
            now=context.moment.timestamp(),
        )

        def named(line: RequirementLine) -> RequirementLine:
            source = replace(source_of(line, base=project.base, folder=folder), name="")
            name = None
            if source.kind != "directory":
                listener.note(f"Reading {source.shown} to learn the name of its project")
                name = sources.static_name(source)
            if name is None:
                raise missing_name_error(line.text, line.origin, line.requirement.url or "")
            return line.with_name(name)

        lines = tuple(line if line.is_named else named(line) for line in project.dependencies)
    return replace(project, dependencies=lines)


def _never(_name: str) -> bool:
    return False


def _unknown(_name: str) -> None:
    return None
