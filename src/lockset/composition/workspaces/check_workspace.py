"""Check whether the lock files of a workspace are up to date with its projects, without builds or writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.composition.workspaces.workspace_inputs import former_members
from lockset.resolve.lock.staleness import outdated_parts
from lockset.resolve.problem.workspace_problem import build_workspace_problem

if TYPE_CHECKING:
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.workspaces.workspace_inputs import WorkspaceInputs

__all__ = ["MemberState", "member_states"]


class MemberState(NamedTuple):
    """The inputs of one lock file, and where it is out of date; None if there is no such file."""

    inputs: LockInputs
    findings: tuple[str, ...] | None


def member_states(inputs: WorkspaceInputs) -> tuple[MemberState, ...]:
    """The state of the lock file of each project: that of the root, and those of the members.

    Raises:
        LocksetError: As `build_workspace_problem`: the projects cannot be locked together.
    """
    root = inputs.root
    now, folder = root.context.moment, root.folder
    workspace = build_workspace_problem(
        inputs.projects, root.options, inputs.conflicts, table=inputs.workspace.table, now=now, folder=folder
    )
    states: list[MemberState] = []
    for number, member in enumerate(workspace.members):
        findings = None
        if member.old is not None:
            findings = outdated_parts(member.project, member.options, member.old, now=now, folder=folder)
        states.append(MemberState(inputs.inputs_of(number), findings))
    first = states[0]
    if first.findings is not None:
        former = [f"{target.name} is there, and {name} is not a member" for name, target in former_members(inputs)]
        states[0] = first._replace(findings=(*first.findings, *former))
    return tuple(states)
