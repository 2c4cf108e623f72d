"""Get values of an expected type from TOML tables; a value of another type becomes a finding."""

from __future__ import annotations

from datetime import date, datetime, time

from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = [
    "array_of",
    "boolean",
    "close_keys",
    "integer",
    "moment",
    "normalized_names",
    "require",
    "string",
    "table",
    "toml_type_name",
]

# Limits for the search for similar keys: the number of unknown keys in one table, and their length. Beyond them a
# finding has no suggestion.
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
    """The TOML type of `value`, with its article."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), type(value).__name__)


def _wrong_type(findings: Findings, code: str, path: KeyPath, value: Any, expected: str) -> None:
    what = f"`{path[-1]}`" if isinstance(path[-1], str) else f"Item {path[-1]} of `{path[-2]}`"
    findings.add(code, path, f"{what} must be {expected}, not {toml_type_name(value)}")


def string(findings: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> str | None:
    """The string at `key`; None if it is missing, or not a string (a finding)."""
    value = holder.get(key)
    if value is None or isinstance(value, str):
        return value
    _wrong_type(findings, code, (*path, key), value, "a string")
    return None


def boolean(findings: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> None:
    """Report a value at `key` that is not a boolean."""
    value = holder.get(key)
    if value is not None and not isinstance(value, bool):
        _wrong_type(findings, code, (*path, key), value, "a boolean")


def integer(findings: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> int | None:
    """The integer at `key`, or None."""
    value = holder.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    _wrong_type(findings, code, (*path, key), value, "an integer")
    return None


def moment(findings: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> datetime | None:
    """The datetime at `key`, or None."""
    value = holder.get(key)
    if value is None or isinstance(value, datetime):
        return value
    _wrong_type(findings, code, (*path, key), value, "a datetime (written without quotes)")
    return None


def table(findings: Findings, holder: Mapping[str, Any], key: str, code: str, path: KeyPath) -> dict[str, Any] | None:
    """The table at `key`, or None."""
    value = holder.get(key)
    if value is None or isinstance(value, dict):
        return value
    _wrong_type(findings, code, (*path, key), value, "a table")
    return None


def array_of(
    findings: Findings, holder: Mapping[str, Any], key: str, kind: type, path: KeyPath
) -> list[tuple[int, Any]]:
    """The items at `key` of type `kind` (str or dict), with their indexes; codes are `KEY-type`, `KEY-item-type`."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        _wrong_type(findings, f"{key}-type", (*path, key), value, "an array")
        return []
    for index, item in enumerate(value):
        if not isinstance(item, kind):
            _wrong_type(
                findings, f"{key}-item-type", (*path, key, index), item, "a string" if kind is str else "a table"
            )
    return [(index, item) for index, item in enumerate(value) if isinstance(item, kind)]


def normalized_names(holder: Mapping[str, Any], key: str) -> frozenset[str]:
    """The names in the array at `key`, normalized; what has another type is skipped."""
    value = holder.get(key)
    names = value if isinstance(value, list) else []
    return frozenset({canonicalize_name(name) for name in names if isinstance(name, str)})


def require(
    findings: Findings,
    holder: Mapping[str, Any],
    key: str,
    code: str,
    path: KeyPath,
    *,
    where: str,
    hint: str | None = None,
) -> bool:
    """Whether `key` is present; a finding if not."""
    if key in holder:
        return True
    findings.add(code, (*path, key), f"{where} has no `{key}`", hint)
    return False


def close_keys(
    findings: Findings, holder: Mapping[str, Any], known: Collection[str], path: KeyPath, *, where: str
) -> None:
    """Report each key that is not among `known`, with a similar known key as a suggestion."""
    unknown = [key for key in holder if key not in known]
    for count, key in enumerate(unknown):
        searched = count < _MOST_SEARCHED and len(key) <= _LONGEST_SEARCHED
        from difflib import get_close_matches  # slow to import, and needed for faulty files only

        near = get_close_matches(key.lower().replace("_", "-"), known, n=1) if searched else []
        hint = f"Did you mean `{near[0]}`?" if near else f"Tools can add their own keys in `{where_tool(path)}`"
        findings.add(
            "unknown-key", (*path, key), f"{where} has a key `{key}` that the specification does not define", hint
        )


def where_tool(path: KeyPath) -> str:
    """The table for tools' own keys, for `path`."""
    return "packages.tool" if path else "tool"
