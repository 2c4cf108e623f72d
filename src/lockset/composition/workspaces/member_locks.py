"""Find the lock files of a workspace's members, next to that of its root."""

from __future__ import annotations

import os.path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError, UsageError
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.lockfile.read import load
from lockset.similar_names import known_names_hint
from lockset.sources.workspaces.member_lock import project_name
from lockset.sync.disk.request import find_root_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from lockset.composition.run_context import RunContext

__all__ = ["chosen_lock_names", "locks_of_root", "members_of", "paths_of_members"]


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


def paths_of_members(names: Collection[str] | None, context: RunContext) -> tuple[str, ...]:
    """The paths of the lock files of the named members of the workspace around the context's folder.

    Args:
        names: Normalized names of members, or of the project in the root; None for the root and all members.
        context: The folder.

    Raises:
        LocksetError: `lock-not-found`; `unknown-member`, with the names that there are.
    """
    root = find_root_lock(context.here)
    if root is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no {PLAIN_NAME} in {context.here} or above it",
            hint="Run `lockset lock` in the workspace to create its lock files",
        )
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


def chosen_lock_names(
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
    return paths_of_members(None if all_packages else packages, context)
