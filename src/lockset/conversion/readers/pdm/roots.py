"""The requirements of a PDM project, from its pyproject.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement

from lockset.conversion.readers.pyproject import ProjectRequirement, standard_requirements
from lockset.dependency_specifiers import read_dependency
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["pdm_extras", "pdm_requirements"]


def pdm_extras(pyproject: Pyproject) -> frozenset[str]:
    """Names of the project's extras."""
    table = pyproject.table("project", "optional-dependencies")
    return frozenset(canonicalize_name(name) for name in table.data) if table is not None else frozenset()


def pdm_requirements(pyproject: Pyproject) -> Iterator[ProjectRequirement]:
    """All requirements of the project, its extras and its groups (`[dependency-groups]` and PDM's own).

    Raises:
        LocksetError: `format-invalid`, `requirement-syntax`.
    """
    yield from standard_requirements(pyproject)
    own = pyproject.table("tool", "pdm", "dev-dependencies")
    for group in own.data if own is not None else ():
        assert own is not None
        for text in own.texts(group):
            try:
                requirement = read_dependency(text.removeprefix("-e ").strip())
            except InvalidRequirement:
                raise own.invalid(group, f"contains an invalid requirement: `{text}`") from None
            yield ProjectRequirement(
                choice=("group", canonicalize_name(group)),
                name=canonicalize_name(requirement.name),
                constraint=str(requirement.specifier) or "*",
                extras=frozenset(map(canonicalize_name, requirement.extras)),
                marker=None if requirement.marker is None else str(requirement.marker),
            )
