"""Options of `lockset lock` and `lockset why-not`, and their values."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.cli.options.common import (
    add_builds,
    add_cache,
    add_index,
    add_requirement,
    build_options,
    index_overrides,
    names,
    normal_name,
    other_spelling,
    python_versions,
    run_context,
)
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.file_name import refuse_wrong_output
from lockset.markers.marker_set import MarkerSet
from lockset.resolve.problem.file_policy import BUILD_NOTHING
from lockset.resolve.problem.options import LockOptions
from lockset.sources.exclude_newer import parse_age, parse_exclude_newer
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = [
    "LockCommand",
    "WhyNotCommand",
    "add_lock_arguments",
    "add_why_not_arguments",
    "read_lock_command",
    "read_why_not_command",
]

_REPORTING = frozenset({"--check", "--dry-run", "--json", "--stats"})

_PRERELEASES = ("if-necessary", "allow", "disallow")
_EVERYTHING, _NOTHING = ":all:", ":none:"


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
    options = _lock_options(args)
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
    options = _lock_options(args)
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
    group.add_argument("--prerelease", type=other_spelling, choices=_PRERELEASES, help="when to allow pre-releases")
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


def _refuse_contradictions(args: argparse.Namespace) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: `option-conflict` if two of them are given.
    """
    both = (
        ("this_environment", "python"),
        ("this_environment", "platform"),
        ("this_environment", "implementation"),
        ("this_environment", "environment"),
        ("only_group", "group"),
        ("only_group", "all_groups"),
        ("only_group", "extra"),
        ("only_group", "all_extras"),
        ("only_group", "with_project"),
        ("with_project", "without_project"),
        ("extra", "all_extras"),
        ("group", "all_groups"),
        ("no_index", "index"),
        ("no_index", "extra_index_url"),
        ("no_index", "default_index"),
        ("refresh", "offline"),
        ("config", "no_config"),
        ("check", "dry_run"),
        ("check", "upgrade"),
        ("check", "upgrade_package"),
        ("check", "upgrade_group"),
    )
    for one, other in both:
        by_variables = one == "no_index" and {one, other} <= args.by_variable  # the stricter one applies
        if getattr(args, one, None) and getattr(args, other, None) and not by_variables:
            raise UsageError("option-conflict", f"{_option(one)} cannot be used with {_option(other)}")
    twice = {normal_name(n) for n in (*args.group, *args.only_group)} & {normal_name(n) for n in args.no_group}
    if twice:
        raise UsageError("option-conflict", f"The group {min(twice)} is both included and excluded")
    _refuse_no_files(args)


def _refuse_no_files(args: argparse.Namespace) -> None:
    """Refuse options that exclude both wheels and sources, of all projects or of one."""
    only_binary, no_binary = _binary_options(args)
    twice = set(no_binary) if args.no_build else set(only_binary) & set(no_binary)
    if _EVERYTHING in twice:
        raise UsageError("option-conflict", "Wheels and sources are both excluded: nothing is left to lock")
    if twice:
        name, one = min(twice), "--no-build" if args.no_build else f"--only-binary {min(twice)}"
        raise UsageError(
            "option-conflict",
            f"`{one}` excludes the sources of {name}, and `--no-binary {name}` its wheels",
            hint="Use one of them; to build only this, use `--only-binary :all:` instead of `--no-build`"
            if args.no_build
            else "Use one of them",
        )


