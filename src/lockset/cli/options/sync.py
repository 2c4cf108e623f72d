"""Options of `lockset sync`, `install`, `check-env` and `download`, and their values."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lockset._named_tuple import NamedTuple
from lockset.cli.options.common import (
    EVERYTHING,
    add_builds,
    add_cache,
    add_index,
    add_requirement,
    build_options,
    named_files,
    names,
    other_spelling,
    packages_or_all,
    run_context,
)
from lockset.cli.options.pythons import new_environment, python_of
from lockset.composition.sync_inputs import SyncOptions, lock_sources
from lockset.composition.sync_pipeline import DescribedInterpreter, SourcePolicy
from lockset.errors import UsageError
from lockset.files.system import system_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence
    from typing import Any

    from lockset.cli.output.streams import Output
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.sync.disk.request import LockSource

__all__ = [
    "SyncCommand",
    "add_check_arguments",
    "add_install_arguments",
    "add_sources",
    "add_sync_arguments",
    "add_target",
    "chosen_files",
    "names",
    "own_platform",
    "read_sync_command",
    "selection_options",
]

LINK_MODES = ("auto", "clone", "hardlink", "copy", "symlink")


def add_target(parser: argparse.ArgumentParser, *, foreign_only: bool = False) -> None:
    """Add the options on lock files, target and selection; `foreign_only` omits those that install."""
    parser.add_argument(
        "files",
        nargs="*",
        default=[],
        metavar="FILE",
        help="lock files or pinned requirements files, or - (default: the nearest pylock.toml)",
    )
    add_requirement(parser, "FILE")
    members = parser.add_argument_group("workspace")
    members.add_argument(
        "--package", action="append", default=[], metavar="NAME", help="use the lock file of this member (repeatable)"
    )
    members.add_argument("--all-packages", action="store_true", help="use the lock files of the root and all members")
    target = parser.add_argument_group("target")
    target.add_argument(
        "-p",
        "--python",
        metavar="PATH|VERSION",
        help="interpreter, environment, version or range (default: the active environment, or .venv)",
    )
    if not foreign_only:
        target.add_argument("--system", action="store_true", help="use the first Python on PATH, not an environment")
        target.add_argument(
            "--break-system-packages", action="store_true", help="allow changes to an externally managed environment"
        )
        target.add_argument("--target", metavar="DIR", help="install into DIR instead of an environment")
        target.add_argument("--prefix", metavar="DIR", help="install below DIR, with the layout of /usr/local")
        parser.add_argument(
            "--locked", action="store_true", help="refuse a project that has changed since it was locked"
        )
    foreign = parser.add_argument_group("another platform (wheels only)")
    several = " (repeatable)" if foreign_only else ""
    action = "append" if foreign_only else "store"
    foreign.add_argument(
        "--platform",
        action=action,
        metavar="NAME",
        help=f"linux, macos, windows, or a tag such as manylinux_2_28_aarch64, macosx_14_0_arm64{several}",
    )
    foreign.add_argument("--python-version", action=action, metavar="X.Y[.Z]", help=f"its Python version{several}")
    foreign.add_argument(
        "--implementation",
        type=other_spelling,
        choices=("cpython", "pypy"),
        help="its implementation (default: cpython)",
    )
    _add_selection(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("selection")
    group.add_argument("--extra", action="append", default=[], metavar="NAME", help="include this extra (repeatable)")
    group.add_argument("--all-extras", action="store_true", help="include all extras")
    group.add_argument("--group", action="append", default=[], metavar="NAME", help="include this group (repeatable)")
    group.add_argument(
        "--only-group", action="append", default=[], metavar="NAME", help="include this group, but not the default ones"
    )
    group.add_argument("--no-default-groups", action="store_true", help="exclude the default groups")
    group.add_argument("--all-groups", action="store_true", help="include all groups")
    strict = group.add_mutually_exclusive_group()
    strict.add_argument("--strict", action="store_true", help="refuse recorded dependencies that are missing (default)")
    strict.add_argument("--no-strict", action="store_true", help="allow recorded dependencies that are missing")


def _add_changes(parser: argparse.ArgumentParser, *, exact: bool) -> None:
    """Add the options on removal and installation."""
    parser.add_argument(
        "--create-venv", action="store_true", help="create .venv if there is no environment, with --python VERSION"
    )
    group = parser.add_argument_group("removal")
    if exact:
        group.add_argument("--inexact", action="store_true", help="keep packages that are not in the lock file")
    group.add_argument("--keep", action="append", default=[], metavar="NAME", help="never remove this (repeatable)")
    group.add_argument(
        "--remove-pip", action="store_true", help="also remove pip, setuptools and wheel if they are not locked"
    )
    group = parser.add_argument_group("installation")
    group.add_argument(
        "--allow-overlap",
        action="append",
        default=[],
        metavar="NAME",
        help="allow packages to contain the same path with different content; the last one wins (repeatable)",
    )
    group.add_argument("--dry-run", action="store_true", help="show the plan without changing anything")
    group.add_argument("--check", action="store_true", help="the same, and exit with 1 if the plan has changes")
    group.add_argument("--reinstall", action="store_true", help="reinstall all packages")
    group.add_argument(
        "--reinstall-package", action="append", default=[], metavar="NAME", help="reinstall this package (repeatable)"
    )
    group.add_argument("--compile-bytecode", action="store_true", help="compile modules after installation")
    group.add_argument(
        "--link-mode",
        choices=LINK_MODES,
        help="how to install files from the cache (default: auto, the fastest that works)",
    )
    group.add_argument("--verify-files", action="store_true", help="hash installed files to find changes")
    group.add_argument("--json", action="store_true", help="write a report as JSON to stdout")


def _add_files(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add the options on files of the lock that may be used; return their group."""
    group = parser.add_argument_group("sources")
    group.add_argument("--no-build", action="store_true", help="refuse packages that must be built")
    for option, text in (
        ("--only-binary", "install this from a wheel"),
        ("--no-binary", "install this from source"),
    ):
        group.add_argument(
            option, action="append", default=[], metavar="NAME", help=f"{text} only; `:all:` for all (repeatable)"
        )
    group.add_argument("--no-editable", action="store_true", help="install editable packages as non-editable")
    group.add_argument("--no-project", action="store_true", help="do not install the project itself")
    return group


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Add the options on sources, mirrors, policy, cache and indexes."""
    group = _add_files(parser)
    add_builds(group)
    group.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="download URLs that begin with FROM from TO instead (repeatable)",
    )
    _add_policy(parser)
    add_cache(parser)
    add_index(parser)


def _add_attestations(parser: argparse.ArgumentParser) -> None:
    """Add the options on attestations of what is installed."""
    group = parser.add_argument_group("attestations")
    group.add_argument(
        "--require-attestations",
        action="store_true",
        help="refuse files that no publisher recorded in the lock file attests (PEP 740)",
    )
    group.add_argument(
        "--require-attestations-package",
        action="append",
        default=[],
        metavar="NAME",
        help="the same for NAME (repeatable)",
    )
    group.add_argument("--trusted-root", metavar="FILE", help="verify attestations with this root of trust")


def _add_policy(parser: argparse.ArgumentParser) -> None:
    """Add the options on what a lock file may contain."""
    group = parser.add_argument_group("policy")
    for name in ("vcs", "directory", "archive"):
        group.add_argument(f"--no-{name}", action="store_true", help=f"refuse packages locked as {name}")
    group.add_argument("--allow-outside-path", action="store_true", help="allow paths outside the lock file's folder")
    group.add_argument("--allow-weak-hash", action="store_true", help="allow files that have only an md5 or sha1 hash")
    group.add_argument(
        "--require-hashes", action="store_true", help="refuse files of other formats that have no hash of a package"
    )


class SyncCommand(NamedTuple):
    """The options of `lockset sync`, `install` or `check-env`.

    Attributes:
        locks: The lock files with their bytes.
        python: An interpreter, or the folder of a virtual environment; None if one is described.
        options: The options of the sync.
        indexes: The indexes to use.
        context: The surroundings.
        check: Exit with 1 if the plan has changes.
        json: Report as JSON.
        arguments: The command line, which is the key of the cached result.
        repeatable: Whether the result depends only on lock files, target and project.
    """

    locks: tuple[LockSource, ...]
    python: str | None
    options: SyncOptions
    indexes: IndexOptions | IndexOverrides | None
    context: RunContext
    check: bool
    json: bool
    arguments: tuple[str, ...]
    repeatable: bool


def add_sync_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset sync`."""
    add_target(parser)
    _add_changes(parser, exact=True)
    add_sources(parser)
    _add_attestations(parser)


