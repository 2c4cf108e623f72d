"""The request for a sync: lock files, a target, and options; and the target that it leads to."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from functools import lru_cache

from lockset._named_tuple import NamedTuple
from lockset._version import __version__
from lockset.errors import LocksetError
from lockset.files.record_store import get_value, put_value
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.sync.desired import SourcePolicy
from lockset.sync.disk.apply.installer import InstallOptions
from lockset.sync.disk.inspect.interpreter import (
    ask_interpreter,
    folder_interpreter,
    interpreter_memory,
    interpreter_of,
)
from lockset.sync.plan import RemovalPolicy
from lockset.sync.target import Interpreter, Layout, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock

__all__ = [
    "DescribedInterpreter",
    "LockSource",
    "SyncRequest",
    "TargetSpec",
    "active_environment",
    "directory_target",
    "environment_target",
    "find_environment",
    "find_lock",
    "find_root_lock",
    "prefix_target",
    "resolve_target",
]

# Increment with every change of the stored fields of described interpreters.
_FORMAT = 2
# The names of the environment that conda itself is in, which is not for projects.
_CONDA_BASES = ("base", "root")


class DescribedInterpreter(NamedTuple):
    """An interpreter that need not be on this machine: the arguments of `lockset.markers.described_target`."""

    platform: str
    python: str
    implementation: str = "cpython"


class TargetSpec(NamedTuple):
    """Where a sync installs to.

    Attributes:
        python: Path of an interpreter or of a virtual environment's folder; None only with `described`.
        directory: Install into this folder instead of the interpreter's environment.
        prefix: Install below this folder, laid out as an installation.
        described: Install for this interpreter instead of one of this machine.
        managed: Allow an externally managed Python (PEP 668).
    """

    python: str | None
    directory: str | None = None
    prefix: str | None = None
    described: DescribedInterpreter | None = None
    managed: bool = False


def resolve_target(spec: TargetSpec, *, cache: Path | None, meanwhile: Callable[[], object] | None = None) -> Target:
    """The target for `spec`; `meanwhile` as for `ask_interpreter`.

    Raises:
        LocksetError: `python-not-found`, `python-broken`, `externally-managed`, `unknown-platform`.
    """
    interpreter = _interpreter(spec, cache, meanwhile)
    if spec.directory is not None:
        return directory_target(interpreter, spec.directory)
    if spec.prefix is not None:
        return prefix_target(interpreter, spec.prefix)
    target = environment_target(interpreter)
    if not spec.managed:
        _refuse_managed(target)
    return target


def _interpreter(spec: TargetSpec, cache: Path | None, meanwhile: Callable[[], object] | None) -> Interpreter:
    if spec.described is not None:
        return _described(spec.described, cache)
    assert spec.python is not None
    memory = interpreter_memory(cache)
    return ask_interpreter(interpreter_of(spec.python), memory=memory, meanwhile=meanwhile)


def _described(described: DescribedInterpreter, cache: Path | None) -> Interpreter:
    """The described interpreter, from the cache if possible: importing what computes its tags takes 20 ms."""
    key = (_FORMAT, __version__, *described)
    number = zlib.crc32(repr(key).encode(errors="surrogateescape"))
    memory = interpreter_memory(cache)
    location = str(memory / f"described-{number:08x}") if memory is not None else None
    with suppress(TypeError):
        fields = get_value(location, key)
        if fields is not None:
            return Interpreter._make(fields)
    from lockset.markers.universe import described_target

    interpreter = Interpreter.of_description(
        described_target(described.platform, described.python, described.implementation)
    )
    put_value(location, key, (*interpreter[:3], dict(interpreter.markers), *interpreter[4:]))
    return interpreter


def _refuse_managed(target: Target) -> None:
    """Refuse an interpreter whose environment is externally managed (PEP 668).

    Raises:
        LocksetError: `externally-managed`.
    """
    managed = target.interpreter.managed
    if target.kind not in {"directory", "prefix"} and managed is not None:
        # An INI file whose `Error` tells users of that system what to do; the first paragraph is enough.
        first = managed.partition("Error=")[2].strip() or managed
        lines = [line.strip() for line in first.splitlines()]
        paragraph = lines[: lines.index("")] if "" in lines else lines
        raise LocksetError(
            "externally-managed",
            "The packages of this Python are managed by the system",
            location=target.interpreter.executable,
            context=tuple(paragraph[:8]),
            hint="Sync into a virtual environment (`python -m venv .venv`), or use `--break-system-packages`",
        )


def active_environment(environ: Mapping[str, str]) -> str | None:
    """The folder of the active environment: a virtual one, or one of conda that has a Python and is not its base."""
    virtual = environ.get("VIRTUAL_ENV")
    conda = environ.get("CONDA_PREFIX")
    if virtual or not conda or environ.get("CONDA_DEFAULT_ENV") in _CONDA_BASES:
        return virtual or None
    return conda if folder_interpreter(conda) is not None else None


def find_environment(folder: Path) -> str | None:
    """The virtual environment `.venv` in `folder` or the nearest folder above it that has one."""
    for above in (folder, *folder.parents):
        candidate = above / ".venv"
        if (candidate / "pyvenv.cfg").is_file():
            return str(candidate)
    return None


def find_lock(folder: Path) -> Path | None:
    """The nearest `pylock.toml` from `folder` upwards; None if there is none.

    In the folder of a member of a workspace it is `pylock.MEMBER.toml`, next to the lock file of the root.
    """
    lock = find_root_lock(folder)
    if lock is None or lock.parent == folder:
        return lock
    above = [each for each in (folder, *folder.parents) if len(each.parts) > len(lock.parent.parts)]
    project = next((each for each in above if (each / "pyproject.toml").is_file()), None)
    if project is None:
        return lock
    from lockset.sources.workspaces.member_lock import lock_of_member  # most projects are in no workspace

    return lock_of_member(lock, project) or lock


def find_root_lock(folder: Path) -> Path | None:
    """The `pylock.toml` in `folder` or the nearest folder above it that has one."""
    return next((above / PLAIN_NAME for above in (folder, *folder.parents) if (above / PLAIN_NAME).is_file()), None)


def environment_target(interpreter: Interpreter) -> Target:
    """The environment of `interpreter` itself."""
    paths = interpreter.paths
    layout = Layout.of_schemes(
        _resolved(interpreter.prefix),
        purelib=_resolved(paths["purelib"]),
        platlib=_resolved(paths["platlib"]),
        scripts=_resolved(paths["scripts"]),
        headers=_resolved(interpreter.headers),
        data=_resolved(paths["data"]),
    )
    kind = "venv" if interpreter.is_virtual else "system"
    return Target(kind=kind, shown=interpreter.prefix, interpreter=interpreter, layout=layout)


def directory_target(interpreter: Interpreter, directory: str) -> Target:
    """The folder `directory`, which need not exist yet, for `interpreter`."""
    return Target(
        kind="directory",
        shown=directory,
        interpreter=interpreter,
        layout=Layout.of_directory(_resolved(directory)),
    )


def prefix_target(interpreter: Interpreter, directory: str) -> Target:
    """The folder `directory` as the prefix of an installation of `interpreter`."""
    threads = "t" if any(abi.endswith("t") for abi in interpreter.abis) else ""
    layout = Layout.of_prefix(
        _resolved(directory),
        implementation=interpreter.implementation,
        version=f"{interpreter.version[0]}.{interpreter.version[1]}{threads}",
        windows=interpreter.markers["os_name"] == "nt",
    )
    return Target(kind="prefix", shown=directory, interpreter=interpreter, layout=layout)


def _resolved(path: str) -> str:
    """Resolve links once, here; below a root, links are never followed."""
    return os.path.realpath(path)


class LockSource(NamedTuple):
    """A lock file, parsed (`lock`) or as bytes (`data`). Its relative paths start from the absolute `folder`.

    Attributes:
        is_foreign: `data` is a requirements file, or a lock file of another tool, which has to be converted first.
        inputs: Other files that `data` was converted from.
        indexes: Returns the indexes of the converted file, with their credentials.
    """

    folder: str
    lock: Pylock | None = None
    data: bytes | None = None
    path: str | None = None
    is_foreign: bool = False
    inputs: tuple[str, ...] = ()
    indexes: Callable[[], IndexOptions] | None = None

    def read(self) -> Pylock:
        """The lock file.

        Raises:
            LocksetError: The bytes are not a valid lock file.
        """
        if self.lock is not None:
            return self.lock
        return _parsed(self.data or b"", self.path)


@lru_cache(maxsize=1)
def _parsed(data: bytes, path: str | None) -> Pylock:
    """The lock file `data`; the last one is kept, since a sync reads it for the project and for the selection."""
    # Imported here: not needed when the selection is cached.
    from lockset.lockfile.read import read_document

    return read_document(data, path=path).lock


class SyncRequest(NamedTuple):
    """The request of a sync: what to install, and where.

    Attributes:
        sources: Lock files; where several have the same package, they must agree on it.
        location: Where to install to; for a described interpreter, from wheels only.
        groups: Groups to install besides the default groups; without these if `default_groups` is False.
        allowed: Which sources may be used.
        no_binary: Names to install from source; None for all except those in `only_binary`.
        only_binary: Names to install from wheels; None for all except those in `no_binary`.
        build_nothing: Build no archive or repository, whatever `no_binary` says.
        strict: Refuse a lock file that records a dependency but does not contain it.
        find_links: Folders with files to use instead of downloads.
        locked: Refuse a project that has changed since its lock file was created.
        check_only: Only compute the plan; change nothing.
    """

    sources: tuple[LockSource, ...]
    location: TargetSpec
    extras: frozenset[str] = frozenset()
    all_extras: bool = False
    groups: frozenset[str] = frozenset()
    all_groups: bool = False
    default_groups: bool = True
    allowed: SourcePolicy = SourcePolicy()
    no_binary: frozenset[str] | None = frozenset()
    only_binary: frozenset[str] | None = frozenset()
    build_nothing: bool = False
    strict: bool = True
    find_links: tuple[str, ...] = ()
    policy: RemovalPolicy = RemovalPolicy()
    install_options: InstallOptions = InstallOptions()
    locked: bool = False
    check_only: bool = False
