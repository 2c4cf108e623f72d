"""The projects of a workspace as one project, which is resolved once, so that versions agree.

Everything that any member requires, with its extras and dependency groups, is required together. Only what a declared
conflict names, or includes what it names, is an extra or a group of the joint project: of those, the resolution
chooses versions that need not agree.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from lockset._dataclass import dataclass, replace
from lockset.dependency_specifiers import read_dependency, read_specifiers
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.sources.groups import PROJECT, Inclusion
from lockset.sources.project import RootProject
from lockset.sources.settings import ConflictItem, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from lockset.sources.groups import Part
    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.settings import IndexSetting

__all__ = [
    "JointMember",
    "conflict_sides",
    "inclusions_among",
    "joint_indexes",
    "joint_item",
    "joint_part",
    "joint_project",
    "joint_pythons",
    "member_settings",
    "refuse_disjoint_pythons",
    "url_of",
    "with_absolute_path",
]

# Settings of a member that count for itself; all others are those of the root.
_OF_MEMBERS = ("extras", "groups", "no_groups", "default_groups", "with_project")
_VIRTUAL = "(root)"


@dataclass(frozen=True, slots=True, kw_only=True)
class JointMember:
    """One project of a workspace, with the parts of it that are locked.

    Attributes:
        name: Its normalized name; empty for a virtual root.
        project: Its requirements.
        extras: The extras that are locked.
        groups: The dependency groups that are locked.
        own: Whether its own requirements are locked.
        includes: Parts of a virtual root with the parts of other members that they include, as of the joint project.
    """

    name: str
    project: RootProject
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    own: bool = True
    includes: tuple[tuple[Part, Part], ...] = ()

    def parts(self) -> Iterator[tuple[Part, tuple[RequirementLine, ...]]]:
        """The parts that are locked, each with its requirements."""
        if self.own:
            yield PROJECT, self.project.dependencies
        yield from ((("extra", extra), self.project.extras[extra]) for extra in self.extras)
        yield from ((("group", group), self.project.groups[group]) for group in self.groups)


def _part_name(member: str, part: Part) -> str:
    """The name of a member's part as an extra or group of the joint project.

    A colon is in no name of an extra or a group, so that these names are no others.
    """
    name = member or _VIRTUAL
    return f"{name}:{part[1]}" if part[1] else name


def joint_part(member: str, part: Part) -> Part:
    """The part of the joint project; the member's own requirements are a group."""
    return ("extra" if part[0] == "extra" else "group", _part_name(member, part))


def joint_project(
    members: Sequence[JointMember], conflicts: Sequence[Sequence[ConflictItem]], *, root: RootProject
) -> RootProject:
    """The workspace as one project.

    Args:
        members: Its projects.
        conflicts: The declared conflicts; each item names its package, an empty name is the virtual root.
        root: The project of the root, whose settings and constraints apply to all.
    """
    inclusions = inclusions_among(members)
    chosen = conflict_sides(members, conflicts, inclusions)
    dependencies: dict[RequirementLine, None] = {}
    tables: dict[str, dict[str, tuple[RequirementLine, ...]]] = {"extra": {}, "group": {}}
    for member in members:
        for part, lines in member.parts():
            joint = joint_part(member.name, part)
            placed = tuple(with_absolute_path(line, member.project.base) for line in lines)
            if joint in chosen:
                tables[joint[0]][joint[1]] = placed
            else:
                dependencies.update(dict.fromkeys(placed))
    offered = {("extra", name) for name in tables["extra"]} | {("group", name) for name in tables["group"]}
    declared = [tuple(dict.fromkeys(joint_item(item) for item in items)) for items in conflicts]
    settings = replace(
        root.settings,
        index=joint_indexes([root.settings.index, *(member.project.settings.index for member in members)]),
        conflicts=tuple(
            tuple(ConflictItem(kind=part[0], name=part[1]) for part in kept)
            for parts in declared
            if len(kept := [part for part in parts if part in offered]) > 1
        ),
        extras=None,
        groups=None,
        no_groups=(),
        default_groups=None,
        with_project=None,
        workspace=None,
    )
    return RootProject(
        base=root.base,
        name=None,
        requires_python=joint_pythons(members),
        dependencies=tuple(dependencies),
        extras=tables["extra"],
        groups=tables["group"],
        inclusions=inclusions,
        constraints=root.constraints,
        options=root.options,
        settings=settings,
        sources=root.sources,
    )


def inclusions_among(members: Sequence[JointMember]) -> tuple[Inclusion, ...]:
    """Which parts of the joint project include others: within a member, and by its requirements on other members."""
    known = {member.name: member for member in members if member.name}
    inclusions: list[Inclusion] = []
    for member in members:
        inclusions += [Inclusion(joint_part(member.name, part), included) for part, included in member.includes]
        for part, included, marker in member.project.inclusions:
            inclusions.append(Inclusion(joint_part(member.name, part), joint_part(member.name, included), marker))
        for part, lines in member.parts():
            for line in lines:
                if line.requirement.url is None or line.name not in known or line.name == member.name:
                    continue
                source, marker = joint_part(member.name, part), line.requirement.marker
                inclusions.append(Inclusion(source, joint_part(line.name, PROJECT), marker))
                inclusions += [
                    Inclusion(source, joint_part(line.name, ("extra", extra)), marker) for extra in sorted(line.extras)
                ]
    return tuple(dict.fromkeys(inclusions))


