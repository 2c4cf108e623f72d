"""What a project of PDM asks for, as its pyproject.toml says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from lockset.conversion.readers.poetry.roots import PoetryRequirement, standard_requirements
from lockset.dependency_specifiers import read_dependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["PoetryRequirement", "asked_of_pdm", "extras_of_pdm"]


def extras_of_pdm(beside: Pyproject) -> frozenset[str]:
    """Names of the project's extras."""
    table = beside.table("project", "optional-dependencies")
    return frozenset(canonicalize_name(name) for name in table.data) if table is not None else frozenset()


def asked_of_pdm(beside: Pyproject) -> Iterator[PoetryRequirement]:
    """All requirements of the project, its extras and its groups (standard ones and PDM's own).

    Raises:
        LocksetError: `format-invalid`, `requirement-syntax`.
    """
    yield from standard_requirements(beside)
    own = beside.table("tool", "pdm", "dev-dependencies")
    for group in own.data if own is not None else ():
        assert own is not None
        for text in own.texts(group):
            try:
                requirement = read_dependency(text.removeprefix("-e ").strip())
            except InvalidRequirement:
                raise own.invalid(group, f"holds no requirement: `{text}`") from None
            yield PoetryRequirement(
                choice=("group", canonicalize_name(group)),
                name=canonicalize_name(requirement.name),
                constraint=str(requirement.specifier) or "*",
                extras=frozenset(map(canonicalize_name, requirement.extras)),
                marker=None if requirement.marker is None else str(requirement.marker),
            )
