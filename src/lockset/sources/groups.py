"""Dependency groups (PEP 735), with includes resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.errors import GroupCycleError, GroupDepthError, GroupDuplicateError, LocksetError
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement
from lockset.sources.toml_table import nearest

if TYPE_CHECKING:
    from lockset.sources.toml_table import SettingsTable

__all__ = ["read_groups"]

# The deepest nesting of includes that is followed. Real files have two or three levels.
_DEEPEST = 100

# An item of a group before resolution: a requirement, or (key path, name) of an included group.
_Item = RequirementLine | tuple[str, str]


def read_groups(table: SettingsTable | None) -> dict[str, tuple[RequirementLine, ...]]:
    """The requirements of every group by normalized name, in the order written, with includes replaced.

    Every group is checked, even if it is not used. A requirement from an included group keeps the origin of that
    group. A requirement that is included twice is listed once.

    Raises:
        LocksetError: `group-duplicate`, `unknown-group`, `group-cycle`, `group-depth`, `wrong-type`, `invalid-value`
            or `requirement-syntax`.
    """
    if table is None:
        return {}
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
