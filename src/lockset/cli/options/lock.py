"""Options of `lockset lock` and `lockset why-not`, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.cli.options.common import (
    PRERELEASES,
    add_builds,
    add_cache,
    add_index,
    add_requirement,
    index_overrides,
    other_spelling,
    python_versions,
    run_context,
)
from lockset.cli.options.lock_options import lock_options
from lockset.errors import UsageError
from lockset.lockfile.file_name import refuse_wrong_output
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
]

_REPORTING = frozenset({"--check", "--dry-run", "--json", "--stats"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCommand:
    """The options of `lockset lock`.

    Attributes:
        sources: The names of the sources.
        options: The options of the lock.
        indexes: The indexes to use.
        output: The lock file; `-` for stdout; None for the default of the sources.
        context: The surroundings.
        check: Only check whether the lock file is up to date.
        online: Also compare the lock file with the indexes.
        dry_run: Write nothing.
        json: Report as JSON.
        stats: Show statistics of the search.
        arguments: The command line, which is the key of the cached result.
        repeatable: Whether the result depends only on the sources and the lock file.
    """

    sources: tuple[str, ...]
    options: LockOptions
    indexes: IndexOverrides
    output: str | None
    context: RunContext
    check: bool
    online: bool
    dry_run: bool
    json: bool
    stats: bool
    arguments: tuple[str, ...]
    repeatable: bool

    @property
    def again(self) -> str:
        """The command that locks, as it is typed, without options that only say how to report."""
        from shlex import quote

        return " ".join(["lockset", *(quote(without_secrets(a)) for a in self.arguments if a not in _REPORTING)])


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyNotCommand:
    """The options of `lockset why-not`; see `LockCommand`."""

    package: str
    sources: tuple[str, ...]
    options: LockOptions
    indexes: IndexOverrides
    output: str | None
    context: RunContext
    json: bool


def add_lock_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset lock`."""
    parser.add_argument(
        "sources",
        nargs="*",
        default=[],
        metavar="SOURCE",
        help="pyproject.toml, requirements.in, a script, or - for stdin (default: the nearest pyproject.toml)",
    )
    add_requirement(parser, "SOURCE")
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="lock file to write, or - (default: pylock.toml)")
    group.add_argument("--dry-run", action="store_true", help="show the changes without writing the lock file")
    group.add_argument(
        "--check", action="store_true", help="check if the lock file is up to date, without network (exit 1 if not)"
    )
    group.add_argument(
        "--online", action="store_true", help="with --check: also compare files and status of projects with the index"
    )
    group.add_argument(
        "--build",
        action="store_true",
        help="also lock build requirements of packages without wheels, in pylock.build.toml (runs their backends)",
    )
    group.add_argument("--no-sdist", action="store_true", help="omit sdists from the lock file")
    group.add_argument("--with-project", action="store_true", help="include the project itself, as an editable package")
    group.add_argument("--without-project", action="store_true", help="omit the project, even if the lock file has it")
    group.add_argument("--json", action="store_true", help="write a report as JSON to stdout")
    group.add_argument("--stats", action="store_true", help="show statistics of the resolution")
    _add_choices(parser)
    _attestations(parser)


