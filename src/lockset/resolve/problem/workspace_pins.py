"""The existing locks of a workspace's members as one lock, whose pins the joint resolution tries first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.dependency_specifiers import composed_marker
from lockset.markers import MarkerSet
from lockset.sources.inclusions import PROJECT
from lockset.sources.workspaces.joint import joint_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.lockfile.model import Package, Pylock
    from lockset.sources.inclusions import Part
    from lockset.sources.project import RootProject
    from lockset.sources.workspaces.joint import JointMember

__all__ = ["joint_lock"]


def joint_lock(locks: Sequence[tuple[Pylock | None, JointMember]], joint: RootProject) -> Pylock | None:
    """The existing locks as one, with markers for the extras and groups of the joint project; None if there is none."""
    existing = [(lock, member) for lock, member in locks if lock is not None]
    if not existing:
        return None
    packages: dict[tuple[str, str], Package] = {}
    regions: dict[tuple[str, str], MarkerSet] = {}
    for lock, member in existing:
        for package in lock.packages:
            region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
            source = package.vcs or package.directory or package.archive
            key = (str(package.name), str(package.version) if source is None else repr(source))
            packages.setdefault(key, package)
            regions[key] = regions.get(key, MarkerSet.none()) | _joint_region(region, lock, member, joint)
    merged = [
        replace(package, marker=None if (text := regions[key].text()) is None else composed_marker(text))
        for key, package in packages.items()
        if not regions[key].is_empty
    ]
    first = existing[0][0]
    return replace(first, packages=merged, extras=None, dependency_groups=None, default_groups=None, tool=None)


def _joint_region(region: MarkerSet, lock: Pylock, member: JointMember, joint: RootProject) -> MarkerSet:
    """The region of a member's lock in terms of the joint project."""
    offered = {*(("extra", name) for name in joint.extras), *(("group", name) for name in joint.groups)}
    named = [(part, joint_part(member.name, part)) for part, _ in member.parts()]
    parts = [(part, name) for part, name in named if name in offered]
    if not parts:
        return region.without_extras_and_groups()
    defaults = lock.default_groups or ()
    left = region.with_left_out(
        extras=[part[1] for part, _ in parts if part[0] == "extra"],
        groups=[name for part, _ in parts for name in _groups(part, defaults)],
    ).without_extras_and_groups()
    for part, (kind, name) in parts:
        extras = [part[1]] if part[0] == "extra" else []
        chosen = region.with_chosen(extras=extras, groups=_groups(part, defaults)).without_extras_and_groups()
        left |= chosen & (MarkerSet.extra(name) if kind == "extra" else MarkerSet.group(name))
    return left


def _groups(part: Part, defaults: Sequence[str]) -> list[str]:
    """The groups of a lock that stand for a part of its project."""
    if part == PROJECT:
        return [str(name) for name in defaults]
    return [part[1]] if part[0] == "group" else []