def add_install_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset install`."""
    add_target(parser)
    _add_changes(parser, exact=False)
    add_sources(parser)
    _add_attestations(parser)


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lockset check-env`."""
    add_target(parser)
    group = parser.add_argument_group("checking")
    group.add_argument("--inexact", action="store_true", help="ignore packages that are not in the lock file")
    group.add_argument("--keep", action="append", default=[], metavar="NAME", help="ignore this package (repeatable)")
    group.add_argument("--verify-files", action="store_true", help="hash installed files to find changes")
    group.add_argument("--json", action="store_true", help="write a report as JSON to stdout")
    _add_files(parser)
    _add_policy(parser)
    add_cache(parser)
    add_index(parser, needless=True)
    parser.set_defaults(
        check=True,
        dry_run=True,
        create_venv=False,
        remove_pip=False,
        reinstall=False,
        reinstall_package=[],
        compile_bytecode=False,
    )
    parser.set_defaults(require_attestations=False, require_attestations_package=[], trusted_root=None)
    parser.set_defaults(link_mode=None, allow_overlap=[], mirror=[])
    parser.set_defaults(
        config_setting=[], config_settings_package=[], no_build_isolation=False, no_build_isolation_package=[]
    )
    parser.set_defaults(require_build_hashes=False, no_require_build_hashes=False)


def read_sync_command(args: argparse.Namespace, out: Output) -> SyncCommand:
    """Convert the parsed options to values.

    Raises:
        UsageError: If options exclude each other.
        LocksetError: If a lock file or the interpreter does not exist.
    """
    context = run_context(args, out)
    locks = lock_sources(chosen_files(args, context), context)
    _refuse_conflicts(args)
    described = _described(args)
    options = SyncOptions(
        directory=_folder(args.target),
        prefix=_folder(args.prefix),
        described=described,
        break_system=args.break_system_packages,
        exact=not getattr(args, "inexact", True),
        keep=_names(args.keep),
        remove_pip=args.remove_pip,
        reinstall=(EVERYTHING,) if args.reinstall else _names(args.reinstall_package),
        locked=args.locked,
        check_only=args.dry_run or args.check,
        **build_options(args),
        allow_overlap=tuple(name for text in args.allow_overlap for name in _names([text])) or None,
        link_mode=args.link_mode or "auto",
        compile_bytecode=args.compile_bytecode,
        verify_files=args.verify_files,
        require_attestations=args.require_attestations,
        require_attestations_package=_names(args.require_attestations_package),
        trusted_root=args.trusted_root,
        **selection_options(args),
    )
    python = None if described is not None else new_environment(args, locks, out) or python_of(args, context)
    on_path = args.system or (args.python and not os.path.lexists(args.python))
    more = (
        args.json or args.directory or "-" in named_files(args) or args.verify_files or args.cache_dir or args.no_cache
    )
    return SyncCommand(
        locks=locks,
        python=python,
        options=options,
        indexes=context.indexes,
        context=context,
        check=args.check,
        json=args.json,
        arguments=args.arguments,
        repeatable=not (more or on_path or options.reinstall),
    )


def chosen_files(args: argparse.Namespace, context: RunContext) -> Sequence[str]:
    """The files that are named, or by `--package` and `--all-packages` the lock files of members of the workspace.

    Raises:
        LocksetError: `lock-not-found`, `unknown-member`.
        UsageError: `option-conflict`.
    """
    files = named_files(args)
    if not args.package and not args.all_packages:
        return files
    from lockset.composition.workspaces.member_locks import chosen_lock_names  # most projects are in no workspace

    return chosen_lock_names(files, context, _names(args.package), all_packages=args.all_packages)


def selection_options(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of `SyncOptions` on selection and files, which `download` has, too."""
    return {
        "extras": _names(args.extra),
        "all_extras": args.all_extras,
        "groups": _names((*args.group, *args.only_group)),
        "all_groups": args.all_groups,
        "default_groups": not (args.no_default_groups or args.only_group),
        "strict": not args.no_strict,
        "allowed": _allowed(args),
        "require_hashes": args.require_hashes,
        "no_build": args.no_build,
        "only_binary": _names_or_all(args.only_binary),
        "no_binary": _names_or_all(args.no_binary),
        "find_links": _folders(args.find_links),
        "mirrors": tuple(args.mirror),
    }


