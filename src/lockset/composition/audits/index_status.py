"""The status of audited packages on the indexes: quarantined projects (PEP 792) and yanked releases (PEP 592)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset.composition.audits.report import PackageStatus
from lockset.composition.connections import query_indexes
from lockset.errors import LocksetError
from lockset.index.pages.project_status import one_line
from lockset.index.ports import ProjectNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.composition.audits.subjects import AuditedPackage, AuditSubject
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import ProjectDetail
    from lockset.index.ports import Index
    from lockset.sources.project import RootProject

__all__ = ["package_statuses"]


def package_statuses(
    subject: AuditSubject,
    indexes: IndexOptions | IndexOverrides | None,
    project: RootProject | None,
    context: RunContext,
) -> tuple[PackageStatus, ...]:
    """The packages that are quarantined or yanked, or whose page cannot be read, by name.

    Each package is looked up on the given index, else on the one that the lock file records for it, else on that of the
    project.
    """
    recorded = ((package, package.index) for package in subject.packages)
    statuses = query_indexes(recorded, partial(_statuses, context), indexes, project, context)
    return tuple(sorted(dict.fromkeys(statuses), key=lambda one: (one.kind, one.name, one.version)))


def _statuses(context: RunContext, packages: Sequence[AuditedPackage], index: Index) -> Iterator[PackageStatus]:
    index.hint(package.name for package in packages)
    context.heard.phase("Checking the index", total=len(packages))
    for package in packages:
        version = str(package.version)
        try:
            detail = index.project(package.name)
        except ProjectNotFound:
            message = f"The index has no project {package.name}"
            yield PackageStatus(kind="unknown", name=package.name, version=version, message=message)
            continue
        except LocksetError as error:
            message = f"The index page of {package.name} could not be read: {error.diagnostic.message}"
            yield PackageStatus(kind="unknown", name=package.name, version=version, message=message)
            continue
        yield from _status(package, version, detail)
        context.heard.step(package.name)


def _status(package: AuditedPackage, version: str, detail: ProjectDetail) -> Iterator[PackageStatus]:
    status = detail.project_status
    if status is not None and detail.is_quarantined:
        yield PackageStatus(kind="quarantined", name=package.name, version=version, message=status.text)
    elif isinstance(package.version, Version) and package.version in detail.yanked_versions:
        reasons = (file.yanked_reason for file in detail.files(package.version) if file.yanked_reason)
        reason = one_line(next(reasons, None))
        message = f"{package.name} {version} is yanked{f' ({reason})' if reason else ''}"
        yield PackageStatus(kind="yanked", name=package.name, version=version, message=message)
