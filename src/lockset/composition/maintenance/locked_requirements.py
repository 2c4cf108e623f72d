"""Who requires which package: in a resolution, or in a lock file and the metadata of its releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import IndexUnreachableError, LocksetError
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.resolve.lock.newer_releases import RequirementOn
from lockset.resolve.problem.choices import recorded_table
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.requirement import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.model import Package, Pylock
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["covered_pythons", "of_lock", "of_resolution"]


def of_resolution(resolution: Resolution) -> Mapping[str, Sequence[RequirementOn]]:
    """The requirements that hold in a resolution, by the name of the required package."""
    origins = {(root.dependency.name, root.dependency.text): root.origin.name for root in resolution.roots}
    requirements: dict[str, list[RequirementOn]] = {}
    for edge in resolution.edges:
        name, dependency = edge.target[0], edge.dependency
        if edge.source is None:
            by = origins.get((name, dependency.text), "the project")
        else:
            source, version = edge.source
            by = source if isinstance(version, DirectVersion) else f"{source} {version}"
        requirement = RequirementOn(
            name=name, text=dependency.text, specifier=dependency.specifier, by=by, region=edge.region
        )
        requirements.setdefault(name, []).append(requirement)
    return requirements


def of_lock(graph: LockGraph, lock: Pylock, repository: IndexRepository) -> Mapping[str, Sequence[RequirementOn]]:
    """The requirements that hold in a lock file, by the name of the required package.

    Those of the project are known if lockset made the lock file, which records them. A release whose metadata cannot
    be read without a build has none.

    Raises:
        LocksetError: If the index cannot be reached.
    """
    requirements: dict[str, list[RequirementOn]] = {}
    locked = {entry.name for entry in graph.entries.values()}
    roots = recorded_table(lock).get("roots")
    for text in roots if isinstance(roots, list) else ():
        for requirement in _root(text, locked):
            requirements.setdefault(requirement.name, []).append(requirement)
    for number, entry in graph.entries.items():
        package = lock.packages[number]
        if not package.is_direct and package.version is not None and _has(repository, package):
            repository.hint_release(entry.name, package.version)
    for number in graph.entries:
        for requirement in _of_package(number, graph, lock, locked, repository):
            requirements.setdefault(requirement.name, []).append(requirement)
    return requirements


def covered_pythons(graph: LockGraph, lock: Pylock, repository: IndexRepository) -> MarkerSet:
    """The Pythons that a lock file covers; without `requires-python`, those that all its unconditional entries admit.

    Raises:
        LocksetError: If the index cannot be reached.
    """
    covered = MarkerSet.any()
    if lock.requires_python is not None:
        return covered
    for number, entry in graph.entries.items():
        package = lock.packages[number]
        if package.requires_python is not None:
            admitted = MarkerSet.of_python(package.requires_python)
        elif package.version is not None and not package.is_direct and _has(repository, package):
            page = repository.page(entry.name)
            admitted = MarkerSet.union(
                map(repository.admits, page.requires_pythons(package.version) if page is not None else ())
            )
        else:
            continue
        if entry.condition is None and not (covered & admitted).is_empty:
            covered &= admitted
    return covered


def _root(text: object, locked: set[str]) -> Iterator[RequirementOn]:
    try:
        dependency = parse_dependency(str(text))
    except LocksetError:
        return
    if dependency.name in locked and dependency.url is None:
        yield RequirementOn(
            name=dependency.name,
            text=dependency.text,
            specifier=dependency.specifier,
            by=PLAIN_NAME,
            region=dependency.marker,
        )


def _has(repository: IndexRepository, package: Package) -> bool:
    try:
        page = repository.page(package.name)
    except IndexUnreachableError:
        raise
    except LocksetError:
        return False  # the comparison of the package itself reports it
    return page is not None and package.version in page


def _of_package(
    number: int, graph: LockGraph, lock: Pylock, locked: set[str], repository: IndexRepository
) -> Iterator[RequirementOn]:
    package, entry = lock.packages[number], graph.entries[number]
    if package.is_direct or package.version is None or not _has(repository, package):
        return
    facts = repository.facts(entry.name, package.version)
    recorded = {canonicalize_name(str(one.get("name", ""))) for one in package.dependencies or ()}
    for dependency in facts.dependencies if facts is not None else ():
        where = dependency.marker.with_metadata_extra(None)
        if where.is_empty and dependency.name in recorded:
            where = dependency.marker  # of an extra that the lock file was made with
        region = where & entry.region
        if dependency.name in locked and dependency.url is None and not region.is_empty:
            yield RequirementOn(
                name=dependency.name,
                text=dependency.text,
                specifier=dependency.specifier,
                by=str(entry),
                region=region,
            )
