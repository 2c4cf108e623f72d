"""Build a project's resolution problem, with the dynamic metadata that only its build backend knows (PEP 621)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.errors import BuildNeededError, LocksetError
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.direct_source import DirectSource, relative_path
from lockset.sources.dynamic_fields import with_built
from lockset.sources.other_tools import join_many_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.sources.dynamic_fields import DynamicFields
    from lockset.sources.project import RootProject

__all__ = ["posed_problem"]


@contextmanager
def posed_problem(
    project: RootProject,
    choices: LockOptions,
    *,
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    now: datetime,
    old: Pylock | None,
    folder: Path | None,
    listener: ProgressListener,
) -> Iterator[tuple[RootProject, ResolutionProblem, IndexRepository]]:
    """Yield the project with its dynamic metadata, its resolution problem, and an open repository.

    Raises:
        LocksetError: As `build_problem`, and `build-needed` if the project must be built and builds are off.
    """
    if project.unbuilt:
        project = _whole(project, choices, open_repository, now=now, old=old, folder=folder, listener=listener)
    question = build_problem(project, choices, old=old, now=now, folder=folder)
    with open_repository(question.rules, listener) as opened:
        yield project, question, opened


def _whole(
    project: RootProject,
    choices: LockOptions,
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    *,
    now: datetime,
    old: Pylock | None,
    folder: Path | None,
    listener: ProgressListener,
) -> RootProject:
    """`project` with the metadata of its build. Its Pythons and extras are not known before."""
    before = replace(choices, extras=None, all_extras=True)
    known = len(project.warnings)
    with open_repository(build_problem(project, before, old=old, now=now, folder=folder).rules, listener) as opened:
        for unbuilt in project.unbuilt:
            project = _built(project, unbuilt, opened, folder or project.base)
    for warning in project.warnings[known:]:
        listener.note(warning.message)
    return project


def _built(project: RootProject, unbuilt: DynamicFields, repository: IndexRepository, folder: Path) -> RootProject:
    """The project with the metadata of its build, read as for a folder that is required by path."""
    source = DirectSource(
        name=unbuilt.name,
        kind="directory",
        path=str(unbuilt.base),
        shown=relative_path(str(unbuilt.base), folder),
        location=unbuilt.location,
    )
    assert repository.sources is not None, "a repository for a project can read folders"
    try:
        metadata = repository.sources.read(source).metadata
    except BuildNeededError as error:
        raise _refused(unbuilt) from error
    return with_built(
        project,
        unbuilt,
        requires_dist=metadata.requires_dist,
        extras=metadata.provides_extra,
        requires_python=metadata.requires_python,
    )


def _refused(unbuilt: DynamicFields) -> LocksetError:
    files = f"lock the files that setuptools reads them from: `lockset lock {' '.join(unbuilt.files)}`"
    other = files if unbuilt.files else "write them in pyproject.toml"
    return BuildNeededError(
        f"The {join_many_names(unbuilt.keys)} of {unbuilt.name} are dynamic and need a build, but builds are off",
        location=unbuilt.location,
        hint=f"Allow builds for {unbuilt.name}, or {other}",
    )
