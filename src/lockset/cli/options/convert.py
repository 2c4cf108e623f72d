"""What `lockset convert` is asked, as values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lockset.cli.options.common import add_cache, add_index, index_overrides, normal_name, run_context
from lockset.cli.options.lock_command import refuse_wrong_output
from lockset.composition.conversions.foreign import ConvertOptions
from lockset.conversion.model.formats import Format
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext

__all__ = ["ConvertCommand", "add_arguments", "read_convert_command"]

# On the command line these outdo the indexes of the input; variables do not, which are set for all projects.
_OWN_INDEXES = ("default_index", "index", "no_index")


class ConvertCommand(NamedTuple):
    """`lockset convert` with its options."""

    inputs: tuple[str, ...]
    options: ConvertOptions
    indexes: IndexOverrides
    output: str
    context: RunContext
    verify: bool
    json: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset convert`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="requirements file of pins, poetry.lock, uv.lock, pdm.lock, Pipfile.lock, conda-lock file, or pylock "
        "files (several are merged); - for stdin",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    parser.add_argument(
        "--from", dest="format", choices=[f.value for f in Format], help="what INPUT is (default: seen)"
    )
    parser.add_argument(
        "--files",
        choices=("as-hashed", "all", "wheels"),
        help="files of pins without hashes: all, or wheels only (default: all where no pin has a hash)",
    )
    parser.add_argument("--python", metavar="RANGE", help="Pythons the lock serves, such as `>=3.10`")
    parser.add_argument("--pyproject", type=Path, metavar="FILE", help="what INPUT was made from (default: beside it)")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="member of a uv workspace (repeatable)"
    )
    parser.add_argument("--all-packages", action="store_true", help="all members of a uv workspace")
    parser.add_argument("--no-project", action="store_true", help="no entry for the project itself")
    parser.add_argument("--allow-conda", action="store_true", help="although packages of conda are needed")
    parser.add_argument("--sizes", action="store_true", help="ask servers for sizes that the index does not tell")
    parser.add_argument("--strict", action="store_true", help="refuse where anything is lost")
    parser.add_argument("--verify", action="store_true", help="show what was compared")
    parser.add_argument("--json", action="store_true", help="tell the outcome as JSON on stdout")
    _narrowing(parser)
    add_index(parser)
    add_cache(parser)


def _narrowing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pylock files only")
    group.add_argument("--fill", action="store_true", help="fill in sizes and upload times from the index")
    group.add_argument("--platform", action="append", default=[], metavar="NAME", help="keep this platform only")
    group.add_argument("--extra", action="append", metavar="NAME", help="settle the choice: with this extra")
    group.add_argument("--group", action="append", metavar="NAME", help="settle the choice: with this group, too")
    group.add_argument("--only-group", action="append", metavar="NAME", help="settle the choice: this group alone")
    group.add_argument("--settle", action="store_true", help="settle the choice: what is installed by default")


def read_convert_command(args: argparse.Namespace, out: Output) -> ConvertCommand:
    """The values that the parsed options mean.

    Raises:
        UsageError: options contradict each other, or one makes no sense.
    """
    refuse_wrong_output(args.output)
    if args.output == "-" and args.json:
        raise UsageError(
            "option-conflict", "`-o -` and --json both write to standard output", hint="Name a file by `-o`"
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
