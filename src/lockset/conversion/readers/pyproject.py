"""The pyproject.toml next to a lock file: what the format of the lock file leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement

from lockset._dataclass import dataclass
from lockset.conversion.model.checked_table import Fields, parse_toml_fields
from lockset.conversion.model.foreign_graph import GraphEdge, GraphRoot
from lockset.dependency_specifiers import read_dependency
from lockset.errors import RequirementSyntaxError
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.conversion.model.selection import Choice

__all__ = ["ProjectRequirement", "Pyproject", "load_pyproject", "standard_requirements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRequirement:
    """A requirement of the project, an extra or a group, in the notation of its tool."""

    choice: Choice
    name: str
    constraint: str
    extras: frozenset[str]
    marker: str | None

    def root(self, targets: tuple[str, ...]) -> GraphRoot:
        """The requirement in the graph, satisfied by one of `targets`."""
        return GraphRoot(choice=self.choice, edge=GraphEdge(targets=targets, extras=self.extras, marker=self.marker))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """A pyproject.toml whose tables are checked when they are read."""

    top: Fields

    @property
    def location(self) -> str:
        """Name of the file, for messages."""
        return self.top.location

    def table(self, *path: str) -> Fields | None:
        """The table at a path; None if it is missing."""
        table: Fields | None = self.top
        for key in path:
            table = None if table is None else table.table(key)
        return table

    def uv_default_groups(self, known: Iterable[str]) -> tuple[str, ...]:
        """The groups that uv installs by default (`tool.uv.default-groups`, else `dev`), among the known ones."""
        names = sorted(known)
        table = self.table("tool", "uv")
        if table is None or "default-groups" not in table.data:
            return tuple(name for name in names if name == "dev")
        if table.data["default-groups"] == "all":
            return tuple(names)
        stated = {canonicalize_name(name) for name in table.texts("default-groups")}
        return tuple(name for name in names if name in stated)

    def extras(self) -> frozenset[str]:
        """Names of the extras in `[project]` and `[tool.poetry]`."""
        extras: set[str] = set()
        for path in (("project", "optional-dependencies"), ("tool", "poetry", "extras")):
            table = self.table(*path)
            extras.update(canonicalize_name(name) for name, _ in (table.items() if table else ()))
        return frozenset(extras)

    def poetry_default_groups(self, known: Iterable[str]) -> tuple[str, ...]:
        """The groups that Poetry installs by default: all that are not optional."""
        tables = self.table("tool", "poetry", "group")
        optional = set()
        for name, table in tables.items() if tables else ():
            if isinstance(table, dict) and table.get("optional") is True:
                optional.add(canonicalize_name(name))
        return tuple(name for name in sorted(known) if name not in optional)


def load_pyproject(text: str, *, location: str) -> Pyproject:
    """Parse a pyproject.toml.

    Raises:
        LocksetError: `toml-syntax`, `merge-conflict`.
    """
    return Pyproject(top=parse_toml_fields(text, location=location, what="pyproject.toml"))


def standard_requirements(pyproject: Pyproject) -> Iterator[ProjectRequirement]:
    """The requirements of `[project]` and `[dependency-groups]`.

    Raises:
        LocksetError: `format-invalid`.
    """
    project = pyproject.table("project")
    if project is not None:
        for text in project.texts("dependencies"):
            yield _standard(("project", ""), text, pyproject.location)
        optional = project.table("optional-dependencies")
        for extra in optional.data if optional is not None else ():
            for text in optional.texts(extra) if optional is not None else ():
                yield _standard(("extra", canonicalize_name(extra)), text, pyproject.location)
    groups = pyproject.table("dependency-groups")
    if groups is None:
        return
    from lockset.sources.groups import read_groups
    from lockset.sources.toml_table import SettingsTable

    for group, lines in read_groups(
        SettingsTable(groups.data, path="dependency-groups", location=pyproject.location)
    ).items():
        for line in lines:
            yield _standard(("group", group), str(line.requirement), pyproject.location)


def _standard(choice: Choice, text: str, location: str) -> ProjectRequirement:
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        raise RequirementSyntaxError(f"`{text}` is not a requirement", location=location) from error
    return ProjectRequirement(
        choice=choice,
        name=canonicalize_name(requirement.name),
        constraint=str(requirement.specifier) or "*",
        extras=frozenset(map(canonicalize_name, requirement.extras)),
        marker=None if requirement.marker is None else str(requirement.marker),
    )
