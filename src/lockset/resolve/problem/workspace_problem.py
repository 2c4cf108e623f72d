"""The resolution problem of a workspace: one for all members together, and for each of them what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, replace
from lockset.lockfile.conflicts import pairs_of
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.markers import MarkerSet
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.choices import chosen_parts, included_parts, lasting
from lockset.resolve.problem.options import option_requirements
from lockset.resolve.problem.roots import named
from lockset.resolve.problem.workspace_pins import joint_lock
from lockset.sources.groups import PROJECT
from lockset.sources.other_tools.facts import join_many_names
from lockset.sources.settings import ConflictItem
from lockset.sources.workspaces.joint import JointMember, joint_part, joint_project
from lockset.sources.workspaces.virtual_root import virtual_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.groups import Part
    from lockset.sources.project import RootProject

__all__ = ["LockedMember", "MemberProblem", "WorkspaceProblem", "build_workspace_problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedMember:
    """A project of a workspace and its lock.

    Attributes:
        name: Its normalized name; empty for a virtual root.
        project: Its requirements, with the sources of other tools applied and the settings that count for it.
        is_package: Whether it can be installed.
        old: Its existing lock.
        recorded: What its lock records besides its requirements and settings.
        is_root: Whether it is in the root of the workspace.
    """

    name: str
    project: RootProject
    is_package: bool
    old: Pylock | None
    recorded: Mapping[str, Any]
    is_root: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProblem:
    """What the lock of one member is cut from the joint resolution with.

    Attributes:
        name: Its normalized name; empty for a virtual root.
        project: Its requirements.
        options: The options of its lock.
        problem: Its own problem: roots, extras, groups, and what its lock records.
        translated: Translates regions of the joint resolution to its own extras and groups; None if they have none.
        old: Its existing lock.
    """

    name: str
    project: RootProject
    options: LockOptions
    problem: ResolutionProblem
    translated: Callable[[MarkerSet], MarkerSet] | None
    old: Pylock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceProblem:
    """The joint problem with its project and options, and the problems of the members, that of the root first."""

    project: RootProject
    options: LockOptions
    problem: ResolutionProblem
    old: Pylock | None
    members: tuple[MemberProblem, ...]
    notes: tuple[str, ...]


def build_workspace_problem(
    projects: Sequence[LockedMember],
    options: LockOptions,
    conflicts: Sequence[Sequence[ConflictItem]],
    *,
    table: str,
    now: datetime,
    folder: Path,
) -> WorkspaceProblem:
    """The resolution problem of a workspace.

    Args:
        projects: Its root, and its members.
        options: The options of the whole lock.
        conflicts: The declared conflicts, each item with its package.
        table: The table that declares the workspace.
        now: The current time.
        folder: The folder of all lock files.

    Raises:
        LocksetError: `workspace-pythons`, and those of `build_problem`.
    """
    _refuse_unknown(projects, options)
    projects, chosen, notes = _with_parts(projects, options, conflicts, table)
    joint = joint_project(chosen, conflicts, root=projects[0].project)
    old = joint_lock([(member.old, parts) for member, parts in zip(projects, chosen, strict=True)], joint)
    whole = replace(
        options,
        extras=None,
        all_extras=True,
        groups=None,
        all_groups=True,
        no_groups=(),
        only_groups=False,
        requirements=(),
        with_project=False,
    )
    problem = build_problem(joint, whole, old=old, now=now, folder=folder)
    return WorkspaceProblem(
        project=joint,
        options=whole,
        problem=problem,
        old=old,
        members=tuple(
            _member_problem(member, parts, joint, problem, options, now=now, folder=folder)
            for member, parts in zip(projects, chosen, strict=True)
        ),
        notes=notes,
    )


def _with_parts(
    projects: Sequence[LockedMember], options: LockOptions, conflicts: Sequence[Sequence[ConflictItem]], table: str
) -> tuple[Sequence[LockedMember], list[JointMember], tuple[str, ...]]:
    """The projects with the parts that are locked; a virtual root as the project that it stands for. Notes on that."""
    chosen = [_chosen(member, options) for member in projects]
    if projects[0].name:
        return projects, chosen, ()
    packages = [member.is_package for member in projects[1:]]
    root = virtual_root(projects[0].project, list(zip(chosen[1:], packages, strict=True)), conflicts, table=table)
    first = replace(projects[0], project=root.project)
    chosen[0] = replace(_chosen(first, options), includes=root.includes)
    left_out = (
        f"{PLAIN_NAME} leaves out {join_many_names(root.left_out)}: by a declared conflict, not all members can be"
        " installed together"
    )
    return [first, *projects[1:]], chosen, (left_out,) if root.left_out else ()


def _refuse_unknown(projects: Sequence[LockedMember], options: LockOptions) -> None:
    """Refuse extras and groups that no project has."""
    named(options.extras or (), {name for one in projects for name in one.project.extras}, "extra")
    groups = {name for one in projects for name in one.project.groups}
    before = {name for one in projects if one.old is not None for name in one.old.dependency_groups or ()}
    named(options.groups or (), groups, "dependency group")
    named(options.no_groups, groups | before, "dependency group")


def _options_of(member: LockedMember, options: LockOptions) -> LockOptions:
    """The options as far as they are about the member."""
    extras, groups = options.extras, options.groups
    return replace(
        options,
        extras=None if extras is None else tuple(name for name in extras if name in member.project.extras),
        groups=None if groups is None else tuple(name for name in groups if name in member.project.groups),
        no_groups=tuple(name for name in options.no_groups if name in member.project.groups),
        requirements=options.requirements if member.is_root else (),
        with_project=False
        if not member.name or (options.with_project and not member.is_package)
        else options.with_project,
    )


def _chosen(member: LockedMember, options: LockOptions) -> JointMember:
    options, _ = lasting(member.project, _options_of(member, options), member.old)
    extras, groups = chosen_parts(member.project, options, member.old)
    return JointMember(
        name=member.name,
        project=replace(
            member.project, dependencies=(*member.project.dependencies, *option_requirements(options.requirements))
        ),
        extras=tuple(extras),
        groups=tuple(groups),
        own=not options.only_groups,
    )


def _member_problem(
    member: LockedMember,
    parts: JointMember,
    joint: RootProject,
    problem: ResolutionProblem,
    options: LockOptions,
    *,
    now: datetime,
    folder: Path,
) -> MemberProblem:
    offered = {joint_part(member.name, part): part for part, _ in parts.parts()}
    pairs = [
        tuple(ConflictItem(kind=part[0], name=part[1]) for part in local)
        for one, other in pairs_of(problem.request.conflicts)
        if len(local := [p for m in (one, other) if (p := offered.get((m.kind, m.name))) is not None and p != PROJECT])
        > 1
    ]
    project = replace(
        member.project,
        requires_python=problem.request.requires_python,
        settings=replace(member.project.settings, python=None, conflicts=tuple(pairs)),
    )
    options = _options_of(member, options)
    own = build_problem(project, options, old=member.old, now=now, folder=folder)
    own = replace(own, request=replace(own.request, recorded={**own.request.recorded, **member.recorded}))
    choices = (*joint.extras, *joint.groups)
    translated = _translation(parts, joint, problem, own) if choices else None
    return MemberProblem(
        name=member.name, project=project, options=options, problem=own, translated=translated, old=member.old
    )


def _translation(
    parts: JointMember, joint: RootProject, problem: ResolutionProblem, own: ResolutionProblem
) -> Callable[[MarkerSet], MarkerSet]:
    """Translates extras and groups of the joint project to those of a member, which include them or not."""
    default = own.request.default_group
    mine = {joint_part(parts.name, part) for part, _ in parts.parts()}
    # What the member requires itself goes with all that it offers, so that versions agree, also with a group alone;
    # unless a conflict of its own says that it does not.
    pairs = [{member[:2] for member in pair} for pair in pairs_of(problem.request.conflicts)]
    alone = any(joint_part(parts.name, PROJECT) in pair and pair <= mine for pair in pairs)
    regions: dict[Part, MarkerSet] = {}
    for part, _ in parts.parts():
        if part != PROJECT:
            chosen = _temporary(part)
        else:
            chosen = _temporary(("group", default)) if alone and default is not None else MarkerSet.any()
        for included, where in included_parts(joint_part(parts.name, part), joint.inclusions).items():
            regions[included] = regions.get(included, MarkerSet.none()) | (chosen & where)
    all_parts = [*(("extra", name) for name in joint.extras), *(("group", name) for name in joint.groups)]
    extras, groups = (
        {name: regions.get((kind, name), MarkerSet.none()) for kind, name in all_parts if kind == wanted}
        for wanted in ("extra", "group")
    )
    if problem.request.default_group is not None:
        groups[problem.request.default_group] = MarkerSet.any()
    return lambda region: _settled(region.with_extras_as(extras).with_groups_as(groups))


# Names of a member may be those of the joint project, which are replaced one after the other.
_MARK = ":"


def _temporary(part: Part) -> MarkerSet:
    return MarkerSet.extra(_MARK + part[1]) if part[0] == "extra" else MarkerSet.group(_MARK + part[1])


def _settled(region: MarkerSet) -> MarkerSet:
    """The region with the names of a member in place of temporary ones."""
    extras = {name: MarkerSet.extra(name[1:]) for name in region.extras() if name.startswith(_MARK)}
    groups = {name: MarkerSet.group(name[1:]) for name in region.groups() if name.startswith(_MARK)}
    return region.with_extras_as(extras).with_groups_as(groups)
