"""Entries whose files are not on an index, so that installers cannot find them by name and version.

PEP 751 names the index of a package in `packages.index`. An entry without it counts as listed if its files are on the
hosts of entries that name an index, or, if no entry names one, on the host with the most entries.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lockset._dataclass import dataclass
from lockset.conversion.model.imported_lock import Loss
from lockset.lockfile.model import describe, file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.lockfile.model import Package, PackageSdist, PackageWheel

__all__ = ["UnlistedFiles", "unlisted_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlistedFiles:
    """How to write entries that are not on an index.

    Attributes:
        by_url: Index of an entry in the list to the file to name by its URL.
        losses: Entries with several files, of which a requirements file can name only one, and files left out.
    """

    by_url: dict[int, PackageWheel | PackageSdist]
    losses: tuple[Loss, ...]


def unlisted_files(packages: Sequence[Package]) -> UnlistedFiles:
    """Find the entries of `packages` that are not on an index."""
    listed = _listing_hosts(packages)
    by_url: dict[int, PackageWheel | PackageSdist] = {}
    losses: list[Loss] = []
    for number, package in enumerate(packages):
        hosts = _hosts(package)
        if package.index is not None or not hosts or hosts & listed:
            continue
        files = _files(package)
        chosen = _for_all(files)
        shown = ", ".join(sorted(hosts))
        if chosen is None:
            message = (
                f"{describe(package)}: its files are on {shown}, and the lock file names no index for them; a "
                "requirements file cannot name several URLs, so installers look for it on their own index"
            )
            losses.append(Loss(kind="not-on-an-index", message=message))
            continue
        by_url[number] = chosen
        if len(files) > 1:
            message = f"{describe(package)} is on {shown}, not on an index: its URL names only {_name(chosen)}"
            losses.append(Loss(kind="file-left-out", message=message, note=True))
    return UnlistedFiles(by_url=by_url, losses=tuple(losses))


def _listing_hosts(packages: Sequence[Package]) -> set[str]:
    """The hosts whose files an index lists; empty if two hosts have equally many entries."""
    listed = {host for package in packages if package.index is not None for host in _hosts(package)}
    if listed:
        return listed
    counted = Counter(host for package in packages for host in _hosts(package)).most_common(2)
    if len(counted) > 1 and counted[0][1] == counted[1][1]:
        return set()
    return {counted[0][0]} if counted else set()


def _hosts(package: Package) -> set[str]:
    """The hosts of the files; empty for source trees and archives."""
    return {
        host
        for file in _files(package)
        if file.url is not None and (host := urlsplit(file.url).netloc.rpartition("@")[2])
    }


def _files(package: Package) -> list[PackageWheel | PackageSdist]:
    return [*(package.wheels or ()), *([package.sdist] if package.sdist is not None else [])]


def _for_all(files: Sequence[PackageWheel | PackageSdist]) -> PackageWheel | PackageSdist | None:
    """The file that every environment uses: the only one, or the only universal wheel."""
    if len(files) == 1:
        return files[0] if files[0].url is not None else None
    wheels = [file for file in files if _name(file).endswith(".whl")]
    if len(wheels) == 1 and wheels[0].url is not None and _is_universal(_name(wheels[0])):
        return wheels[0]
    return None


def _is_universal(name: str) -> bool:
    """Whether the wheel is for every Python 3 and every platform."""
    python, abi, platform = name.removesuffix(".whl").rsplit("-", 3)[1:]
    return "py3" in python.split(".") and (abi, platform) == ("none", "any")


def _name(file: PackageWheel | PackageSdist) -> str:
    return file_name(file) or ""
