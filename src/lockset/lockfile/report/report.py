"""A report on a lock file, as a value."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.lockfile.dependency_graph import build_graph
from lockset.lockfile.report.concerns import CONCERNS, Concern
from lockset.lockfile.report.health import PackageHealth, package_concerns, package_health
from lockset.lockfile.report.matrix import Matrix, build_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.model import Pylock
    from lockset.lockfile.report.concerns import ConcernName
    from lockset.lockfile.report.environments import ReportEnvironment
    from lockset.lockfile.report.health import IndexFacts
    from lockset.lockfile.report.matrix import Provision
    from lockset.lockfile.validate.finding import Issue

__all__ = ["LockReport", "make_report", "project_pages"]


@dataclass(frozen=True, kw_only=True)
class LockReport:
    """A report on a lock file: what each environment gets, and the health of its packages.

    Attributes:
        name: Name of the file, for headings.
        created_by: The tool that wrote the lock file.
        requires_python: As the lock file has it, or None.
        extras: The extras that it knows.
        groups: The dependency groups that it knows, including the default groups.
        default_groups: The default groups.
        made: When the report was made.
        online: Whether an index was queried.
        matrix: The file that each package has for each environment.
        packages: The health of each entry, in the order of the lock file.
        concerns: All concerns, the gravest kinds first.
        issues: Findings of `validate`; None if the file was not validated.
        unchecked: What the report does not say, and how to learn it; one sentence each.
        graph: The dependency graph.
        project_pages: Address of the page of a project, with `{name}` and `{version}`; None if there is none.
        default_index: The index whose packages have such pages.
    """

    name: str
    created_by: str
    requires_python: str | None
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    default_groups: tuple[str, ...]
    made: datetime
    online: bool
    matrix: Matrix
    packages: tuple[PackageHealth, ...]
    concerns: tuple[Concern, ...]
    issues: tuple[Issue, ...] | None
    unchecked: tuple[str, ...]
    graph: LockGraph
    project_pages: str | None = None
    default_index: str | None = None

    def of_kind(self, name: ConcernName) -> tuple[Concern, ...]:
        """The concerns of one kind."""
        return tuple(each for each in self.concerns if each.name == name)


def make_report(
    lock: Pylock,
    environments: tuple[ReportEnvironment, ...],
    *,
    name: str,
    now: datetime,
    issues: Sequence[Issue] | None,
    facts: Mapping[int, IndexFacts] | None,
    default_index: str,
    old_days: int,
) -> LockReport:
    """Make a report of `lock` at `now`, in UTC, with `name` for headings.

    Args:
        lock: The lock file.
        environments: The environments of the matrix.
        name: Name of the file.
        now: The current time.
        issues: Findings of `validate`; None if the file was not validated.
        facts: What an index says, by index in `packages`; None if it was not queried.
        default_index: URL of the default index.
        old_days: A version uploaded longer ago is old.
    """
    matrix, graph = build_matrix(lock, environments), build_graph(lock)
    concerns, packages = list[Concern](), list[PackageHealth]()
    order, provisions = list(CONCERNS), _by_entry(matrix)
    for number in range(len(lock.packages)):
        of_package = None if facts is None else facts.get(number)
        own = package_concerns(
            lock,
            number,
            provisions.get(number, ()),
            environments,
            of_package,
            default_index=default_index,
            old_before=now - timedelta(days=old_days),
        )
        sorted_own = tuple(sorted(own, key=lambda each: order.index(each.name)))
        concerns += sorted_own
        packages.append(package_health(lock, number, graph, of_package, sorted_own))
    concerns += _issue_concerns(issues or ())
    return LockReport(
        name=name,
        created_by=lock.created_by,
        requires_python=None if lock.requires_python is None else str(lock.requires_python),
        extras=tuple(lock.extras or ()),
        groups=tuple(dict.fromkeys([*(lock.dependency_groups or ()), *(lock.default_groups or ())])),
        default_groups=tuple(lock.default_groups or ()),
        made=now,
        online=facts is not None,
        matrix=matrix,
        packages=tuple(packages),
        concerns=tuple(sorted(concerns, key=lambda each: order.index(each.name))),
        issues=None if issues is None else tuple(issues),
        unchecked=tuple(_unchecked(lock, packages, graph, issues=issues, online=facts is not None)),
        graph=graph,
        project_pages=project_pages(default_index),
        default_index=default_index,
    )


def project_pages(index: str) -> str | None:
    """Address of the page of a release on `index`, with `{name}` and `{version}`; None if its URL is not the usual."""
    base, simple = index.rstrip("/"), "/simple"
    return f"{base.removesuffix(simple)}/project/{{name}}/{{version}}/" if base.endswith(simple) else None


def _by_entry(matrix: Matrix) -> dict[int, list[tuple[ReportEnvironment, Provision]]]:
    """What each entry has, with the environment."""
    provisions: dict[int, list[tuple[ReportEnvironment, Provision]]] = {}
    for row in matrix.rows:
        for environment, cell in zip(matrix.environments, row.cells, strict=True):
            for each in cell:
                provisions.setdefault(each.entry, []).append((environment, each))
    return provisions


def _issue_concerns(issues: Sequence[Issue]) -> list[Concern]:
    concerns = []
    names: tuple[tuple[str, ConcernName], ...] = (("error", "invalid"), ("warning", "warnings"))
    for severity, name in names:
        count = sum(issue.severity == severity for issue in issues)
        if count:
            detail = f"{count} {severity}{'s' if count > 1 else ''}"
            concerns.append(Concern(name=name, entry=None, detail=detail))
    return concerns


def _unchecked(
    lock: Pylock, packages: Sequence[PackageHealth], graph: LockGraph, *, issues: Sequence[Issue] | None, online: bool
) -> list[str]:
    sentences = []
    if not online:
        sentences.append("Newer versions, yanked versions and the status of projects: only with `--online`.")
    sentences.append("Known vulnerabilities: `lockset audit`.")
    if issues is None:
        sentences.append("The rules of `lockset validate`: the text of the lock file is not known.")
    if not graph.recorded and len(lock.packages) > 1:
        sentences.append(f"Which package requires which: {lock.created_by} recorded no dependencies.")
    elif not graph.requested and packages:
        sentences.append("Which requirements are the project's own: the lock file does not record them.")
    if unknown := sum(each.uploaded is None and each.source == "index" for each in packages):
        sentences.append(f"The age of {unknown} of {len(packages)} packages: no upload time is recorded.")
    if unknown := sum(each.size is None and each.source in {"index", "archive"} for each in packages):
        sentences.append(f"The size of {unknown} of {len(packages)} packages: it is not recorded.")
    sentences.append("Whether files can still be downloaded: `lockset validate --online`.")
    return sentences
