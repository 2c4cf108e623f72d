"""Options of the commands that bring lock files to targets, and the request that they mean."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.cli.options.common import add_cache, add_index, cache_dir, normal_name, standard_input
from lockset.cli.options.pythons import command_path, python_folders, version_of
from lockset.composition.sync_pipeline import (
    Allowed,
    Described,
    Doing,
    LockSource,
    Policy,
    SyncRequest,
    find_environment,
    find_lock,
    find_python,
)
from lockset.errors import LocksetError, UsageError
from lockset.files.record_store import content
from lockset.files.system import system_facts
from lockset.lockfile.file_name import refuse_wrong_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

__all__ = [
    "add_doing",
    "add_files",
    "add_policy",
    "add_sources",
    "add_target",
    "allowed_of",
    "folders",
    "lock_files",
    "names",
    "names_or_all",
    "own_platform",
    "python_of",
    "request_of",
]

# Beyond it a lock file is for `load_bytes` to refuse.
_LARGEST = 1 << 25
_STDIN = "-"
LINK_MODES = ("auto", "clone", "hardlink", "copy")


def add_target(parser: argparse.ArgumentParser, *, foreign_only: bool = False) -> None:
    """Where to, and what for."""
    parser.add_argument(
        "files", nargs="*", default=[], metavar="FILE", help="lock files, or - (default: pylock.toml found upwards)"
    )
    target = parser.add_argument_group("target")
    target.add_argument(
        "-p",
        "--python",
        metavar="PATH|VERSION",
        help="interpreter, environment, or version (default: the active environment, else .venv)",
    )
    if not foreign_only:
        target.add_argument("--system", action="store_true", help="the first Python on the path, not an environment")
        target.add_argument(
            "--break-system-packages", action="store_true", help="also where another installer keeps the packages"
        )
        target.add_argument("--target", metavar="DIR", help="install into this folder instead")
        target.add_argument("--prefix", metavar="DIR", help="install below this folder, as below /usr/local")
        parser.add_argument("--locked", action="store_true", help="refuse a project that has changed since its lock")
    foreign = parser.add_argument_group("another platform (wheels only)")
    several = " (repeatable)" if foreign_only else ""
    action = "append" if foreign_only else "store"
    foreign.add_argument(
        "--platform",
        action=action,
        metavar="NAME",
        help=f"linux, macos, windows, or as in manylinux_2_28_aarch64, macosx_14_0_arm64{several}",
    )
    foreign.add_argument("--python-version", action=action, metavar="X.Y[.Z]", help=f"the Python there{several}")
    foreign.add_argument("--implementation", choices=("cpython", "pypy"), help="which Python (default: cpython)")
    _add_selection(parser)


def _add_selection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("selection")
    group.add_argument("--extra", action="append", default=[], metavar="NAME", help="with this extra (repeatable)")
    group.add_argument("--all-extras", action="store_true", help="with every extra")
    group.add_argument("--group", action="append", default=[], metavar="NAME", help="with this group (repeatable)")
    group.add_argument(
        "--only-group", action="append", default=[], metavar="NAME", help="with this group, without the default ones"
    )
    group.add_argument("--no-default-groups", action="store_true", help="without the default groups")
    group.add_argument("--all-groups", action="store_true", help="with every group")
    strict = group.add_mutually_exclusive_group()
    strict.add_argument("--strict", action="store_true", help="refuse recorded dependencies that are missing (default)")
    strict.add_argument("--no-strict", action="store_true", help="take the lock file as it is")


def add_doing(parser: argparse.ArgumentParser, *, exact: bool) -> None:
    """What else may change, and how."""
    group = parser.add_argument_group("removal")
    if exact:
        group.add_argument("--inexact", action="store_true", help="leave what the lock file does not name")
    group.add_argument("--keep", action="append", default=[], metavar="NAME", help="never remove this (repeatable)")
    group.add_argument(
        "--remove-pip", action="store_true", help="also remove pip, setuptools and wheel where the lock has none"
    )
    group = parser.add_argument_group("doing")
    group.add_argument(
        "--allow-overlap",
        action="append",
        default=[],
        metavar="NAME",
        help="let packages own one path with different content; the last one named wins (repeatable)",
    )
    group.add_argument("--dry-run", action="store_true", help="show the plan only")
    group.add_argument(
        "--check", action="store_true", help="show the plan only, and exit with 1 if it changes anything"
    )
    group.add_argument("--reinstall", action="store_true", help="install everything anew")
    group.add_argument(
        "--reinstall-package", action="append", default=[], metavar="NAME", help="install this anew (repeatable)"
    )
    group.add_argument("--compile-bytecode", action="store_true", help="compile modules once they are installed")
    group.add_argument(
        "--link-mode",
        choices=LINK_MODES,
        help="how files come from the cache (default: auto, the quickest that works)",
    )
    group.add_argument("--verify-files", action="store_true", help="hash installed files instead of trusting times")
    group.add_argument("--json", action="store_true", help="report on stdout as JSON")


def add_files(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Which files of the lock may be used; the group that they are in."""
    group = parser.add_argument_group("sources")
    group.add_argument("--no-build", action="store_true", help="refuse sources, which would have to be built")
    for option, text in (("--only-binary", "install this from a wheel"), ("--no-binary", "install this from source")):
        group.add_argument(
            option, action="append", default=[], metavar="NAME", help=f"{text} only; `:all:` for all (repeatable)"
        )
    group.add_argument("--no-editable", action="store_true", help="install editable directories as plain ones")
    return group


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Which sources may be used, and where files come from."""
    group = add_files(parser)
    group.add_argument(
        "--config-setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="for the build backends of sources (repeatable)",
    )
    group.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="FROM=TO",
        help="fetch what begins with FROM from TO instead (repeatable)",
    )
    add_policy(parser)
    add_cache(parser)
    add_index(parser)


def add_policy(parser: argparse.ArgumentParser) -> None:
    """What a lock file may ask for."""
    group = parser.add_argument_group("policy")
    for name in ("vcs", "directory", "archive"):
        group.add_argument(f"--no-{name}", action="store_true", help=f"refuse packages locked as {name}")
    group.add_argument(
        "--allow-outside-path", action="store_true", help="allow paths that leave the lock file's folder"
    )
    group.add_argument("--allow-weak-hash", action="store_true", help="allow files with md5 or sha1 alone")


def lock_files(files: Sequence[str], here: Path) -> tuple[tuple[str, bytes], ...]:
    """Absolute paths of the lock files, with the bytes that all of the run is based on."""
    if list(files).count(_STDIN) > 1:
        raise UsageError("stdin-twice", "The standard input is one lock file, not several")
    paths = [str(here / ("<stdin>" if name == _STDIN else name)) for name in files] or [str(_nearest(here))]
    for name in files:
        if name.endswith(("pyproject.toml", ".py")):
            from shlex import quote

            raise LocksetError(
                "lock-invalid",
                "This says what is asked for, not what is locked",
                place=name,
                hint=f"`lockset lock {quote(name)}` makes a lock file of it",
            )
    named = files or paths
    locks = tuple(
        (path, standard_input() if n == _STDIN else _bytes(path)) for n, path in zip(named, paths, strict=True)
    )
    for name in named:
        if name != _STDIN:
            refuse_wrong_name(name)
    return locks


def _bytes(path: str) -> bytes:
    try:
        size = os.stat(path).st_size  # noqa: PTH116 (also where the path is none)
        found = content(path, size) if size <= _LARGEST else b""
    except (OSError, ValueError):
        found = b""
    if 0 < len(found) <= _LARGEST:
        return found
    # Imported here: only what cannot be read needs the words for it.
    from lockset.lockfile.load import load_bytes

    return load_bytes(path)


def request_of(args: argparse.Namespace, here: Path, locks: tuple[tuple[str, bytes], ...]) -> SyncRequest:
    """What the options ask for.

    Raises:
        UsageError: options that exclude one another.
        LocksetError: there is no such lock file, or no such interpreter.
    """
    _refuse_conflicts(args)
    described = _described(args, here)
    return SyncRequest(
        sources=tuple(LockSource(folder=str(Path(path).parent), data=data, path=path) for path, data in locks),
        python=None if described is not None else python_of(args, here),
        directory=_folder(args.target),
        prefix=_folder(args.prefix),
        described=described,
        break_system=args.break_system_packages,
        extras=names(args.extra),
        all_extras=args.all_extras,
        groups=names((*args.group, *args.only_group)),
        all_groups=args.all_groups,
        default_groups=not (args.no_default_groups or args.only_group),
        allowed=allowed_of(args),
        no_binary=names_or_all(args.no_binary),
        only_binary=names_or_all(args.only_binary),
        build_nothing=args.no_build,
        strict=not args.no_strict,
        find_links=folders(args.find_links, here),
        policy=Policy(
            exact=not getattr(args, "inexact", True),
            keep=names(args.keep),
            remove_seeds=args.remove_pip,
            reinstall=None if args.reinstall else names(args.reinstall_package),
        ),
        doing=Doing(
            link_mode=args.link_mode or "auto",
            compile_bytecode=args.compile_bytecode,
            verify_files=args.verify_files,
            overlap=partial(_overlap, args, Path(locks[0][0]).parent, here),
        ),
        locked=args.locked,
        check_only=args.dry_run or args.check,
    )


def _overlap(args: argparse.Namespace, folder: Path, here: Path) -> tuple[str, ...]:
    """The names of --allow-overlap, else those of the project: read only where packages do overlap."""
    if args.allow_overlap:
        return tuple(name for text in args.allow_overlap for name in names([text]))
    from lockset.cli.options.index import project_of_lock

    project = project_of_lock(args, folder, here)
    return () if project is None else project.settings.allow_overlap


def allowed_of(args: argparse.Namespace) -> Allowed:
    """Which sources the options allow."""
    return Allowed(
        vcs=not args.no_vcs,
        directory=not args.no_directory,
        archive=not args.no_archive,
        outside_path=args.allow_outside_path,
        weak_hash=args.allow_weak_hash,
        editable=not args.no_editable,
    )


def _refuse_conflicts(args: argparse.Namespace) -> None:
    if args.only_group and (args.group or args.all_groups):
        raise UsageError("option-conflict", "--only-group goes with neither --group nor --all-groups")
    if args.target and args.prefix:
        raise UsageError("option-conflict", "--target and --prefix exclude each other")
    foreign = args.platform or args.python_version or args.implementation
    if foreign and not (args.target or args.prefix):
        raise UsageError(
            "option-conflict",
            "--platform, --python-version and --implementation describe another machine and need --target or --prefix",
        )
    if foreign and args.compile_bytecode:
        raise UsageError("option-conflict", "Bytecode of another machine's Python cannot be compiled here")
    if foreign and (args.python or args.system):
        raise UsageError("option-conflict", "An interpreter is either named by --python or described, not both")


def _described(args: argparse.Namespace, here: Path) -> Described | None:
    del here
    if not (args.platform or args.python_version or args.implementation):
        return None
    return Described(
        platform=args.platform or own_platform(),
        python=args.python_version or f"{sys.version_info.major}.{sys.version_info.minor}",
        implementation=args.implementation or "cpython",
    )


def own_platform() -> str:
    """This machine, in the words of `--platform`."""
    family = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return family if sys.platform == "win32" else f"{family}_{system_facts()[4]}"


def python_of(args: argparse.Namespace, here: Path) -> str:
    """The interpreter or environment that is meant."""
    found = os.environ.get("VIRTUAL_ENV") or find_environment(here)  # noqa: TID251 - the door for environment variables
    text = version_of(args.python)
    if text and not (text[0].isdigit() and text.replace(".", "").isdigit()):
        return command_path(text, os.environ)  # noqa: TID251
    if getattr(args, "system", False) or (text and not (found and _has_version(found, text))):
        return _find_python(text, cache_dir(args))
    if text:
        return str(found)
    if found is not None:
        return found
    if getattr(args, "target", None) or getattr(args, "prefix", None) or not hasattr(args, "target"):
        return sys.executable
    raise LocksetError(
        "no-environment",
        f"There is no virtual environment: none is active, and there is no .venv in {here} or above it",
        hint="Make one with `python -m venv .venv`, or name an interpreter with `--python`",
    )


def _find_python(version: str | None, cache: Path | None) -> str:
    folders = python_folders(os.environ, version=version)  # noqa: TID251 - the door for environment variables
    try:
        return find_python(folders, version=version, cache=cache)
    except LocksetError as error:
        told = error.diagnostic
        registry = ", in the registry" if sys.platform == "win32" else ""
        looked = (
            (f"Looked for on the path{registry}, and where pyenv, uv, mise and asdf keep theirs",) if version else ()
        )
        raise LocksetError(told.code, told.message, context=looked, hint=told.hint) from error


def _has_version(environment: str, version: str) -> bool:
    """Whether pyvenv.cfg of `environment` tells of that Python."""
    try:
        text = (Path(environment) / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    lines = (line.partition("=") for line in text.splitlines())
    told = {key.strip().lower(): value.strip() for key, _, value in lines}
    return f"{told.get('version') or told.get('version_info', '')}.".startswith(f"{version}.")


def _nearest(here: Path) -> Path:
    found = find_lock(here)
    if found is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no pylock.toml in {here} or above it",
            hint="`lockset lock` writes one; name its path to use another",
        )
    return found


def _folder(text: str | None) -> str | None:
    return os.path.abspath(Path(text).expanduser()) if text else None  # noqa: PTH100 (links are followed later)


def folders(texts: Iterable[str], here: Path) -> tuple[str, ...]:
    """Absolute paths of the folders of `--find-links`."""
    for text in texts:
        if "://" in text:
            raise UsageError(
                "find-links", "Files of a lock come from folders by --find-links, not from pages", hint=None
            )
    return tuple(str(here / Path(text).expanduser()) for text in texts)


def names(texts: Iterable[str]) -> frozenset[str]:
    """Names of packages, extras or groups, normalised."""
    return frozenset(map(normal_name, texts))


def names_or_all(texts: Iterable[str]) -> frozenset[str] | None:
    """The names, where `:all:` stands for all of them: None. `:none:` takes back all before it."""
    given: set[str] = set()
    for part in (part.strip() for text in texts for part in text.split(",")):
        if part == ":none:":
            given.clear()
        elif part:
            given.add(part)
    return None if ":all:" in given else names(given)
