"""Replace references of a project to its own extras by the requirements of those extras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import Diagnostic, LocksetError
from lockset.sources.toml_table import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.markers import Marker

    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["Expansion", "expand"]

# Limits on the expansion of one list. Markers on references can double their number at every level.
_MOST_REFERENCES = 1000
_DEEPEST = 100

_Lines = tuple["RequirementLine", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """The requirements of a project without references to itself, and warnings about unknown extras."""

    dependencies: _Lines
    extras: Mapping[str, _Lines]
    groups: Mapping[str, _Lines]
    warnings: tuple[Diagnostic, ...]


def expand(
    name: str | None, *, dependencies: _Lines, extras: Mapping[str, _Lines], groups: Mapping[str, _Lines]
) -> Expansion:
    """Replace `name[x]`, where `name` is the project itself, by the requirements of its extra x, recursively.

    The marker of the reference is added to the requirements. In a group, a reference also means the project's
    dependencies, which a group does not install otherwise. Cycles and duplicates add nothing. A reference by URL is
    left as it is.

    Raises:
        LocksetError: `extra-references` if there are too many references.
    """
    expander = _Expander(name, dependencies, extras)
    return Expansion(
        dependencies=expander.lines(dependencies),
        extras={extra: expander.lines(lines, extra=extra) for extra, lines in extras.items()},
        groups={group: expander.group_lines(lines) for group, lines in groups.items()},
        warnings=tuple(dict.fromkeys(expander.warnings)),
    )


class _Expander:
    """Expands one list at a time. `_seen`: the extras (with markers) that are already in the list."""

    def __init__(self, name: str | None, dependencies: _Lines, extras: Mapping[str, _Lines]) -> None:
        self._name = name
        self._dependencies = dependencies
        self._extras = extras
        self._seen: set[tuple[str, str]] = set()
        self.warnings: list[Diagnostic] = []

    def lines(self, lines: Iterable[RequirementLine], *, extra: str | None = None) -> _Lines:
        """The list without references. `extra`: the extra to which the list belongs."""
        self._seen = set()
        path = () if extra is None else (extra,)
        return tuple(dict.fromkeys(self._lines(lines, None, path)))

    def group_lines(self, lines: Iterable[RequirementLine]) -> _Lines:
        """The same for a group, where a reference also means the project's dependencies."""
        self._seen = set()
        return tuple(dict.fromkeys(self._group_lines(lines)))

    def _group_lines(self, lines: Iterable[RequirementLine]) -> Iterator[RequirementLine]:
        for line in lines:
            if not self._is_reference(line):
                yield line
                continue
            marker = line.requirement.marker
            for inner in self._lines(self._dependencies, marker, ()):
                yield inner.where(marker, through=line.text)
            yield from self._of_extras(line, marker, ())

    def _lines(
        self, lines: Iterable[RequirementLine], marker: Marker | None, path: tuple[str, ...]
    ) -> Iterator[RequirementLine]:
        """`marker`: the joined markers of the references that led here. `path`: their extras."""
        for line in lines:
            if self._is_reference(line):
                yield from self._of_extras(line, _both(marker, line.requirement.marker), path)
            else:
                yield line

    def _is_reference(self, line: RequirementLine) -> bool:
        return self._name is not None and line.name == self._name and line.requirement.url is None

    def _of_extras(
        self, line: RequirementLine, marker: Marker | None, path: tuple[str, ...]
    ) -> Iterator[RequirementLine]:
        for extra in sorted(line.extras):
            # On a cycle the marker only narrows, so it adds nothing.
            if extra in path or (extra, str(marker)) in self._seen:
                continue
            self._seen.add((extra, str(marker)))
            if len(self._seen) > _MOST_REFERENCES or len(path) > _DEEPEST:
                raise LocksetError(
                    "extra-references",
                    "The project's extras refer to each other too often or too deeply",
                    location=line.origin,
                )
            if extra not in self._extras:
                self._warn(line, extra)
                continue
            for inner in self._lines(self._extras[extra], marker, (*path, extra)):
                yield inner.where(line.requirement.marker, through=line.text)

    def _warn(self, line: RequirementLine, extra: str) -> None:
        self.warnings.append(
            Diagnostic(
                code="unknown-extra",
                message=f"`{line.text}` requests the extra `{extra}`, which the project does not have",
                location=line.origin,
                hint=nearest(extra, self._extras),
            )
        )


def _both(first: Marker | None, second: Marker | None) -> Marker | None:
    if first is None or second is None:
        return first or second
    return first & second
