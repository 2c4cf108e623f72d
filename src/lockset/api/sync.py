"""sync() as a library: lock files in, an environment as they say out; only what is given counts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import cache as once
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.composition.sync_pipeline import (
    DescribedInterpreter,
    InstallOptions,
    LockSource,
    RemovalPolicy,
    SourcePolicy,
    SyncRequest,
    SyncResult,
    sync,
)
from lockset.errors import UsageError
from lockset.index.options import IndexOptions
from lockset.lockfile.file_name import refuse_wrong_name
from lockset.lockfile.load import load_bytes
from lockset.option_values import check_argument, check_options
from lockset.progress import NullListener

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lockset.index.ports import Downloads
    from lockset.progress import ProgressListener
    from lockset.sync.ports import WheelBuilds

__all__ = ["SyncOptions", "sync_target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What to install where, and what else may change; as the options of `lockset sync`.

    Attributes:
        directory: Install into this folder instead of the interpreter's own environment.
        prefix: Or below this one, as below an installation's own.
        described: For this interpreter of another machine instead of one that is here: wheels only.
        extras: Names of extras.
        all_extras: Every extra.
        groups: Names of dependency groups beside the default ones.
        all_groups: Every group.
        default_groups: Whether the default groups are installed, too.
        exact: Remove what the lock files do not name; outside of virtual environments only what lockset has installed.
        keep: Names that are never removed.
        reinstall: Names that are installed anew although they are right.
        strict: Refuse dependencies that the lock files record but do not hold.
        locked: Refuse a project that has changed since its lock file was made.
        check_only: Change nothing; the plan tells what would be.
        break_system: Also where another installer keeps the packages (PEP 668).
        find_links: Folders of files that may be used in place of downloads, matched by hash.
        allowed: Which kinds of sources may be used.
        allow_overlap: Names of packages that may own one path with different content; of the last one it is.
        link_mode: `auto`, `clone`, `hardlink` or `copy`.
        compile_bytecode: Compile modules once they are installed.
        verify_files: Hash installed files instead of trusting times.
    """

    directory: str | PathLike[str] | None = None
    prefix: str | PathLike[str] | None = None
    described: DescribedInterpreter | None = None
    extras: Collection[str] = ()
    all_extras: bool = False
    groups: Collection[str] = ()
    all_groups: bool = False
    default_groups: bool = True
    exact: bool = True
    keep: Collection[str] = ()
    reinstall: Collection[str] = ()
    strict: bool = True
    locked: bool = False
    check_only: bool = False
    break_system: bool = False
    find_links: Collection[str | PathLike[str]] = ()
    allowed: SourcePolicy = SourcePolicy()
    allow_overlap: Collection[str] = ()
    link_mode: Literal["auto", "clone", "hardlink", "copy"] = "auto"
    compile_bytecode: bool = False
    verify_files: bool = False

    def __post_init__(self) -> None:
        check_options(self)


