"""What `lockset lock` and `lockset why-not` are asked, as values."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.cli.options.common import index_overrides, run_context
from lockset.cli.options.lock import add_choices, lock_options
from lockset.errors import UsageError
from lockset.lockfile.file_name import is_lock_file_name
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    import argparse

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.resolve.problem.options import LockOptions

__all__ = [
    "LockCommand",
    "WhyNotCommand",
    "add_lock_arguments",
    "add_why_not_arguments",
    "read_lock_command",
    "read_why_not_command",
    "refuse_wrong_output",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCommand:
    """`lockset lock` with its options.

    Attributes:
        sources: As they were named.
        options: What to choose beside what they say.
        indexes: Where packages come from.
        output: The lock file; `-` for stdout; None: by the sources.
        context: The surroundings.
        check: Only tell whether the lock is current.
        dry_run: Write nothing.
        json: Report as JSON.
        stats: Tell how the search went.
        arguments: The command line, which the fast path knows an answer by.
        repeatable: Whether the sources and the lock file alone decide on the answer of this command line.
    """

    sources: tuple[str, ...]
    options: LockOptions
    indexes: IndexOverrides
    output: str | None
    context: RunContext
    check: bool
    dry_run: bool
    json: bool
    stats: bool
    arguments: tuple[str, ...]
    repeatable: bool

    @property
    def again(self) -> str:
        """The command that locks, as it is typed, without `--check`."""
        return " ".join(["lockset", *(quote(without_secrets(a)) for a in self.arguments if a != "--check")])


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNotCommand:
    """`lockset why-not` with its options; see `LockCommand`."""

    package: str
    sources: tuple[str, ...]
    options: LockOptions
    indexes: IndexOverrides
    output: str | None
    context: RunContext
    json: bool


def add_lock_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset lock`."""
    parser.add_argument(
        "sources",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="pyproject.toml, requirements.in, a script, or - for stdin (default: the nearest pyproject.toml)",
    )
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    group.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    group.add_argument(
        "--check", action="store_true", help="only tell whether the lock serves its sources (exit 1 if not; no network)"
    )
    group.add_argument("--no-sdist", action="store_true", help="record wheels only")
    group.add_argument(
        "--with-project", action="store_true", help="lock the project itself as well, as an editable folder"
    )
    group.add_argument("--without-project", action="store_true", help="without it, though the lock there is has it")
    group.add_argument("--json", action="store_true", help="tell the outcome as JSON on stdout")
    group.add_argument("--stats", action="store_true", help="tell how the search went")
    add_choices(parser)


def read_lock_command(args: argparse.Namespace, out: Output) -> LockCommand:
    """The values that the parsed options mean.

    Raises:
        UsageError: options contradict each other, or one makes no sense.
    """
    options = lock_options(args)
    refuse_wrong_output(args.output)
    if args.output == "-" and args.json and not args.dry_run:
        raise UsageError(
            "option-conflict", "`-o -` and --json both write to standard output", hint="Name a file by `-o`"
        )
    return LockCommand(
        sources=tuple(args.sources),
        options=options,
        indexes=index_overrides(args),
        output=args.output,
        context=run_context(args, out),
        check=args.check,
        dry_run=args.dry_run,
        json=args.json,
        stats=args.stats or args.verbose,
        arguments=args.arguments,
        repeatable=not _decided_by_more(args),
    )


def _decided_by_more(args: argparse.Namespace) -> bool:
    """Whether a command line says more each time, or names what nobody looks at when an answer is recalled."""
    says_more = args.json or args.stats or args.dry_run or args.verbose or args.config or args.directory
    other_cache = args.cache_dir or args.no_cache or args.refresh or args.offline
    files = args.override or args.build_constraint or args.editable or args.this_environment
    return bool(says_more or other_cache or files)


def add_why_not_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `lockset why-not`: those of `lock`, which decide what would be locked."""
    parser.add_argument("package", metavar="PACKAGE[==VERSION]", help="what is asked about (default: its newest)")
    parser.add_argument("sources", nargs="*", default=[], metavar="SOURCE", help="as for `lockset lock`")
    parser.add_argument("-o", "--output", metavar="FILE", help="the lock file whose pins count (default: pylock.toml)")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")
    add_choices(parser)
    parser.set_defaults(no_sdist=False, with_project=False)


def read_why_not_command(args: argparse.Namespace, out: Output) -> WhyNotCommand:
    """The values that the parsed options mean.

    Raises:
        UsageError: options contradict each other, or one makes no sense.
    """
    options = lock_options(args)
    refuse_wrong_output(args.output)
    return WhyNotCommand(
        package=args.package,
        sources=tuple(args.sources),
        options=options,
        indexes=index_overrides(args),
        output=args.output,
        context=run_context(args, out),
        json=args.json,
    )


def refuse_wrong_output(output: str | None) -> None:
    """Refuse a name that no lock file may have.

    Raises:
        UsageError: `file-name`.
    """
    if output in {None, "-"}:
        return
    name = Path(str(output)).name
    if not is_lock_file_name(name):
        raise UsageError(
            "file-name",
            f"{name} is not a valid name for a lock file",
            hint="Name it pylock.toml or pylock.NAME.toml, where NAME has no dot",
        )
