"""download(): download the files of lock files into a folder, for any platforms."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.composition.download_pipeline import DownloadedFile, DownloadRequest, fill_folder
from lockset.composition.run_context import context_of
from lockset.composition.sync_inputs import SyncOptions, converted_sources, lock_sources, sync_request
from lockset.composition.sync_ports import SyncPorts
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
    """Download and verify the files of lock files; returns them sorted by name.

    Args:
        locks: Paths of lock files, `-` for `context.stdin`; if empty, the nearest pylock.toml. Requirements files with
            pins and lock files of other tools are converted first, as by `convert`.
        folder: The folder to write to; created if it is missing.
        targets: The path of an interpreter, or described interpreters; None for all wheels and sdists.
        options: Extras, groups, and kinds of files; options on targets and removal are ignored.
        indexes: Credentials and connections; None for those of the project of the first lock file.
        context: Folder, cache, variables, listener and so on.

    Raises:
        UsageError: `dest-no-folder` if `folder` is a file.
        LocksetError: If a file is not available. The folder never contains incomplete files.
    """
    context = context_of(context)
    options = check_argument("options", options, "SyncOptions | None") or SyncOptions()
    check_argument("folder", folder, "str | PathLike")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    named = check_argument("locks", locks, "str | PathLike | Iterable[str | PathLike]")
    names = list(map(fspath, [named] if isinstance(named, str | PathLike) else named))
    sources = converted_sources(lock_sources(names, context), indexes, context, options)
    python = targets if isinstance(targets, str | PathLike) else None
    described = () if isinstance(targets, str | PathLike) or targets is None else tuple(targets)
    into = (context.here / Path(folder).expanduser()).absolute()
    if into.exists() and not into.is_dir():
        raise UsageError("dest-no-folder", f"`{fspath(folder)}` is a file, not a folder", hint="Name another folder")
    request = DownloadRequest(
        folder=str(into),
        selection=sync_request(sources, python, options, context),
        targets=described,
        every=targets is None,
    )
    with SyncPorts(request.selection, indexes, context, options) as ports:
        files = fill_folder(request, cache=context.cache_folder, downloads=ports.downloads, listener=context.heard)
        if options.attestations:
            from lockset.composition.attestations.sync_attestations import write_provenance  # most downloads do without

            listed = [file.distribution for file in files]
            write_provenance(str(into), listed, ports.provenance(), context.heard.note)
        return files
