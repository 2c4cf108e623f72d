"""The health of each package of a lock file: source, files, age, and what an index says about it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_version
from lockset.hashes import STRONG_ALGORITHMS
from lockset.lockfile.model import PackageDirectory, PackageVcs, artifacts, file_name
from lockset.lockfile.report.concerns import Concern
from lockset.lockfile.report.environments import environments_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.model import File, Package, Pylock
    from lockset.lockfile.report.concerns import ConcernName
    from lockset.lockfile.report.environments import ReportEnvironment
    from lockset.lockfile.report.matrix import Provision

__all__ = ["IndexFacts", "PackageHealth", "package_concerns", "package_health"]

# As many files as the detail of a concern names.
_SHOWN = 3
_STATUSES: Mapping[str, ConcernName] = {
    "quarantined": "quarantined", "archived": "archived", "deprecated": "deprecated"
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    """The facts of an index about a locked package.

    Attributes:
        problem: Why nothing is known, or None.
        project_exists: Whether the index has the project.
        version_exists: Whether it has the locked version.
        newest: The newest final version that is not yanked, or None.
        releases_behind: Number of final versions that are newer.
        yanked: The reason why the locked version is yanked ("" without one); None if it is not.
        status: The project's status (PEP 792), such as `archived`; None if the index says nothing.
        uploaded: When the locked version was first uploaded, or None.
    """

    problem: str | None = None
    project_exists: bool = True
    version_exists: bool = True
    newest: str | None = None
    releases_behind: int = 0
    yanked: str | None = None
    status: str | None = None
    uploaded: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageHealth:
    """One entry of the lock file.

    Attributes:
        entry: Index in `packages`.
        name: Normalised name.
        version: The locked version, or None.
        direct: Whether the project itself requires it; None if the lock file does not record that.
        marker: The shortest marker for where it is installed among the supported environments, with the default groups;
            None for everywhere.
        source: `index`, `vcs`, `folder` or `archive`.
        location: URL of the index, or URL or path of the source; None if it is not recorded.
        wheels: Number of wheels.
        has_sdist: Whether there is an sdist.
        size: Bytes of its largest file, or None.
        uploaded: When its first file was uploaded, or None.
        newest: The newest final version on the index, or None if unknown.
        releases_behind: Number of newer final versions.
        concerns: Names of concerns, the gravest first.
    """

    entry: int
    name: str
    version: str | None
    direct: bool | None
    marker: str | None
    source: str
    location: str | None
    wheels: int
    has_sdist: bool
    size: int | None
    uploaded: datetime | None
    newest: str | None
    releases_behind: int
    concerns: tuple[ConcernName, ...]


def package_health(
    lock: Pylock, number: int, graph: LockGraph, facts: IndexFacts | None, concerns: tuple[Concern, ...]
) -> PackageHealth:
    """The health of one entry; `concerns` are those of this entry."""
    package = lock.packages[number]
    source, location = _source(package)
    in_graph = graph.entries.get(number)
    marker = None if package.marker is None else str(package.marker)
    return PackageHealth(
        entry=number,
        name=package.name,
        version=None if package.version is None else str(package.version),
        direct=_is_direct(graph, number),
        marker=marker if in_graph is None else in_graph.condition,
        source=source,
        location=location,
        wheels=len(package.wheels or ()),
        has_sdist=package.sdist is not None,
        size=max((file.size for file in _files(package) if file.size is not None), default=None),
        uploaded=_uploaded(package, facts),
        newest=None if facts is None else facts.newest,
        releases_behind=0 if facts is None else facts.releases_behind,
        concerns=tuple(dict.fromkeys(each.name for each in concerns)),
    )


def package_concerns(
    lock: Pylock,
    number: int,
    provisions: Sequence[tuple[ReportEnvironment, Provision]],
    environments: Sequence[ReportEnvironment],
    facts: IndexFacts | None,
    *,
    default_index: str,
    old_before: datetime,
) -> Iterator[Concern]:
    """The concerns about one entry.

    Args:
        lock: The lock file.
        number: Index in `packages`.
        provisions: What the entry has, each with its environment.
        environments: All environments of the report.
        facts: What the index says; None if it was not queried.
        default_index: URL of the index that is nothing special.
        old_before: A version uploaded before that is old.
    """
    package = lock.packages[number]

    def concern(name: ConcernName, detail: str = "") -> Concern:
        return Concern(name=name, entry=number, detail=detail)

    if facts is not None:
        yield from (concern(name, detail) for name, detail in _index_concerns(facts, package))
    if missing := [env for env, each in provisions if each.kind == "nothing"]:
        reason = next(each.reason for _, each in provisions if each.kind == "nothing")
        yield concern("missing-file", f"{environments_text(missing, environments)}: {reason}")
    yield from (concern(name, _some(labels)) for name, labels in _file_concerns(package) if labels)
    if package.sdist is not None and not package.wheels:
        yield concern("sdist-only")
    elif built := [env for env, each in provisions if each.kind == "sdist"]:
        yield concern("partial-wheels", environments_text(built, environments))
    uploaded = _uploaded(package, facts)
    if uploaded is not None and uploaded < old_before:
        yield concern("old", f"uploaded {uploaded:%Y-%m-%d}")
    if package.index is not None and package.index.rstrip("/") != default_index.rstrip("/"):
        yield concern("other-index", package.index)
    source, location = _source(package)
    if source != "index":
        yield concern("direct-source", f"{source} {location or ''}".strip())


def _file_concerns(package: Package) -> Iterator[tuple[ConcernName, list[str]]]:
    yield "weak-hash", [_label(file) for file in _files(package) if not _has_strong_hash(file)]
    yield "insecure-url", _insecure(package)


def _index_concerns(facts: IndexFacts, package: Package) -> Iterator[tuple[ConcernName, str]]:
    if facts.problem is not None:
        yield "not-checked", facts.problem
        return
    if not facts.project_exists or not facts.version_exists:
        yield "not-on-index", "the version" if facts.project_exists else "the project"
    status = _STATUSES.get(facts.status or "")
    if status is not None:
        yield status, ""
    if facts.yanked is not None:
        yield "yanked", facts.yanked
    if facts.newest is not None and facts.releases_behind:
        yield "outdated", f"{package.version} → {facts.newest} ({_step(str(package.version), facts.newest)})"


def _step(old: str, new: str) -> str:
    """The most significant number that changes: major, minor or patch."""
    try:
        before, after = read_version(old), read_version(new)
    except InvalidVersion:
        return "other"
    if (before.epoch, before.major) != (after.epoch, after.major):
        return "major"
    return "minor" if before.minor != after.minor else "patch"


def _is_direct(graph: LockGraph, number: int) -> bool | None:
    """A recorded root is direct; without recorded roots, an entry that others depend on may be direct as well."""
    if graph.requested:
        return number in graph.requested
    if not graph.recorded:
        return None
    return None if graph.parents.get(number) else True


def _source(package: Package) -> tuple[str, str | None]:
    if package.vcs is not None:
        return "vcs", package.vcs.url or package.vcs.path
    if package.directory is not None:
        return "folder", package.directory.path
    if package.archive is not None:
        return "archive", package.archive.url or package.archive.path
    return "index", package.index


def _files(package: Package) -> list[File]:
    return [each for each in artifacts(package) if not isinstance(each, PackageVcs | PackageDirectory)]


def _insecure(package: Package) -> list[str]:
    urls = [(_label(file), file.url) for file in _files(package)]
    urls += [("the repository", package.vcs.url)] if package.vcs is not None else []
    urls += [("the index", package.index)]
    return [label for label, url in urls if url is not None and url.lower().startswith("http:")]


def _has_strong_hash(file: File) -> bool:
    return any(name.lower() in STRONG_ALGORITHMS for name in file.hashes)


def _label(file: File) -> str:
    return file_name(file) or "the archive"


def _uploaded(package: Package, facts: IndexFacts | None) -> datetime | None:
    times = [file.upload_time for file in _files(package) if file.upload_time is not None]
    if times:
        return min(time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc) for time in times)
    return None if facts is None else facts.uploaded


def _some(texts: list[str]) -> str:
    """The first ones, and the number of the others."""
    shown = "; ".join(texts[:_SHOWN])
    return shown if len(texts) <= _SHOWN else f"{shown} and {len(texts) - _SHOWN} more"
