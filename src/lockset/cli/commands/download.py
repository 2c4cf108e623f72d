"""`lockset download`: the files of a lock file into a folder, for any platforms."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.download import DownloadRequest, download
from lockset.cli.commands.sync import ports
from lockset.cli.exit_codes import DONE
from lockset.cli.options.common import cache_dir
from lockset.cli.options.sync import (
    add_sources,
    add_target,
    allowed_of,
    folders,
    lock_files,
    names,
    names_or_all,
    own_platform,
    python_of,
)
from lockset.cli.output.streams import plain
from lockset.composition.sync_pipeline import DescribedInterpreter, LockSource, SyncRequest
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-d", "--dest", metavar="DIR", help="the folder, made where it is missing (required)")
    add_target(parser, foreign_only=True)
    parser.add_argument(
        "--all-files", action="store_true", help="every wheel and sdist of the lock file, whoever it is for"
    )
    parser.add_argument("--json", action="store_true", help="report on stdout as JSON")
    add_sources(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Bring the files, and tell how many were new."""
    here = Path.cwd()
    request = _request(args, here)
    with ExitStack() as stack:
        downloads, _ = ports(args, request.selection, out, stack)
        found = download(request, cache=cache_dir(args), downloads=downloads, listener=out.listener())
    if args.json:
        out.json(
            {
                "format": 1,
                "folder": request.folder,
                "files": [
                    {
                        "filename": one.distribution.filename,
                        "name": one.distribution.name,
                        "new": one.new,
                        "hashes": one.distribution.hashes,
                    }
                    for one in found
                ],
            }
        )
    new = sum(one.new for one in found)
    files = "1 file" if len(found) == 1 else f"{len(found)} files"
    out.line(f"{files} in {plain(args.dest)}, {new} of them new")
    return DONE


def _request(args: argparse.Namespace, here: Path) -> DownloadRequest:
    if not args.dest:
        raise UsageError("dest-missing", "No folder is named for the files", hint="Name it with `--dest DIR`")
    described = bool(args.platform or args.python_version or args.implementation)
    if described and (args.python or args.all_files):
        raise UsageError("option-conflict", "--platform and --python-version go with neither --python nor --all-files")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    targets = tuple(
        DescribedInterpreter(platform=platform, python=python, implementation=args.implementation or "cpython")
        for platform in args.platform or [own_platform()]
        for python in args.python_version or [own]
    )
    locks = lock_files(args.files, here)
    selection = SyncRequest(
        sources=tuple(LockSource(folder=str(Path(path).parent), data=data, path=path) for path, data in locks),
        python=None if described or args.all_files else python_of(args, here),
        extras=names(args.extra),
        all_extras=args.all_extras,
        groups=names((*args.group, *args.only_group)),
        all_groups=args.all_groups,
        default_groups=not (args.no_default_groups or args.only_group),
        allowed=allowed_of(args),
        no_binary=names_or_all(args.no_binary),
        strict=not args.no_strict,
        find_links=folders(args.find_links, here),
    )
    folder = (here / Path(args.dest).expanduser()).absolute()
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            "dest-no-folder", f"`{args.dest}` is a file, and files are put in a folder", hint="Name another"
        )
    return DownloadRequest(
        folder=str(folder), selection=selection, targets=targets if described else (), every=args.all_files
    )
