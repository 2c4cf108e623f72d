"""Options of `lockset report` and `lockset graph`, and their values."""

from __future__ import annotations

import argparse
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, normal_name, run_context
from lockset.cli.options.views import add_view, levels, read_view
from lockset.errors import UsageError
from lockset.lockfile.file_name import refuse_source_as_output
from lockset.lockfile.report.concerns import CONCERNS
from lockset.lockfile.report.options import ReportOptions
from lockset.rendering.graph_layout import MOST_DRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lockset.api.render import GraphFormat, ReportFormat
    from lockset.cli.options.views import View
    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = [
    "GraphCommand",
    "ReportCommand",
    "add_graph_arguments",
    "add_report_arguments",
    "output_of",
    "read_graph_command",
    "read_report_command",
]

_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".svg": "svg", ".dot": "dot",
            ".gv": "dot", ".mmd": "mermaid"}  # fmt: skip
_MOST_NODES = 2_000
_OLD_DAYS = 1095


class ReportCommand(NamedTuple):
    """The options of `lockset report`; `target` is None for stdout."""

    file: str | None
    format: ReportFormat
    target: Path | None
    options: ReportOptions
    fail_on: tuple[str, ...]
    indexes: IndexOverrides | None
    context: RunContext


class GraphCommand(NamedTuple):
    """The options of `lockset graph`; `target` is None for stdout."""

    view: View
    format: GraphFormat
    target: Path | None
    packages: tuple[str, ...]
    depth: int | None
    most_nodes: int


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset report`."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="lock file, -, or REVISION:PATH of git (default: the nearest pylock.toml)",
    )
    parser.add_argument(
        "--format",
        choices=("html", "markdown", "json"),
        help="the format to write (default: by the ending of --output, or html)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, or - for stdout (default: lockset-report.html; stdout for other formats)",
    )
    _add_content(parser)
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help=f"exit with 1 if there is such a concern (repeatable): {', '.join(CONCERNS)}",
    )
    add_index(parser)
    add_cache(parser)


def _add_content(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("content")
    group.add_argument(
        "--platform",
        action="append",
        default=[],
        metavar="NAME",
        help="report on this platform: linux, macos, windows, win_arm64, ... (repeatable; default: six common ones)",
    )
    group.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="VERSION",
        help="report on this Python, such as 3.12 (repeatable)",
    )
    group.add_argument(
        "--online", action="store_true", help="query indexes for newer and yanked versions, and the status of projects"
    )
    group.add_argument(
        "--old-after", type=_days, metavar="DAYS", help="a version uploaded more days ago is old (default: 1095)"
    )


def add_graph_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset graph`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="lock file, or - (default: the nearest pylock.toml)")
    parser.add_argument(
        "--format",
        choices=("mermaid", "dot", "svg", "html", "json"),
        help="the format to write (default: by the ending of --output, or mermaid)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, or - for stdout (default: stdout; lockset-graph.html for html)",
    )
    parser.add_argument("--depth", type=levels, metavar="N", help="draw at most N levels below the first")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="start with this package (repeatable)"
    )
    parser.add_argument(
        "--max-nodes", type=_nodes, metavar="N", help=f"draw at most N packages (default: {MOST_DRAWN})"
    )
    add_view(parser)
    add_cache(parser, needless=True)
    add_index(parser, needless=True)


def read_report_command(args: argparse.Namespace, out: Output) -> ReportCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a value is not valid.
    """
    context = run_context(args, out)
    format_, target = output_of(args, context, default="html", written=("html",), stem="lockset-report")
    return ReportCommand(
        file=args.file,
        format=format_,
        target=target,
        options=ReportOptions(
            platforms=tuple(args.platform),
            pythons=tuple(args.python),
            online=args.online,
            old_days=args.old_after or _OLD_DAYS,
        ),
        fail_on=_concerns(args.fail_on, online=args.online),
        indexes=index_overrides(args) if args.online else None,
        context=context,
    )


def read_graph_command(args: argparse.Namespace, out: Output) -> GraphCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If a value is not valid.
    """
    view = read_view(args, out)
    format_, target = output_of(args, view.context, default="mermaid", written=("html",), stem="lockset-graph")
    return GraphCommand(
        view=view,
        format=format_,
        target=target,
        packages=tuple(map(normal_name, args.package)),
        depth=args.depth,
        most_nodes=args.max_nodes or MOST_DRAWN,
    )


def output_of(
    args: argparse.Namespace, context: RunContext, *, default: str, written: tuple[str, ...], stem: str
) -> tuple[Any, Path | None]:
    """The format, and the file to write, None for stdout; formats of `written` go to a file named by `stem`.

    Raises:
        UsageError: `output-is-source` if the file is a lock file or a project file.
    """
    refuse_source_as_output(args.output)
    ending = _ENDINGS.get(PurePath(args.output).suffix.lower()) if args.output not in {None, "-"} else None
    chosen = args.format or ending or default
    if args.output is None:
        return chosen, context.here / f"{stem}.{chosen}" if chosen in written else None
    return chosen, None if args.output == "-" else context.here / args.output


def _concerns(given: Iterable[str], *, online: bool) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))
    for name in names:
        kind = next((kind for each, kind in CONCERNS.items() if each == name), None)
        if kind is None:
            from difflib import get_close_matches  # slow to import, and only needed for a wrong name

            near = get_close_matches(name, CONCERNS, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"They are {', '.join(CONCERNS)}"
            raise UsageError("option-value", f"--fail-on: there is no concern `{name}`", hint=hint)
        if kind.online and not online:
            raise UsageError(
                "option-value", f"--fail-on {name} can only be checked with an index", hint="Add `--online`"
            )
    return names


def _days(text: str) -> int:
    return _number(text, 36_500, "days")


def _nodes(text: str) -> int:
    return _number(text, _MOST_NODES, "packages")


def _number(text: str, most: int, unit: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        message = f"`{text}` is not a number of {unit} from 1 to {most}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
