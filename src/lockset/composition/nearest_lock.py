"""Find the lock file of the project around a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.sync.disk.inspect.targets import find_lock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["nearest_lock"]


def nearest_lock(here: Path) -> Path | None:
    """The nearest pylock.toml from `here` (absolute) upwards; None if there is none.

    In the folder of a member of a workspace it is `pylock.MEMBER.toml`, next to the lock file of the root.
    """
    lock = find_lock(here)
    if lock is None or lock.parent == here:
        return lock
    above = [folder for folder in (here, *here.parents) if len(folder.parts) > len(lock.parent.parts)]
    project = next((folder for folder in above if (folder / "pyproject.toml").is_file()), None)
    if project is None:
        return lock
    from lockset.composition.workspaces.member_locks import lock_of_member  # most projects are in no workspace

    return lock_of_member(lock, project) or lock
