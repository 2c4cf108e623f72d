"""Options of `lockset tree`, `lockset why` and `lockset diff`, and their values."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from lockset.cli.options.common import add_cache, normal_name, run_context
from lockset.errors import UsageError

if TYPE_CHECKING:
    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext

__all__ = [
    "DiffCommand",
    "TreeCommand",
    "View",
    "WhyCommand",
    "add_diff_arguments",
    "add_tree_arguments",
    "add_why_arguments",
    "read_diff_command",
    "read_tree_command",
    "read_why_command",
]


class View(NamedTuple):
    """The lock file to show, and the environment and extras to show it for; see `lockset.graph`."""

    file: str | None
    python: str | None
    platform: str | None
    extras: tuple[str, ...] | None
    groups: tuple[str, ...] | None
    context: RunContext


class TreeCommand(NamedTuple):
    """The options of `lockset tree`."""

    view: View
    invert: bool
    depth: int | None
    packages: tuple[str, ...]
    json: bool


class WhyCommand(NamedTuple):
    """The options of `lockset why`."""

    view: View
    package: str
    json: bool


class DiffCommand(NamedTuple):
    """The options of `lockset diff`."""

    old: str
    new: str | None
    context: RunContext
    json: bool
    markdown: bool
    exit_code: bool
    refuse_new_publisher: bool


def add_tree_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset tree`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument("--invert", action="store_true", help="show the packages that require each package")
    parser.add_argument("--depth", type=_depth, metavar="N", help="show at most N levels below the first")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="start with this package (repeatable)"
    )
    _add_view(parser)
    parser.add_argument("--json", action="store_true", help="write the graph as JSON")
    add_cache(parser, needless=True)


def _add_view(parser: argparse.ArgumentParser) -> None:
    """Add the options on the part of the lock file to show."""
    group = parser.add_argument_group("selection (default: everything)")
    group.add_argument("--extra", action="append", metavar="NAME", help="show packages installed with this extra")
    group.add_argument("--group", action="append", metavar="NAME", help="show packages installed with this group")
    group.add_argument("--python", metavar="VERSION", help="show packages for this Python (3.12, 3.12.4, or a range)")
    group.add_argument(
        "--platform", metavar="NAME", help="show packages for this platform (linux, macos, windows, win_amd64, ...)"
    )


def add_why_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset why`."""
    parser.add_argument("package", metavar="PACKAGE", help="the package")
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    _add_view(parser)
    parser.add_argument("--json", action="store_true", help="write the chains as JSON")
    add_cache(parser, needless=True)


def add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset diff`."""
    parser.add_argument("old", metavar="A", help="the old lock file: a path, -, or REVISION:PATH of git")
    parser.add_argument("new", nargs="?", metavar="B", help="the new lock file (default: the nearest pylock.toml)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="write the changes as JSON")
    form.add_argument("--markdown", action="store_true", help="write the changes as a table for a review")
    add_cache(parser, needless=True)
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if there are changes")
    parser.add_argument(
        "--refuse-new-publisher",
        action="store_true",
        help="exit with 1 if a package changed its publisher or lost its attestations",
    )


def read_tree_command(args: argparse.Namespace, out: Output) -> TreeCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a name is not valid.
    """
    packages = tuple(args.package)
    return TreeCommand(_view(args, out), invert=args.invert, depth=args.depth, packages=packages, json=args.json)


def read_why_command(args: argparse.Namespace, out: Output) -> WhyCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a name is not valid.
    """
    return WhyCommand(_view(args, out), package=args.package, json=args.json)


def read_diff_command(args: argparse.Namespace, out: Output) -> DiffCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: `stdin-twice` if both are `-`.
    """
    if args.old == args.new == "-":
        raise UsageError("stdin-twice", "The standard input (`-`) can only be given once")
    return DiffCommand(
        old=args.old,
        new=args.new,
        context=run_context(args, out, caching=False),
        json=args.json,
        markdown=args.markdown,
        exit_code=args.exit_code,
        refuse_new_publisher=args.refuse_new_publisher,
    )


def _view(args: argparse.Namespace, out: Output) -> View:
    extras, groups = (None if given is None else tuple(map(normal_name, given)) for given in (args.extra, args.group))
    return View(
        file=args.file,
        python=args.python,
        platform=args.platform,
        extras=extras,
        groups=groups,
        context=run_context(args, out, caching=False),
    )


def _depth(text: str) -> int:
    if not text.isdecimal():
        message = f"`{text}` is not a number of levels"
        raise argparse.ArgumentTypeError(message)
    return int(text)
