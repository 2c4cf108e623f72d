"""The request for a sync: lock files, a target, and options."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lockset.sync.desired import SourcePolicy
from lockset.sync.disk.apply.installer import InstallOptions
from lockset.sync.disk.target_spec import DescribedInterpreter, TargetSpec
from lockset.sync.plan import RemovalPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Pylock

__all__ = ["LockSource", "SyncRequest"]


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
        python: Path of an interpreter or of a virtual environment's folder; None only with `described`.
        directory: Install into this folder instead of the interpreter's environment.
        prefix: Install below this folder, laid out as an installation.
        described: Install for this interpreter instead of one of this machine, from wheels only.
        break_system: Allow an externally managed Python (PEP 668).
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
    python: str | None
    directory: str | None = None
    prefix: str | None = None
    described: DescribedInterpreter | None = None
    break_system: bool = False
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

    @property
    def location(self) -> TargetSpec:
        """The target to install into."""
        return TargetSpec(
            python=self.python,
            directory=self.directory,
            prefix=self.prefix,
            described=self.described,
            managed=self.break_system,
        )
