"""What a pylock file may say of its files and need not: names, sizes, upload times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.lockfile.model import file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import Index
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock

__all__ = ["fill_file_facts"]


def fill_file_facts(lock: Pylock, index: Index | None) -> Pylock:
    """The same with names, sizes and upload times of files, as an index has files of equal hash.

    Without an index, names only; without a file of equal hash nothing more is filled in.
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
    files: list[PackageWheel | PackageSdist] = list(package.wheels or ())
    files += [package.sdist] if package.sdist is not None else []
    return any(file.size is None or file.upload_time is None for file in files)


def _with_facts(package: Package, known: Sequence[DistributionFile]) -> Package:
    wheels = [_filled_wheel(w, known) for w in package.wheels] if package.wheels is not None else None
    sdist = None if package.sdist is None else _filled_sdist(package.sdist, known)
    return replace(package, wheels=wheels, sdist=sdist)


def _filled_wheel(file: PackageWheel, known: Sequence[DistributionFile]) -> PackageWheel:
    same = _same_file(file, known)
    if same is None:
        return file
    return replace(file, size=file.size or same.size, upload_time=file.upload_time or same.upload_time)


def _filled_sdist(file: PackageSdist, known: Sequence[DistributionFile]) -> PackageSdist:
    same = _same_file(file, known)
    if same is None:
        return file
    return replace(file, size=file.size or same.size, upload_time=file.upload_time or same.upload_time)


def _same_file(file: PackageWheel | PackageSdist, known: Sequence[DistributionFile]) -> DistributionFile | None:
    return next(
        (k for k in known if k.hashes.get("sha256") is not None and k.hashes["sha256"] == file.hashes.get("sha256")),
        None,
    )