def _binary_options(args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of `--only-binary` and `--no-binary`; an option overrides a variable for the opposite."""
    only_binary, no_binary = _packages(args.only_binary), _packages(args.no_binary)
    by_variable = args.by_variable & {"no_build", "only_binary", "no_binary"}
    if "only_binary" in by_variable and "no_binary" not in by_variable:
        only_binary = tuple(word for word in only_binary if word not in no_binary)
    elif "no_binary" in by_variable and "only_binary" not in by_variable:
        no_binary = tuple(word for word in no_binary if word not in only_binary)
    return only_binary, () if args.no_build and by_variable == {"no_binary"} else no_binary


def _file_kinds(args: argparse.Namespace) -> dict[str, Any]:
    """The kinds of files that may be used, and the options or variables that say so."""
    only_binary, no_binary = _binary_options(args)
    names: dict[str, str] = {name: f"LOCKSET_{name.upper()}" for name in args.by_variable}
    written = {("no-build", word): names.get("only_binary", f"--only-binary {word}") for word in only_binary}
    written |= {("no-binary", word): names.get("no_binary", f"--no-binary {word}") for word in no_binary}
    if "no_build" in names:
        written[BUILD_NOTHING] = names["no_build"]
    return {
        "no_build": only_binary,
        "no_binary": no_binary,
        "build_nothing": args.no_build,
        "written": written,
    }


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _lock_options(args: argparse.Namespace) -> LockOptions:
    """Convert the parsed options to `LockOptions`; the files that they name are read later.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
        LocksetError: If the interpreter of `--this-environment` cannot be queried.
    """
    _refuse_contradictions(args)
    where = _this_environment(Path.cwd()) if args.this_environment else _described(args)
    newer = args.exclude_newer
    upgrades = [_upgrade(text) for text in args.upgrade_package]
    return LockOptions(
        **where,
        require_wheels_for=tuple(args.require_wheels_for),
        editables=tuple(args.editable),
        extras=(names(args.extra) or None) if not args.only_group else (),
        all_extras=args.all_extras,
        all_groups=args.all_groups,
        groups=names((*args.group, *args.only_group)) or None,
        no_groups=tuple(map(normal_name, args.no_group)),
        only_groups=bool(args.only_group),
        upgrade=args.upgrade,
        upgrade_packages=frozenset(line.name for line in upgrades),
        upgrade_groups=tuple(map(normal_name, args.upgrade_group)),
        constraints=tuple(line for line in upgrades if line.requirement.specifier),
        constraint_files=tuple(args.constraint),
        override_files=tuple(args.override),
        excludes=tuple(map(normal_name, args.exclude)),
        prerelease=args.prerelease,
        prerelease_package=_modes(args.prerelease_package),
        resolution=args.resolution,
        fork=args.fork_strategy,
        exclude_newer=parse_exclude_newer(newer, location="--exclude-newer") if newer else None,
        exclude_newer_package=_limits(args.exclude_newer_package),
        cooldown=parse_age(args.cooldown, location="--cooldown") if args.cooldown else None,
        cooldown_package={
            normal_name(name): parse_age(age, location="--cooldown-package")
            for name, age in _pairs(args.cooldown_package, "--cooldown-package")
        },
        **_file_kinds(args),
        no_sdist=args.no_sdist,
        allow_direct_urls=tuple(args.allow_direct_url),
        with_project=args.with_project or (False if getattr(args, "without_project", False) else None),
        no_sources=((_EVERYTHING,) if args.no_sources else ()) + tuple(map(normal_name, args.no_sources_package)),
        verify_metadata=args.verify_metadata,
        attestations=args.attestations or None,
        refuse_new_publisher=args.refuse_new_publisher,
        trusted_root=args.trusted_root,
        build_constraint_files=tuple(args.build_constraint),
        **build_options(args),
        build_requirements=args.build,
    )


def _upgrade(text: str) -> RequirementLine:
    """A package to upgrade, with the versions to upgrade to."""
    if text and not any(sign in text for sign in "=<>~!@[ ;"):
        text = normal_name(text)
    try:
        line = parse_requirement(text, origin="--upgrade-package")
    except LocksetError as error:
        one = error.diagnostic
        raise UsageError(
            "option-value", one.message, hint="Write a name, or a name with versions: `NAME==1.2`"
        ) from error
    if line.requirement.url is not None or line.requirement.marker is not None or line.requirement.extras:
        message = f"--upgrade-package: `{text}` is not a name, or a name with versions"
        raise UsageError("option-value", message, hint="Write a name, or a name with versions: `NAME==1.2`")
    return line


def _described(args: argparse.Namespace) -> dict[str, Any]:
    try:
        for text in args.environment:
            MarkerSet.parse(text)
    except LocksetError as error:
        one = error.diagnostic
        raise UsageError(one.code, one.message, location="--environment", hint=one.hint) from error
    return {
        "python": args.python,
        "implementation": args.implementation,
        "platforms": tuple(args.platform),
        "environments": tuple(args.environment),
    }


def _this_environment(here: Path) -> dict[str, Any]:
    """The environment that `lockset sync` would use, else that of the Python that runs lockset."""
    from lockset.composition.this_environment import options_for_interpreter
    from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
    from lockset.sync.disk.request import active_environment, find_environment

    active = active_environment(os.environ)
    return options_for_interpreter(
        ask_interpreter(interpreter_of(active or find_environment(here) or sys.executable), memory=None)
    )


def _modes(texts: Iterable[str]) -> dict[str, Any]:
    modes = {}
    for name, mode in _pairs(texts, "--prerelease-package"):
        if mode not in _PRERELEASES:
            raise UsageError("option-value", f"--prerelease-package: `{mode}` is not one of {', '.join(_PRERELEASES)}")
        modes[normal_name(name)] = mode
    return modes


def _limits(texts: Iterable[str]) -> dict[str, datetime | timedelta | None]:
    return {
        normal_name(name): None if limit == "false" else parse_exclude_newer(limit, location="--exclude-newer-package")
        for name, limit in _pairs(texts, "--exclude-newer-package")
    }


def _pairs(texts: Iterable[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, _, value = text.partition("=")
        if not name or not value:
            raise UsageError("option-value", f"{option} requires NAME=VALUE, not `{name}`")
        pairs.append((name, value))
    return pairs


def _packages(texts: Iterable[str]) -> tuple[str, ...]:
    """Names, or `:all:`; separated by commas, and `:none:` resets all before it, as in pip."""
    parts: list[str] = []
    for part in (part.strip() for text in texts for part in text.split(",")):
        if part == _NOTHING:
            parts.clear()
        elif part:
            parts.append(part if part == _EVERYTHING else normal_name(part))
    return tuple(dict.fromkeys(parts))
