"""The options of a sync, and the request made from options and lock files.

Lock files are read as bytes, once, and parsed only if needed.
"""

from __future__ import annotations

import os

from lockset._dataclass import dataclass
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
from lockset.lockfile.file_name import is_lock_file_name, refuse_wrong_name
from lockset.option_values import check_argument, check_options
from lockset.sync.disk.request import TargetSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from os import PathLike
    from pathlib import Path
    from typing import Literal

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = ["SyncOptions", "converted_sources", "lock_sources", "normal_names", "refuse_missing_python", "sync_request"]

_ALL = ":all:"
# `load_bytes` refuses larger lock files.
_LARGEST = 1 << 25
_STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """The options of `lockset sync`: what to install, where, and what may be removed.

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
        config_settings_package: The same for single packages; they take precedence.
        no_build_isolation: Names of packages to build in the target's environment, after all others are installed;
            `:all:` for all.
        require_build_hashes: Refuse builds whose requirements are not in the lock file of build requirements
            (`pylock.build.toml`); None for the setting of the lock file's project.
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
    config_settings_package: Mapping[str, Mapping[str, str | list[str]]] | None = None
    no_build_isolation: Collection[str] = ()
    require_build_hashes: bool | None = None
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
        location=TargetSpec(
            python=None if python is None or options.described is not None else os.fspath(python),
            directory=_absolute(options.directory, context),
            prefix=_absolute(options.prefix, context),
            described=options.described,
            managed=options.break_system,
        ),
        extras=normal_names(options.extras),
        all_extras=options.all_extras,
        groups=normal_names(options.groups),
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
            keep=normal_names(options.keep),
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
            from lockset.package_names import canonicalize_name

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


def normal_names(names: Collection[str]) -> frozenset[str]:
    """The normalized names."""
    if not names:
        return frozenset()
    from lockset.package_names import canonicalize_name  # not needed for most syncs

    return frozenset(canonicalize_name(name) for name in names)


def _names_or_all(names: Collection[str]) -> frozenset[str] | None:
    return None if _ALL in names else normal_names(names)


def lock_sources(names: Sequence[str], context: RunContext) -> tuple[LockSource, ...]:
    """Read the named files (`-` is the context's standard input), or the nearest pylock.toml.

    A pyproject.toml or script stands for the lock file next to it. Requirements files and lock files of other tools are
    read here, and converted by `converted_sources`.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, or those of `is_foreign`.
        UsageError: `stdin-twice`, `file-name`.
    """
    if list(names).count(_STDIN) > 1:
        raise UsageError("stdin-twice", "The standard input (`-`) can only be given once")
    here = context.here
    return tuple(_lock_source(name, here, context) for name in names or [_nearest(here)])


def _lock_source(name: str, here: Path, context: RunContext) -> LockSource:
    if name.endswith(("pyproject.toml", ".py", ".pyw")):
        from lockset.composition.open_lock import lock_of_project

        name = lock_of_project(name, here)
    path = str(here / ("<stdin>" if name == _STDIN else name))
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
    nearest = find_lock(here)
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
    from lockset.lockfile.read import load_bytes

    return load_bytes(shown)
