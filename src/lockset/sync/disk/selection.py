"""Select the distributions for a target from lock files, apply the user's rules, and check that the files agree."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.errors import BuildNeededError, LocksetError
from lockset.lockfile.model import describe
from lockset.lockfile.select import select
from lockset.similar_names import known_names_hint
from lockset.sync.source_rules import desired_distributions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from lockset.lockfile.model import Pylock
    from lockset.lockfile.select import SelectedPackage
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.request import LockSource, SyncRequest
    from lockset.sync.target import Target

__all__ = ["chosen_extras", "chosen_groups", "select_distributions", "select_packages"]


def select_distributions(request: SyncRequest, target: Target) -> Sequence[DesiredDistribution]:
    """The distributions that all lock files together select for `target`, sorted by name.

    Raises:
        LocksetError: `locks-disagree`, `unknown-extra`, `unknown-group`, and the errors of `select_packages`.
    """
    selection: dict[str, DesiredDistribution] = {}
    origins: dict[str, LockSource] = {}
    locks = [(source, source.read()) for source in request.sources]
    known_extras = {extra for _, lock in locks for extra in lock.extras or ()}
    known_groups = {g for _, lock in locks for g in (*(lock.dependency_groups or ()), *(lock.default_groups or ()))}
    _refuse_unknown("extra", request.extras, known_extras)
    _refuse_unknown("group", request.groups, known_groups)
    for source, lock in locks:
        for one in _select_from(lock, source.folder, request, target):
            other = selection.setdefault(one.name, one)
            if not _agree(one, other):
                raise LocksetError(
                    "locks-disagree",
                    f"Two of the lock files have different files for `{one.name}`: {other} and {one}",
                    context=(f"{_shown(origins[one.name])} has {other.source}", f"{_shown(source)} has {one.source}"),
                    hint="Lock them together, or sync one of them",
                )
            origins.setdefault(one.name, source)
            if one.requested:
                selection[one.name] = one
    return [selection[name] for name in sorted(selection)]


def _shown(source: LockSource) -> str:
    """The path relative to the working folder if it is in it."""
    path = source.path or "a lock file"
    return path.removeprefix(f"{os.getcwd()}{os.sep}")


def select_packages(lock: Pylock, request: SyncRequest, target: Target) -> tuple[SelectedPackage, ...]:
    """The packages of one lock file for `target`, with the extras, groups and kinds of files of `request`.

    Raises:
        LocksetError: `dependency-missing`, and the errors of `lockset.lockfile.select.select`.
    """
    selection = select(
        lock,
        environment=target.environment,
        tags=target.tags,
        extras=chosen_extras(request, lock),
        groups=chosen_groups(request, lock),
        prefer_sdist=lambda name: not _may_use_wheels(request, name),
    )
    if request.strict:
        _refuse_missing(selection.items, lock)
    return selection.items


def _select_from(lock: Pylock, folder: str, request: SyncRequest, target: Target) -> Iterable[DesiredDistribution]:
    for one in desired_distributions(
        select_packages(lock, request, target),
        folder=folder,
        allowed=request.allowed._replace(folders=request.find_links),
        project=_project_folder(lock),
    ):
        _refuse_kind(one, request)
        yield one


def _project_folder(lock: Pylock) -> str:
    """The folder of the project of `lock`, relative to the lock file: for a member of a workspace, its own."""
    table = (lock.tool or {}).get("lockset")
    sources = table.get("sources") if isinstance(table, dict) and "workspace" in table else None
    return (
        sources[0].rpartition("/")[0] if isinstance(sources, list) and sources and isinstance(sources[0], str) else "."
    )


def _agree(one: DesiredDistribution, other: DesiredDistribution) -> bool:
    """Whether two distributions are the same: the same bytes, wherever they come from, or the same source."""
    if one.kind != other.kind or one.version != other.version or one.direct_url != other.direct_url:
        return False
    common = one.hashes.keys() & other.hashes.keys()
    if not one.digests and not other.digests:
        return True
    return bool(common) and all(one.hashes[name] == other.hashes[name] for name in common)


def _may_use_wheels(request: SyncRequest, name: str) -> bool:
    return not _forbids(request.no_binary, request.only_binary, name)


def _may_use_sources(request: SyncRequest, name: str) -> bool:
    return not request.build_nothing and not _forbids(request.only_binary, request.no_binary, name)


def _forbids(these: Collection[str] | None, opposite: Collection[str] | None, name: str) -> bool:
    """Whether `these` (None: all) rule out one kind of file; an explicit name in `opposite` takes precedence."""
    return opposite is None or name not in opposite if these is None else name in these


def _refuse_missing(items: Sequence[SelectedPackage], lock: Pylock) -> None:
    """Refuse a lock file that records a dependency but has no entry for it."""
    known = {package.name for package in lock.packages}
    for item in items:
        for edge in item.package.dependencies or ():
            name = str(edge.get("name", ""))
            if name and canonicalize_name(name) not in known:
                raise LocksetError(
                    "dependency-missing",
                    f"`{describe(item.package)}` depends on `{name}`, which is not in the lock file",
                    hint="Run `lockset lock`, or use `--no-strict` if something else provides it",
                )


def _refuse_kind(one: DesiredDistribution, request: SyncRequest) -> None:
    """Refuse a source where a wheel is required, and the other way round."""
    is_wheel = (one.filename or "").endswith(".whl") and one.kind in {"wheel", "archive"}
    if request.described is not None and not is_wheel:
        raise LocksetError(
            "no-usable-file",
            f"`{one}` has no wheel for the described platform, and a source cannot be built for it here",
            hint="Sync on that platform, describe it more precisely, or lock a version that has a wheel for it",
        )
    if not is_wheel and one.kind != "directory" and not _may_use_sources(request, one.name):
        raise BuildNeededError(
            f"{one} is locked as a source ({one.filename or one.source}), but only wheels are allowed",
            hint="Allow building, or lock a version that has a wheel for this target",
        )
    if is_wheel and one.kind == "wheel" and not _may_use_wheels(request, one.name):
        raise LocksetError("no-source", f"{one} has no sdist in the lock file, but wheels are not allowed")


def chosen_extras(request: SyncRequest, lock: Pylock) -> Collection[str]:
    """The selected extras of `lock`."""
    known = frozenset(lock.extras or ())
    return known if request.all_extras else request.extras & known


def chosen_groups(request: SyncRequest, lock: Pylock) -> Collection[str] | None:
    """The selected groups of `lock`."""
    defaults = frozenset(lock.default_groups or ()) if request.default_groups else frozenset()
    known = frozenset(lock.dependency_groups or ())
    return defaults | (known if request.all_groups else request.groups & (known | frozenset(lock.default_groups or ())))


def _refuse_unknown(what: str, requested: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(requested) - set(known))
    if unknown:
        raise LocksetError(
            "unknown-extra" if what == "extra" else "unknown-group",
            f"The lock file has no {what} named {', '.join(f'`{name}`' for name in unknown)}",
            hint=known_names_hint(unknown[0], known),
        )
