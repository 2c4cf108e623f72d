"""What `lockset download` is asked, as values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from lockset.cli.options.common import index_overrides, run_context
from lockset.cli.options.sync import add_sources, add_target, own_platform, python_of, selection_options
from lockset.composition.sync_inputs import SyncOptions
from lockset.composition.sync_pipeline import DescribedInterpreter
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["DownloadCommand", "add_arguments", "read_download_command"]


class DownloadCommand(NamedTuple):
    """`lockset download` with its options; `targets` None stands for every file."""

    locks: tuple[str, ...]
    folder: str
    targets: str | tuple[DescribedInterpreter, ...] | None
    options: SyncOptions
    indexes: IndexOverrides
    context: RunContext
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-d", "--dest", metavar="DIR", help="the folder, made where it is missing (required)")
    add_target(parser, foreign_only=True)
    parser.add_argument(
        "--all-files", action="store_true", help="every wheel and sdist of the lock file, whoever it is for"
    )
    parser.add_argument("--json", action="store_true", help="report on stdout as JSON")
    add_sources(parser)


def read_download_command(args: argparse.Namespace, out: Output) -> DownloadCommand:
    """The values that the parsed options mean.

    Raises:
        UsageError: options contradict each other, or one is missing.
        LocksetError: there is no such interpreter.
    """
    if not args.dest:
        raise UsageError("dest-missing", "No folder is named for the files", hint="Name it with `--dest DIR`")
    described = bool(args.platform or args.python_version or args.implementation)
    if described and (args.python or args.all_files):
        raise UsageError("option-conflict", "--platform and --python-version go with neither --python nor --all-files")
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
        targets = python_of(args, context.here)
    return DownloadCommand(
        locks=tuple(args.files),
        folder=args.dest,
        targets=targets,
        options=SyncOptions(**selection_options(args)),
        indexes=index_overrides(args),
        context=context,
        json=args.json,
    )
