"""Projects with dynamic dependencies, extras or requires-python (PEP 621), which only their build backend knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.dependency_specifiers import composed_marker, read_specifiers
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.sources.groups import expand, inclusions_of
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.sources.project import DynamicFields, RootProject

__all__ = ["with_built"]

_Lines = tuple[RequirementLine, ...]


def with_built(
    project: RootProject,
    unbuilt: DynamicFields,
    *,
    requires_dist: Iterable[str],
    extras: Iterable[str],
    requires_python: str | None = None,
) -> RootProject:
    """Replace the dynamic keys of `project` with the metadata of its build.

    Args:
        project: The project that contains `unbuilt`.
        unbuilt: The dynamic keys.
        requires_dist: `Requires-Dist` of the metadata.
        extras: `Provides-Extra` of the metadata.
        requires_python: `Requires-Python` of the metadata.

    Raises:
        LocksetError: `requirement-syntax` or `requires-python-invalid` if the metadata is not valid.
    """
    texts = tuple(requires_dist)
    names = sorted({canonicalize_name(extra) for extra in extras})
    own, of_extras = unbuilt.dependencies, unbuilt.extras
    if "dependencies" in unbuilt.keys:
        own = tuple(line for text in texts for line in _lines(text, None, unbuilt))
    if "optional-dependencies" in unbuilt.keys:
        of_extras = {e: tuple(line for text in texts for line in _lines(text, e, unbuilt)) for e in names}
    expansion = expand(unbuilt.name, dependencies=own, extras=of_extras, groups=unbuilt.groups)
    built = inclusions_of(unbuilt.name, dependencies=own, extras=of_extras, groups=unbuilt.groups, table=None)
    pythons = project.requires_python
    if "requires-python" in unbuilt.keys and requires_python:
        MarkerSet.of_python(requires_python)  # refuses what is not valid
        pythons = read_specifiers(requires_python) if pythons is None else pythons & read_specifiers(requires_python)
    return replace(
        project,
        requires_python=pythons,
        dependencies=_join(project.dependencies, expansion.dependencies),
        extras=_join_tables(project.extras, expansion.extras),
        groups=_join_tables(project.groups, expansion.groups),
        inclusions=tuple(dict.fromkeys((*project.inclusions, *built))),
        unbuilt=tuple(each for each in project.unbuilt if each is not unbuilt),
        warnings=(*project.warnings, *expansion.warnings),
    )


def _lines(text: str, extra: str | None, unbuilt: DynamicFields) -> Iterable[RequirementLine]:
    """The requirement if `extra` is selected (None: no extra), without `extra` in its marker."""
    origin = f"{unbuilt.location} ({f'extra {extra}, ' if extra else ''}as built)"
    if unbuilt.has_project_table:
        key = "dependencies" if extra is None else f"optional-dependencies.{extra}"
        origin = f"{unbuilt.location} [project.{key}], as built"
    line = parse_requirement(text, origin=origin)
    written = line.requirement.marker
    if written is None:
        return (line,) if extra is None else ()
    condition = MarkerSet.of_condition(written)
    region = condition.with_metadata_extra(extra)
    if extra is not None:
        region -= condition.with_metadata_extra(None)
    if region.is_empty:
        return ()
    marker = region.text()
    line.requirement.marker = composed_marker(marker) if marker is not None else None
    return (replace(line, text=str(line.requirement)),)


def _join(first: _Lines, second: _Lines) -> _Lines:
    return tuple(dict.fromkeys((*first, *second)))


def _join_tables(first: Mapping[str, _Lines], second: Mapping[str, _Lines]) -> dict[str, _Lines]:
    return {name: _join(first.get(name, ()), second.get(name, ())) for name in (*first, *second)}