def sync_target(
    locks: str | PathLike[str] | Iterable[str | PathLike[str]],
    *,
    python: str | PathLike[str] | None = None,
    options: SyncOptions | None = None,
    indexes: IndexOptions | None = None,
    cache: str | PathLike[str] | None = None,
    builds: bool = True,
    environ: Mapping[str, str] | None = None,
    listener: ProgressListener | None = None,
) -> SyncResult:
    """Make a target exactly what the lock files say, or leave it as it was.

    Args:
        locks: Paths of lock files; several must agree.
        python: An interpreter, or the folder of a virtual environment; None only where one is described.
        options: What to install where; None: what is installed by default, into the environment of `python`.
        indexes: Credentials and connections, and where builds find what they need; None: the usual ones.
        cache: Folder that remembers files across calls; None: nothing is remembered.
        builds: Whether sources may be built.
        environ: Variables for git; None: those of the process.
        listener: Hears of progress.

    Raises:
        LocksetError: A file is refused, cannot be fetched, or does not fit; the target is as it was before.
        OSError: The system refuses; the same.
    """
    locks = check_argument("locks", locks, "str | PathLike | Iterable[str | PathLike]")
    check_argument("python", python, "str | PathLike | None")
    check_argument("options", options, "SyncOptions | None")
    check_argument("indexes", indexes, "IndexOptions | None")
    check_argument("cache", cache, "str | PathLike | None")
    if options is not None and options.described is not None:
        for name, value in options.described._asdict().items():
            check_argument(f"DescribedInterpreter.{name}", value, "str")
    if python is None and (options is None or options.described is None):
        raise UsageError("python-missing", "Neither is an interpreter named nor one described", hint="Give `python=`")
    named = [locks] if isinstance(locks, str | PathLike) else list(locks)
    request = _request([Path(name).absolute() for name in named], python, options or SyncOptions())
    connections = indexes if indexes is not None else IndexOptions()
    location = Path(cache).absolute() if cache is not None else None
    heard = listener or NullListener()
    with ExitStack() as stack:

        @once
        def downloads() -> Downloads:
            from lockset.composition.connections import connected, link_locked_files

            connection = stack.enter_context(connected(connections, location, heard))
            link_locked_files(connection, lambda: [source.read() for source in request.sources])
            return connection.downloads

        def wheels() -> WheelBuilds:
            return _wheel_builds(request, connections, location, environ, heard)

        return sync(request, cache=location, downloads=downloads, builds=wheels if builds else None, listener=heard)


def _request(paths: list[Path], python: str | PathLike[str] | None, options: SyncOptions) -> SyncRequest:
    locks = [(path, load_bytes(str(path))) for path in paths]
    for path in paths:
        refuse_wrong_name(str(path))
    return SyncRequest(
        sources=tuple(LockSource(folder=str(p.parent), data=data, path=str(p)) for p, data in locks),
        python=None if python is None else os.fspath(python),
        directory=_absolute(options.directory),
        prefix=_absolute(options.prefix),
        described=options.described,
        break_system=options.break_system,
        extras=_names(options.extras),
        all_extras=options.all_extras,
        groups=_names(options.groups),
        all_groups=options.all_groups,
        default_groups=options.default_groups,
        allowed=options.allowed,
        strict=options.strict,
        find_links=tuple(str(Path(folder).absolute()) for folder in options.find_links),
        policy=RemovalPolicy(exact=options.exact, keep=_names(options.keep), reinstall=_names(options.reinstall)),
        install_options=InstallOptions(
            link_mode=options.link_mode,
            compile_bytecode=options.compile_bytecode,
            verify_files=options.verify_files,
            overlap=lambda: tuple(canonicalize_name(name) for name in options.allow_overlap),
        ),
        locked=options.locked,
        check_only=options.check_only,
    )


def _wheel_builds(
    request: SyncRequest,
    options: IndexOptions,
    cache: Path | None,
    environ: Mapping[str, str] | None,
    listener: ProgressListener,
) -> WheelBuilds:
    from lockset.composition.build_environments import builder
    from lockset.composition.wheel_builds import HookWheelBuilds
    from lockset.sync.disk.inspect.interpreter import interpreter_of

    assert request.python is not None
    now = datetime.now(timezone.utc)  # noqa: TID251 - the clock's door
    made = builder(options, cache, python=interpreter_of(request.python), now=now, listener=listener)
    variables = dict(os.environ if environ is None else environ)  # noqa: TID251 - unless they are given
    return HookWheelBuilds(made, settings={}, environ=variables, offline=options.offline, listener=listener)


def _absolute(path: str | PathLike[str] | None) -> str | None:
    return None if path is None else os.path.abspath(path)  # noqa: PTH100 (links are followed later)


def _names(names: Collection[str]) -> frozenset[str]:
    return frozenset(canonicalize_name(name) for name in names)
