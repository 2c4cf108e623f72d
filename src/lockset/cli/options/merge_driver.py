"""Options of `lockset merge-driver`, and their values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, run_context
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["MergeDriverCommand", "add_merge_driver_arguments", "read_merge_driver_command"]

# Somebody waits for git: a server that does not answer leads to conflict markers soon.
_TIMEOUT, _RETRIES = 10.0, 1
_MARKER = 7


class MergeDriverCommand(NamedTuple):
    """The options of `lockset merge-driver`; `files` are base, ours and theirs, None for a set-up."""

    files: tuple[Path, Path, Path] | None
    path: str
    labels: tuple[str, str, str]
    marker_size: int
    install: bool
    uninstall: bool
    for_user: bool
    indexes: IndexOverrides
    context: RunContext


def add_merge_driver_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset merge-driver`."""
    for name, text in (
        ("base", "the common base (%%O); git passes these"),
        ("ours", "our side, which the result is written to (%%A)"),
        ("theirs", "the other side (%%B)"),
    ):
        parser.add_argument(name, nargs="?", type=Path, metavar=name.upper(), help=text)
    group = parser.add_argument_group("set-up")
    group.add_argument(
        "--install", action="store_true", help="set up this repository: .gitattributes and the configuration of git"
    )
    group.add_argument("--uninstall", action="store_true", help="undo --install")
    group.add_argument(
        "--global", action="store_true", dest="for_user", help="set up all repositories of this user instead"
    )
    group = parser.add_argument_group("merge")
    group.add_argument("--path", metavar="PATH", help="the path of the lock file in the repository (%%P)")
    group.add_argument(
        "-L",
        "--label",
        action="append",
        default=[],
        metavar="LABEL",
        help="a name for ours, the base and theirs in conflict markers, in this order (%%X, %%S, %%Y)",
    )
    group.add_argument(
        "--marker-size", default=_MARKER, type=int, metavar="N", help="length of conflict markers (%%L; default: 7)"
    )
    add_index(parser)
    add_cache(parser)


def read_merge_driver_command(args: argparse.Namespace, out: Output) -> MergeDriverCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or files are missing.
    """
    files = (args.base, args.ours, args.theirs)
    setting_up = args.install or args.uninstall
    if args.install and args.uninstall:
        raise UsageError("option-conflict", "--install cannot be used with --uninstall")
    if setting_up and any(files):
        raise UsageError("option-conflict", f"`--{'un' * args.uninstall}install` takes no files")
    if not setting_up and not all(files):
        raise UsageError(
            "argument-missing",
            "Missing arguments BASE, OURS and THEIRS: git passes them to a merge driver",
            hint="Run `lockset merge-driver --install` once; from then on git calls it",
        )
    if args.for_user and not setting_up:
        raise UsageError("option-conflict", "--global requires --install or --uninstall")
    if not 1 <= args.marker_size <= 100:
        raise UsageError("option-value", "--marker-size must be between 1 and 100")
    return MergeDriverCommand(
        files=None if setting_up else files,
        path=args.path or "pylock.toml",
        labels=_labels(args.label),
        marker_size=args.marker_size,
        install=args.install,
        uninstall=args.uninstall,
        for_user=args.for_user,
        indexes=index_overrides(args, timeout=_TIMEOUT, retries=_RETRIES),
        context=run_context(args, out),
    )


def _labels(given: list[str]) -> tuple[str, str, str]:
    """Labels of ours, base and theirs. A git that does not know a placeholder leaves it as it is."""
    usual = ("ours", "base", "theirs")
    named = ["" if label.startswith("%") else label for label in given[:3]]
    named += [""] * (3 - len(named))
    return (named[0] or usual[0], named[1] or usual[1], named[2] or usual[2])
