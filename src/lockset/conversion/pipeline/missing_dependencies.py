"""Check whether the pins of a requirements file include all their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from lockset.conversion.model.graph import region_of_text, universe_of
from lockset.conversion.model.imported_lock import Loss
from lockset.dependency_specifiers import read_dependency
from lockset.errors import LocksetError
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage
    from lockset.conversion.model.ports import Remote
    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import Index

__all__ = ["missing_dependencies"]

# How many missing projects the message names.
_SHOWN = 6


def missing_dependencies(imported: ImportedLock, index: Index, remote: Remote) -> tuple[Loss, ...]:
    """A loss that names the dependencies that the file does not pin; empty if it pins all of them.

    Checks only files that may be written by hand, and only releases whose metadata is available.
    """
    if not imported.may_be_partial:
        return ()
    universe = universe_of(imported.requires_python, imported.environments)
    there: dict[str, MarkerSet] = {}
    for package in imported.packages:
        there[package.name] = there.get(package.name, MarkerSet.none()) | package.region
    releases = [(package, files) for package in imported.packages if (files := _files(package, index))]
    for _, files in releases:
        remote.hint(files)
    missing: dict[str, str] = {}
    for package, files in releases:
        for name, region in _needs(package, remote.requires(files) or ()):
            left = region & package.region & universe
            if not (left - there.get(name, MarkerSet.none())).is_empty:
                missing.setdefault(name, package.shown)
    if not missing:
        return ()
    named = [f"{name} (for {dependent})" for name, dependent in sorted(missing.items())]
    more = f" and {len(named) - _SHOWN} more" if named[_SHOWN:] else ""
    message = (
        f"The file does not pin all dependencies of its pins: {', '.join(named[:_SHOWN])}"
        f"{more}; installers would resolve them, but the lock file lacks them"
    )
    return (Loss(kind="needs-missing", message=message),)


def _files(package: ImportedPackage, index: Index) -> Sequence[DistributionFile]:
    """The files of the release on the index; none for an entry with a direct source."""
    if package.source is not None or package.version is None:
        return ()
    try:
        detail = index.project(package.name)
    except LocksetError:
        return ()
    return detail.files(package.version) if package.version in detail else ()


def _needs(package: ImportedPackage, requires: Sequence[str]) -> Iterator[tuple[str, MarkerSet]]:
    for text in requires:
        try:
            requirement = read_dependency(text)
        except InvalidRequirement:
            continue
        marker = region_of_text(None if requirement.marker is None else str(requirement.marker))
        region = marker.with_metadata_extra(None)
        for extra in package.extras:
            region |= marker.with_metadata_extra(extra)
        if not region.is_empty:
            yield canonicalize_name(requirement.name), region