def _attestations(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("attestations")
    group.add_argument(
        "--attestations",
        action="store_true",
        help="verify the attestations of all files (PEP 740), and record who published them",
    )
    group.add_argument(
        "--refuse-new-publisher",
        action="store_true",
        help="fail if a package changed its publisher or lost its attestations since the existing lock",
    )
    group.add_argument("--trusted-root", metavar="FILE", help="verify attestations with this root of trust")


def read_lock_command(args: argparse.Namespace, out: Output) -> LockCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
    """
    options = lock_options(args)
    if args.output is not None:
        refuse_wrong_output(args.output)
    if args.online and not args.check:
        raise UsageError("option-conflict", "`--online` requires `--check`: a lock always uses the index")
    if args.build and (args.check or args.output == "-"):
        other = "`--check`" if args.check else "`-o -`"
        raise UsageError("option-conflict", f"`--build` writes a second lock file, and cannot be used with {other}")
    if args.output == "-" and args.json and not args.dry_run:
        raise UsageError(
            "option-conflict", "`-o -` and `--json` both write to stdout", hint="Write the lock to a file with `-o`"
        )
    return LockCommand(
        sources=(*args.sources, *args.requirement),
        options=options,
        indexes=index_overrides(args),
        output=args.output,
        context=run_context(args, out),
        check=args.check,
        online=args.online,
        dry_run=args.dry_run,
        json=args.json,
        stats=args.stats or args.verbose,
        arguments=args.arguments,
        repeatable=not _depends_on_more(args),
    )


def _depends_on_more(args: argparse.Namespace) -> bool:
    """Whether the command prints more each time, or depends on files that the cached result does not record."""
    says_more = args.json or args.stats or args.dry_run or args.verbose or args.config or args.directory
    other_cache = args.cache_dir or args.no_cache or args.refresh or args.refresh_package or args.offline
    newest = args.upgrade or args.upgrade_package or args.upgrade_group
    files = args.override or args.build_constraint or args.editable or args.this_environment or args.trusted_root
    return bool(says_more or other_cache or newest or files or args.build or args.torch_backend == "auto")


def add_why_not_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset why-not`, which include those of `lock`."""
    parser.add_argument("package", metavar="PACKAGE[==VERSION]", help="the version (default: the newest)")
    parser.add_argument("sources", nargs="*", default=[], metavar="SOURCE", help="as for `lockset lock`")
    parser.add_argument("-o", "--output", metavar="FILE", help="the existing lock file (default: pylock.toml)")
    parser.add_argument("--json", action="store_true", help="write the explanation as JSON")
    _add_choices(parser)
    parser.set_defaults(no_sdist=False, with_project=False, build=False)
    parser.set_defaults(attestations=False, refuse_new_publisher=False, trusted_root=None)


def read_why_not_command(args: argparse.Namespace, out: Output) -> WhyNotCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
    """
    options = lock_options(args)
    if args.output is not None:
        refuse_wrong_output(args.output)
    if args.sources and _is_version(args.sources[0]):
        package = f"{args.package}=={args.sources[0]}"
        message = f"`{args.sources[0]}` is a version, not a source of requirements"
        raise UsageError("package-name", message, hint=f"Use `lockset why-not {package}`")
    return WhyNotCommand(
        package=args.package,
        sources=tuple(args.sources),
        options=options,
        indexes=index_overrides(args),
        output=args.output,
        context=run_context(args, out),
        json=args.json,
    )


def _is_version(source: str) -> bool:
    """Whether a source is certainly meant as the version of a package."""
    if not source[:1].isdecimal():
        return False
    from packaging.version import InvalidVersion

    from lockset.dependency_specifiers import read_version

    try:
        read_version(source)
    except InvalidVersion:
        return False
    return True


def _add_choices(parser: argparse.ArgumentParser) -> None:
    """Add the options on requirements, environments, versions, files, indexes and the cache."""
    _what(parser)
    _where(parser)
    _versions(parser)
    _files(parser)
    add_index(parser)
    add_cache(parser)


def _what(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("requirements")
    _repeated(group, "-c", "--constraint", metavar="FILE", help="constrain versions with FILE, or with a lock file")
    _repeated(group, "--override", metavar="FILE", help="override requirements of packages with those in FILE")
    _repeated(group, "--exclude", metavar="NAME", help="exclude NAME, whatever requires it (repeatable)")
    _repeated(group, "-e", "--editable", metavar="DIR", help="include the source tree in DIR as an editable package")
    _repeated(group, "--extra", metavar="NAME", help="lock only this extra (repeatable; default: all)")
    group.add_argument("--all-extras", action="store_true", help="lock all extras (the default)")
    _repeated(group, "--group", metavar="NAME", help="lock only this group (repeatable; default: all)")
    _repeated(group, "--only-group", metavar="NAME", help="lock only this group, without the project (repeatable)")
    _repeated(group, "--no-group", metavar="NAME", help="exclude this group (repeatable)")
    group.add_argument("--all-groups", action="store_true", help="lock all dependency groups (the default)")


def _where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("environments")
    group.add_argument(
        "-p", "--python", type=python_versions, metavar="RANGE", help="Pythons to lock for, such as `>=3.10` or `3.12`"
    )
    _repeated(
        group,
        "--platform",
        metavar="NAME",
        help="linux, macos, windows, or a tag such as manylinux_2_28_aarch64 (repeatable; default: all)",
    )
    group.add_argument(
        "--implementation",
        type=other_spelling,
        choices=("cpython", "pypy"),
        help="lock only for this one (default: all)",
    )
    group.add_argument(
        "--environment", action="append", default=[], metavar="MARKER", help="lock only for this marker (repeatable)"
    )
    group.add_argument(
        "--this-environment",
        action="store_true",
        help="lock only for the active virtual environment, the nearest .venv, or the Python that runs lockset",
    )
    _repeated(group, "--require-wheels-for", metavar="PLATFORM", help="require wheels for PLATFORM (repeatable)")


def _versions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("versions")
    group.add_argument("-U", "--upgrade", action="store_true", help="upgrade all packages, ignoring the existing lock")
    _repeated(
        group, "-P", "--upgrade-package", metavar="NAME", help="upgrade NAME, or to versions: NAME==1.2 (repeatable)"
    )
    _repeated(group, "--upgrade-group", metavar="NAME", help="upgrade what this group requires (repeatable)")
    group.add_argument("--resolution", choices=("highest", "lowest", "lowest-direct"), help="which versions to prefer")
    group.add_argument("--prerelease", type=other_spelling, choices=PRERELEASES, help="when to allow pre-releases")
    _repeated(group, "--prerelease-package", metavar="NAME=WHEN", help="the same for NAME (repeatable)")
    group.add_argument(
        "--fork-strategy",
        type=other_spelling,
        choices=("newest", "fewest"),
        help="prefer the newest version for each Python (default), or the fewest versions",
    )
    group.add_argument(
        "--exclude-newer", metavar="DATE", help="use only files uploaded before DATE, or before a duration ago"
    )
    _repeated(group, "--exclude-newer-package", metavar="NAME=DATE", help="the same for NAME; `false` for no limit")
    group.add_argument(
        "--cooldown", metavar="AGE", help="hold back files younger than AGE (7 days) that are not locked"
    )
    _repeated(group, "--cooldown-package", metavar="NAME=AGE", help="the same for NAME; `0 days` for no cooldown")


def _files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("files and builds")
    group.add_argument("--no-build", action="store_true", help="use only wheels, build nothing")
    _repeated(group, "--only-binary", metavar="NAME", help="the same for NAME or :all:")
    _repeated(group, "--no-binary", metavar="NAME", help="do not use wheels of NAME or :all:")
    _repeated(group, "--build-constraint", metavar="FILE", help="constrain build requirements with FILE")
    add_builds(group)
    _repeated(group, "--allow-direct-url", metavar="HOST", help="allow packages from an index to require URLs on HOST")
    group.add_argument(
        "--no-sources", action="store_true", help="ignore sources in other tools' tables, and use the indexes"
    )
    _repeated(group, "--no-sources-package", metavar="NAME", help="the same for NAME (repeatable)")
    group.add_argument(
        "--verify-metadata", action="store_true", help="compare the dependencies of all wheels of each version"
    )


def _repeated(group: Any, *names: str, **more: Any) -> None:
    group.add_argument(*names, action="append", default=[], **more)
