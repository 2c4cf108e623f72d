"""lock(): a project to pylock.toml.

The requests of the first pages leave before what resolves is imported, so that both take place at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.dynamic_project import posed_problem
from lockset.progress import NullListener
from lockset.resolve.problem.lasting_choices import refuse_lost_groups
from lockset.resolve.problem.options import LockOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from lockset.composition.lock_assembly import Attest, LockResult
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.sources.project import RootProject

__all__ = ["LockOptions", "lock_project"]

# Opens a repository for file rules; closing it closes its connections.
Opener = "Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]"


def lock_project(
    project: RootProject,
    choices: LockOptions,
    *,
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    now: datetime,
    old: Pylock | None = None,
    folder: Path | None = None,
    verify: bool = False,
    one_environment: bool = False,
    listener: ProgressListener | None = None,
    attest: Attest | None = None,
) -> LockResult:
    """Lock `project` for all environments that it and `choices` support; nothing is written to disk.

    Args:
        project: The project to lock.
        choices: The options of the lock.
        open_repository: Opens the repository of releases (`lockset.composition.repositories`).
        now: The current time, for ages in `exclude-newer` and for maintained Pythons.
        old: The existing lock file, whose pins are tried first.
        folder: The absolute folder of the lock file, which its paths are relative to (None for the project's folder).
        verify: Compare the dependencies of all wheels of each version.
        one_environment: Lock for a single environment, resolved with resolvelib.
        listener: Receives progress.
        attest: Records the publishers of the files; None to keep those that `old` records.

    Raises:
        LocksetError: `no-resolution`, and errors of the network and of the input.
    """
    refuse_lost_groups(project, choices, old)
    heard = listener or NullListener()
    with posed_problem(
        project, choices, open_repository=open_repository, now=now, old=old, folder=folder, listener=heard
    ) as (_, problem, opened):
        if not one_environment:
            opened.hint(_first_names(problem))
        from lockset.composition.lock_assembly import resolve_and_assemble

        return resolve_and_assemble(
            *(project, choices, problem, opened),
            old=old,
            verify=verify,
            one_environment=one_environment,
            listener=heard,
            attest=attest,
        )


def _first_names(problem: ResolutionProblem) -> Iterator[str]:
    """The projects whose pages the search needs whatever it decides; none where sources may stand in for pages."""
    request = problem.request
    for root in () if problem.direct.concerned else request.roots:
        if not root.region.is_disjoint(request.universe):
            yield root.dependency.name
