"""Read the projects of a workspace: its root first, then its members by folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8, read_file, relative_name
from lockset.lockfile.positions import positions
from lockset.sources.other_tools.facts import NamedSource
from lockset.sources.other_tools.files import other_files
from lockset.sources.other_tools.locations import at_path
from lockset.sources.pyproject import is_package, read_pyproject
from lockset.sources.toml_table import nearest, parse_settings_file, with_key_lines
from lockset.sources.workspaces.joint import refuse_disjoint_pythons
from lockset.sources.workspaces.members import find_members
from lockset.spans import LineIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lockset.sources.project import RootProject
    from lockset.sources.requirements.requirement_line import RequirementLine
from lockset.sources.workspaces.members import WorkspaceFolders

__all__ = ["Workspace", "WorkspaceProject", "position_in", "read_workspace"]

_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceProject:
    """One project of a workspace.

    Attributes:
        name: Its normalized name; empty for a root without `[project]`, which is called virtual.
        below: Its folder relative to the root, with `/`; `.` for the root.
        project: What it requires, as its file states it, with the sources that the root names for all.
        is_package: Whether it can be installed: it has a build backend, and `package = false` of uv does not deny it.
        location: The name of its pyproject.toml, for messages.
    """

    name: str
    below: str
    project: RootProject
    is_package: bool
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A workspace.

    Attributes:
        root: Its folder, absolute.
        table: The path of the table that declares it.
        projects: Its root, and its members sorted by folder.
    """

    root: Path
    table: str
    projects: tuple[WorkspaceProject, ...]

    @property
    def top(self) -> WorkspaceProject:
        """The project in the root."""
        return self.projects[0]

    @property
    def members(self) -> tuple[WorkspaceProject, ...]:
        """The projects besides the root."""
        return self.projects[1:]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all projects that have one, sorted."""
        return tuple(sorted(each.name for each in self.projects if each.name))


def read_workspace(root: Path, *, shown: Path, own: bool = True) -> Workspace:
    """Read the workspace whose root is the folder `root`.

    Messages name files relative to the folder `shown`. `own`: whether `[tool.lockset.workspace]` is read.

    Raises:
        LocksetError: `workspace-members`, `workspace-nested`, `workspace-source`, and those of `read_pyproject`, with
            the file and the line.
    """
    folders = find_members(root, shown=shown, own=own)
    texts = {".": (root, folders.text, folders.location)}
    for member in folders.members:
        location = relative_name(member.folder / _PYPROJECT, shown)
        text = decode_utf8(read_file(member.folder / _PYPROJECT, location=location), location=location)
        texts[member.below] = (member.folder, text, location)
    stated: list[WorkspaceProject] = []
    for below, (folder, text, location) in texts.items():
        with with_key_lines(text, location):
            stated.append(_stated(text, folder, below, location))
    _refuse_namesakes(stated)
    _refuse_pythons(stated)
    known = {each.name: each.project.base for each in stated if each.name}
    return Workspace(
        root=root,
        table=folders.table.path,
        projects=tuple(_with_sources(each, known, folders, shown) for each in stated),
    )


def _stated(text: str, folder: Path, below: str, location: str) -> WorkspaceProject:
    top = parse_settings_file(text, location=location)
    is_root = below == "."
    project = read_pyproject(text, base=folder, location=location, virtual=is_root)
    if project.name is None and not is_root:
        raise LocksetError(
            "workspace-members",
            "A member of a workspace needs a [project] table with a name, and this one has none",
            location=location,
            hint=f'Add `[project]` with a name, or leave the folder out: `exclude = ["{below}"]` in the root',
        )
    return WorkspaceProject(
        name=project.name or "", below=below, project=project, is_package=is_package(top), location=location
    )


def _refuse_namesakes(projects: Sequence[WorkspaceProject]) -> None:
    first: dict[str, WorkspaceProject] = {}
    for one in projects:
        other = first.setdefault(one.name, one) if one.name else one
        if other is one:
            continue
        where = [_at(each, "project", "name") for each in (other, one)]
        raise LocksetError(
            "workspace-members",
            f"Two projects of the workspace are named `{one.name}`: {where[0]} and {where[1]}",
            location=projects[0].location,
            hint="Rename one of them (names are compared without case, and with `-`, `_` and `.` as the same), or leave"
            f' its folder out: `exclude = ["{one.below}"]`',
        )


def _refuse_pythons(projects: Sequence[WorkspaceProject]) -> None:
    stated = [(one.name, one.location, p) for one in projects if (p := one.project.requires_python) is not None]
    try:
        refuse_disjoint_pythons(stated)
    except LocksetError as error:
        named = (error.diagnostic.location or "").split(", ")
        lines = [_at(one, "project", "requires-python") for one in projects if one.location in named]
        raise error.replaced(location=", ".join(lines)) from None


def _at(one: WorkspaceProject, *keys: str) -> str:
    return position_in(one.project.base / _PYPROJECT, one.location, keys)


def position_in(file: Path, location: str, keys: tuple[str, ...]) -> str:
    """The name of a TOML file with the line and column of a key's value; without, if the file does not have it."""
    try:
        text = decode_utf8(read_file(file, location=location), location=location)
        line, column = LineIndex(text).position(positions(text).value(keys).start)
    except (LocksetError, KeyError):
        return location
    return f"{location}:{line}:{column}"


def _with_sources(
    member: WorkspaceProject, known: Mapping[str, Path], folders: WorkspaceFolders, shown: Path
) -> WorkspaceProject:
    """The project with the sources of the files around it, and the folders of the members that it requires."""
    project = member.project
    others = other_files(project.base, project.others, folder=shown, members=known)
    required = {line.name for line in _lines(project)}
    for source in others.sources:
        if source.member and source.requirement is None and source.package in required:
            raise _not_a_member(source, known, folders, member)
    named = {source.package for source in others.sources}
    # A requirement on a member is one on its folder, whether or not a table says so: what an index has under the name
    # of a member is another project.
    implied = [
        _member_source(name, folder, folders)
        for name, folder in known.items()
        if name in required and name not in named and name != member.name
    ]
    others = replace(others, sources=(*others.sources, *implied))
    return replace(member, project=replace(project, others=others))


def _lines(project: RootProject) -> Iterator[RequirementLine]:
    yield from project.dependencies
    for lines in (*project.extras.values(), *project.groups.values()):
        yield from lines
    for unbuilt in project.unbuilt:
        yield from unbuilt.dependencies


def _member_source(name: str, folder: Path, folders: WorkspaceFolders) -> NamedSource:
    named = NamedSource(
        tool=folders.table.path.split(".")[1],
        package=name,
        table=f"[{folders.table.path}]",
        location=folders.location,
        shown="the workspace",
        editable=True,
    )
    return at_path(named, folder.as_posix())


def _not_a_member(
    source: NamedSource, known: Mapping[str, Path], folders: WorkspaceFolders, member: WorkspaceProject
) -> LocksetError:
    base = member.project.base if source.location == member.location else folders.root
    return LocksetError(
        "workspace-source",
        f"{source.table} takes {source.package} from the workspace, and the workspace of {folders.location} has no"
        " member of that name",
        location=position_in(base / _PYPROJECT, source.location, ("tool", "uv", "sources", source.package)),
        context=(f"its members are {', '.join(sorted(known)) or 'none'}",),
        hint=nearest(source.package, known) or f"Add the folder of {source.package} to `members` there",
    )
