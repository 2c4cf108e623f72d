"""The options of a sync, the request made from options and lock files, and the ports for network and builds.

Lock files are read as bytes, once, and parsed only if needed.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from lockset.composition.nearest_lock import nearest_lock
from lockset.composition.sync_pipeline import (
    DescribedInterpreter,
    InstallOptions,
    LockSource,
    RemovalPolicy,
    SourcePolicy,
    SyncRequest,
)
from lockset.errors import LocksetError, UsageError
from lockset.files.record_store import content
from lockset.lockfile.file_name import is_lock_file_name, refuse_wrong_name
from lockset.option_values import check_argument, check_options, plain_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from os import PathLike
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from lockset.composition.attestations.sync_attestations import FilesWithProvenance
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.mirrors import Mirror
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.ports import WheelBuilds

__all__ = [
    "SyncOptions",
    "SyncPorts",
    "converted_sources",
    "lock_names",
    "lock_sources",
    "refuse_missing_python",
    "sync_request",
]

_ALL = ":all:"
# `load_bytes` refuses larger lock files.
_LARGEST = 1 << 25
_STDIN = "-"


@plain_dataclass(frozen=True, kw_only=True)
class SyncOptions:
    """What to install, where, and what may be removed; the same as the options of `lockset sync`.

    Attributes:
        directory: Install into this folder instead of the interpreter's environment.
        prefix: Install below this folder, with the layout of an installation.
        described: Install for this interpreter of another machine: wheels only.
        extras: Names of extras.
        all_extras: Install all extras.
        groups: Names of dependency groups, in addition to the default groups.
        all_groups: Install all groups.
        default_groups: Install the default groups.
        exact: Remove packages that are not in the lock files; outside virtual environments, only those that lockset
            installed.
        keep: Names of packages that are never removed.
        remove_pip: Also remove pip, setuptools and wheel if they are not in the lock files.
        reinstall: Names of packages to reinstall; `:all:` for all.
        strict: Refuse lock files that record dependencies which they do not contain.
        locked: Refuse a project that has changed since its lock file was made.
        require_hashes: Refuse requirements files, and lock files of other tools, that have no hash of a package.
        check_only: Change nothing; the plan has the changes that would be made.
        break_system: Allow changes to an externally managed environment (PEP 668).
        find_links: Folders of files to use instead of downloads, matched by hash.
        mirrors: `FROM=TO`: fetch URLs that begin with FROM from TO instead.
        allowed: Kinds of sources that may be used.
        no_build: Refuse packages that must be built.
        only_binary: Names of packages to install only from wheels; `:all:` for all.
        no_binary: Names of packages to install only from sources; `:all:` for all.
        config_settings: Config settings for build backends.
        allow_overlap: Names of packages that may contain the same path with different content; the last one wins. None
            for the setting of the lock file's project.
        link_mode: `auto`, `clone`, `hardlink`, `copy` or `symlink`.
        compile_bytecode: Compile modules after installation.
        verify_files: Hash installed files instead of comparing modification times.
        require_attestations: Refuse files without an attestation (PEP 740) of a publisher that the lock file records,
            besides those that `[tool.lockset.trust]` of the project requires.
        require_attestations_package: The same, for packages of these names.
        attestations: For `download`: also write the provenance of each file next to it, as `FILE.provenance`, verified.
        trusted_root: Path of another root of trust for attestations; None for that of the public Sigstore instance.
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
    require_hashes: bool = False
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
    link_mode: Literal["auto", "clone", "hardlink", "copy", "symlink"] = "auto"
    compile_bytecode: bool = False
    verify_files: bool = False
    require_attestations: bool = False
    require_attestations_package: Collection[str] = ()
    attestations: bool = False
    trusted_root: str | PathLike[str] | None = None

    def __post_init__(self) -> None:
        check_options(self)
        if self.described is not None:
            for name, value in self.described._asdict().items():
                check_argument(f"DescribedInterpreter.{name}", value, "str")


def refuse_missing_python(python: object, options: SyncOptions) -> None:
    """Refuse a call that neither names nor describes an interpreter.

    Raises:
        UsageError: `python-missing` in that case.
    """
    if python is None and options.described is None:
        raise UsageError("python-missing", "No interpreter is named or described", hint="Pass `python=`")


