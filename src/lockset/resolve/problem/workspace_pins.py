"""The existing locks of a workspace's members as one lock, whose pins the joint resolution tries first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lockset.dependency_specifiers import composed_marker
from lockset.markers import MarkerSet
from lockset.sources.inclusions import PROJECT
from lockset.sources.workspaces.joint import joint_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock
    from lockset.sources.inclusions import Part
    from lockset.sources.project import RootProject
    from lockset.sources.workspaces.joint import JointMember

__all__ = ["joint_lock"]


class _Entry(NamedTuple):
    """An entry of a member's lock, in terms of the joint project.

    Attributes:
        package: The entry.
        region: Where it applies.
        alone: Where no part of another member is chosen, so that the member's lock is what was resolved.
    """

    package: Package
    region: MarkerSet
    alone: MarkerSet


def joint_lock(locks: Sequence[tuple[Pylock | None, JointMember]], joint: RootProject) -> Pylock | None:
    """The existing locks as one, with markers for the extras and groups of the joint project; None if there is none."""
    existing = [(lock, member) for lock, member in locks if lock is not None]
    if not existing:
        return None
    offered = {("extra", name): MarkerSet.extra(name) for name in joint.extras}
    offered |= {("group", name): MarkerSet.group(name) for name in joint.groups}
    by_name: dict[str, list[_Entry]] = {}
    for lock, member in existing:
        for entry in _entries(lock, member, offered):
            by_name.setdefault(str(entry.package.name), []).append(entry)
    merged = [
        replace(package, marker=None if (text := region.text()) is None else composed_marker(text))
        for entries in by_name.values()
        for package, region in _pins(entries)
        if not region.is_empty
    ]
    first = existing[0][0]
    return replace(first, packages=merged, extras=None, dependency_groups=None, default_groups=None, tool=None)


def _entries(lock: Pylock, member: JointMember, offered: Mapping[Part, MarkerSet]) -> Iterator[_Entry]:
    """The entries of a member's lock. Parts that the joint project always requires count as chosen."""
    own = {part: joint_part(member.name, part) for part, _ in member.parts()}
    others = [region for part, region in offered.items() if part not in own.values()]
    alone = MarkerSet.any()
    for region in others:
        alone -= region
    extras: dict[str, MarkerSet] = {}
    groups: dict[str, MarkerSet] = {}
    for part, name in own.items():
        regions = extras if part[0] == "extra" else groups
        regions |= dict.fromkeys(_names_in(lock, member, part), offered.get(name, MarkerSet.any()))
    for package in lock.packages:
        region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
        # Parts that the member no longer has may be chosen or not.
        gone = {"extras": region.extras() - extras.keys(), "groups": region.groups() - groups.keys()}
        region = region.with_chosen(**gone) | region.with_left_out(**gone)
        yield _Entry(package, region.with_extras_as(extras).with_groups_as(groups), alone)


def _names_in(lock: Pylock, member: JointMember, part: Part) -> Sequence[str]:
    """The names of a member's part in the markers of its lock; a default group stands for its own requirements."""
    if part != PROJECT:
        return [part[1]]
    return [str(name) for name in lock.default_groups or () if name not in member.project.groups]


def _pins(entries: Sequence[_Entry]) -> Iterator[tuple[Package, MarkerSet]]:
    """The entries of one package, each version once, with the regions in which the locks have chosen it.

    Where parts of one member alone are chosen, its own lock decides; where those of several are, any lock does.
    """
    decided = MarkerSet.none()
    for entry in entries:
        decided |= entry.region & entry.alone
    packages: dict[str, Package] = {}
    regions: dict[str, MarkerSet] = {}
    for package, region, alone in entries:
        source = package.vcs or package.directory or package.archive
        key = str(package.version) if source is None else repr(source)
        packages.setdefault(key, package)
        regions[key] = regions.get(key, MarkerSet.none()) | (region & alone) | (region - decided)
    return ((package, regions[key]) for key, package in packages.items())
