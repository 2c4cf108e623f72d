"""The error for a lock file that packaging refuses: its message in the words of TOML, and the position of the value.

Only `lockset validate` lists every finding; other commands stop at the first one, and this is it.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.lockfile.positions import positions
from lockset.spans import LineIndex

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lockset.lockfile.model import PylockValidationError
    from lockset.lockfile.positions import KeyPath

__all__ = ["invalid_lock_error"]

_ENTRY = lazy_pattern(r"packages\[(\d+)\]\.?(.*)", re.DOTALL)
_KEY_OR_INDEX = lazy_pattern(r"([^.\[\]]+)|\[(\d+)\]")
_WRONG_TYPE = lazy_pattern(r"Unexpected type (\w+) \(expected (\w+)\)")
_MISSING = "Missing required value"
# Types of values as packaging names them.
_TYPES = {
    "str": "a string",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a float",
    "datetime": "a datetime",
    "date": "a date",
    "time": "a time",
    "list": "an array",
    "Sequence": "an array",
    "dict": "a table",
    "Mapping": "a table",
}


def invalid_lock_error(
    error: PylockValidationError, *, text: str, data: Mapping[str, Any], path: str | None, kind: str | None
) -> LocksetError:
    """The error `lock-invalid` for `error`; `kind` says that the file is of another format."""
    if not text.strip():
        return LocksetError(
            "lock-invalid",
            "This is not a valid lock file: it is empty",
            location=path,
            hint="Restore it from version control, or run `lockset lock`",
        )
    reason = _reason(next(iter(error.message.splitlines()), "unknown reason"), data, error.context)
    return LocksetError(
        "lock-invalid",
        f"This is not a valid lock file: {reason}",
        location=_position(text, path, error.context),
        hint=kind or f"`lockset validate {quote(path or 'FILE')}` lists every finding with its line",
    )


def _reason(message: str, data: Mapping[str, Any], context: str | None) -> str:
    place = _place(data, context)
    types = _WRONG_TYPE.fullmatch(message)
    if types is not None and place:
        wrong, right = (_TYPES.get(name, name) for name in types.groups())
        return f"{place} must be {right}, not {wrong}"
    if message == _MISSING and place:
        return f"{place} is missing"
    return f"{message} in {place}" if place else message


def _place(data: Mapping[str, Any], context: str | None) -> str:
    """The key of the error, with the name of the package instead of its number; empty for the whole file."""
    entry = _ENTRY.match(context or "")
    packages = data.get("packages")
    if entry is None or not isinstance(packages, list):
        return f"`{context}`" if context else ""
    number, rest = int(entry[1]), entry[2]
    package = packages[number] if number < len(packages) and isinstance(packages[number], dict) else {}
    name = package.get("name")
    shown = f"of package `{name}`" if isinstance(name, str) and name else f"of package number {number + 1}"
    return f"`{rest}` {shown}" if rest else f"the entry {shown}"


def _position(text: str, path: str | None, context: str | None) -> str | None:
    """FILE:LINE:COLUMN of the value, or of the table that lacks it; only the file if the error is about all of it."""
    keys = _key_path(context)
    if path is None or not keys:
        return path
    spans = positions(text)
    try:
        offset = spans.value(keys).start
    except KeyError:
        if len(keys) == 1:  # a key that the file lacks has no line
            return path
        offset = spans.nearest(keys).start
    line, column = LineIndex(text).position(offset)
    return f"{path}:{line}:{column}"


def _key_path(context: str | None) -> KeyPath:
    matches = _KEY_OR_INDEX.finditer(context or "")
    return tuple(int(each[2]) if each[2] is not None else each[1] for each in matches)
