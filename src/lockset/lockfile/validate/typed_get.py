"""Asking TOML tables for values of a type; what is of another type becomes a finding."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["array_of", "boolean", "close_keys", "integer", "moment", "require", "string", "table", "toml_type_name"]

# Bound the search for the nearest known key: for so many keys of one table, and for keys of this length. Beyond them
# a finding has no suggestion.
_MOST_SEARCHED = 20
_LONGEST_SEARCHED = 64

_KINDS: tuple[tuple[type, str], ...] = (
    (str, "a string"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (datetime, "a datetime"),
    (date, "a date"),
    (time, "a time"),
    (list, "an array"),
    (dict, "a table"),
)


def toml_type_name(value: Any) -> str:
    """What TOML calls `value`, with its article."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), type(value).__name__)


def _wrong(found: Findings, code: str, path: KeyPath, value: Any, wanted: str) -> None:
    what = f"`{path[-1]}`" if isinstance(path[-1], str) else f"Item {path[-1]} of `{path[-2]}`"
    found.add(code, path, f"{what} must be {wanted}, not {toml_type_name(value)}")


def string(found: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> str | None:
    """The string at `key`, or None where it is missing or (a finding) something else."""
    value = holder.get(key)
    if value is None or isinstance(value, str):
        return value
    _wrong(found, code, (*path, key), value, "a string")
    return None


def boolean(found: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> None:
    """A boolean at `key`, if anything."""
    value = holder.get(key)
    if value is not None and not isinstance(value, bool):
        _wrong(found, code, (*path, key), value, "a boolean")


def integer(found: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> int | None:
    """The integer at `key`, or None."""
    value = holder.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    _wrong(found, code, (*path, key), value, "an integer")
    return None


def moment(found: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> datetime | None:
    """The datetime at `key`, or None."""
    value = holder.get(key)
    if value is None or isinstance(value, datetime):
        return value
    _wrong(found, code, (*path, key), value, "a datetime (written without quotes)")
    return None


def table(found: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> dict[str, Any] | None:
    """The table at `key`, or None."""
    value = holder.get(key)
    if value is None or isinstance(value, dict):
        return value
    _wrong(found, code, (*path, key), value, "a table")
    return None


def array_of(found: Findings, holder: Mapping[str, Any], key: str, kind: type, path: KeyPath) -> list[tuple[int, Any]]:
    """The items at `key` that are of `kind` (str or dict), with their places; codes are `KEY-type`, `KEY-item-type`."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        _wrong(found, f"{key}-type", (*path, key), value, "an array")
        return []
    for index, item in enumerate(value):
        if not isinstance(item, kind):
            _wrong(found, f"{key}-item-type", (*path, key, index), item, "a string" if kind is str else "a table")
    return [(index, item) for index, item in enumerate(value) if isinstance(item, kind)]


def require(
    found: Findings,
    holder: Mapping[str, Any],
    key: str,
    code: str,
    path: KeyPath,
    *,
    where: str,
    hint: str | None = None,
) -> bool:
    """Whether `key` is there."""
    if key in holder:
        return True
    found.add(code, (*path, key), f"{where} has no `{key}`", hint)
    return False


def close_keys(
    found: Findings, holder: Mapping[str, Any], known: Collection[str], path: KeyPath, *, where: str
) -> None:
    """A finding for each key that is not among `known`, with the nearest one that is."""
    unknown = [key for key in holder if key not in known]
    for count, key in enumerate(unknown):
        searched = count < _MOST_SEARCHED and len(key) <= _LONGEST_SEARCHED
        from difflib import get_close_matches  # slow to import, and needed for faulty files only

        near = get_close_matches(key.lower().replace("_", "-"), known, n=1) if searched else []
        hint = f"Did you mean `{near[0]}`?" if near else f"Keys of a tool's own go below `{where_tool(path)}`"
        found.add("unknown-key", (*path, key), f"{where} has no key `{key}` in the specification", hint)


def where_tool(path: KeyPath) -> str:
    """The table for what tools add, as seen from `path`."""
    return "packages.tool" if path else "tool"
