"""Options of `lockset outdated`, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import PRERELEASES, add_cache, add_index, index_overrides, run_context
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.resolve.problem.options import LockOptions

__all__ = ["OutdatedCommand", "add_outdated_arguments", "read_outdated_command"]


class OutdatedCommand(NamedTuple):
    """The options of `lockset outdated`."""

    file: str | None
    source: str | None
    direct: bool
    exit_code: bool
    json: bool
    options: LockOptions
    indexes: IndexOverrides
    context: RunContext


def add_outdated_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset outdated`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument(
        "--source",
        metavar="SOURCE",
        help="the project file of the lock file (default: the pyproject.toml or script next to it)",
    )
    parser.add_argument("--direct", action="store_true", help="show only packages that the project itself requires")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if a newer version fits, or a locked one was yanked"
    )
    parser.add_argument("--json", action="store_true", help="write all packages as JSON")
    group = parser.add_argument_group("versions")
    group.add_argument("--prerelease", choices=PRERELEASES, help="when to allow pre-releases")
    group.add_argument(
        "--exclude-newer", metavar="DATE", help="use only files uploaded before DATE, or before a duration ago"
    )
    add_index(parser)
    add_cache(parser)


def read_outdated_command(args: argparse.Namespace, out: Output) -> OutdatedCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
    """
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.exclude_newer import parse_exclude_newer

    if args.refresh and args.offline:
        raise UsageError("option-conflict", "--refresh cannot be used with --offline")
    newer = args.exclude_newer
    options = LockOptions(
        prerelease=args.prerelease,
        exclude_newer=parse_exclude_newer(newer, location="--exclude-newer") if newer else None,
    )
    return OutdatedCommand(
        file=args.file,
        source=args.source,
        direct=args.direct,
        exit_code=args.exit_code,
        json=args.json,
        options=options,
        indexes=index_overrides(args),
        context=run_context(args, out),
    )
