"""Reports on lock files: read and validate one and query indexes about its packages, or compare two."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from lockset.composition.maintenance.lock_revisions import open_pair
from lockset.composition.open_lock import open_revision
from lockset.errors import LocksetError
from lockset.index.options import DEFAULT_INDEX
from lockset.index.ports import ProjectNotFound
from lockset.lockfile.diff_review import make_review
from lockset.lockfile.model import Pylock
from lockset.lockfile.report.environments import report_environments
from lockset.lockfile.report.health import IndexFacts
from lockset.lockfile.report.report import make_report
from lockset.lockfile.validate.report import validate_document
from lockset.resolve.problem.python_range import maintained_pythons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import ProjectDetail
    from lockset.index.ports import Index
    from lockset.lockfile.diff_review import DiffReview
    from lockset.lockfile.model import Package
    from lockset.lockfile.read import Document
    from lockset.lockfile.report.options import ReportOptions
    from lockset.lockfile.report.report import LockReport
    from lockset.progress import ProgressListener

__all__ = ["facts_of_page", "report_on", "review_of"]


def report_on(
    lock: str | PathLike[str] | Pylock | None,
    options: ReportOptions,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> LockReport:
    """See `lockset.report`."""
    now = context.moment
    if isinstance(lock, Pylock):
        pylock, issues, name = lock, None, "lock file"
    else:
        document = open_revision(lock, context)
        pylock, name = document.lock, _name(document.path, context)
        # The name of a file is checked; a revision of git and the standard input have none.
        path = document.path if document.path is not None and os.path.exists(document.path) else None
        issues = validate_document(document.text, path=path, now=now).issues
    environments = report_environments(
        pylock, platforms=options.platforms, pythons=options.pythons, usual_pythons=_pythons(pylock, context)
    )
    # Before the network, which takes longer.
    facts = _facts(pylock, indexes, context) if options.online else None
    return make_report(
        pylock,
        environments,
        name=name,
        now=now,
        issues=issues,
        facts=facts,
        default_index=_default_index(indexes),
        old_days=options.old_days,
    )


def review_of(
    old: str | PathLike[str] | Pylock | None, new: str | PathLike[str] | Pylock | None, context: RunContext
) -> DiffReview:
    """See `lockset.review`."""
    (before, old_name), (after, new_name) = _pair(old, new, context)
    environments = report_environments(after, usual_pythons=_pythons(after, context))
    names = old_name or "old lock file", new_name or "new lock file"
    return make_review(before, after, environments, names=names, default_index=DEFAULT_INDEX)


def _pair(
    old: str | PathLike[str] | Pylock | None, new: str | PathLike[str] | Pylock | None, context: RunContext
) -> tuple[tuple[Pylock, str | None], tuple[Pylock, str | None]]:
    """Both lock files, each with its name if it has one."""
    if isinstance(old, Pylock) and isinstance(new, Pylock):
        return (old, None), (new, None)
    if isinstance(old, Pylock) or isinstance(new, Pylock):
        left, right = (
            (one, None) if isinstance(one, Pylock) else _named(open_revision(one, context), context)
            for one in (old, new)
        )
        return left, right
    before, after = open_pair(old, new, context)
    return _named(before, context), _named(after, context)


def _named(document: Document, context: RunContext) -> tuple[Pylock, str]:
    return document.lock, _name(document.path, context)


def _name(path: str | None, context: RunContext) -> str:
    """The path from the working folder; only the file's name if it is elsewhere, so that other folders stay private."""
    if path is None or not os.path.isabs(path):
        return path or "pylock.toml"
    below = os.path.relpath(path, context.here) if os.path.splitdrive(path)[0] == context.here.drive else os.pardir
    return os.path.basename(path) if below.startswith(os.pardir) else below.replace(os.sep, "/")


def _pythons(lock: Pylock, context: RunContext) -> tuple[str, ...]:
    """Minor versions to report on: all that were released if the lock file has a range, else the maintained ones."""
    if lock.requires_python is not None:
        return maintained_pythons(None)
    return maintained_pythons(context.moment.date())


def _default_index(indexes: IndexOptions | IndexOverrides | None) -> str:
    if indexes is None:
        return DEFAULT_INDEX
    named = getattr(indexes, "index_url", None) or getattr(indexes, "default_index", None)
    # Without the name that an override may have.
    return str(named).rpartition("=")[2] if named and "://" in str(named).rpartition("=")[2] else DEFAULT_INDEX


def _facts(lock: Pylock, indexes: IndexOptions | IndexOverrides | None, context: RunContext) -> dict[int, IndexFacts]:
    """What indexes say: the given one about all packages, else for each package the one that it names."""
    from lockset.composition.connections import query_indexes

    of_indexes = ((number, one.index) for number, one in enumerate(lock.packages) if one.wheels or one.sdist)
    return dict(query_indexes(of_indexes, partial(_facts_of_index, lock, context.heard), indexes, None, context))


def _facts_of_index(
    lock: Pylock, listener: ProgressListener, numbers: list[int], index: Index
) -> Iterator[tuple[int, IndexFacts]]:
    index.hint(lock.packages[number].name for number in numbers)
    listener.phase("Querying the index", total=len(numbers))
    for number in numbers:
        package = lock.packages[number]
        try:
            facts = facts_of_page(package, index.project(package.name))
        except ProjectNotFound:
            facts = IndexFacts(project_exists=False, version_exists=False)
        except LocksetError as error:
            facts = IndexFacts(problem=error.diagnostic.message)
        listener.step(package.name)
        yield number, facts


def facts_of_page(package: Package, page: ProjectDetail) -> IndexFacts:
    """The facts about a locked package on the page of its project."""
    finals = [version for version in page.versions if not version.is_prerelease and version not in page.yanked_versions]
    locked = package.version
    newer = [] if locked is None else [version for version in finals if version > locked]
    exists = locked is None or locked in page
    files = page.files(locked) if locked is not None and exists else ()
    times = [file.upload_time for file in files if file.upload_time is not None]
    yanked = None
    if files and all(file.yanked for file in files):
        yanked = next((file.yanked_reason for file in files if file.yanked_reason), "")
    return IndexFacts(
        version_exists=exists,
        newest=str(max(finals)) if finals else None,
        releases_behind=len(newer),
        yanked=yanked,
        status=page.status,
        uploaded=min(times, default=None),
    )
