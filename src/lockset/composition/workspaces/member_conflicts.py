"""Explain a failed resolution of a workspace by the members whose requirements disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.sources.requirements.requirement_line import RequirementLine
    from lockset.sources.workspaces.read import Workspace, WorkspaceProject

__all__ = ["between_members"]


def between_members(error: LocksetError, workspace: Workspace) -> LocksetError:
    """The error with the members that it concerns, the lines in their files, and how to declare a conflict.

    The same error if it concerns fewer than two members.
    """
    one = error.diagnostic
    concerned = [member for member in workspace.projects if any(f" {member.location} " in text for text in one.context)]
    if len(concerned) < 2:
        return error
    context = tuple(_with_line(text, concerned) for text in one.context)
    needed = _requiring(concerned, workspace)
    if needed is not None:
        return error.replaced(context=(*context, f"{needed[0]} requires {needed[1]}: both are always locked together"))
    names = [member.name or "the root" for member in concerned]
    items = ", ".join(f'{{ package = "{member.name}" }}' for member in concerned[:2] if member.name)
    declare = (
        f"All members of a workspace are locked together. If {names[0]} and {names[1]} are never installed together,"
        f" declare that in {workspace.top.location}: `conflicts = [[{items}]]` in [tool.lockset] (`extra` or"
        " `group` next to `package` names a part of a member)"
    )
    hint = declare if one.hint is None else f"{one.hint}\n{declare}"
    return error.replaced(context=context, hint=hint if len(items) > 0 else one.hint)


def _requiring(concerned: list[WorkspaceProject], workspace: Workspace) -> tuple[str, str] | None:
    """Names of two members of which one requires the other, directly or not; None if there are none."""
    names = {member.name for member in workspace.projects if member.name}
    required = {
        member.name: {line.name for line in _lines_of(member)} & names for member in workspace.projects if member.name
    }
    for one in concerned:
        reached, waiting = set[str](), [one.name]
        while waiting:
            more = required.get(waiting.pop(), set()) - reached
            reached |= more
            waiting += more
        other = next((member.name for member in concerned if member is not one and member.name in reached), None)
        if other is not None:
            return one.name, other
    return None


def _lines_of(member: WorkspaceProject) -> Iterator[RequirementLine]:
    project = member.project
    for lines in (project.dependencies, *project.extras.values(), *project.groups.values()):
        yield from lines


def _with_line(text: str, members: list[WorkspaceProject]) -> str:
    """The line of the context with the position of the requirement that it names."""
    for member in members:
        mark = f" {member.location} "
        if mark not in text:
            continue
        requirement = text.split(" is required", maxsplit=1)[0].strip()
        line = next(_lines(member, requirement), None)
        if line is not None:
            return text.replace(mark, f" {member.location}:{line} ", 1)
    return text


def _lines(member: WorkspaceProject, requirement: str) -> Iterator[int]:
    """The lines of the member's file that hold the requirement, as it is written there."""
    try:
        file = member.project.base / "pyproject.toml"
        text = decode_utf8(read_file(file, location=member.location), location=member.location)
    except LocksetError:
        return
    wanted = _plain(requirement)
    for number, line in enumerate(text.splitlines(), 1):
        if wanted and wanted in _plain(line):
            yield number


def _plain(text: str) -> str:
    return "".join(text.replace("'", '"').split()).lower()
