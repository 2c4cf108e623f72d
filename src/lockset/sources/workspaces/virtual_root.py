"""The root of a workspace that is not a project itself: it stands for all members together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset._named_tuple import NamedTuple
from lockset.sources.groups import PROJECT
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sources.workspaces.joint import conflict_sides, joint_item, joint_part, url_of, with_absolute_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.sources.groups import Part
    from lockset.sources.project import RootProject
    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.settings import ConflictItem
    from lockset.sources.workspaces.joint import JointMember

__all__ = ["VirtualRoot", "virtual_root"]


class VirtualRoot(NamedTuple):
    """A root without `[project]` as a project, the parts of members that it includes, and the names it leaves out."""

    project: RootProject
    includes: tuple[tuple[Part, Part], ...]
    left_out: tuple[str, ...]


def virtual_root(
    root: RootProject,
    members: Sequence[tuple[JointMember, bool]],
    conflicts: Sequence[Sequence[ConflictItem]],
    *,
    table: str,
) -> VirtualRoot:
    """A root without `[project]`, as the project that requires all members, with their extras and groups.

    Members that conflict with one another cannot be in one lock: they are left out, as are extras and groups that
    conflict with what the others always require.

    Args:
        root: The root as its file states it: dependency groups and settings.
        members: The other projects, each with whether it can be installed: then its folder is required, else what it
            requires.
        conflicts: The declared conflicts.
        table: The table that declares the workspace, for messages.
    """
    together = _Together([member for member, _ in members], conflicts)
    own = together.members()
    kept = [pair for pair in members if pair[0].name in own]
    named = dict.fromkeys(part for member, _ in kept for part, _ in member.parts() if part != PROJECT)
    outside = [part for part in named if not together.may_have(part)]
    origin = f"{root.sources[0]} [{table}.members]"
    dependencies: list[RequirementLine] = []
    tables: dict[str, dict[str, tuple[RequirementLine, ...]]] = {"extra": {}, "group": dict(root.groups)}
    includes: list[tuple[Part, Part]] = []
    for member, is_package in kept:
        for part, lines in member.parts():
            if part in outside:
                continue
            includes.append((part, joint_part(member.name, part)))
            placed = tuple(with_absolute_path(line, member.project.base) for line in lines)
            if part == PROJECT:
                dependencies += [_folder_line(member, origin)] if is_package else placed
            else:
                kind = tables[part[0]]
                kind[part[1]] = tuple(dict.fromkeys((*kind.get(part[1], ()), *placed)))
    left_out = [member.name for member, _ in members if member.name not in own]
    left_out += [f"the {'extra' if kind == 'extra' else 'group'} {name}" for kind, name in outside]
    project = replace(
        root, dependencies=tuple(dict.fromkeys(dependencies)), extras=tables["extra"], groups=tables["group"]
    )
    return VirtualRoot(project, tuple(includes), tuple(left_out))


class _Together:
    """What of the members can be installed together, in spite of the conflicts."""

    def __init__(self, members: Sequence[JointMember], conflicts: Sequence[Sequence[ConflictItem]]) -> None:
        self._members = members
        self._sides = conflict_sides(members, conflicts)
        self._conflicts = [{joint_item(item) for item in items} for items in conflicts]
        self._own: frozenset[Part] = frozenset()
        self._kept: list[JointMember] = []

    def members(self) -> frozenset[str]:
        """The names of the members without those that conflict with another one."""
        own = {member.name: self._sides_of(member, PROJECT) for member in self._members}
        all_sides = frozenset().union(*own.values())
        meeting = frozenset().union(*(both for c in self._conflicts if len(both := c & all_sides) > 1))
        names = frozenset(name for name, sides in own.items() if not sides & meeting)
        self._kept = [member for member in self._members if member.name in names]
        self._own = frozenset().union(*(own[name] for name in names))
        return names

    def may_have(self, part: Part) -> bool:
        """Whether the extra or group of all kept members conflicts neither with itself nor with their requirements."""
        sides = self._own.union(*(self._sides_of(member, part) for member in self._kept))
        return not any(len(conflict & sides) > 1 for conflict in self._conflicts)

    def _sides_of(self, member: JointMember, part: Part) -> frozenset[Part]:
        has = any(part == each for each, _ in member.parts())
        return self._sides.get(joint_part(member.name, part), frozenset()) if has else frozenset()


def _folder_line(member: JointMember, origin: str) -> RequirementLine:
    url = url_of(member.project.base)
    return replace(parse_requirement(f"{member.name} @ {url}", origin=origin), editable=True)
