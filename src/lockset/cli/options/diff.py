"""Options of `lockset diff` and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, run_context
from lockset.cli.options.report import output_of
from lockset.cli.options.views import is_converted
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from lockset.api.render import ReviewFormat
    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import RunContext

__all__ = ["DiffCommand", "add_diff_arguments", "read_diff_command"]


class DiffCommand(NamedTuple):
    """The options of `lockset diff`; `target` is None for stdout."""

    old: str | None
    new: str | None
    format: Literal["text"] | ReviewFormat
    target: Path | None
    context: RunContext
    exit_code: bool
    refuse_new_publisher: bool


def add_diff_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset diff`."""
    parser.add_argument(
        "old",
        nargs="?",
        metavar="A",
        help="the old lock file: a path, -, a revision of git, REVISION:PATH, or A..B (default: the last commit)",
    )
    parser.add_argument("new", nargs="?", metavar="B", help="the new lock file (default: the nearest pylock.toml)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--format",
        choices=("text", "markdown", "html", "json"),
        help="the format to write (default: by the ending of --output, or text)",
    )
    form.add_argument("--json", action="store_true", help="the same as --format json")
    form.add_argument("--markdown", action="store_true", help="the same as --format markdown, for a review")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, or - for stdout (default: stdout; lockset-diff.html for html)",
    )
    add_cache(parser, needless=True)
    add_index(parser, needless=True)
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if there are changes")
    parser.add_argument(
        "--refuse-new-publisher",
        action="store_true",
        help="exit with 1 if a package changed its publisher or lost its attestations",
    )


def read_diff_command(args: argparse.Namespace, out: Output) -> DiffCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: `stdin-twice` if both are `-`; `option-value` if text is to be written to a file.
    """
    if args.old == args.new == "-":
        raise UsageError("stdin-twice", "The standard input (`-`) can only be given once")
    context = run_context(args, out, caching=is_converted(args.old) or is_converted(args.new))
    args.format = "json" if args.json else "markdown" if args.markdown else args.format
    format_, target = output_of(args, context, default="text", written=("html",), stem="lockset-diff")
    if format_ == "text" and target is not None:
        raise UsageError("option-value", "A file needs a format", hint="Use `--format markdown`, `html` or `json`")
    return DiffCommand(
        old=args.old,
        new=args.new,
        format=format_,
        target=target,
        context=context,
        exit_code=args.exit_code,
        refuse_new_publisher=args.refuse_new_publisher,
    )
