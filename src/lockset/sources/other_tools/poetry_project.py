"""A project that only `[tool.poetry]` describes and that is not a package: its requirements, without a build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.errors import InvalidValueError
from lockset.package_names import canonicalize_name
from lockset.sources.other_tools.locations import list_of, table_of
from lockset.sources.other_tools.poetry_constraints import alternatives
from lockset.sources.other_tools.poetry_requirements import poetry_specifiers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["poetry_project"]

_PYTHON = "python"


def poetry_project(poetry: Mapping[str, object], *, location: str) -> dict[str, Any] | None:
    """The keys of `[project]` that say the same as `[tool.poetry]` with `package-mode = false`; None for a package.

    Poetry refuses to build such a project, so no build backend can tell its requirements.

    Raises:
        LocksetError: `invalid-value`: a requirement has no dependency specifier.
    """
    if poetry.get("package-mode") is not False:
        return None
    members = table_of(poetry.get("dependencies"))
    required = {name: value for name, value in members.items() if name.lower() != _PYTHON}
    name = poetry.get("name")
    project: dict[str, Any] = {
        "name": name if isinstance(name, str) and name else "project",
        "dependencies": [
            text
            for name, value in required.items()
            if table_of(value).get("optional") is not True
            for text in _specifiers(name, value, location)
        ],
    }
    python = members.get(_PYTHON)
    ranges = alternatives(python) if isinstance(python, str) else ()
    if len(ranges) == 1:
        project["requires-python"] = str(ranges[0])
    by_name = {canonicalize_name(name): (name, value) for name, value in required.items()}
    extras = {
        extra: [
            text
            for listed in list_of(names)
            if isinstance(listed, str) and (member := by_name.get(canonicalize_name(listed))) is not None
            for text in _specifiers(*member, location)
        ]
        for extra, names in table_of(poetry.get("extras")).items()
    }
    if extras:
        project["optional-dependencies"] = extras
    return project


def _specifiers(name: str, value: object, location: str) -> Iterator[str]:
    for text in poetry_specifiers(name, value):
        if text is None:
            raise InvalidValueError(
                f"`tool.poetry.dependencies.{name}` cannot be written as a dependency specifier",
                location=location,
                hint="Move the requirements to [project], which Poetry 2.0 and later supports",
            )
        yield text