def _allowed(args: argparse.Namespace) -> SourcePolicy:
    """The sources that the options allow."""
    return SourcePolicy(
        vcs=not args.no_vcs,
        directory=not args.no_directory,
        archive=not args.no_archive,
        outside_path=args.allow_outside_path,
        weak_hash=args.allow_weak_hash,
        editable=not args.no_editable,
        project=not args.no_project,
    )


def _refuse_conflicts(args: argparse.Namespace) -> None:
    if args.create_venv and (args.target or args.prefix or args.system):
        raise UsageError("option-conflict", "--create-venv cannot be used with --target, --prefix or --system")
    if args.only_group and (args.group or args.all_groups):
        raise UsageError("option-conflict", "--only-group cannot be used with --group or --all-groups")
    if args.target and args.prefix:
        raise UsageError("option-conflict", "--target cannot be used with --prefix")
    foreign = args.platform or args.python_version or args.implementation
    if foreign and not (args.target or args.prefix):
        raise UsageError(
            "option-conflict",
            "--platform, --python-version and --implementation require --target or --prefix",
        )
    if foreign and args.compile_bytecode:
        raise UsageError("option-conflict", "--compile-bytecode cannot compile for the Python of another machine")
    if foreign and (args.python or args.system):
        raise UsageError("option-conflict", "--python and --system cannot be used with a described interpreter")


def _described(args: argparse.Namespace) -> DescribedInterpreter | None:
    if not (args.platform or args.python_version or args.implementation):
        return None
    return DescribedInterpreter(
        platform=args.platform or own_platform(),
        python=args.python_version or f"{sys.version_info.major}.{sys.version_info.minor}",
        implementation=args.implementation or "cpython",
    )


def own_platform() -> str:
    """The platform of this machine, as for `--platform`."""
    family = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return family if sys.platform == "win32" else f"{family}_{system_facts()[4]}"


def _folder(text: str | None) -> str | None:
    return os.path.abspath(Path(text).expanduser()) if text else None


def _folders(texts: Iterable[str]) -> tuple[str, ...]:
    """The folders of `--find-links`."""
    for text in texts:
        if "://" in text:
            raise UsageError("find-links", "--find-links must name folders here, not pages", hint=None)
    return tuple(str(Path(text).expanduser()) for text in texts)


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    """Normalised names of packages, extras or groups; most options have none."""
    return names(texts) if texts else ()


def _names_or_all(texts: Iterable[str]) -> tuple[str, ...]:
    given = packages_or_all(texts) if texts else ()
    return (EVERYTHING,) if EVERYTHING in given else given