def sync_request(
    sources: tuple[LockSource, ...], python: str | PathLike[str] | None, options: SyncOptions, context: RunContext
) -> SyncRequest:
    """The request for the options."""
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
        # A folder is not searched for .pth files: an editable package would not be importable from it.
        allowed=options.allowed._replace(editable=False) if options.directory is not None else options.allowed,
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
    """The names that are given, else those of the project; read only if packages overlap."""

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
    return os.path.abspath(path if context.folder is None else context.here / path)


def _names(names: Collection[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    from packaging.utils import canonicalize_name  # not needed for most syncs

    return frozenset(canonicalize_name(name) for name in names)


def _names_or_all(names: Collection[str]) -> frozenset[str] | None:
    return None if _ALL in names else _names(names)


def lock_sources(
    names: Sequence[str], context: RunContext, *, packages: Sequence[str] = (), all_packages: bool = False
) -> tuple[LockSource, ...]:
    """Read the named files (`-` is the context's standard input), or the nearest pylock.toml.

    With `packages` (normalized names) or `all_packages`, the lock files of members of the workspace instead.

    A pyproject.toml or script stands for the lock file next to it. Requirements files and lock files of other tools are
    read here, and converted by `converted_sources`.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, `unknown-member`, or those of `is_foreign`.
        UsageError: `stdin-twice`, `file-name`, `option-conflict`.
    """
    names = lock_names(names, context, packages, all_packages=all_packages)
    if list(names).count(_STDIN) > 1:
        raise UsageError("stdin-twice", "The standard input (`-`) can only be given once")
    return tuple(_lock_source(name, context) for name in names or [_nearest(context.here)])


def lock_names(
    names: Sequence[str], context: RunContext, packages: Sequence[str], *, all_packages: bool
) -> Sequence[str]:
    """The named files, or the lock files of members of the workspace: of `packages` (normalized names), or of all.

    Raises:
        LocksetError: `lock-not-found`, `unknown-member`.
        UsageError: `option-conflict`.
    """
    if not packages and not all_packages:
        return names
    if names or (packages and all_packages):
        other = f"FILE ({names[0]})" if names else "--all-packages"
        option = "--package" if packages else "--all-packages"
        raise UsageError("option-conflict", f"{option} and {other} each say which lock files to take")
    from lockset.composition.workspaces.member_locks import member_locks  # most projects are in no workspace

    return member_locks(None if all_packages else packages, context)


def _lock_source(name: str, context: RunContext) -> LockSource:
    if name.endswith(("pyproject.toml", ".py", ".pyw")):
        from lockset.composition.open_lock import lock_of_project

        name = lock_of_project(name, context.here)
    path = str(context.here / ("<stdin>" if name == _STDIN else name))
    data = _stdin(context) if name == _STDIN else _bytes(path, name if context.folder is None else path)
    if is_lock_file_name(os.path.basename(name)):
        return LockSource(folder=os.path.dirname(path), data=data, path=path)
    if name != _STDIN:
        refuse_wrong_name(name)
    # Imported here: it is slow to import, and most lock files have a name that says what they are.
    from lockset.conversion.model.formats import is_foreign

    return LockSource(folder=os.path.dirname(path), data=data, path=path, is_foreign=is_foreign(data, name))


def converted_sources(
    sources: tuple[LockSource, ...],
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
    options: SyncOptions,
) -> tuple[LockSource, ...]:
    """The lock files, with those of other formats converted in memory.

    Raises:
        LocksetError: As `convert_in_memory`.
    """
    if not any(source.is_foreign for source in sources):
        return sources
    from lockset.composition.conversions.in_memory import convert_in_memory

    converted = []
    for source in sources:
        if not source.is_foreign:
            converted.append(source)
            continue
        assert source.data is not None
        assert source.path is not None
        done = convert_in_memory(
            source.data,
            source.path,
            location=_shown(source.path, context),
            indexes=indexes,
            context=context,
            require_hashes=options.require_hashes,
        )
        converted.append(
            source._replace(data=done.text.encode(), is_foreign=False, inputs=done.inputs, indexes=done.indexes)
        )
    return tuple(converted)


def _shown(path: str, context: RunContext) -> str:
    """The path for messages: relative to the context's folder if it is in it."""
    if os.path.basename(path) == "<stdin>":
        return "<stdin>"
    start = f"{context.here}{os.sep}"
    return path.removeprefix(start)


def _stdin(context: RunContext) -> bytes:
    if context.stdin is None:
        raise LocksetError("lock-not-found", "`-` stands for the standard input, but there is none")
    return context.stdin()


def _nearest(here: Path) -> str:
    nearest = nearest_lock(here)
    if nearest is None:
        from lockset.composition.open_lock import no_lock_error

        raise no_lock_error(here)
    return str(nearest)


def _bytes(path: str, shown: str) -> bytes:
    try:
        size = os.stat(path).st_size
        data = content(path, size) if size <= _LARGEST else b""
    except (OSError, ValueError):
        data = b""
    if 0 < len(data) <= _LARGEST:
        return data
    # Imported here: it raises the error for files that cannot be read.
    from lockset.lockfile.load import load_bytes

    return load_bytes(shown)


class SyncPorts:
    """Connections and builds of one sync, as a context manager that closes them.

    Args:
        request: The request of the sync.
        indexes: Indexes of build requirements, and credentials.
        context: The surroundings.
        mirrors: `FROM=TO`: fetch URLs that begin with FROM from TO instead.
        config_settings: Config settings for build backends.
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
            from lockset.index.mirrors import read_mirror

            self._mirrors = tuple(map(read_mirror, mirrors))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def attest(self, options: SyncOptions) -> Callable[[Sequence[DesiredDistribution], Collection[str]], int]:
        """Checks the attestations that the options and the project's policy require; see `sync_pipeline.sync`."""

        def attest(desired: Sequence[DesiredDistribution], placed: Collection[str]) -> int:
            from lockset.composition.attestations.trust_policy import trust_policy

            folder = self._request.sources[0].folder
            policy = trust_policy(folder, self._context)
            every, names = options.require_attestations, _names(options.require_attestations_package)
            if policy is None and not (every or names):
                return 0
            from lockset.attestations.policy import TrustPolicy
            from lockset.composition.attestations.sync_attestations import refuse_unlocked, required_attestations

            refuse_unlocked(names, [source.read() for source in self._request.sources] if names else [])

            policy = (policy or TrustPolicy()).with_required(every=every, names=names)
            return required_attestations(desired, policy, lambda: self.provenance(options), placed=placed)

        return attest

    def provenance(self, options: SyncOptions) -> FilesWithProvenance:
        """The provenance of locked files."""
        from lockset.composition.attestations.provenances import verifier_of
        from lockset.composition.attestations.sync_attestations import FilesWithProvenance
        from lockset.composition.connections import connected
        from lockset.composition.indexes import chosen_urls

        context, root = self._context, options.trusted_root
        return FilesWithProvenance(
            [source.read() for source in self._request.sources],
            folders=self._request.find_links,
            options=self._options,
            given=bool(chosen_urls(self._indexes)),
            connect=lambda indexes: self._stack.enter_context(connected(indexes, context.cache_folder, context.heard)),
            verifier=verifier_of(None if root is None else os.fspath(root), context.here),
        )

    @cached_property
    def _options(self) -> IndexOptions:
        from pathlib import Path

        from lockset.composition.indexes import project_around, resolve_indexes, with_indexes_of

        project = project_around(Path(self._request.sources[0].folder), self._context)
        own = resolve_indexes(self._indexes, project, self._context)
        named = [source.indexes() for source in self._request.sources if source.indexes is not None]
        return with_indexes_of(named, own) if named else own

    def downloads(self) -> Downloads:
        """The port to the network."""
        from lockset.index.http.downloads import HttpDownloads, open_transport
        from lockset.index.mirrors import MirroredDownloads

        transport = open_transport(self._options, clock=time.time, listener=self._context.heard)
        self._stack.callback(transport.close)
        if transport.has_shared_hosts:
            from lockset.composition.connections import link_locked_files

            link_locked_files(transport, [source.read() for source in self._request.sources])
        downloads = HttpDownloads(transport)
        return MirroredDownloads(downloads, self._mirrors) if self._mirrors else downloads

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
