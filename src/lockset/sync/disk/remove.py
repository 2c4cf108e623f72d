"""What goes when distributions are removed: files that nobody else owns, their bytecode, folders left empty."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH114, PTH120, PTH208
from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.layout import Layout

__all__ = ["emptied_folders", "files_to_retire", "refuse_immutable"]

# Linux: ioctl that tells the flags of a file, and those that forbid to remove it.
_GET_FLAGS, _FIXED = 0x80086601, 0x10 | 0x20


def files_to_retire(
    distributions: Sequence[InstalledDistribution], *, owned: Collection[str], layout: Layout
) -> tuple[list[str], list[str]]:
    """The dist-info folders and the files that go with `distributions`.

    Only regular files and links inside the target count, none that is in `owned` (what other distributions have), none
    that is the environment's own, none that is reached through a link.
    """
    infos = [one.info for one in distributions if os.path.lexists(one.info)]
    leaving = frozenset(infos)
    going: dict[str, None] = {}
    straight: dict[str, bool] = {}
    for one in distributions:
        for file in one.files:
            path = file.path
            if path in owned or path in going:
                continue
            if layout.is_reserved(path) or not layout.holds(path):
                continue
            folder = path.rpartition(os.sep)[0]
            if folder not in straight:
                # What is in a dist-info folder goes with it, whoever lists it.
                straight[folder] = os.path.realpath(folder) == folder and not _is_in(folder, leaving)
            if straight[folder] and _is_file_or_link(path):
                going[path] = None
    going |= dict.fromkeys(path for path in _bytecode(going) if path not in owned)
    return infos, list(going)


def _is_in(folder: str, others: Collection[str]) -> bool:
    """Whether `folder` is one of `others`, or below one."""
    while folder not in others:
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


def refuse_immutable(infos: Iterable[str]) -> None:
    """Refuse dist-info folders with files that cannot be removed: such a folder could be moved, but never away.

    Raises:
        LocksetError: `target-not-writable`.
    """
    try:
        import fcntl
    except ImportError:
        return
    for path in (path for info in infos if not os.path.islink(info) for path in _regular_files(info)):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            flags = int.from_bytes(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8))[:4], sys.byteorder)
        except OSError:
            flags = 0  # the file system has no such flags
        finally:
            os.close(descriptor)
        if flags & _FIXED:
            raise LocksetError("target-not-writable", "The target has a file that was made immutable", place=path)


def _regular_files(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.path for entry in entries if entry.is_file(follow_symlinks=False))
    except OSError:
        return


def _is_file_or_link(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _bytecode(paths: Iterable[str]) -> Iterator[str]:
    """Compiled forms of the modules among `paths`, which are in no RECORD."""
    modules: dict[str, set[str]] = {}
    for path in paths:
        if path.endswith(".py"):
            folder, _, name = path.rpartition(os.sep)
            modules.setdefault(folder, set()).add(name[:-3])
    for folder, names in modules.items():
        cached = f"{folder}{os.sep}__pycache__"
        try:
            if os.path.islink(cached):
                continue
            found = os.listdir(cached)
        except OSError:
            continue
        for name in found:
            if name.endswith(".pyc") and name.split(".", 1)[0] in names:
                yield f"{cached}{os.sep}{name}"


def emptied_folders(paths: Iterable[str], *, layout: Layout, needed: Collection[str] = ()) -> list[str]:
    """Folders that are empty once `paths` are gone, the deepest first; never a root, never one in `needed`."""
    gone = set(paths)
    roots = {layout.base, *layout.libraries, layout.scripts}
    waiting = {os.path.dirname(path) for path in gone}
    found: list[str] = []
    while waiting:
        # The deepest first: what is above may become empty by it.
        folder = max(waiting, key=lambda one: (one.count(os.sep), one))
        waiting.discard(folder)
        if folder in roots or folder in needed or not layout.holds(folder) or os.path.islink(folder):
            continue
        try:
            left = [name for name in os.listdir(folder) if f"{folder}{os.sep}{name}" not in gone]
        except OSError:
            continue
        if not left:
            found.append(folder)
            gone.add(folder)
            waiting.add(os.path.dirname(folder))
    return found
