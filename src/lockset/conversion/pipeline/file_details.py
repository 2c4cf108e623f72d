"""Details of files that a pylock file may leave out: names, sizes and upload times (PEP 751, `packages.wheels`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.index.pages.project_page import DistributionFile, unlisted_file
from lockset.lockfile.model import file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.conversion.model.ports import Remote
    from lockset.index.ports import Index
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock

__all__ = ["fill_file_details", "with_sizes"]


def fill_file_details(lock: Pylock, index: Index | None) -> Pylock:
    """Add the names, sizes and upload times of files, from files with the same hash on an index.

    Without an index only the names are added.
    """
    packages = []
    for package in lock.packages:
        named = _with_names(package)
        if index is not None and _lacks_facts(named) and named.version is not None:
            try:
                files = index.project(named.name).files(named.version)
            except (LocksetError, KeyError):
                files = ()
            named = _with_facts(named, files)
        packages.append(named)
    return replace(lock, packages=packages)


def _with_names(package: Package) -> Package:
    wheels = [replace(w, name=file_name(w)) for w in package.wheels] if package.wheels is not None else None
    sdist = replace(package.sdist, name=file_name(package.sdist)) if package.sdist is not None else None
    return replace(package, wheels=wheels, sdist=sdist)


def _lacks_facts(package: Package) -> bool:
    return any(file.size is None or file.upload_time is None for file in _files(package))


def _with_facts(package: Package, known: Sequence[DistributionFile]) -> Package:
    wheels = [_complete_wheel(w, known) for w in package.wheels] if package.wheels is not None else None
    sdist = None if package.sdist is None else _complete_sdist(package.sdist, known)
    return replace(package, wheels=wheels, sdist=sdist)


def _complete_wheel(file: PackageWheel, known: Sequence[DistributionFile]) -> PackageWheel:
    same = _same_file(file, known)
    if same is None:
        return file
    return replace(file, size=file.size or same.size, upload_time=file.upload_time or same.upload_time)


def _complete_sdist(file: PackageSdist, known: Sequence[DistributionFile]) -> PackageSdist:
    same = _same_file(file, known)
    if same is None:
        return file
    return replace(file, size=file.size or same.size, upload_time=file.upload_time or same.upload_time)


def _same_file(file: PackageWheel | PackageSdist, known: Sequence[DistributionFile]) -> DistributionFile | None:
    return next(
        (k for k in known if k.hashes.get("sha256") is not None and k.hashes["sha256"] == file.hashes.get("sha256")),
        None,
    )


def with_sizes(lock: Pylock, remote: Remote) -> Pylock:
    """Add the sizes of files that have a URL but no size, if their servers state them."""
    lacking = [_file_to_measure(package, file) for package in lock.packages for file in _files(package) if _lacks(file)]
    known = remote.sizes(lacking) if lacking else {}
    return replace(lock, packages=[_with_size(package, known) for package in lock.packages])


def _files(package: Package) -> Iterable[PackageWheel | PackageSdist]:
    yield from package.wheels or ()
    if package.sdist is not None:
        yield package.sdist


def _lacks(file: PackageWheel | PackageSdist) -> bool:
    return file.size is None and file.url is not None


def _file_to_measure(package: Package, file: PackageWheel | PackageSdist) -> DistributionFile:
    return unlisted_file(
        filename=file_name(file) or "",
        project=package.name,
        version=package.version or Version("0"),
        url=file.url or "",
        hashes=file.hashes,
    )


def _with_size(package: Package, known: Mapping[str, int]) -> Package:
    wheels, sdist = package.wheels, package.sdist
    if wheels is not None:
        wheels = [replace(w, size=known.get(w.url or "")) if _lacks(w) else w for w in wheels]
    if sdist is not None and _lacks(sdist):
        sdist = replace(sdist, size=known.get(sdist.url or ""))
    return replace(package, wheels=wheels, sdist=sdist)
