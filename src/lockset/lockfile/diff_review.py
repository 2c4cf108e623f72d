"""The changes between two lock files, prepared for a review: what matters first, and what each environment gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.lockfile.dependency_graph import build_graph
from lockset.lockfile.diff import compare_locks
from lockset.lockfile.report.environments import environments_text
from lockset.lockfile.report.matrix import build_matrix
from lockset.lockfile.report.report import project_pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.diff import Change, LockDiff
    from lockset.lockfile.model import Package, Pylock
    from lockset.lockfile.report.environments import ReportEnvironment
    from lockset.lockfile.report.matrix import Matrix

__all__ = ["Alert", "ChangeStep", "DiffReview", "EnvironmentEffect", "ReviewedChange", "make_review"]

ChangeStep: TypeAlias = Literal["added", "removed", "major", "minor", "patch", "older", "other"]

# Parts of a publisher that say which file of a repository built a release; another one is no other publisher.
_MINOR_KEYS = frozenset({"workflow", "workflow_filepath", "environment", "claims"})
_FORGES = {"github": "https://github.com/", "gitlab": "https://gitlab.com/"}
_REPOSITORY = lazy_pattern(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A change that a reviewer must not miss.

    Attributes:
        kind: `hash` for other bytes under the same file name, `publisher` for another publisher.
        text: What exactly.
    """

    kind: Literal["hash", "publisher"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedChange:
    """One change.

    Attributes:
        change: The change.
        step: What happened to the version.
        direct: Whether the project itself requires the package; None if the lock files do not record that.
        where: The environments in which it matters, in words; None if it is unknown.
        markers: Where the old and the new entry are installed, as the shortest markers among the supported
            environments, with the default groups; None for everywhere, and for a missing entry.
        alerts: What is suspicious about it.
        links: Titles and addresses of pages about the package.
    """

    change: Change
    step: ChangeStep
    direct: bool | None
    where: str | None
    markers: tuple[str | None, str | None]
    alerts: tuple[Alert, ...]
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentEffect:
    """The changes in a default installation of some environments, which all change alike.

    Attributes:
        environments: In words.
        added: Names of packages that are new there.
        removed: Names of packages that are gone.
        changed: Names of packages with another version.
        bytes_before: Bytes to download, as far as sizes are locked.
        bytes_after: The same with the new lock file.
    """

    environments: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffReview:
    """The changes between two lock files.

    Attributes:
        old_name: Name of the old lock file, for headings.
        new_name: Name of the new one.
        diff: The changes, as `lockset.diff` returns them.
        changes: The same, those with alerts first, then direct ones, then by name.
        effects: What changes in each environment; without those in which nothing does.
    """

    old_name: str
    new_name: str
    diff: LockDiff
    changes: tuple[ReviewedChange, ...]
    effects: tuple[EnvironmentEffect, ...]

    def count(self, *steps: ChangeStep) -> int:
        """The number of changes of these kinds."""
        return sum(each.step in steps for each in self.changes)

    @property
    def alerts(self) -> tuple[tuple[ReviewedChange, Alert], ...]:
        """Every alert with its change."""
        return tuple((each, alert) for each in self.changes for alert in each.alerts)


def make_review(
    old: Pylock,
    new: Pylock,
    environments: tuple[ReportEnvironment, ...],
    *,
    names: tuple[str, str],
    default_index: str,
) -> DiffReview:
    """Compare `old` and `new`, called by `names`, in `environments`; `default_index` has the usual project pages."""
    changes = compare_locks(old, new)
    before, after = build_matrix(old, environments), build_matrix(new, environments)
    graph_old, graph_new = build_graph(old), build_graph(new)
    direct_old, direct_new = _direct(graph_old), _direct(graph_new)
    conditions = _conditions(old, graph_old) | _conditions(new, graph_new)
    places = _places(old, before, environments), _places(new, after, environments)
    attested = any(package.attestation_identities for package in new.packages)
    reviewed = [
        ReviewedChange(
            change=change,
            step=_step(change),
            direct=_is_direct(change, direct_old, direct_new),
            where=_where(change, places, environments),
            markers=_markers(change, conditions),
            alerts=tuple(_alerts(change, attested=attested)),
            links=tuple(_links(change, default_index)),
        )
        for change in changes.changes
    ]
    # Stable: by name among equals.
    reviewed.sort(key=lambda each: (not each.alerts, each.direct is not True))
    return DiffReview(
        old_name=names[0],
        new_name=names[1],
        diff=changes,
        changes=tuple(reviewed),
        effects=_effects(before, after, environments),
    )


def _direct(graph: LockGraph) -> frozenset[str] | None:
    """Names of what the project itself requires; None if that is not recorded."""
    return frozenset(graph.entries[number].name for number in graph.requested) if graph.requested else None


def _is_direct(change: Change, old: frozenset[str] | None, new: frozenset[str] | None) -> bool | None:
    if old is None and new is None:
        return None
    return change.name in (old or ()) or change.name in (new or ())


def _conditions(lock: Pylock, graph: LockGraph) -> dict[int, str | None]:
    """Identity of a package -> the shortest marker."""
    return {id(lock.packages[number]): entry.condition for number, entry in graph.entries.items()}


def _markers(change: Change, conditions: Mapping[int, str | None]) -> tuple[str | None, str | None]:
    def raw(package: Package | None) -> str | None:
        return None if package is None or package.marker is None else str(package.marker)

    def short(package: Package | None) -> str | None:
        return None if package is None else conditions.get(id(package), raw(package))

    old, new = short(change.old), short(change.new)
    # The texts of the file where the short ones hide the difference.
    return (raw(change.old), raw(change.new)) if old == new and "marker" in change.kinds else (old, new)


def _step(change: Change) -> ChangeStep:
    if change.old is None:
        return "added"
    if change.new is None:
        return "removed"
    old, new = change.old.version, change.new.version
    if old is None or new is None or old == new:
        return "other"
    if new < old:
        return "older"
    if (old.epoch, old.major) != (new.epoch, new.major):
        return "major"
    return "minor" if old.minor != new.minor else "patch"


def _places(
    lock: Pylock, matrix: Matrix, environments: tuple[ReportEnvironment, ...]
) -> Mapping[int, list[ReportEnvironment]]:
    """Identity of a package -> the environments that install it with some extras and groups."""
    places: dict[int, list[ReportEnvironment]] = {id(package): [] for package in lock.packages}
    for row in matrix.rows:
        for environment, cell in zip(environments, row.cells, strict=True):
            for each in cell:
                places[id(lock.packages[each.entry])].append(environment)
    return places


def _where(
    change: Change,
    places: tuple[Mapping[int, list[ReportEnvironment]], Mapping[int, list[ReportEnvironment]]],
    environments: tuple[ReportEnvironment, ...],
) -> str | None:
    named: list[ReportEnvironment] = []
    for package, known in ((change.new, places[1]), (change.old, places[0])):
        named += known.get(id(package), []) if package is not None else []
    names = {environment.name for environment in named}
    distinct = [environment for environment in environments if environment.name in names]
    return environments_text(distinct, environments) if distinct else None


def _alerts(change: Change, *, attested: bool) -> list[Alert]:
    alerts = [Alert(kind="hash", text=f"{name} has another hash under the same name") for name in change.files_changed]
    if change.old is None or change.new is None:
        return alerts
    old, new = _publishers(change.old), _publishers(change.new)
    if old and (new or attested) and not set(new) & set(old):
        after = ", ".join(new) or "nobody: the new files have no attestation"
        alerts.append(Alert(kind="publisher", text=f"was published by {', '.join(old)}, and now by {after}"))
    return alerts


def _publishers(package: Package) -> list[str]:
    """Each publisher in one line (PEP 740), without what may change with every release."""
    lines = []
    for identity in package.attestation_identities or ():
        facts = [str(value) for key, value in sorted(identity.items()) if key != "kind" and key not in _MINOR_KEYS]
        lines.append(" ".join([str(identity.get("kind", "")), *facts]).strip())
    return sorted(set(lines))


def _links(change: Change, default_index: str) -> list[tuple[str, str]]:
    package = change.new or change.old
    links: list[tuple[str, str]] = []
    if package is None:
        return links
    pages = project_pages(default_index)
    usual = package.index is None or package.index.rstrip("/") == default_index.rstrip("/")
    if pages is not None and usual and (package.wheels or package.sdist) and package.version is not None:
        links.append(("project", pages.format(name=package.name, version=package.version)))
    for identity in package.attestation_identities or ():
        if (repository := _repository(identity)) is not None:
            links += [("repository", repository), ("releases", _releases(repository))]
    if package.vcs is not None and package.vcs.url is not None:
        links.append(("repository", package.vcs.url))
    return list(dict.fromkeys(links))


def _repository(identity: Mapping[str, Any]) -> str | None:
    forge, repository = _FORGES.get(str(identity.get("kind", "")).lower()), identity.get("repository")
    if forge is None or not isinstance(repository, str) or not _REPOSITORY.fullmatch(repository):
        return None
    return f"{forge}{repository}"


def _releases(repository: str) -> str:
    return f"{repository}/-/releases" if repository.startswith(_FORGES["gitlab"]) else f"{repository}/releases"


def _effects(
    before: Matrix, after: Matrix, environments: tuple[ReportEnvironment, ...]
) -> tuple[EnvironmentEffect, ...]:
    """Environments with the same changes are one; those without changes are left out."""
    alike: dict[tuple[tuple[str, ...], ...], list[int]] = {}
    for column in range(len(environments)):
        old, new = _default_versions(before, column), _default_versions(after, column)
        changes = (
            tuple(sorted(new.keys() - old.keys())),
            tuple(sorted(old.keys() - new.keys())),
            tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
        )
        if any(changes):
            alike.setdefault(changes, []).append(column)
    return tuple(
        EnvironmentEffect(
            environments=environments_text([environments[column] for column in columns], environments),
            added=changes[0],
            removed=changes[1],
            changed=changes[2],
            bytes_before=max(before.default_sizes[column].size for column in columns),
            bytes_after=max(after.default_sizes[column].size for column in columns),
        )
        for changes, columns in alike.items()
    )


def _default_versions(matrix: Matrix, column: int) -> dict[str, tuple[str | None, ...]]:
    cells = ((row.name, [each for each in row.cells[column] if each.by_default]) for row in matrix.rows)
    return {name: tuple(each.version for each in cell) for name, cell in cells if cell}
