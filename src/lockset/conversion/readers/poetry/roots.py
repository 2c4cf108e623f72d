"""The requirements of a Poetry project: the `[tool.poetry]` tables and the standard ones of pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.conversion.readers.pyproject import ProjectRequirement, standard_requirements
from lockset.package_names import canonicalize_name
from lockset.sources.other_tools.poetry_constraints import python_marker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.selection import Choice
    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["dependency_items", "poetry_requirements"]


def poetry_requirements(pyproject: Pyproject, extras: Mapping[str, Sequence[str]]) -> Iterator[ProjectRequirement]:
    """All requirements of the project, its extras (by names of optional requirements) and its groups.

    Raises:
        LocksetError: `format-invalid`.
    """
    yield from standard_requirements(pyproject)
    table = pyproject.table("tool", "poetry", "dependencies")
    own = pyproject.table("tool", "poetry", "extras")
    chosen = {e: frozenset(map(canonicalize_name, names)) for e, names in extras.items()}
    for extra in own.data if own is not None else ():
        chosen.setdefault(canonicalize_name(extra), frozenset(map(canonicalize_name, own.texts(extra) if own else ())))
    project = pyproject.table("project")
    has_standard = project is not None and "dependencies" in project.data
    for name, value in table.items() if table is not None else ():
        if name == "python" or table is None:
            continue
        for item in dependency_items(value):
            normal = canonicalize_name(name)
            # With [project], the table only adds sources to the requirements there.
            if item.get("optional") is True:
                for extra in sorted(e for e, names in chosen.items() if normal in names):
                    yield _requirement(("extra", extra), normal, item, table)
            elif not has_standard:
                yield _requirement(("project", ""), normal, item, table)
    yield from _groups(pyproject)


def _groups(pyproject: Pyproject) -> Iterator[ProjectRequirement]:
    groups = pyproject.table("tool", "poetry", "group")
    tables = {name: groups.table(name) for name in groups.data} if groups is not None else {}
    dependencies = {name: table.table("dependencies") for name, table in tables.items() if table is not None}
    old = pyproject.table("tool", "poetry", "dev-dependencies")
    for name, table in (*dependencies.items(), *([("dev", old)] if old is not None else [])):
        for project, value in table.items() if table is not None else ():
            for item in dependency_items(value):
                assert table is not None
                yield _requirement(("group", canonicalize_name(name)), canonicalize_name(project), item, table)


def _requirement(choice: Choice, name: str, item: Mapping[str, Any], table: Fields) -> ProjectRequirement:
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
    return ProjectRequirement(
        choice=choice,
        name=name,
        constraint=str(item.get("version", "*")),
        extras=frozenset(canonicalize_name(str(extra)) for extra in item.get("extras") or ()),
        marker=marker,
    )


def dependency_items(value: Any) -> Iterator[dict[str, Any]]:
    """A requirement in any of Poetry's forms: a string, a table, or a list of them."""
    if isinstance(value, list):
        for one in value:
            yield from dependency_items(one)
    elif isinstance(value, dict):
        yield value
    else:
        yield {"version": str(value)}
