"""Core metadata of a source tree from its pyproject.toml, if [project] has all needed fields (PEP 621)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli

from lockset.dependency_specifiers import read_dependency, read_marker, read_version
from lockset.errors import LocksetError, MetadataInvalidError
from lockset.metadata.core import CoreMetadata
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tree_metadata"]

# "Build back-ends MUST raise an error if the metadata specifies a field statically as well as being listed in dynamic":
# what is neither given nor listed is empty.
_NEEDED = ("version", "dependencies", "optional-dependencies", "requires-python")


def tree_metadata(text: str | None, *, what: str) -> CoreMetadata | None:
    """The static metadata of the pyproject.toml `text`; None if there is none, or a build is required.

    Raises:
        LocksetError: `metadata-invalid`: a name, version or requirement is not valid.
    """
    if text is None:
        return None
    try:
        document = tomli.loads(text)
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise _invalid(what, f"its pyproject.toml is not valid TOML: {error}") from error
    project = document.get("project")
    if not isinstance(project, dict) or "version" not in project or "name" not in project:
        return None
    dynamic = project.get("dynamic", [])
    if not isinstance(dynamic, list) or any(field in dynamic for field in _NEEDED):
        return None
    # Poetry adds the dependencies of its own table even if [project] does not list them as dynamic.
    if "dependencies" not in project and "poetry" in _table(document.get("tool")):
        return None
    try:
        return CoreMetadata(
            name=canonicalize_name(project["name"], validate=True),
            version=read_version(project["version"]),
            requires_dist=tuple(_requirements(project)),
            requires_python=_text_or_none(project.get("requires-python")),
            provides_extra=frozenset(canonicalize_name(e) for e in project.get("optional-dependencies", {})),
            origin="tree",
        )
    except (ValueError, RecursionError, TypeError, AttributeError) as error:  # packaging's errors are ValueErrors
        reason = str(error).split("\n", maxsplit=1)[0]
        raise _invalid(what, f"the [project] table of its pyproject.toml is not valid: {reason}") from error


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("`requires-python` is not a string")
    return value


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _requirements(project: dict[str, Any]) -> Iterator[str]:
    for text in project.get("dependencies", []):
        yield str(read_dependency(text))
    for extra, texts in project.get("optional-dependencies", {}).items():
        for text in texts:
            requirement = read_dependency(text)
            condition = f"extra == '{canonicalize_name(extra)}'"
            requirement.marker = read_marker(
                condition if requirement.marker is None else f"({requirement.marker}) and {condition}"
            )
            yield str(requirement)


def _invalid(what: str, why: str) -> LocksetError:
    return MetadataInvalidError(f"The metadata of {what} cannot be used: {why}")
