"""Pins that admit local versions: `==2.6.0` admits 2.6.0+cpu, and installers take the newest with a usable file.

PEP 440, version matching: "If the specified version identifier is a public version identifier (no local version label),
then the local version label of any candidate versions MUST be ignored when matching versions."
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.conversion.model.imported_lock import Loss
from lockset.errors import LocksetError
from lockset.markers import MarkerSet, possible
from lockset.markers.tags import wheel_region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.index.pages.project_page import DistributionFile

__all__ = ["admitted_versions", "losses_of_split", "split_by_release"]


def admitted_versions(package: ImportedPackage, versions: Iterable[Version]) -> list[Version]:
    """Those of `versions` that the pin admits, in the same order."""
    return [
        version
        for version in versions
        if version == package.version
        or (package.admits is not None and package.admits.contains(version, prereleases=True))
    ]


def split_by_release(package: ImportedPackage, files: Sequence[DistributionFile]) -> list[ImportedPackage]:
    """Split the entry by release of `files`: each applies where it has a usable file and no newer release has one.

    Where no release has one, the oldest of those taken applies. An installer fails there with any of them.
    """
    versions = sorted({file.version for file in files}, reverse=True)
    if len(versions) == 1:
        return [replace(package, version=versions[0])]
    left = package.region
    entries: list[ImportedPackage] = []
    for version in versions:
        usable = left & _usable([file for file in files if file.version == version])
        if not (usable & possible()).is_empty:
            entries.append(replace(package, version=version, region=usable, original_marker=None))
            left -= usable
    if not entries:
        return [replace(package, version=versions[0])]
    last = entries.pop()
    region = last.region | left
    return [
        *entries,
        replace(last, region=region, original_marker=package.original_marker if region is package.region else None),
    ]


def _usable(files: Iterable[DistributionFile]) -> MarkerSet:
    usable = MarkerSet.none()
    for file in files:
        here = wheel_region(file.tags) if file.is_wheel else MarkerSet.any()
        usable |= here & _pythons(file.requires_python)
    return usable


def _pythons(requires_python: str | None) -> MarkerSet:
    try:
        return MarkerSet.of_python(requires_python or "")
    except LocksetError:
        return MarkerSet.any()


def losses_of_split(
    package: ImportedPackage,
    parts: Sequence[ImportedPackage],
    versions: Iterable[Version],
    matched: Sequence[tuple[DistributionFile, dict[str, str]]],
) -> list[Loss]:
    """The losses of a split: the local versions taken, and hashed files of releases that are never used."""
    taken = [part.version for part in parts]
    losses: list[Loss] = []
    if taken != [package.version]:
        shown = " and ".join(map(str, taken))
        message = f"`{package.name}=={package.version}` also admits local versions: {shown} is locked"
        losses.append(Loss(kind="local-version", message=message, note=True))
    for version in versions:
        if version not in taken:
            files = [hashes for file, hashes in matched if file.version == version]
            texts = tuple(f"{name}:{value}" for hashes in files for name, value in hashes.items())
            message = f"{package.name} {version} is left out: {taken[0]} has a file wherever {version} has one"
            losses.append(Loss(kind="release-unused", message=message, hashes=texts, note=not texts))
    return losses
