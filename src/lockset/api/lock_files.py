"""read(), select(), diff(), graph() and why(): use existing lock files."""

from __future__ import annotations

import os
import sys
from os import PathLike, fspath
from typing import TYPE_CHECKING

from packaging.pylock import Pylock

from lockset._named_tuple import NamedTuple
from lockset.composition.open_lock import open_lock, open_revision
from lockset.composition.run_context import context_of
from lockset.lockfile.dependency_graph import (
    MOST_CHAINS,
    Chain,
    LockEntry,
    LockGraph,
    build_graph,
    chains_to,
    region_of,
)
from lockset.option_values import check_argument
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.select import Selection
    from lockset.sync.disk.request import DescribedInterpreter

__all__ = ["MOST_CHAINS", "Chain", "LockEntry", "LockGraph", "Requirers", "diff", "graph", "read", "select", "why"]

_LOCK = "str | PathLike[str] | Pylock | None"


def read(path: str | PathLike[str] | None = None, *, context: RunContext | None = None) -> Pylock:
    """Read the lock file at `path` as a `packaging.pylock.Pylock`.

    Args:
        path: A path, `-` for `context.stdin`, or `REVISION:PATH` for a file of a git repository; None for the nearest
            pylock.toml.
        context: The folder, and the standard input.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, `toml-syntax`, `git-revision`, or if the file is not a valid
            lock file.
    """
    return open_revision(check_argument("path", path, "str | PathLike[str] | None"), context_of(context)).lock


def select(
    lock: str | PathLike[str] | Pylock,
    *,
    python: str | PathLike[str] | None = None,
    described: DescribedInterpreter | None = None,
    extras: Collection[str] = (),
    groups: Collection[str] = (),
    default_groups: bool = True,
) -> Selection:
    """Select the packages and files that a lock file installs in an environment (PEP 751, "Installation").

    Args:
        lock: The lock file, or its path.
        python: An interpreter, or the folder of a virtual environment; None for the running Python.
        described: An interpreter of another machine, instead of `python`.
        extras: Names of extras.
        groups: Names of dependency groups, in addition to the default groups.
        default_groups: Include the default groups.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`, `conflicting-choice`, `python-not-supported`,
            `environment-not-supported`, `marker-not-usable`, `ambiguous-package`, `no-usable-file`, `no-source`, or
            if the interpreter cannot be queried.
    """
    from lockset.lockfile.select import select_entries
    from lockset.sync.disk.request import TargetSpec, resolve_target

    pylock = _lock(lock)
    check_argument("python", python, "str | PathLike[str] | None")
    check_argument("described", described, "DescribedInterpreter | None")
    interpreter = None if described is not None else sys.executable if python is None else fspath(python)
    # Any folder will do: the selection depends only on the interpreter.
    target = resolve_target(TargetSpec(python=interpreter, described=described, directory=os.sep), cache=None)
    defaults = tuple(pylock.default_groups or ()) if default_groups else ()
    return select_entries(
        pylock,
        environment=target.environment,
        tags=target.tags,
        extras=_names("extras", extras),
        groups=(*defaults, *_names("groups", groups)),
    )


def diff(
    old: str | PathLike[str] | Pylock | None = None,
    new: str | PathLike[str] | Pylock | None = None,
    *,
    context: RunContext | None = None,
) -> LockDiff:
    """Compare two lock files; order, `created-by`, `tool` tables and audit information are ignored.

    Args:
        old: The old lock file, or its path as for `read`, a revision of git, or a range of revisions (`main..`); None
            for the version of the last commit.
        new: The new lock file, or its path or revision; None for the nearest pylock.toml.
        context: The folder, and the standard input.

    Raises:
        LocksetError: As `read`.
    """
    from lockset.lockfile.diff import compare_locks

    context = context_of(context)
    check_argument("old", old, _LOCK)
    check_argument("new", new, _LOCK)
    if isinstance(old, Pylock) or isinstance(new, Pylock):
        before, after = (one if isinstance(one, Pylock) else open_revision(one, context).lock for one in (old, new))
        return compare_locks(before, after)
    from lockset.composition.maintenance.lock_revisions import open_pair

    first, second = open_pair(old, new, context)
    return compare_locks(first.lock, second.lock)


def graph(
    lock: str | PathLike[str] | Pylock | None = None,
    *,
    python: str | None = None,
    platform: str | None = None,
    extras: Collection[str] | None = None,
    groups: Collection[str] | None = None,
    context: RunContext | None = None,
) -> LockGraph:
    """The dependency graph of a lock file, as far as the lock file records dependencies.

    Args:
        lock: The lock file, or its path; None for the nearest pylock.toml.
        python: Only packages for this Python: `3.12`, `3.12.4` or a range.
        platform: Only packages for this platform: `linux`, `macos`, `windows`, `win_amd64` and so on.
        extras: The chosen extras; None for any, unless groups are chosen.
        groups: The chosen dependency groups, in addition to the default groups; None for any, unless extras are chosen.
        context: The folder, and the standard input.

    Raises:
        LocksetError: As `read`; `unknown-extra`, `unknown-group`, `conflicting-choice`, `python-version-invalid`,
            `unknown-platform`.
    """
    within = region_of(python=python, platform=platform) if python or platform else None
    chosen = [
        None if names is None else _names(what, names) for what, names in (("extras", extras), ("groups", groups))
    ]
    return build_graph(_lock(lock, context), within=within, extras=chosen[0], groups=chosen[1])


class Requirers(NamedTuple):
    """The chains of dependencies that lead to one entry of a lock file.

    Attributes:
        entry: The entry.
        chains: Chains of entries from a root to it, the shortest first.
        is_complete: Whether these are all chains, of which there may be very many.
    """

    entry: LockEntry
    chains: tuple[Chain, ...]
    is_complete: bool


def why(graph: LockGraph, package: str) -> tuple[Requirers, ...]:
    """The chains of dependencies that lead to a package, for each of its entries in a graph.

    Raises:
        LocksetError: `unknown-package` if the graph does not have it.
    """
    check_argument("package", package, "str")
    return tuple(Requirers(graph.entries[number], *chains_to(graph, number)) for number in graph.named(package))


def _lock(lock: str | PathLike[str] | Pylock | None, context: RunContext | None = None) -> Pylock:
    check_argument("lock", lock, _LOCK)
    return lock if isinstance(lock, Pylock) else open_lock(lock, context_of(context)).lock


def _names(what: str, names: Collection[str]) -> tuple[str, ...]:
    return tuple(canonicalize_name(name) for name in check_argument(what, names, "Collection[str]"))
