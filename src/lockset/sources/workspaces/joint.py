"""The projects of a workspace as one project, which is resolved once, so that versions agree.

Everything that any member requires, with its extras and dependency groups, is required together. Only what a declared
conflict names, or includes what it names, is an extra or a group of the joint project: of those, the resolution
chooses versions that need not agree.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_dependency, read_specifiers
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.similar_names import known_names_hint
from lockset.sources.inclusions import PROJECT, Inclusion
from lockset.sources.project import RootProject
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.sources.settings import ConflictItem, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.specifiers import SpecifierSet

    from lockset.sources.inclusions import Part
    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.settings import IndexSetting

__all__ = [
    "JointMember",
    "VirtualRoot",
    "absolute",
    "concerned_parts",
    "inclusions_among",
    "joint_indexes",
    "joint_part",
    "joint_project",
    "joint_pythons",
    "member_settings",
    "virtual_root",
    "workspace_conflicts",
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


class VirtualRoot(NamedTuple):
    """A root without `[project]` as a project, the parts of members that it includes, and the names it leaves out."""

    project: RootProject
    includes: tuple[tuple[Part, Part], ...]
    left_out: tuple[str, ...]


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
    chosen = concerned_parts(members, conflicts, inclusions)
    dependencies: dict[RequirementLine, None] = {}
    tables: dict[str, dict[str, tuple[RequirementLine, ...]]] = {"extra": {}, "group": {}}
    for member in members:
        for part, lines in member.parts():
            joint = joint_part(member.name, part)
            placed = tuple(absolute(line, member.project.base) for line in lines)
            if joint in chosen:
                tables[joint[0]][joint[1]] = placed
            else:
                dependencies.update(dict.fromkeys(placed))
    offered = {("extra", name) for name in tables["extra"]} | {("group", name) for name in tables["group"]}
    declared = [tuple(dict.fromkeys(_joint_item(item) for item in items)) for items in conflicts]
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


def concerned_parts(
    members: Sequence[JointMember],
    conflicts: Sequence[Sequence[ConflictItem]],
    inclusions: Sequence[Inclusion] | None = None,
) -> frozenset[Part]:
    """The parts of the joint project that a conflict names, and those that include them, directly or not."""
    if not conflicts:
        return frozenset()
    including: dict[Part, list[Part]] = {}
    for inclusion in inclusions_among(members) if inclusions is None else inclusions:
        including.setdefault(inclusion.included, []).append(inclusion.part)
    waiting = [_joint_item(item) for items in conflicts for item in items]
    concerned: set[Part] = set()
    while waiting:
        part = waiting.pop()
        if part not in concerned:
            concerned.add(part)
            waiting += including.get(part, ())
    return frozenset(concerned)


def _joint_item(item: ConflictItem) -> Part:
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


def absolute(line: RequirementLine, base: Path) -> RequirementLine:
    """The requirement with the path of its source, if it is relative to `base`, as an absolute one."""
    url = line.requirement.url
    if url is None or not url.lower().startswith("file:") or url[5:6] == "/":
        return line
    path, mark, fragment = url[5:].partition("#")
    placed = read_dependency(str(line.requirement))
    placed.url = f"{_url_of(base.joinpath(unquote(path)))}{mark}{fragment}"
    return replace(line, text=str(placed), requirement=placed)


def _url_of(path: Path) -> str:
    location = posixpath.normpath(path.as_posix())
    return f"file://{'' if location.startswith('/') else '/'}{quote(location, safe='/:')}"


def joint_pythons(members: Iterable[JointMember]) -> SpecifierSet | None:
    """The Pythons that all members support; None if none of them says.

    Raises:
        LocksetError: `workspace-pythons`: two of them have no Python in common.
    """
    result: SpecifierSet | None = None
    region = MarkerSet.any()
    read: list[JointMember] = []
    for member in members:
        pythons = member.project.requires_python
        if pythons is None:
            continue
        region &= MarkerSet.of_python(pythons)
        if region.is_empty:
            mine = MarkerSet.of_python(pythons)
            other = next((m for m in read if mine.is_disjoint(_region(m))), read[-1])
            raise _no_common_python(other, member)
        read.append(member)
        result = pythons if result is None else _both(result, pythons)
    return result


def _both(one: SpecifierSet, other: SpecifierSet) -> SpecifierSet:
    """The Pythons in both ranges, without bounds that the others imply."""
    both = [str(specifier) for specifier in (*one, *other)]
    kept = list(dict.fromkeys(sorted(both)))
    for text in list(kept):
        rest = [each for each in kept if each != text]
        if rest and MarkerSet.of_python(",".join(rest)).implies(MarkerSet.of_python(text)):
            kept = rest
    return read_specifiers(",".join(kept))


def _region(member: JointMember) -> MarkerSet:
    assert member.project.requires_python is not None
    return MarkerSet.of_python(member.project.requires_python)


def _no_common_python(one: JointMember, other: JointMember) -> LocksetError:
    where = [member.project.sources[0] for member in (one, other)]
    return LocksetError(
        "workspace-pythons",
        f"The members {one.name} and {other.name} of the workspace have no Python in common: {one.name} requires"
        f" `{one.project.requires_python}`, and {other.name} `{other.project.requires_python}`",
        location=", ".join(where),
        hint="All members of a workspace are locked for the Pythons that all of them support. Widen one of the ranges,"
        " or leave one of the folders out with `exclude` in the root",
    )


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


def virtual_root(
    root: RootProject, members: Sequence[tuple[JointMember, bool]], concerned: frozenset[Part], *, table: str
) -> VirtualRoot:
    """A root without `[project]`, as the project that requires all members, with their extras and groups.

    Members that a conflict concerns cannot all be in one lock: they are left out, as are extras and groups of one name
    that it concerns in several members.

    Args:
        root: The root as its file states it: dependency groups and settings.
        members: The other projects, each with whether it can be installed: then its folder is required, else what it
            requires.
        concerned: The parts of the joint project that a conflict concerns.
        table: The table that declares the workspace, for messages.
    """
    origin = f"{root.sources[0]} [{table}.members]"
    left_out = [member for member, _ in members if joint_part(member.name, PROJECT) in concerned]
    kept = [(member, is_package) for member, is_package in members if member not in left_out]
    merged = [part for member, _ in kept for part, _ in member.parts() if joint_part(member.name, part) in concerned]
    dependencies: list[RequirementLine] = []
    tables: dict[str, dict[str, tuple[RequirementLine, ...]]] = {"extra": {}, "group": dict(root.groups)}
    includes: list[tuple[Part, Part]] = []
    for member, is_package in kept:
        for part, lines in member.parts():
            joint = joint_part(member.name, part)
            if joint in concerned and merged.count(part) > 1:
                continue
            includes.append((part, joint))
            placed = tuple(absolute(line, member.project.base) for line in lines)
            if part == PROJECT:
                dependencies += [_folder_line(member, origin)] if is_package else placed
            else:
                kind = tables[part[0]]
                kind[part[1]] = tuple(dict.fromkeys((*kind.get(part[1], ()), *placed)))
    names = [member.name for member in left_out]
    names += sorted({f"{kind} {name}" for kind, name in merged if merged.count((kind, name)) > 1})
    project = replace(
        root, dependencies=tuple(dict.fromkeys(dependencies)), extras=tables["extra"], groups=tables["group"]
    )
    return VirtualRoot(project, tuple(includes), tuple(names))


def _folder_line(member: JointMember, origin: str) -> RequirementLine:
    url = _url_of(member.project.base)
    return replace(parse_requirement(f"{member.name} @ {url}", origin=origin), editable=True)


def workspace_conflicts(
    lists: Iterable[tuple[str, str, Iterable[Sequence[ConflictItem]]]], members: Mapping[str, JointMember]
) -> tuple[tuple[ConflictItem, ...], ...]:
    """The declared conflicts of all files, each item with its package.

    Args:
        lists: For each file its project's name, its location, and its conflicts.
        members: The projects by name.

    Raises:
        LocksetError: `workspace-source`, `unknown-extra`, `unknown-group`: an item names what does not exist.
    """
    conflicts: dict[tuple[ConflictItem, ...], None] = {}
    for name, location, declared in lists:
        for items in declared:
            placed = tuple(sorted({replace(item, package=item.package or name) for item in items}))
            for item in placed:
                _refuse_unknown(item, members, location)
            if len(placed) > 1:
                conflicts[placed] = None
    return tuple(conflicts)


def _refuse_unknown(item: ConflictItem, members: Mapping[str, JointMember], location: str) -> None:
    member = members.get(item.package)
    if member is None:
        raise LocksetError(
            "workspace-source",
            f"`conflicts` names the package `{item.package}`, which is not a member of the workspace",
            location=location,
            hint=known_names_hint(item.package, [name for name in members if name]),
        )
    if item.kind == "package":
        return
    known = member.project.extras if item.kind == "extra" else member.project.groups
    if item.name not in known:
        what = "extra" if item.kind == "extra" else "dependency group"
        raise LocksetError(
            "unknown-extra" if item.kind == "extra" else "unknown-group",
            f"`conflicts` names the {what} `{item.name}`, which {item.package or 'the root'} does not have",
            location=location,
            hint=known_names_hint(item.name, known),
        )
