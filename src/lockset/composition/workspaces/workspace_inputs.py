"""Read the inputs of a workspace once: its projects, the options with the files they name, and the existing locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass, replace
from lockset.composition.indexes import chosen_urls, project_around, resolve_indexes, unread_index_variable
from lockset.composition.lock_inputs import (
    LazyFetch,
    LockInputs,
    existing_lock,
    memory_and_indexes,
    read_constraint_files,
    with_option_files,
    with_other_tools,
    with_upgrades,
)
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.file_name import PLAIN_NAME, lock_file_name
from lockset.resolve.problem.choices import is_made_by_lock, recorded_table
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.problem.other_sources import unread_settings
from lockset.resolve.problem.workspace_problem import LockedMember
from lockset.sources.discover import read_settings_of
from lockset.sources.other_tools.facts import join_many_names
from lockset.sources.settings import Settings, parse_settings
from lockset.sources.toml_table import SettingsTable
from lockset.sources.workspaces.declared_conflicts import workspace_conflicts
from lockset.sources.workspaces.joint import joint_indexes, member_settings
from lockset.sources.workspaces.read import position_in, read_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions
    from lockset.lockfile.merge_conflict import OldLock
    from lockset.lockfile.model import Pylock
    from lockset.resolve.releases.memory_index import MemoryIndex
    from lockset.sources.project import RequirementLine, RootProject
    from lockset.sources.settings import ConflictItem
    from lockset.sources.workspaces.read import Workspace, WorkspaceProject

__all__ = ["WorkspaceInputs", "conflicts_of", "former_members", "read_workspace_inputs", "with_settings"]

_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInputs:
    """The inputs of the lock of a workspace.

    Attributes:
        workspace: The workspace as its files state it.
        root: The inputs of the root's lock: the options, indexes and surroundings are those of all.
        projects: The root and the members, with what other tools say of them and their existing locks.
        targets: The lock file of each.
        olds: The existing lock file of each.
        conflicts: The declared conflicts.
    """

    workspace: Workspace
    root: LockInputs
    projects: tuple[LockedMember, ...]
    targets: tuple[Path, ...]
    olds: tuple[OldLock | None, ...]
    conflicts: tuple[tuple[ConflictItem, ...], ...]

    def inputs_of(self, number: int) -> LockInputs:
        """The inputs of one of the locks."""
        target = self.targets[number]
        return replace(
            self.root,
            project=self.projects[number].project,
            target=target,
            old=self.olds[number],
            before=target.read_bytes() if target.is_file() else None,
        )


def read_workspace_inputs(
    root: Path,
    options: LockOptions | None,
    indexes: IndexOptions | IndexOverrides | MemoryIndex | None,
    output: str | None,
    context: RunContext,
    *,
    merging: bool = True,
    connecting: bool = True,
) -> WorkspaceInputs:
    """Read the workspace in the folder `root`; the arguments are those of `read_lock_inputs`.

    Raises:
        LocksetError: With the file and the position of the problem.
    """
    memory, indexes = memory_and_indexes(indexes)
    here, listener = context.here, context.heard
    folder = _folder(root, output, here)
    workspace = read_workspace(root, shown=here, own=context.use_settings and context.config is None)
    fetch = LazyFetch(lambda: resolve_indexes(indexes, project_around(root, context), context))
    options = options or LockOptions()
    projects, warnings, tables = with_settings(workspace, options, context)
    conflicts = conflicts_of(workspace, projects)
    targets, olds = _existing_locks(workspace, folder, context, merging=merging)
    whole = _whole(projects)
    options = replace(with_option_files(with_upgrades(options, whole), context, fetch), index_urls=chosen_urls(indexes))
    warnings = list(dict.fromkeys([*warnings, *_unread(projects, options)]))
    for message in warnings:
        listener.warning(message)
    if tables:
        listener.note(f"Read from other tools' settings: {', '.join(tables)}")
    index_options = resolve_indexes(indexes, whole, context)
    hint = unread_index_variable(index_options, context) if connecting else None
    if hint is not None:
        listener.hint(hint)
    return WorkspaceInputs(
        workspace=workspace,
        root=LockInputs(
            project=whole,
            options=options,
            indexes=index_options,
            context=context,
            target=targets[0],
            old=olds[0],
            before=None,
            warnings=tuple(warnings),
            hint=hint,
            build_constraints=read_constraint_files(options.build_constraint_files, context, fetch),
            fetched=fetch.count,
            memory=memory,
        ),
        projects=_locked(workspace, projects, olds),
        targets=targets,
        olds=olds,
        conflicts=conflicts,
    )


def _existing_locks(
    workspace: Workspace, folder: Path, context: RunContext, *, merging: bool
) -> tuple[tuple[Path, ...], tuple[OldLock | None, ...]]:
    """The lock file of each project, and what is there."""
    names = [None, *(one.name for one in workspace.members)]
    targets = tuple(folder / lock_file_name(name) for name in names)
    olds = tuple(existing_lock(target, context.heard, merging=merging) for target in targets)
    for old, target, one in zip(olds[1:], targets[1:], workspace.members, strict=True):
        _refuse_taken(old, target, one)
    return targets, olds


def _locked(
    workspace: Workspace, projects: Sequence[RootProject], olds: Sequence[OldLock | None]
) -> tuple[LockedMember, ...]:
    return tuple(
        LockedMember(
            name=one.name,
            project=project,
            is_package=one.is_package,
            old=None if old is None else old.pins,
            recorded=_recorded(workspace, one),
            is_root=one is workspace.top,
        )
        for one, project, old in zip(workspace.projects, projects, olds, strict=True)
    )


def _unread(projects: Sequence[RootProject], options: LockOptions) -> Iterator[str]:
    for one in projects:
        yield from (warning.message for warning in unread_settings(_without_conflicts(one), options))


def _without_conflicts(project: RootProject) -> RootProject:
    """The project without the keys that were read for the whole workspace."""
    others = project.others
    keys = tuple(key for key in others.keys if key.key != "conflicts")
    return replace(project, others=replace(others, keys=keys))


def _folder(root: Path, output: str | None, here: Path) -> Path:
    """The folder of the lock files.

    Raises:
        UsageError: `workspace-output`: another name than `pylock.toml`.
    """
    if output is None:
        return root
    target = here / output
    if target.name != PLAIN_NAME:
        raise UsageError(
            "workspace-output",
            f"A workspace has several lock files, {PLAIN_NAME} for its root and pylock.MEMBER.toml for each member",
            hint=f"Leave out `-o {output}`, name a folder by `-o FOLDER/{PLAIN_NAME}`, or lock one project alone by"
            f" naming its {_PYPROJECT}",
        )
    return target.parent


def _recorded(workspace: Workspace, one: WorkspaceProject) -> dict[str, Any]:
    """What a lock records of the workspace: the root's has its members, a member's its own file and the root."""
    if one is workspace.top:
        return {"members": {member.name: member.below for member in sorted(workspace.members, key=lambda m: m.name)}}
    return {"sources": [f"{one.below}/{_PYPROJECT}"], "workspace": _PYPROJECT}


def with_settings(
    workspace: Workspace, options: LockOptions, context: RunContext
) -> tuple[list[RootProject], list[str], list[str]]:
    """The projects with what other tools say of them and the settings that count; warnings; the tables applied.

    Raises:
        LocksetError: As `apply_other_tools`.
    """
    projects: list[RootProject] = []
    warnings: list[str] = []
    tables: dict[str, None] = {}
    stated = [_with_chosen_settings(one.project, context, is_root=one is workspace.top) for one in workspace.projects]
    for one, project in zip(workspace.projects, stated, strict=True):
        applied, sentence = with_other_tools(project, options.no_sources, context.here)
        warnings += [warning.message for warning in project.warnings]
        if sentence is not None:
            tables |= dict.fromkeys(sentence.partition(": ")[2].split(", "))
        if one is not workspace.top:
            applied = _without_inherited_entry(one, applied, projects[0])
            settings, ignored = member_settings(projects[0].settings, applied.settings, project.settings)
            settings = replace(settings, index=applied.settings.index)
            applied = replace(applied, settings=settings, constraints=projects[0].constraints)
            if ignored:
                warnings.append(
                    f"{join_many_names(ignored, code=True)} in [tool.lockset] of {one.location} has no effect: in a"
                    " workspace, what the root says holds for all members"
                )
        projects.append(applied)
    return projects, warnings, list(tables)


def _without_inherited_entry(one: WorkspaceProject, member: RootProject, root: RootProject) -> RootProject:
    """The member, not locked itself because the root says so if nothing can install it."""
    if one.is_package or member.settings.with_project is not None or not root.settings.with_project:
        return member
    return replace(member, settings=replace(member.settings, with_project=False))


def _with_chosen_settings(project: RootProject, context: RunContext, *, is_root: bool) -> RootProject:
    """The project with the settings of `context`: its own, those of another file, or none."""
    if context.use_settings and context.config_path is None:
        return project
    settings = Settings()
    if is_root and context.config_path is not None:
        settings = read_settings_of(context.config_path, folder=context.here)
    return replace(project, settings=settings, constraints=settings.constraints)


def conflicts_of(workspace: Workspace, projects: Sequence[RootProject]) -> tuple[tuple[ConflictItem, ...], ...]:
    """The declared conflicts of all files.

    Raises:
        LocksetError: As `workspace_conflicts`.
    """
    known = {one.name: project for one, project in zip(workspace.projects, projects, strict=True)}
    try:
        return workspace_conflicts(_declared(workspace), known)
    except LocksetError as error:
        raise _located(error, workspace) from None


def _located(error: LocksetError, workspace: Workspace) -> LocksetError:
    """The error with the position of the conflicts in the file that it names."""
    for one in workspace.projects:
        if one.location == error.diagnostic.location:
            tool = "lockset" if one.project.settings.conflicts else "uv"
            keys = ("tool", tool, "conflicts")
            return error.replaced(location=position_in(one.project.base / _PYPROJECT, one.location, keys))
    return error


def _declared(workspace: Workspace) -> Iterator[tuple[str, str, Sequence[Sequence[ConflictItem]]]]:
    """The conflicts that each file declares, in [tool.lockset] or else in [tool.uv]."""
    for one in workspace.projects:
        settings, others = one.project.settings, one.project.others
        if settings.conflicts:
            yield one.name, one.location, settings.conflicts
            continue
        for key in others.keys:
            # A member has the keys of the root, too.
            mine = one is workspace.top or key.location != workspace.top.location
            if key.tool == "uv" and key.key == "conflicts" and mine and "uv" not in settings.ignore_tools:
                table = SettingsTable({"conflicts": key.value}, path=key.table.strip("[]"), location=key.location)
                yield one.name, key.location, parse_settings(table).conflicts


def _whole(projects: Sequence[RootProject]) -> RootProject:
    """The root with the indexes of all projects, and with the groups of all for `--upgrade-group`."""
    groups: dict[str, tuple[RequirementLine, ...]] = {}
    for project in projects:
        for name, lines in project.groups.items():
            groups[name] = (*groups.get(name, ()), *lines)
    root = projects[0]
    settings = replace(root.settings, index=joint_indexes([one.settings.index for one in projects]))
    return replace(root, groups=groups, settings=settings)


def _refuse_taken(old: OldLock | None, target: Path, one: WorkspaceProject) -> None:
    """Refuse to replace a lock file that was made from something else."""
    if old is None or not is_made_by_lock(old.pins):
        return
    sources = recorded_table(old.pins).get("sources", [_PYPROJECT])
    mine = f"{one.below}/{_PYPROJECT}"
    if sources != [mine] and recorded_table(old.pins).get("workspace") is None:
        made = ", ".join(map(str, sources)) if isinstance(sources, list) else str(sources)
        raise LocksetError(
            "workspace-output",
            f"{target.name} would be the lock file of the member {one.name} ({mine}), and is that of {made}",
            location=str(target),
            hint=f"Move that lock file, or rename the member or {made}",
        )


def former_members(inputs: WorkspaceInputs) -> Iterator[tuple[str, Path]]:
    """Names and lock files of projects that were members when the root was locked, and are not any more."""
    old: Pylock | None = inputs.projects[0].old
    names = recorded_table(old).get("members")
    for name in names if isinstance(names, dict) else ():
        if name in inputs.workspace.names or "/" in name or "\\" in name or "." in name:
            continue
        target = inputs.targets[0].with_name(f"pylock.{name}.toml")
        if target.is_file():
            yield name, target
