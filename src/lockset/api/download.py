"""download(): the files of lock files into a folder, for any platforms."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.composition.download_pipeline import DownloadedFile, DownloadRequest, fill_folder
from lockset.composition.run_context import context_of
from lockset.composition.sync_inputs import SyncOptions, SyncPorts, lock_sources, sync_request
from lockset.errors import UsageError
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_pipeline import DescribedInterpreter
    from lockset.index.options import IndexOptions

__all__ = ["DownloadedFile", "download"]


def download(
    locks: str | PathLike[str] | Iterable[str | PathLike[str]],
    folder: str | PathLike[str],
    *,
    targets: str | PathLike[str] | Iterable[DescribedInterpreter] | None = None,
    options: SyncOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> tuple[DownloadedFile, ...]:
    """Have the files of lock files in a folder, verified, sorted by name; the folder is made where it is missing.

    Args:
        locks: Paths of lock files, `-` for `context.stdin`; none: the nearest pylock.toml.
        folder: Where the files go.
        targets: Whom they are for: the path of an interpreter, or described ones; None: all wheels and sdists, whoever
            they are for.
        options: Extras, groups, and which files; targets and removals count for nothing here.
        indexes: Credentials and connections; None: as the project around the first lock file says.
        context: Folder, cache, variables, listener and the like.

    Raises:
        UsageError: `dest-no-folder`: a file is there.
        LocksetError: A file cannot be had; the folder holds whole files only, then too.
    """
    context = context_of(context)
    options = check_argument("options", options, "SyncOptions | None") or SyncOptions()
    check_argument("folder", folder, "str | PathLike")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    named = check_argument("locks", locks, "str | PathLike | Iterable[str | PathLike]")
    names = list(map(fspath, [named] if isinstance(named, str | PathLike) else named))
    sources = lock_sources(names, context)
    python = targets if isinstance(targets, str | PathLike) else None
    described = () if isinstance(targets, str | PathLike) or targets is None else tuple(targets)
    into = (context.here / Path(folder).expanduser()).absolute()
    if into.exists() and not into.is_dir():
        raise UsageError(
            "dest-no-folder", f"`{fspath(folder)}` is a file, and files are put in a folder", hint="Name another"
        )
    request = DownloadRequest(
        folder=str(into),
        selection=sync_request(sources, python, options, context),
        targets=described,
        every=targets is None,
    )
    with SyncPorts(request.selection, indexes, context, mirrors=tuple(options.mirrors)) as ports:
        return fill_folder(request, cache=context.cache_folder, downloads=ports.downloads, listener=context.heard)
