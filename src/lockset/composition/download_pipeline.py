"""Download the files of lock files into a folder, for any platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.errors import LocksetError
from lockset.lockfile.select import SelectedPackage
from lockset.progress import NullListener
from lockset.sync.disk.request import TargetSpec, resolve_target
from lockset.sync.disk.selection import desired_distributions, select_packages
from lockset.sync.disk.store.cache import Cache
from lockset.sync.disk.store.wheelhouse import fill_wheelhouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lockset.composition.sync_pipeline import LockSource, SyncRequest
    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.request import DescribedInterpreter

__all__ = ["DownloadRequest", "DownloadedFile", "fill_folder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRequest:
    """The files to download, and the folder.

    Attributes:
        folder: Absolute path; created if it is missing.
        selection: Lock files, extras, groups and rules, as for a sync.
        targets: Interpreters to download for; if empty, that of `selection`.
        every: Download all wheels and sdists of the lock files, for any interpreter.
    """

    folder: str
    selection: SyncRequest
    targets: tuple[DescribedInterpreter, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedFile:
    """One file in the folder; `new` if it was missing or incomplete before."""

    distribution: DesiredDistribution
    new: bool


@dataclass(slots=True, kw_only=True)
class _Files:
    """Files by name; two different files must not share a name."""

    by_name: dict[str, DesiredDistribution] = field(default_factory=dict)

    def add(self, one: DesiredDistribution) -> None:
        name = one.filename or ""
        other = self.by_name.setdefault(name, one)
        if dict(other.hashes) != dict(one.hashes):
            raise LocksetError(
                "locks-disagree", f"Two different files are named `{name}`: one of {other}, one of {one}"
            )


def fill_folder(
    request: DownloadRequest,
    *,
    cache: Path | None,
    downloads: Callable[[], Downloads],
    listener: ProgressListener | None = None,
) -> tuple[DownloadedFile, ...]:
    """Download and verify the files; returns them sorted by name.

    Raises:
        LocksetError: If a file is not available or not valid. The folder never holds incomplete files.
    """
    heard = listener or NullListener()
    files = _Files()
    for one in _distributions(request, cache):
        if one.filename is None:
            heard.note(f"{one} is locked as a {one.kind}, which is not a file, and is skipped")
        else:
            files.add(one)
    ordered = [files.by_name[name] for name in sorted(files.by_name)]
    with Cache(cache, heard) as store:
        new = fill_wheelhouse(
            request.folder,
            ordered,
            cache=store,
            downloads=downloads,
            folders=request.selection.find_links,
            listener=heard,
        )
    return tuple(DownloadedFile(distribution=one, new=put) for one, put in zip(ordered, new, strict=True))


def _distributions(request: DownloadRequest, cache: Path | None) -> Iterator[DesiredDistribution]:
    selection = request.selection
    allowed = selection.allowed._replace(folders=selection.find_links)
    for source in selection.sources:
        if request.every:
            yield from desired_distributions(
                tuple(_every(source)),
                folder=source.folder,
                allowed=allowed,
            )
            continue
        locations = [TargetSpec(python=None, described=one) for one in request.targets] or [selection.location]
        for location in locations:
            target = resolve_target(location._replace(managed=True, directory=request.folder), cache=cache)
            items = select_packages(source.read(), selection, target)
            yield from desired_distributions(items, folder=source.folder, allowed=allowed)


def _every(source: LockSource) -> Iterator[SelectedPackage]:
    for index, package in enumerate(source.read().packages):
        for artifact in (*(package.wheels or ()), package.sdist, package.archive, package.directory, package.vcs):
            if artifact is not None:
                yield SelectedPackage(package=package, artifact=artifact, index=index)
