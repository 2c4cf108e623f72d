"""member_locks(), member_graphs() and why_in_each(): the lock files of a workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.api.lock_files import graph, why
from lockset.composition.open_lock import open_lock
from lockset.composition.run_context import context_of
from lockset.errors import LocksetError
from lockset.option_values import check_argument
from lockset.package_names import canonicalize_name
from lockset.similar_names import known_names_hint
from lockset.sync.disk.request import find_lock

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from os import PathLike

    from packaging.pylock import Pylock

    from lockset.api.lock_files import Requirers
    from lockset.composition.run_context import RunContext
    from lockset.lockfile.dependency_graph import LockGraph

__all__ = ["MemberGraph", "member_graphs", "member_locks", "why_in_each"]


def member_locks(names: Collection[str] | None = None, *, context: RunContext | None = None) -> tuple[str, ...]:
    """The paths of the lock files of a workspace, as `sync_target` takes them.

    Args:
        names: Names of members, or of the project in the root; None for the root and all members.
        context: The folder, in the workspace.

    Raises:
        LocksetError: `lock-not-found`; `unknown-member`, with the names that there are.
    """
    from lockset.composition.workspaces.member_locks import paths_of_members

    checked = None
    if names is not None:
        checked = [canonicalize_name(name) for name in check_argument("names", names, "Collection[str]")]
    return paths_of_members(checked, context_of(context))


class MemberGraph(NamedTuple):
    """The dependency graph of one lock file of a workspace.

    Attributes:
        member: The name of the project; None for a root without one, or where there is no workspace.
        path: The name of the lock file; None where there is no workspace.
        graph: The graph.
    """

    member: str | None
    path: str | None
    graph: LockGraph


def member_graphs(
    lock: str | PathLike[str] | None = None,
    *,
    python: str | None = None,
    platform: str | None = None,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
    context: RunContext | None = None,
) -> tuple[MemberGraph, ...]:
    """The dependency graphs of the root of a workspace and of its members, where the nearest lock file is the root's.

    Elsewhere, and with `lock`, that of one lock file. The other arguments, `python`, `platform`, `extras` and `groups`,
    are those of `graph`; extras and groups that only some of the lock files have are chosen in those.

    Raises:
        LocksetError: As `graph`.
    """
    context = context_of(context)
    nearest = find_lock(context.here) if lock is None else None
    members: tuple[tuple[str | None, str], ...] = ()
    if nearest is not None:
        from lockset.composition.workspaces.member_locks import locks_of_root  # needed for a root only

        members = locks_of_root(nearest)
    if not members:
        shown = graph(lock, python=python, platform=platform, extras=extras, groups=groups, context=context)
        return (MemberGraph(None, None, shown),)
    locks = [(name, path, open_lock(path, context).lock) for name, path in members]
    _refuse_unknown_choices([lock for _, _, lock in locks], extras, groups)
    return tuple(
        MemberGraph(
            name,
            os.path.basename(path),
            graph(
                pylock,
                python=python,
                platform=platform,
                extras=None if extras is None else [e for e in extras if e in (pylock.extras or ())],
                groups=None if groups is None else [g for g in groups if g in _groups_of(pylock)],
                context=context,
            ),
        )
        for name, path, pylock in locks
    )


def _groups_of(lock: Pylock) -> tuple[str, ...]:
    return (*(lock.dependency_groups or ()), *(lock.default_groups or ()))


def _refuse_unknown_choices(
    locks: Sequence[Pylock], extras: Collection[str] | None, groups: Collection[str] | None
) -> None:
    for what, names, known in (
        ("extra", extras, {str(e) for lock in locks for e in lock.extras or ()}),
        ("group", groups, {g for lock in locks for g in _groups_of(lock)}),
    ):
        unknown = [name for name in names or () if name not in known]
        if unknown:
            raise LocksetError(
                "unknown-extra" if what == "extra" else "unknown-group",
                f"No project of the workspace has the {what} `{unknown[0]}`",
                hint=known_names_hint(unknown[0], known),
            )


def why_in_each(graphs: Sequence[MemberGraph], package: str) -> tuple[tuple[MemberGraph, tuple[Requirers, ...]], ...]:
    """`why` for each of several graphs that has the package.

    Raises:
        LocksetError: `unknown-package` if none of them has it.
    """
    check_argument("package", package, "str")
    name = canonicalize_name(package)
    having = [one for one in graphs if any(entry.name == name for entry in one.graph.entries.values())]
    if not having:
        every = {entry.name for one in graphs for entry in one.graph.entries.values()}
        if len(graphs) == 1:
            graphs[0].graph.named(package)  # refuses it
        raise LocksetError(
            "unknown-package",
            f"None of the lock files of the workspace has the package {name}",
            hint=known_names_hint(name, every),
        )
    return tuple((one, why(one.graph, package)) for one in having)
