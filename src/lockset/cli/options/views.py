"""Options of `lockset tree` and `lockset why`, and their values."""

from __future__ import annotations

import argparse
from os.path import basename
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, normal_name, run_context
from lockset.lockfile.file_name import is_lock_file_name

if TYPE_CHECKING:
    from typing import TypedDict

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext

__all__ = [
    "TreeCommand",
    "View",
    "ViewSelection",
    "WhyCommand",
    "add_tree_arguments",
    "add_view",
    "add_why_arguments",
    "is_converted",
    "levels",
    "read_tree_command",
    "read_view",
    "read_why_command",
]


if TYPE_CHECKING:

    class ViewSelection(TypedDict):
        """The environment, extras and groups to show a lock file for: arguments of `lockset.graph`."""

        python: str | None
        platform: str | None
        extras: tuple[str, ...] | None
        groups: tuple[str, ...] | None
else:
    ViewSelection = dict  # for a class of typing, Python 3.14 imports `ast`


class View(NamedTuple):
    """The lock file to show, and the part of it to show."""

    file: str | None
    selection: ViewSelection
    context: RunContext

    @property
    def name(self) -> str:
        """The name of the lock file, that of the nearest one if none is given."""
        from lockset.composition.open_lock import lock_name  # its imports are those of reading a lock file

        return lock_name(self.file, self.context)


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


def add_tree_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset tree`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument("--invert", action="store_true", help="show the packages that require each package")
    parser.add_argument("--depth", type=levels, metavar="N", help="show at most N levels below the first")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="start with this package (repeatable)"
    )
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="write the graph as JSON")
    add_cache(parser, needless=True)
    add_index(parser, needless=True)


def add_view(parser: argparse.ArgumentParser) -> None:
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
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="write the chains as JSON")
    add_cache(parser, needless=True)
    add_index(parser, needless=True)


def read_tree_command(args: argparse.Namespace, out: Output) -> TreeCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a name is not valid.
    """
    packages = tuple(args.package)
    return TreeCommand(read_view(args, out), invert=args.invert, depth=args.depth, packages=packages, json=args.json)


def read_why_command(args: argparse.Namespace, out: Output) -> WhyCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a name is not valid.
    """
    return WhyCommand(read_view(args, out), package=args.package, json=args.json)


def read_view(args: argparse.Namespace, out: Output) -> View:
    """The lock file to show, and the environment and extras to show it for.

    Raises:
        UsageError: If a name is not valid.
    """
    extras, groups = (None if given is None else tuple(map(normal_name, given)) for given in (args.extra, args.group))
    return View(
        file=args.file,
        selection=ViewSelection(python=args.python, platform=args.platform, extras=extras, groups=groups),
        context=run_context(args, out, caching=is_converted(args.file)),
    )


def is_converted(file: str | None) -> bool:
    """Whether the file may have to be converted, which uses the cache."""
    return file is not None and not is_lock_file_name(basename(file))


def levels(text: str) -> int:
    """A number of levels, from an option."""
    if not text.isdecimal():
        message = f"`{text}` is not a number of levels"
        raise argparse.ArgumentTypeError(message)
    return int(text)
