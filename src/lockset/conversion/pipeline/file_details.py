"""Details of files that a pylock file may leave out: names, sizes and upload times (PEP 751, `packages.wheels`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.index.pages.project_page import DistributionFile, unlisted_file
from lockset.lockfile.model import file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        named = _with_files(package, lambda file: {"name": file_name(file)})
        if index is not None and _lacks_facts(named) and named.version is not None:
            try:
                files = index.project(named.name).files(named.version)
            except (LocksetError, KeyError):
                files = ()
            named = _with_files(named, partial(_facts, known=files))
        packages.append(named)
    return replace(lock, packages=packages)


def _with_files(package: Package, changes: Callable[[PackageWheel | PackageSdist], dict[str, Any]]) -> Package:
    """The entry with other values of some fields of its wheels and of its source distribution."""
    wheels, sdist = package.wheels, package.sdist
    return replace(
        package,
        wheels=None if wheels is None else [replace(wheel, **changes(wheel)) for wheel in wheels],
        sdist=None if sdist is None else replace(sdist, **changes(sdist)),
    )


def _lacks_facts(package: Package) -> bool:
    return any(file.size is None or file.upload_time is None for file in _files(package))


def _facts(file: PackageWheel | PackageSdist, known: Sequence[DistributionFile]) -> dict[str, Any]:
    """Size and upload time of `file`: its own, else those of the known file with the same hash."""
    digest = file.hashes.get("sha256")
    same = next((one for one in known if digest is not None and one.hashes.get("sha256") == digest), None)
    if same is None:
        return {}
    return {"size": file.size or same.size, "upload_time": file.upload_time or same.upload_time}


def with_sizes(lock: Pylock, remote: Remote) -> Pylock:
    """Add the sizes of files that have a URL but no size, if their servers state them."""
    lacking = [_file_to_measure(package, file) for package in lock.packages for file in _files(package) if _lacks(file)]
    known = remote.sizes(lacking) if lacking else {}

    def size(file: PackageWheel | PackageSdist) -> dict[str, Any]:
        return {"size": known.get(file.url or "")} if _lacks(file) else {}

    return replace(lock, packages=[_with_files(package, size) for package in lock.packages])


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
