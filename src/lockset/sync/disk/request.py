"""What a sync is asked: lock files, a place, and what may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lockset.sync.desired import SourcePolicy
from lockset.sync.disk.apply.installer import InstallOptions
from lockset.sync.disk.target_spec import DescribedInterpreter, TargetSpec
from lockset.sync.plan import RemovalPolicy

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock

__all__ = ["LockSource", "SyncRequest"]


class LockSource(NamedTuple):
    """A lock file: as read, or as the bytes to read; `folder` (absolute) is what its relative paths start from."""

    folder: str
    lock: Pylock | None = None
    data: bytes | None = None
    path: str | None = None

    def read(self) -> Pylock:
        """The lock file.

        Raises:
            LocksetError: The bytes are none.
        """
        if self.lock is not None:
            return self.lock
        # Imported here: what was read before is not read again.
        from lockset.lockfile.read import read

        return read(self.data or b"", path=self.path).lock


class SyncRequest(NamedTuple):
    """What to bring where.

    Attributes:
        sources: Lock files; what several of them ask for must agree.
        python: Path of an interpreter or of a virtual environment's folder; None only with `described`.
        directory: Install into this folder instead of the interpreter's own environment.
        prefix: Or below this one, as below an installation's own.
        described: For this interpreter instead of one of this machine: wheels only.
        break_system: A Python whose packages another installer keeps is no reason to refuse.
        groups: None for the default groups; names are added to these unless `default_groups` is off.
        allowed: Which sources may be used.
        no_binary: Names that are installed from source; None stands for all but those that `only_binary` names.
        only_binary: Names that are installed from wheels; None stands for all but those that `no_binary` names.
        build_nothing: No archive or repository is built, whatever `no_binary` names.
        strict: Dependencies that the lock files record but do not hold are refused.
        find_links: Folders of files that may be used in place of downloads.
        locked: A project that has changed since its lock file was made is refused.
        check_only: Nothing is changed; the plan tells what would be.
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
        """Where it goes."""
        return TargetSpec(
            python=self.python,
            directory=self.directory,
            prefix=self.prefix,
            described=self.described,
            managed=self.break_system,
        )
