"""Lock a workspace: one resolution for all members, cut into one lock file for each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.lock_assembly import Solved, assemble, solve, unknown_upgrades
from lockset.composition.lock_pipeline import lock_repository, with_metadata
from lockset.composition.workspaces.member_conflicts import between_members
from lockset.composition.workspaces.workspace_inputs import former_members
from lockset.errors import NoResolutionError
from lockset.markers import MarkerSet
from lockset.resolve.lock.lock_notes import LockNotes
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.choices import refuse_lost_groups
from lockset.resolve.problem.workspace_problem import build_workspace_problem
from lockset.resolve.solver.resolution import resolution_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from lockset.composition.lock_assembly import Attest, LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.workspaces.workspace_inputs import WorkspaceInputs
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.workspace_problem import LockedMember, MemberProblem, WorkspaceProblem
    from lockset.resolve.releases.index_repository import IndexRepository

    Opener = Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]

__all__ = ["lock_workspace"]


def lock_workspace(inputs: WorkspaceInputs, *, attest_of: Callable[[LockInputs], Attest | None]) -> LockResult:
    """Lock all projects of a workspace together; nothing is written to disk.

    Returns:
        The lock of the root, with those of the members.

    Raises:
        LocksetError: `no-resolution`, with the members that disagree, and errors of the network and of the input.
    """
    root = inputs.root
    context, listener = root.context, root.context.heard
    fresh: list[float] = []
    opener = lock_repository(root, fresh_until=fresh.append)
    projects = [_with_metadata(one, inputs, opener) for one in inputs.projects]
    workspace = build_workspace_problem(
        projects,
        root.options,
        inputs.conflicts,
        table=inputs.workspace.table,
        now=context.moment,
        folder=root.folder,
    )
    for member in workspace.members:
        refuse_lost_groups(member.project, member.options, member.old)
    first = (*workspace.notes, *_python_notes(projects, workspace), *workspace.problem.notes)
    notes = LockNotes(listener, (*first, *unknown_upgrades(root.options, workspace.old), *_former(inputs)))
    with opener(workspace.problem.rules, listener) as opened:
        try:
            solved = solve(
                *(workspace.problem, opened, notes),
                old=workspace.old,
                projects={one.name: one.project for one in projects if one.name and one.is_package},
                verify=root.options.verify_metadata,
            )
        except NoResolutionError as error:
            raise between_members(error, inputs.workspace) from error
        results = [
            _member_lock(member, solved, opened, notes, attest=attest_of(inputs.inputs_of(number)))
            for number, member in enumerate(workspace.members)
        ]
    until = min(fresh, default=0.0)
    top, *members = (
        replace(result, warnings=root.warnings, inputs=inputs.inputs_of(number), fresh_until=until)
        for number, result in enumerate(results)
    )
    return replace(top, members=tuple(members))


def _with_metadata(one: LockedMember, inputs: WorkspaceInputs, opener: Opener) -> LockedMember:
    """The project with the metadata of its build, if some of its fields are dynamic."""
    if not one.project.unbuilt:
        return one
    root = inputs.root
    context = root.context
    build = partial(build_problem, old=one.old, now=context.moment, folder=root.folder)
    project = with_metadata(*(one.project, root.options, build, opener), folder=root.folder, listener=context.heard)
    return replace(one, project=project)


def _member_lock(
    member: MemberProblem, solved: Solved, opened: IndexRepository, notes: LockNotes, *, attest: Attest | None
) -> LockResult:
    """The lock of one member: the part of the joint resolution that its own requirements lead to."""
    request = member.problem.request
    pythons = solved.terms.requires_python
    universe = request.universe if pythons is None else request.universe & MarkerSet.of_python(pythons)
    request = replace(request, universe=universe, requires_python=pythons)
    resolution = resolution_graph(
        replace(solved.resolution.pins, translated=member.translated),
        request.roots,
        universe,
        solved.repository,
        solved.resolution.statistics,
    )
    own = replace(
        solved,
        problem=replace(member.problem, request=request),
        resolution=resolution,
        terms=replace(solved.terms, universe=universe, conflicts=request.conflicts),
    )
    return assemble(member.project, member.options, own, opened, notes, old=member.old, attest=attest)


def _python_notes(projects: Sequence[LockedMember], workspace: WorkspaceProblem) -> Iterator[str]:
    """Which member narrows the Pythons of the workspace for others."""
    joint = workspace.problem.request.requires_python
    stated = [(one.name, pythons) for one in projects if (pythons := one.project.requires_python) is not None]
    if joint is None or (workspace.old is not None and workspace.old.requires_python is not None):
        return  # said when the first lock was made
    region = MarkerSet.of_python(joint)
    narrow = [(name, pythons) for name, pythons in stated if MarkerSet.of_python(pythons).implies(region)]
    if narrow and len(narrow) < len(stated):
        name, pythons = narrow[0]
        yield f"The workspace is locked for Python {joint}, which all members support: {name} requires {pythons}"


def _former(inputs: WorkspaceInputs) -> Iterator[str]:
    for name, target in former_members(inputs):
        yield f"{target.name} is of no use any more: {name} is not a member of the workspace. Remove the file"