def conflict_sides(
    members: Sequence[JointMember],
    conflicts: Sequence[Sequence[ConflictItem]],
    inclusions: Sequence[Inclusion] | None = None,
) -> Mapping[Part, frozenset[Part]]:
    """The parts of the joint project that conflicts name, or that include such a part, each with what it includes."""
    if not conflicts:
        return {}
    including: dict[Part, list[Part]] = {}
    for inclusion in inclusions_among(members) if inclusions is None else inclusions:
        including.setdefault(inclusion.included, []).append(inclusion.part)
    sides: dict[Part, set[Part]] = {}
    for side in {joint_item(item) for items in conflicts for item in items}:
        waiting = [side]
        while waiting:
            part = waiting.pop()
            if side not in sides.setdefault(part, set()):
                sides[part].add(side)
                waiting += including.get(part, ())
    return {part: frozenset(included) for part, included in sides.items()}


def joint_item(item: ConflictItem) -> Part:
    """The part of the joint project that a conflict names."""
    return joint_part(item.package, PROJECT if item.kind == "package" else (item.kind, item.name))


def joint_indexes(lists: Sequence[Sequence[IndexSetting]]) -> tuple[IndexSetting, ...]:
    """The indexes of all; one URL is one index. A second index of a name has none: names are for credentials."""
    joined: dict[str, IndexSetting] = {}
    names: set[str] = set()
    for number, listed in enumerate(lists):
        for index in listed:
            known = joined.get(index.url)
            if known is not None:
                packages = tuple(dict.fromkeys((*known.packages, *index.packages)))
                joined[index.url] = replace(known, packages=packages)
            elif number == 0:
                joined[index.url] = index
            elif index.packages:
                # An index of a member serves the packages that the member takes from it.
                name = index.name if index.name not in names else None
                joined[index.url] = replace(index, name=name, default=False, explicit=True)
            if index.name is not None:
                names.add(index.name)
    return tuple(joined.values())


def with_absolute_path(line: RequirementLine, base: Path) -> RequirementLine:
    """The requirement with the path of its source, if it is relative to `base`, as an absolute one."""
    url = line.requirement.url
    if url is None or not url.lower().startswith("file:") or url[5:6] == "/":
        return line
    path, mark, fragment = url[5:].partition("#")
    placed = read_dependency(str(line.requirement))
    placed.url = f"{url_of(base.joinpath(unquote(path)))}{mark}{fragment}"
    return replace(line, text=str(placed), requirement=placed)


def url_of(path: Path) -> str:
    """The `file:` URL of an absolute path."""
    location = posixpath.normpath(path.as_posix())
    return f"file://{'' if location.startswith('/') else '/'}{quote(location, safe='/:')}"


def joint_pythons(members: Iterable[JointMember]) -> SpecifierSet | None:
    """The Pythons that all members support; None if none of them says.

    Raises:
        LocksetError: `workspace-pythons`: two of them have no Python in common.
    """
    stated = [(m.name, m.project.sources[0], p) for m in members if (p := m.project.requires_python) is not None]
    refuse_disjoint_pythons(stated)
    result: SpecifierSet | None = None
    for _, _, pythons in stated:
        result = pythons if result is None else _both(result, pythons)
    return result


def refuse_disjoint_pythons(stated: Sequence[tuple[str, str, SpecifierSet]]) -> None:
    """Refuse members that have no Python in common; each has its name, the place of its range, and the range.

    Raises:
        LocksetError: `workspace-pythons`.
    """
    region = MarkerSet.any()
    for number, (name, location, pythons) in enumerate(stated):
        mine = MarkerSet.of_python(pythons)
        if mine.is_empty:
            raise LocksetError(
                "workspace-pythons",
                f"No Python is in the range that the member {name} of the workspace requires: `{pythons}`",
                location=location,
                hint="Correct its `requires-python`",
            )
        region &= mine
        if not region.is_empty:
            continue
        before = stated[:number]
        other = next((one for one in before if mine.is_disjoint(MarkerSet.of_python(one[2]))), before[-1])
        raise LocksetError(
            "workspace-pythons",
            f"The members {other[0]} and {name} of the workspace have no Python in common: {other[0]} requires"
            f" `{other[2]}`, and {name} `{pythons}`",
            location=f"{other[1]}, {location}",
            hint="All members of a workspace are locked for the Pythons that all of them support. Widen one of the"
            " ranges, or leave one of the folders out with `exclude` in the root",
        )


def _both(one: SpecifierSet, other: SpecifierSet) -> SpecifierSet:
    """The Pythons in both ranges, without bounds that the others imply."""
    both = [str(specifier) for specifier in (*one, *other)]
    kept = list(dict.fromkeys(sorted(both)))
    for text in list(kept):
        rest = [each for each in kept if each != text]
        if rest and MarkerSet.of_python(",".join(rest)).implies(MarkerSet.of_python(text)):
            kept = rest
    return read_specifiers(",".join(kept))


def member_settings(root: Settings, applied: Settings, stated: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings of a member, and the keys of its own that do not count in a workspace.

    Extras, groups and whether it is locked itself are the member's; all else is what the root says.

    Args:
        root: The settings of the root.
        applied: Those of the member, with what other tools say.
        stated: Those of the member alone.
    """
    kept = {name: getattr(applied, name) for name in _OF_MEMBERS}
    if kept["with_project"] is None:
        kept["with_project"] = root.with_project
    nothing = Settings()
    ignored = [
        name.replace("_", "-")
        for name in Settings.__slots__
        if name not in {*_OF_MEMBERS, "conflicts", "workspace", "index", "trust", "validate", "audit", "no_sources"}
        and getattr(stated, name) != getattr(nothing, name)
        and getattr(stated, name) != getattr(root, name)
    ]
    return replace(root, **kept, conflicts=(), workspace=None), tuple(ignored)
