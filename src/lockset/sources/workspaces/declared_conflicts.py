"""The conflicts that the files of a workspace declare, with the members that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.similar_names import known_names_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.sources.project import RootProject
    from lockset.sources.settings import ConflictItem

__all__ = ["workspace_conflicts"]


def workspace_conflicts(
    lists: Iterable[tuple[str, str, Iterable[Sequence[ConflictItem]]]], projects: Mapping[str, RootProject]
) -> tuple[tuple[ConflictItem, ...], ...]:
    """The declared conflicts of all files, each item with its package.

    Args:
        lists: For each file its project's name, its location, and its conflicts.
        projects: The projects by name.

    Raises:
        LocksetError: `workspace-source`, `unknown-extra`, `unknown-group`: an item names what does not exist.
    """
    conflicts: dict[tuple[ConflictItem, ...], None] = {}
    for name, location, declared in lists:
        for items in declared:
            placed = tuple(sorted({replace(item, package=item.package or name) for item in items}))
            for item in placed:
                _refuse_unknown(item, projects, location)
            if len(placed) > 1:
                conflicts[placed] = None
    return tuple(conflicts)


def _refuse_unknown(item: ConflictItem, projects: Mapping[str, RootProject], location: str) -> None:
    project = projects.get(item.package)
    if project is None:
        raise LocksetError(
            "workspace-source",
            f"`conflicts` names the package `{item.package}`, which is not a member of the workspace",
            location=location,
            hint=known_names_hint(item.package, [name for name in projects if name]),
        )
    if item.kind == "package" or (
        item.kind == "extra" and any("optional-dependencies" in u.keys for u in project.unbuilt)
    ):
        return  # all extras of it are known after its build
    known = project.extras if item.kind == "extra" else project.groups
    if item.name not in known:
        what = "extra" if item.kind == "extra" else "dependency group"
        raise LocksetError(
            "unknown-extra" if item.kind == "extra" else "unknown-group",
            f"`conflicts` names the {what} `{item.name}`, which {item.package or 'the root'} does not have",
            location=location,
            hint=known_names_hint(item.name, known),
        )
