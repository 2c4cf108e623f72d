"""Sizes that no page and no input tells, asked of the servers that have the files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset.index.pages.project_page import DistributionFile
from lockset.lockfile.model import file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.conversion.model.ports import Remote
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock

__all__ = ["with_sizes"]


def with_sizes(lock: Pylock, remote: Remote) -> Pylock:
    """The same with the sizes of files that have a URL and none; what no server tells stays as it is."""
    lacking = [_asked(package, file) for package in lock.packages for file in _files(package) if _lacks(file)]
    known = remote.sizes(lacking) if lacking else {}
    return replace(lock, packages=[_sized(package, known) for package in lock.packages])


def _files(package: Package) -> Iterable[PackageWheel | PackageSdist]:
    yield from package.wheels or ()
    if package.sdist is not None:
        yield package.sdist


def _lacks(file: PackageWheel | PackageSdist) -> bool:
    return file.size is None and file.url is not None


def _asked(package: Package, file: PackageWheel | PackageSdist) -> DistributionFile:
    return DistributionFile(
        filename=file_name(file) or "",
        project=package.name,
        version=package.version or Version("0"),
        url=file.url or "",
        hashes=file.hashes,
        metadata_hashes={},
    )


def _sized(package: Package, known: Mapping[str, int]) -> Package:
    wheels, sdist = package.wheels, package.sdist
    if wheels is not None:
        wheels = [replace(w, size=known.get(w.url or "")) if _lacks(w) else w for w in wheels]
    if sdist is not None and _lacks(sdist):
        sdist = replace(sdist, size=known.get(sdist.url or ""))
    return replace(package, wheels=wheels, sdist=sdist)
