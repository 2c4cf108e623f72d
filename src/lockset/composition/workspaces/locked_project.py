"""The project of one lock file of a workspace, as its files state it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.run_context import RunContext
from lockset.composition.workspaces.workspace_inputs import conflicts_of, with_settings
from lockset.resolve.problem.options import LockOptions
from lockset.sources.workspaces.joint import JointMember, joint_pythons
from lockset.sources.workspaces.read import read_workspace
from lockset.sources.workspaces.virtual_root import virtual_root

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sources.project import RootProject

__all__ = ["locked_project"]


def locked_project(root: Path, source: str) -> RootProject | None:
    """The project whose file is `source`, relative to the root of its workspace, with `/`; None if it is no member now.

    Its Pythons are those of the whole workspace.

    Raises:
        LocksetError: The workspace is not valid.
    """
    workspace = read_workspace(root, shown=root)
    projects, _, _ = with_settings(workspace, LockOptions(), RunContext(folder=root))
    members = [
        JointMember(name=one.name, project=project, extras=tuple(project.extras), groups=tuple(project.groups))
        for one, project in zip(workspace.projects, projects, strict=True)
    ]
    pythons = joint_pythons(members)
    below = source.rpartition("/")[0] or "."
    number = next((at for at, one in enumerate(workspace.projects) if one.below == below), None)
    if number is None:
        return None
    project = projects[number]
    if number == 0 and not workspace.top.name:
        packages = [one.is_package for one in workspace.members]
        pairs = list(zip(members[1:], packages, strict=True))
        project = virtual_root(project, pairs, conflicts_of(workspace, projects), table=workspace.table).project
    return replace(project, requires_python=pythons)
