"""Dependency groups (PEP 735) and extras: their requirements, and which of them include others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset.errors import Diagnostic, GroupCycleError, GroupDepthError, GroupDuplicateError, LocksetError
from lockset.package_names import canonicalize_name
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement
from lockset.sources.toml_table import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.markers import Marker

    from lockset.sources.toml_table import SettingsTable

__all__ = ["PROJECT", "Expansion", "Inclusion", "Part", "expand", "inclusions_of", "read_groups"]

# The deepest nesting of includes and references that is followed. Real files have two or three levels.
_DEEPEST = 100

# An item of a group before resolution: a requirement, or (key path, name) of an included group.
_Item = RequirementLine | tuple[str, str]
# A part of a project: `extra` or `group` with its normalized name, or the project's own requirements.
Part = tuple[str, str]
PROJECT: Part = ("project", "")


def read_groups(table: SettingsTable) -> dict[str, tuple[RequirementLine, ...]]:
    """The requirements of every group by normalized name, in the order written, with includes replaced.

    Every group is checked, even if it is not used. A requirement from an included group keeps the origin of that
    group. A requirement that is included twice is listed once.

    Raises:
        LocksetError: `group-duplicate`, `unknown-group`, `group-cycle`, `group-depth`, `wrong-type`, `invalid-value`
            or `requirement-syntax`.
    """
    written = _read_items(table)
    resolved: dict[str, tuple[RequirementLine, ...]] = {}
    for name in written:
        _resolve(name, written, resolved, (), table.location)
    return {name: resolved[name] for name in written}


def _read_items(table: SettingsTable) -> dict[str, list[_Item]]:
    written: dict[str, list[_Item]] = {}
    for name, spelling in table.normalized_keys("dependency groups", GroupDuplicateError):
        written[name] = [
            _item(table, f"{table.at(spelling)}[{number}]", value, origin=f"{table.location} [{table.at(spelling)}]")
            for number, value in enumerate(table.array(spelling))
        ]
    return written


def _item(table: SettingsTable, key_path: str, value: object, *, origin: str) -> _Item:
    if isinstance(value, str):
        return parse_requirement(value, origin=origin, location=f"{table.location}: {key_path}")
    if not isinstance(value, dict):
        raise table.wrong(key_path, "a string or a table `{ include-group = NAME }`", value)
    if set(value) != {"include-group"}:
        raise table.invalid(key_path, "is not of the form `{ include-group = NAME }`")
    included = value["include-group"]
    if not isinstance(included, str):
        raise table.wrong(f"{key_path}.include-group", "a string", included)
    return (key_path, canonicalize_name(included))


def _resolve(
    name: str,
    written: dict[str, list[_Item]],
    resolved: dict[str, tuple[RequirementLine, ...]],
    path: tuple[str, ...],
    location: str,
) -> tuple[RequirementLine, ...]:
    """Fill `resolved` for `name` and the groups it includes. `path`: the groups that led here."""
    if name in resolved:
        return resolved[name]
    if name in path:
        cycle = " -> ".join((*path[path.index(name) :], name))
        raise GroupCycleError(f"Dependency groups include each other in a cycle: {cycle}", location=location)
    if len(path) > _DEEPEST:
        raise GroupDepthError(f"Dependency groups are nested more than {_DEEPEST} levels deep", location=location)
    lines: list[RequirementLine] = []
    for item in written[name]:
        if isinstance(item, RequirementLine):
            lines.append(item)
            continue
        key_path, included = item
        if included not in written:
            raise LocksetError(
                "unknown-group",
                f"`{key_path}` includes the dependency group `{included}`, which does not exist",
                location=location,
                hint=nearest(included, written),
            )
        lines.extend(_resolve(included, written, resolved, (*path, name), location))
    # Without this, repeated includes could double the number of lines at every level.
    resolved[name] = tuple(dict.fromkeys(lines))
    return resolved[name]


class Inclusion(NamedTuple):
    """`part` includes `included` where `marker` holds (None: everywhere)."""

    part: Part
    included: Part
    marker: Marker | None = None


def inclusions_of(
    name: str | None,
    *,
    dependencies: Iterable[RequirementLine],
    extras: Mapping[str, Iterable[RequirementLine]],
    groups: Mapping[str, Iterable[RequirementLine]],
    table: SettingsTable | None,
) -> tuple[Inclusion, ...]:
    """The direct inclusions.

    Args:
        name: Normalized name of the project; None if it has none.
        dependencies: Its requirements, including references to itself.
        extras: The same for its extras.
        groups: The same for its dependency groups, with includes replaced.
        table: `[dependency-groups]`, already checked.
    """
    inclusions = list(_included_groups(table))
    lists = [(PROJECT, dependencies), *((("extra", e), lines) for e, lines in extras.items())]
    for part, lines in (*lists, *((("group", g), lines) for g, lines in groups.items())):
        for line in lines:
            if name is None or line.name != name or line.requirement.url is not None:
                continue
            inclusions += [Inclusion(part, ("extra", extra), line.requirement.marker) for extra in sorted(line.extras)]
            if part[0] == "group":
                inclusions.append(Inclusion(part, PROJECT, line.requirement.marker))
    return tuple(inclusions)


def _included_groups(table: SettingsTable | None) -> Iterator[Inclusion]:
    for spelling in table.data if table is not None else ():
        for item in table.array(spelling) if table is not None else ():
            if isinstance(item, dict):
                included = ("group", str(canonicalize_name(item["include-group"])))
                yield Inclusion(("group", str(canonicalize_name(spelling))), included)


# Limits on the expansion of one list. Markers on references can double their number at every level.
_MOST_REFERENCES = 1000

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
