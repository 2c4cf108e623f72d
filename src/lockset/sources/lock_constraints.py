"""A lock file as constraints: each package is limited to its locked versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.model import packages_by_name
from lockset.markers.marker_set import MarkerSet
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.lockfile.model import Package, Pylock

__all__ = ["constraints_of_lock"]


def constraints_of_lock(lock: Pylock, *, location: str) -> tuple[RequirementLine, ...]:
    """One constraint for each package and version. Entries without a version constrain nothing.

    A package with one version is limited to it everywhere. Each of several versions applies where its marker holds,
    whatever extras and groups are selected. If these regions overlap, the package is not constrained.
    """
    entries = packages_by_name(lock.packages).values()
    return tuple(line for packages in entries for line in _of_project(packages, location))


def _of_project(packages: list[Package], location: str) -> Iterator[RequirementLine]:
    regions: dict[str, MarkerSet] = {}
    for package in packages:
        if package.version is None:
            return
        region = _region(package)
        version = str(package.version)
        regions[version] = regions[version] | region if version in regions else region
    if len(regions) == 1:
        yield parse_requirement(f"{packages[0].name}=={next(iter(regions))}", origin=location)
        return
    parts = list(regions.values())
    if any(not one.is_disjoint(other) for at, one in enumerate(parts) for other in parts[:at]):
        return
    for version, region in regions.items():
        if not region.is_empty:
            condition = region.text()
            marker = f" ; {condition}" if condition else ""
            yield parse_requirement(f"{packages[0].name}=={version}{marker}", origin=location)


def _region(package: Package) -> MarkerSet:
    if package.marker is None:
        return MarkerSet.any()
    return MarkerSet.of_marker(package.marker).without_extras_and_groups()
