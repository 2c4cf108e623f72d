"""The lock file of build requirements, with one dependency group for each package that is built from source.

It is an ordinary lock file (PEP 751) next to that of the project: `pylock.build.toml` next to `pylock.toml`, and
`pylock.NAME-build.toml` next to `pylock.NAME.toml`.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.dependency_specifiers import read_dependency
from lockset.errors import BuildNotLockedError
from lockset.lockfile.file_name import is_lock_file_name, lock_file_name, name_of
from lockset.lockfile.read import load_bytes
from lockset.package_names import canonicalize_name
from lockset.sync.disk.request import LockSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["BuildLock", "build_lock_path", "build_locks_of", "is_met", "not_locked"]


class BuildLock:
    """A lock file of build requirements.

    Attributes:
        source: The file.
    """

    def __init__(self, source: LockSource) -> None:
        self.source = source

    def has(self, package: str) -> bool:
        """Whether it has the requirements of builds of `package`, by its normalized name."""
        return package in self._groups

    @cached_property
    def _groups(self) -> frozenset[str]:
        return frozenset(map(canonicalize_name, self.source.read().dependency_groups or ()))


def build_lock_path(lock: str | os.PathLike[str]) -> Path:
    """The path of the lock file of build requirements that belongs to the lock file `lock`."""
    path = Path(lock)
    name = name_of(path.name)
    return path.with_name(lock_file_name("build" if name is None else f"{name}-build"))


def build_locks_of(paths: Iterable[str | os.PathLike[str] | None]) -> tuple[BuildLock, ...]:
    """The lock files of build requirements that exist next to lock files.

    Raises:
        LocksetError: `lock-unreadable` if one cannot be read.
    """
    locks = []
    for path in paths:
        if path is None or not is_lock_file_name(os.path.basename(path)):
            continue
        build_path = build_lock_path(path)
        if build_path.is_file():
            locks.append(
                BuildLock(LockSource(folder=str(build_path.parent), data=load_bytes(build_path), path=str(build_path)))
            )
    return tuple(locks)


def is_met(text: str, installed: Mapping[str, str], markers: Mapping[str, str]) -> bool:
    """Whether versions by normalized name meet a requirement, or its marker does not hold."""
    requirement = read_dependency(text)
    if requirement.marker is not None and not requirement.marker.evaluate({**markers, "extra": ""}):
        return True
    version = installed.get(canonicalize_name(requirement.name))
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def not_locked(what: str, lacking: Sequence[str], locks: Sequence[BuildLock]) -> BuildNotLockedError:
    """The error for a build whose requirements are not locked."""
    names = ", ".join(os.path.basename(one.source.path or "") for one in locks)
    message = f"The build requirements of {what} are not locked, and `--require-build-hashes` requires it"
    return BuildNotLockedError(
        message,
        location=locks[0].source.path if len(locks) == 1 else None,
        context=(f"{', '.join(lacking)}: not in {names or 'any pylock.build.toml'}",),
        hint="Run `lockset lock --build`; for a package that also has wheels, with `--no-binary NAME`",
    )
