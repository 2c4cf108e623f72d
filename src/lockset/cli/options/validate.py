"""The options of `lockset validate`, as values."""

from __future__ import annotations

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, run_context, standard_input
from lockset.errors import LocksetError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["DescribedTarget", "ValidateCommand", "add_validate_arguments", "read_validate_command"]


class DescribedTarget(NamedTuple):
    """Python and platform of `--for`, with the text that names them."""

    text: str
    python: str
    platform: str


class ValidateCommand(NamedTuple):
    """`lockset validate` with its options; `indexes` and `context` are for what is fetched."""

    files: tuple[str, ...]
    format: str
    strict: bool
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    explain: str | None
    fix: bool
    targets: tuple[DescribedTarget, ...]
    sources: bool
    online: bool
    download: bool
    no_config: bool
    config: Path | None
    indexes: IndexOverrides | None
    context: RunContext | None
    stdin: Callable[[], bytes]


def add_validate_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help="lock files, pyproject.toml, scripts, settings files, JSON reports of lockset; - is the standard input"
        " (default: pylock*.toml and pyproject.toml here)",
    )
    group = parser.add_argument_group("findings")
    group.add_argument(
        "--format",
        choices=("text", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson"),
        help="how findings are written (default: text); concise is one line each, gitlab a code quality report, rdjson"
        " for reviewdog",
    )
    group.add_argument("--json", action="store_const", const="json", dest="format", help="the same as --format json")
    group.add_argument("--strict", action="store_true", help="warnings make a file invalid, too")
    group.add_argument("--select", action="append", default=[], metavar="RULE", help="only this rule (repeatable)")
    group.add_argument("--ignore", action="append", default=[], metavar="RULE", help="not this rule (repeatable)")
    group.add_argument("--explain", metavar="RULE", help="show the page of a rule, and check nothing")
    more = parser.add_argument_group("more than reading")
    more.add_argument("--fix", action="store_true", help="fix what has one right answer, and list the changes")
    more.add_argument(
        "--for",
        action="append",
        default=[],
        dest="targets",
        metavar="PYTHON/PLATFORM",
        help="check that there is something to install there, and list it: 3.12/linux, 3.13/win_amd64 (repeatable)",
    )
    more.add_argument("--sources", action="store_true", help="check that the lock file is up to date (lock --check)")
    more.add_argument("--online", action="store_true", help="compare files, sizes and hashes with the index")
    more.add_argument("--download", action="store_true", help="fetch every file and verify its bytes")
    add_index(parser)
    add_cache(parser)


def read_validate_command(args: argparse.Namespace, out: Output) -> ValidateCommand:
    """The values that the parsed options mean.

    Raises:
        UsageError: an option makes no sense.
    """
    fetches = args.online or args.download
    return ValidateCommand(
        files=tuple(args.files),
        format=args.format or "text",
        strict=args.strict,
        select=tuple(args.select),
        ignore=tuple(args.ignore),
        explain=args.explain,
        fix=args.fix,
        targets=tuple(map(_target, args.targets)),
        sources=args.sources,
        online=args.online,
        download=args.download,
        no_config=args.no_config,
        config=args.config,
        indexes=index_overrides(args) if fetches else None,
        context=run_context(args, out) if fetches else None,
        stdin=standard_input,
    )


def _target(text: str) -> DescribedTarget:
    """Python and platform of `3.12/linux`.

    Raises:
        UsageError: it does not name both, or one that is not known.
    """
    from lockset.markers import described_target

    python, slash, platform = text.partition("/")
    if not (python and slash and platform):
        hint = "Write it as `3.12/linux` or `3.13/manylinux_2_28_aarch64`"
        raise UsageError("unknown-target", f"`{text}` is not a Python and a platform", hint=hint)
    try:
        described_target(platform, python)
    except LocksetError as error:
        raise UsageError(
            "unknown-target", error.diagnostic.message, location="--for", hint=error.diagnostic.hint
        ) from error
    return DescribedTarget(text, python, platform)
