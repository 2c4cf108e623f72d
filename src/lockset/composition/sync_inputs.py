"""The options of a sync, the request that they and lock files make, and the ports that it may need.

Lock files are the bytes that all of the run is based on; they are parsed only where need be.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from lockset.composition.sync_pipeline import (
    DescribedInterpreter,
    InstallOptions,
    LockSource,
    RemovalPolicy,
    SourcePolicy,
    SyncRequest,
    find_lock,
)
from lockset.errors import LocksetError, UsageError
from lockset.files.record_store import content
from lockset.lockfile.file_name import refuse_wrong_name
from lockset.option_values import check_argument, check_options, plain_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from os import PathLike
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from lockset.composition.mirrors import Mirror
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sync.ports import WheelBuilds

__all__ = ["SyncOptions", "SyncPorts", "lock_sources", "refuse_missing_python", "sync_request"]

_ALL = ":all:"
# Beyond it a lock file is for `load_bytes` to refuse.
_LARGEST = 1 << 25
_STDIN = "-"


@plain_dataclass(frozen=True, kw_only=True)
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
        remove_pip: Also remove pip, setuptools and wheel where the lock files have none.
        reinstall: Names that are installed anew although they are right; `:all:` for all.
        strict: Refuse dependencies that the lock files record but do not hold.
        locked: Refuse a project that has changed since its lock file was made.
        check_only: Change nothing; the plan tells what would be.
        break_system: Also where another installer keeps the packages (PEP 668).
        find_links: Folders of files that may be used in place of downloads, matched by hash.
        mirrors: Texts `FROM=TO`: what begins with FROM is fetched from TO instead.
        allowed: Which kinds of sources may be used.
        no_build: Refuse sources, which would have to be built.
        only_binary: Names that are installed from wheels only; `:all:` for all.
        no_binary: Names that are installed from sources only; `:all:` for all.
        config_settings: What build backends are told.
        allow_overlap: Names of packages that may own one path with different content; of the last one it is. None: as
            the project of the lock file says.
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
    remove_pip: bool = False
    reinstall: Collection[str] = ()
    strict: bool = True
    locked: bool = False
    check_only: bool = False
    break_system: bool = False
    find_links: Collection[str | PathLike[str]] = ()
    mirrors: Collection[str] = ()
    allowed: SourcePolicy = SourcePolicy()
    no_build: bool = False
    only_binary: Collection[str] = ()
    no_binary: Collection[str] = ()
    config_settings: Mapping[str, str | list[str]] | None = None
    allow_overlap: Collection[str] | None = None
    link_mode: Literal["auto", "clone", "hardlink", "copy"] = "auto"
    compile_bytecode: bool = False
    verify_files: bool = False

    def __post_init__(self) -> None:
        check_options(self)
        if self.described is not None:
            for name, value in self.described._asdict().items():
                check_argument(f"DescribedInterpreter.{name}", value, "str")


def refuse_missing_python(python: object, options: SyncOptions) -> None:
    """Refuse a call that names no interpreter and describes none.

    Raises:
        UsageError: `python-missing`.
    """
    if python is None and options.described is None:
        raise UsageError("python-missing", "Neither is an interpreter named nor one described", hint="Give `python=`")


def sync_request(
    sources: tuple[LockSource, ...], python: str | PathLike[str] | None, options: SyncOptions, context: RunContext
) -> SyncRequest:
    """What the options ask for."""
    return SyncRequest(
        sources=sources,
        python=None if python is None or options.described is not None else os.fspath(python),
        directory=_absolute(options.directory, context),
        prefix=_absolute(options.prefix, context),
        described=options.described,
        break_system=options.break_system,
        extras=_names(options.extras),
        all_extras=options.all_extras,
        groups=_names(options.groups),
        all_groups=options.all_groups,
        default_groups=options.default_groups,
        allowed=options.allowed,
        no_binary=_names_or_all(options.no_binary),
        only_binary=_names_or_all(options.only_binary),
        build_nothing=options.no_build,
        strict=options.strict,
        find_links=tuple(str(context.here / folder) for folder in options.find_links),
        policy=RemovalPolicy(
            exact=options.exact,
            keep=_names(options.keep),
            remove_seeds=options.remove_pip,
            reinstall=_names_or_all(options.reinstall),
        ),
        install_options=InstallOptions(
            link_mode=options.link_mode,
            compile_bytecode=options.compile_bytecode,
            verify_files=options.verify_files,
            overlap=_overlap(options.allow_overlap, sources[0].folder if sources else "", context),
        ),
        locked=options.locked,
        check_only=options.check_only,
    )


def _overlap(names: Collection[str] | None, folder: str, context: RunContext) -> Callable[[], tuple[str, ...]]:
    """The names that are given, else those of the project: read only where packages do overlap."""

    def allowed() -> tuple[str, ...]:
        if names is not None:
            from packaging.utils import canonicalize_name

            return tuple(canonicalize_name(name) for name in names)
        from pathlib import Path

        from lockset.composition.indexes import project_around

        project = project_around(Path(folder), context)
        return () if project is None else project.settings.allow_overlap

    return allowed


def _absolute(path: str | PathLike[str] | None, context: RunContext) -> str | None:
    if path is None:
        return None
    return os.path.abspath(path if context.folder is None else context.here / path)  # noqa: PTH100 (links are followed later)


def _names(names: Collection[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    from packaging.utils import canonicalize_name  # most syncs name nothing

    return frozenset(canonicalize_name(name) for name in names)


def _names_or_all(names: Collection[str]) -> frozenset[str] | None:
    return None if _ALL in names else _names(names)


def lock_sources(names: Sequence[str], context: RunContext) -> tuple[LockSource, ...]:
    """The named lock files, `-` for the context's standard input; without names the nearest pylock.toml.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, `lock-invalid` for a source of requirements.
        UsageError: `stdin-twice`, `file-name`.
    """
    here = context.here
    if list(names).count(_STDIN) > 1:
        raise UsageError("stdin-twice", "The standard input is one lock file, not several")
    for name in names:
        if name.endswith(("pyproject.toml", ".py")):
            from shlex import quote

            raise LocksetError(
                "lock-invalid",
                "This says what is asked for, not what is locked",
                location=name,
                hint=f"`lockset lock {quote(name)}` makes a lock file of it",
            )
    paths = [str(here / ("<stdin>" if name == _STDIN else name)) for name in names] or [_nearest(here)]
    sources = tuple(
        LockSource(
            folder=os.path.dirname(path),  # noqa: PTH120 - text only
            data=_stdin(context) if name == _STDIN else _bytes(path),
            path=path,
        )
        for name, path in zip(names or paths, paths, strict=True)
    )
    for name in names or paths:
        if name != _STDIN:
            refuse_wrong_name(name)
    return sources


def _stdin(context: RunContext) -> bytes:
    if context.stdin is None:
        raise LocksetError("lock-not-found", "`-` stands for a standard input, and none is given")
    return context.stdin()


def _nearest(here: Path) -> str:
    nearest = find_lock(here)
    if nearest is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no pylock.toml in {here} or above it",
            hint="`lockset lock` writes one; name its path to use another",
        )
    return str(nearest)


def _bytes(path: str) -> bytes:
    try:
        size = os.stat(path).st_size  # noqa: PTH116 (also where the path is none)
        data = content(path, size) if size <= _LARGEST else b""
    except (OSError, ValueError):
        data = b""
    if 0 < len(data) <= _LARGEST:
        return data
    # Imported here: only what cannot be read needs the words for it.
    from lockset.lockfile.load import load_bytes

    return load_bytes(path)


class SyncPorts:
    """Connections and builds of one sync; a context manager that closes them.

    Args:
        request: What is synced.
        indexes: Where builds find what they need, and which credentials there are.
        context: The surroundings.
        mirrors: Texts `FROM=TO`: what begins with FROM is fetched from TO.
        config_settings: What build backends are told.
    """

    def __init__(
        self,
        request: SyncRequest,
        indexes: IndexOptions | IndexOverrides | None,
        context: RunContext,
        *,
        mirrors: tuple[str, ...] = (),
        config_settings: Mapping[str, str | list[str]] | None = None,
    ) -> None:
        self._request = request
        self._indexes = indexes
        self._context = context
        self._settings = config_settings or {}
        self._stack = ExitStack()
        self._mirrors: tuple[Mirror, ...] = ()
        if mirrors:
            from lockset.composition.mirrors import read_mirror

            self._mirrors = tuple(map(read_mirror, mirrors))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @cached_property
    def _options(self) -> IndexOptions:
        from pathlib import Path

        from lockset.composition.indexes import project_around, resolve_indexes

        project = project_around(Path(self._request.sources[0].folder), self._context)
        return resolve_indexes(self._indexes, project, self._context)

    def downloads(self) -> Downloads:
        """The port to the network."""
        from lockset.composition.connections import connected, link_locked_files
        from lockset.composition.mirrors import MirroredDownloads

        context = self._context
        connection = self._stack.enter_context(connected(self._options, context.cache_folder, context.heard))
        link_locked_files(connection, lambda: [source.read() for source in self._request.sources])
        return MirroredDownloads(connection.downloads, self._mirrors) if self._mirrors else connection.downloads

    def builds(self) -> WheelBuilds:
        """The port to builds."""
        from lockset.composition.build_environments import builder
        from lockset.composition.wheel_builds import HookWheelBuilds
        from lockset.sync.disk.inspect.interpreter import interpreter_of

        context, python = self._context, self._request.python
        assert python is not None
        made = builder(
            self._options,
            context.cache_folder,
            python=interpreter_of(python),
            now=context.moment,
            listener=context.heard,
        )
        return HookWheelBuilds(
            made,
            settings=self._settings,
            environ=context.process_variables,
            offline=self._options.offline,
            listener=context.heard,
        )
