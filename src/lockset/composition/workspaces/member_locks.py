"""Find the lock files of a workspace's members, next to that of its root."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.lockfile.load import load
from lockset.similar_names import known_names_hint
from lockset.sources.pyproject import read_pyproject_name
from lockset.sync.disk.inspect.targets import find_lock

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lockset.composition.run_context import RunContext

__all__ = ["lock_of_member", "locks_of_root", "member_locks", "members_of", "project_name"]

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


def members_of(root: Path) -> tuple[str, ...] | None:
    """The names of the members that the lock file `root` of a workspace records; None if it is not that of a root.

    Raises:
        LocksetError: As `load`.
    """
    table = (load(root).data.get("tool") or {}).get("lockset")
    names = table.get("members") if isinstance(table, dict) else None
    if not isinstance(names, dict):
        return None
    return tuple(name for name in names if os.path.basename(name) == name and "." not in name)


def locks_of_root(root: Path) -> tuple[tuple[str | None, str], ...]:
    """The projects of a workspace and their lock files, where `root` is that of its root; empty where it is not.

    The root comes first; its name is None if it has none. Members without a lock file are left out.
    """
    members = members_of(root)
    if members is None:
        return ()
    files = [(name, root.with_name(f"pylock.{name}.toml")) for name in members]
    return ((project_name(root.parent), str(root)), *((name, str(file)) for name, file in files if file.is_file()))


def member_locks(names: Collection[str] | None, context: RunContext) -> tuple[str, ...]:
    """The paths of the lock files of the named members of the workspace around the context's folder.

    Args:
        names: Normalized names of members, or of the project in the root; None for the root and all members.
        context: The folder.

    Raises:
        LocksetError: `lock-not-found`; `unknown-member`, with the names that there are.
    """
    root = find_lock(context.here)
    if root is None:
        from lockset.composition.open_lock import no_lock_error

        raise no_lock_error(context.here)
    if names is not None:
        paths = [root.with_name(f"pylock.{name}.toml") for name in names]
        if paths and all(path.is_file() for path in paths):
            return tuple(map(str, paths))
    members = members_of(root)
    if members is None:
        raise LocksetError(
            "unknown-member",
            f"{root} is not the lock file of a workspace",
            hint="Lock the workspace first: `lockset lock` in its root, whose pyproject.toml names the members in"
            " [tool.lockset.workspace] or [tool.uv.workspace]",
        )
    own = project_name(root.parent)
    known = {**{name: root.with_name(f"pylock.{name}.toml") for name in members}, **({own: root} if own else {})}
    if names is None:
        return (str(root), *(str(known[name]) for name in members))
    for name in names:
        if name not in known:
            raise LocksetError(
                "unknown-member",
                f"The workspace of {root.parent / PLAIN_NAME} has no member named {name}",
                hint=known_names_hint(name, known),
            )
    return tuple(str(known[name]) for name in names)
