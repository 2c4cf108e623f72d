"""The existing locks of a workspace's members as one lock, whose pins the joint resolution tries first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import composed_marker
from lockset.markers import MarkerSet
from lockset.resolve.problem.choices import included_parts
from lockset.sources.groups import PROJECT
from lockset.sources.workspaces.joint import joint_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.lockfile.model import Package, Pylock
    from lockset.sources.groups import Part
    from lockset.sources.project import RootProject
    from lockset.sources.workspaces.joint import JointMember

__all__ = ["joint_lock"]


class _Entry(NamedTuple):
    """An entry of a member's lock, in terms of the joint project.

    Attributes:
        package: The entry.
        region: Where it applies.
        alone: Where no other parts of other members are chosen, so that the member's lock is what was resolved.
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
        for entry in _entries(lock, member, joint, offered):
            by_name.setdefault(str(entry.package.name), []).append(entry)
    merged = [
        replace(package, marker=None if (text := region.text()) is None else composed_marker(text))
        for entries in by_name.values()
        for package, region in _pins(entries)
        if not region.is_empty
    ]
    first = existing[0][0]
    return replace(first, packages=merged, extras=None, dependency_groups=None, default_groups=None, tool=None)


def _entries(
    lock: Pylock, member: JointMember, joint: RootProject, offered: Mapping[Part, MarkerSet]
) -> Iterator[_Entry]:
    """The entries of a member's lock. Parts that the joint project always requires count as chosen."""
    own = {part: joint_part(member.name, part) for part, _ in member.parts()}
    regions = {part: offered.get(name, MarkerSet.any()) for part, name in own.items()}
    extras = {part[1]: region for part, region in regions.items() if part[0] == "extra"}
    groups = {part[1]: region for part, region in regions.items() if part[0] == "group"}
    defaults = [str(name) for name in lock.default_groups or () if name not in member.project.groups]
    groups |= dict.fromkeys(defaults, regions.get(PROJECT, MarkerSet.any()))
    always = MarkerSet.any()
    if not (defaults and _is_apart(own, joint)):
        # What the member requires itself was resolved with all that it offers.
        always = regions.get(PROJECT, always)
    alone = _alone(own, joint, offered)
    for package in lock.packages:
        region = MarkerSet.any() if package.marker is None else MarkerSet.of_marker(package.marker)
        # Parts that the member no longer has may be chosen or not.
        gone = {"extras": region.extras() - extras.keys(), "groups": region.groups() - groups.keys()}
        region = region.with_chosen(**gone) | region.with_left_out(**gone)
        yield _Entry(package, region.with_extras_as(extras).with_groups_as(groups) & always, alone)


def _is_apart(own: Mapping[Part, Part], joint: RootProject) -> bool:
    """Whether what a member requires itself is declared to conflict with another part of it."""
    mine = set(own.values())
    conflicts = ({(item.kind, item.name) for item in items} & mine for items in joint.settings.conflicts)
    return any(own.get(PROJECT) in items and len(items) > 1 for items in conflicts)


def _alone(own: Mapping[Part, Part], joint: RootProject, offered: Mapping[Part, MarkerSet]) -> MarkerSet:
    """Where no more parts of other members are chosen than those that a member's own parts include."""
    alone = MarkerSet.any()
    included = {name: included_parts(name, joint.inclusions) for name in own.values()}
    for other, chosen in offered.items():
        if other in included:
            continue
        reached = MarkerSet.none()
        for name, parts in included.items():
            reached |= offered.get(name, MarkerSet.any()) & parts.get(other, MarkerSet.none())
        alone &= (chosen & reached) | (MarkerSet.any() - chosen - reached)
    return alone


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
