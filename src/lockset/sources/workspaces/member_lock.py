"""The lock file of a workspace's member, next to that of the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file
from lockset.sources.pyproject import read_pyproject_name

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lock_of_member", "project_name"]

_PYPROJECT = "pyproject.toml"


def lock_of_member(root: Path, project: Path) -> Path | None:
    """The lock file of the member in the folder `project`, next to the lock file `root`; None if there is none.

    A file of that name that was made from something else is not the member's.
    """
    name = project_name(project)
    if name is None:
        return None
    lock = root.with_name(f"pylock.{name}.toml")
    try:
        below = project.relative_to(root.parent).as_posix()
        is_its = f'"{below}/{_PYPROJECT}"'.encode() in read_file(lock, location=str(lock))
    except (LocksetError, ValueError):
        return None
    return lock if is_its else None


def project_name(folder: Path) -> str | None:
    """The normalized name of the project in `folder`; None if its file does not say."""
    file = folder / _PYPROJECT
    try:
        return read_pyproject_name(decode_utf8(read_file(file, location=str(file)), location=str(file)))
    except LocksetError:
        return None
