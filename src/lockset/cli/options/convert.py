"""Options of `lockset convert` and their values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import add_cache, add_index, index_overrides, normal_name, run_context
from lockset.composition.conversions.conversion import ConvertOptions
from lockset.conversion.model.formats import Format
from lockset.errors import UsageError
from lockset.lockfile.file_name import refuse_wrong_output

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["ConvertCommand", "add_convert_arguments", "read_convert_command"]

# On the command line these override the indexes of the input. Variables do not, as they are set for all projects.
_OWN_INDEXES = ("default_index", "index", "no_index")


class ConvertCommand(NamedTuple):
    """The options of `lockset convert`."""

    inputs: tuple[str, ...]
    options: ConvertOptions
    indexes: IndexOverrides
    output: str
    context: RunContext
    verify: bool
    json: bool


def add_convert_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset convert`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="a requirements file with pins, poetry.lock, uv.lock, pdm.lock, Pipfile.lock, conda-lock file, or pylock "
        "files (several are merged); - for stdin",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    parser.add_argument(
        "--from", dest="format", choices=[f.value for f in Format], help="format of INPUT (default: detected)"
    )
    parser.add_argument(
        "--files",
        choices=("as-hashed", "all", "wheels"),
        help="files of pins without hashes: all, or only wheels (default: all if no pin has a hash)",
    )
    parser.add_argument("--python", metavar="RANGE", help="Pythons that the lock supports, such as `>=3.10`")
    parser.add_argument(
        "--pyproject", type=Path, metavar="FILE", help="the project of INPUT (default: pyproject.toml in its folder)"
    )
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="convert this workspace member (repeatable)"
    )
    parser.add_argument("--all-packages", action="store_true", help="convert all workspace members")
    parser.add_argument("--no-project", action="store_true", help="omit the project itself")
    parser.add_argument("--allow-conda", action="store_true", help="allow dependencies on conda packages")
    parser.add_argument("--sizes", action="store_true", help="request sizes that the index does not have")
    parser.add_argument("--strict", action="store_true", help="refuse a conversion that loses anything")
    parser.add_argument("--verify", action="store_true", help="show what was compared")
    parser.add_argument("--json", action="store_true", help="write a report as JSON to stdout")
    _narrowing(parser)
    add_index(parser)
    add_cache(parser)


def _narrowing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pylock files only")
    group.add_argument("--fill", action="store_true", help="add sizes and upload times from the index")
    group.add_argument("--platform", action="append", default=[], metavar="NAME", help="keep only this platform")
    group.add_argument(
        "--extra", action="append", metavar="NAME", help="keep only what this extra selects (repeatable)"
    )
    group.add_argument(
        "--group", action="append", metavar="NAME", help="keep only what this group and the default groups select"
    )
    group.add_argument("--only-group", action="append", metavar="NAME", help="keep only what this group selects")
    group.add_argument("--settle", action="store_true", help="keep only what is installed by default")


def read_convert_command(args: argparse.Namespace, out: Output) -> ConvertCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
    """
    refuse_wrong_output(args.output)
    if args.output == "-" and args.json:
        raise UsageError(
            "option-conflict", "`-o -` and `--json` both write to stdout", hint="Write the lock to a file with `-o`"
        )
    options = ConvertOptions(
        format=Format(args.format) if args.format else None,
        python=args.python,
        files=args.files or "as-hashed",
        pyproject=args.pyproject,
        members=tuple(args.package),
        all_members=args.all_packages,
        with_project=not args.no_project,
        allow_conda=args.allow_conda,
        sizes=args.sizes,
        own_indexes=not any(getattr(args, name) and name not in args.by_variable for name in _OWN_INDEXES),
        strict=args.strict,
        platforms=tuple(args.platform),
        extras=tuple(map(normal_name, args.extra or ())),
        groups=tuple(map(normal_name, args.group or ())),
        only_groups=tuple(map(normal_name, args.only_group or ())),
        settle=args.settle,
        fill=args.fill,
    )
    return ConvertCommand(
        inputs=tuple(args.inputs),
        options=options,
        indexes=index_overrides(args),
        output=args.output or "pylock.toml",
        context=run_context(args, out),
        verify=args.verify,
        json=args.json,
    )
