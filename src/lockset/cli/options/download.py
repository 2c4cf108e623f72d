"""Options of `lockset download` and their values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import index_overrides, run_context
from lockset.cli.options.pythons import python_of
from lockset.cli.options.sync import add_sources, add_target, chosen_files, own_platform, selection_options
from lockset.composition.sync_inputs import SyncOptions
from lockset.composition.sync_pipeline import DescribedInterpreter
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["DownloadCommand", "add_download_arguments", "read_download_command"]


class DownloadCommand(NamedTuple):
    """The options of `lockset download`; `targets` is None for all files."""

    locks: tuple[str, ...]
    folder: str
    targets: str | tuple[DescribedInterpreter, ...] | None
    options: SyncOptions
    indexes: IndexOverrides
    context: RunContext
    json: bool


def add_download_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset download`."""
    parser.add_argument("-d", "--dest", metavar="DIR", help="the folder to write to, created if missing (required)")
    add_target(parser, foreign_only=True)
    parser.add_argument(
        "--all-files", action="store_true", help="download all wheels and sdists of the lock file, for any interpreter"
    )
    parser.add_argument(
        "--attestations",
        action="store_true",
        help="write the provenance of each file next to it, verified (PEP 740; needs lockset[attestations])",
    )
    parser.add_argument("--trusted-root", metavar="FILE", help="verify attestations with this root of trust")
    parser.add_argument("--json", action="store_true", help="write a report as JSON to stdout")
    add_sources(parser)


def read_download_command(args: argparse.Namespace, out: Output) -> DownloadCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or `--dest` is missing.
        LocksetError: If the interpreter does not exist.
    """
    if not args.dest:
        raise UsageError("dest-missing", "`--dest` is required", hint="Name the folder to download to: `--dest DIR`")
    described = bool(args.platform or args.python_version or args.implementation)
    if described and (args.python or args.all_files):
        raise UsageError(
            "option-conflict", "--platform and --python-version cannot be used with --python or --all-files"
        )
    context = run_context(args, out)
    targets: str | tuple[DescribedInterpreter, ...] | None = None
    if described:
        own = f"{sys.version_info.major}.{sys.version_info.minor}"
        targets = tuple(
            DescribedInterpreter(platform=platform, python=python, implementation=args.implementation or "cpython")
            for platform in args.platform or [own_platform()]
            for python in args.python_version or [own]
        )
    elif not args.all_files:
        targets = python_of(args, context)
    return DownloadCommand(
        locks=tuple(chosen_files(args, context)),
        folder=args.dest,
        targets=targets,
        options=SyncOptions(**selection_options(args), attestations=args.attestations, trusted_root=args.trusted_root),
        indexes=index_overrides(args),
        context=context,
        json=args.json,
    )
