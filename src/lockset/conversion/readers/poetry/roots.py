"""What a project of Poetry asks for, as its pyproject.toml says: its own tables, and the standard ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.conversion.model.graph import GraphEdge, GraphRoot
from lockset.conversion.readers.poetry.constraints import python_marker
from lockset.dependency_specifiers import read_dependency
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.selectable import Choice
    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["PoetryRequirement", "asked_by", "dependency_items", "standard_requirements"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoetryRequirement:
    """One requirement of the project."""

    choice: Choice
    name: str
    constraint: str
    extras: frozenset[str]
    marker: str | None

    def root(self, targets: tuple[str, ...]) -> GraphRoot:
        """The requirement, answered by `targets`."""
        return GraphRoot(choice=self.choice, edge=GraphEdge(targets=targets, extras=self.extras, marker=self.marker))


def asked_by(beside: Pyproject, extras: Mapping[str, Sequence[str]]) -> Iterator[PoetryRequirement]:
    """All requirements of the project, its extras (names of optional requirements) and its groups.

    Raises:
        LocksetError: `format-invalid`.
    """
    yield from standard_requirements(beside)
    table = beside.table("tool", "poetry", "dependencies")
    own = beside.table("tool", "poetry", "extras")
    chosen = {e: frozenset(map(canonicalize_name, names)) for e, names in extras.items()}
    for extra in own.data if own is not None else ():
        chosen.setdefault(canonicalize_name(extra), frozenset(map(canonicalize_name, own.texts(extra) if own else ())))
    project = beside.table("project")
    has_standard = project is not None and "dependencies" in project.data
    for name, value in table.items() if table is not None else ():
        if name == "python" or table is None:
            continue
        for item in dependency_items(value):
            normal = canonicalize_name(name)
            # Beside [project] the table only says where to find what is asked for there.
            if item.get("optional") is True:
                for extra in sorted(e for e, names in chosen.items() if normal in names):
                    yield _asked(("extra", extra), normal, item, table)
            elif not has_standard:
                yield _asked(("project", ""), normal, item, table)
    yield from _groups(beside)


def _groups(beside: Pyproject) -> Iterator[PoetryRequirement]:
    groups = beside.table("tool", "poetry", "group")
    tables = {name: groups.table(name) for name in groups.data} if groups is not None else {}
    found = {name: table.table("dependencies") for name, table in tables.items() if table is not None}
    old = beside.table("tool", "poetry", "dev-dependencies")
    for name, table in (*found.items(), *([("dev", old)] if old is not None else [])):
        for project, value in table.items() if table is not None else ():
            for item in dependency_items(value):
                assert table is not None
                yield _asked(("group", canonicalize_name(name)), canonicalize_name(project), item, table)


def _asked(choice: Choice, name: str, item: Mapping[str, Any], table: Fields) -> PoetryRequirement:
    markers = [str(item["markers"])] if item.get("markers") else []
    try:
        if item.get("python") and (python := python_marker(str(item["python"]))) is not None:
            markers.append(python)
    except ValueError as error:
        raise table.invalid(name, str(error)) from error
    if item.get("platform"):
        markers.append(f"sys_platform == '{item['platform']}'")
    marker = " and ".join(f"({one})" for one in markers) or None
    if marker is not None:
        table.checked_marker(marker, name)
    return PoetryRequirement(
        choice=choice,
        name=name,
        constraint=str(item.get("version", "*")),
        extras=frozenset(canonicalize_name(str(extra)) for extra in item.get("extras") or ()),
        marker=marker,
    )


def dependency_items(value: Any) -> Iterator[dict[str, Any]]:
    """A requirement in one of Poetry's forms: text, table, or a list of them."""
    if isinstance(value, list):
        for one in value:
            yield from dependency_items(one)
    elif isinstance(value, dict):
        yield value
    else:
        yield {"version": str(value)}


def standard_requirements(beside: Pyproject) -> Iterator[PoetryRequirement]:
    """Requirements of [project] and [dependency-groups].

    Raises:
        LocksetError: `format-invalid`.
    """
    project = beside.table("project")
    if project is not None:
        for text in project.texts("dependencies"):
            yield _standard(("project", ""), text, beside.location)
        optional = project.table("optional-dependencies")
        for extra in optional.data if optional is not None else ():
            for text in optional.texts(extra) if optional is not None else ():
                yield _standard(("extra", canonicalize_name(extra)), text, beside.location)
    groups = beside.table("dependency-groups")
    if groups is None:
        return
    from lockset.sources.groups import read_groups
    from lockset.sources.toml_table import SettingsTable

    for group, lines in read_groups(
        SettingsTable(groups.data, path="dependency-groups", location=beside.location)
    ).items():
        for line in lines:
            yield _standard(("group", group), str(line.requirement), beside.location)


def _standard(choice: Choice, text: str, location: str) -> PoetryRequirement:
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        raise LocksetError("requirement-syntax", f"`{text}` is not a requirement", location=location) from error
    return PoetryRequirement(
        choice=choice,
        name=canonicalize_name(requirement.name),
        constraint=str(requirement.specifier) or "*",
        extras=frozenset(map(canonicalize_name, requirement.extras)),
        marker=None if requirement.marker is None else str(requirement.marker),
    )
