"""A table of a lock file whose values have expected types; a value of another type becomes a finding."""

from __future__ import annotations

from datetime import date, datetime, time

from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["LockTable", "normalized_names", "toml_type_name"]

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


def normalized_names(holder: Mapping[str, Any], key: str) -> frozenset[str]:
    """The names in the array at `key`, normalized; what has another type is skipped."""
    value = holder.get(key)
    names = value if isinstance(value, list) else []
    return frozenset({canonicalize_name(name) for name in names if isinstance(name, str)})


class LockTable:
    """The table `data` at `path`, and the findings about the file.

    A getter returns None for a missing key, and for a value of another type, which is a finding with its `code`.
    """

    __slots__ = ("data", "findings", "path")

    def __init__(self, data: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
        self.data = data
        self.path = path
        self.findings = findings

    def add(self, code: str, at: KeyPath, message: str, hint: str | None = None) -> None:
        """Report that the rule `code` is violated at `at`, a path below this table."""
        self.findings.add(code, (*self.path, *at), message, hint)

    def _wrong_type(self, code: str, at: KeyPath, value: Any, expected: str) -> None:
        what = f"`{at[-1]}`" if isinstance(at[-1], str) else f"Item {at[-1]} of `{at[-2]}`"
        self.add(code, at, f"{what} must be {expected}, not {toml_type_name(value)}")

    def string(self, key: str, code: str) -> str | None:
        """The string at `key`."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong_type(code, (key,), value, "a string")
        return None

    def boolean(self, key: str, code: str) -> None:
        """Report a value at `key` that is not a boolean."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, bool):
            self._wrong_type(code, (key,), value, "a boolean")

    def integer(self, key: str, code: str) -> int | None:
        """The integer at `key`."""
        value = self.data.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._wrong_type(code, (key,), value, "an integer")
        return None

    def moment(self, key: str, code: str) -> datetime | None:
        """The datetime at `key`."""
        value = self.data.get(key)
        if value is None or isinstance(value, datetime):
            return value
        self._wrong_type(code, (key,), value, "a datetime (written without quotes)")
        return None

    def table(self, key: str, code: str) -> LockTable | None:
        """The table at `key`."""
        value = self.data.get(key)
        if isinstance(value, dict):
            return LockTable(value, (*self.path, key), self.findings)
        if value is not None:
            self._wrong_type(code, (key,), value, "a table")
        return None

    def strings(self, key: str) -> list[tuple[int, str]]:
        """The strings in the array at `key`, with their indexes; codes are `KEY-type`, `KEY-item-type`."""
        return self._items(key, str, "a string")

    def tables(self, key: str) -> list[LockTable]:
        """The tables in the array at `key`; else as `strings`."""
        return [LockTable(item, (*self.path, key, index), self.findings) for index, item in self.plain_tables(key)]

    def plain_tables(self, key: str) -> list[tuple[int, Mapping[str, Any]]]:
        """As `tables`, for arrays whose tables need few checks or none."""
        return self._items(key, dict, "a table")

    def _items(self, key: str, kind: type, expected: str) -> list[tuple[int, Any]]:
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong_type(f"{key}-type", (key,), value, "an array")
            return []
        for index, item in enumerate(value):
            if not isinstance(item, kind):
                self._wrong_type(f"{key}-item-type", (key, index), item, expected)
        return [(index, item) for index, item in enumerate(value) if isinstance(item, kind)]

    def require(self, key: str, code: str, *, where: str, hint: str | None = None) -> None:
        """Report `key` if it is missing."""
        if key not in self.data:
            self.add(code, (key,), f"{where} has no `{key}`", hint)

    def close(self, known: frozenset[str], *, where: str) -> None:
        """Report each key that is not among `known`, with a similar known key as a suggestion."""
        own = "packages.tool" if self.path else "tool"
        for count, key in enumerate(key for key in self.data if key not in known):
            from difflib import get_close_matches  # slow to import, and needed for faulty files only

            searched = count < _MOST_SEARCHED and len(key) <= _LONGEST_SEARCHED
            near = get_close_matches(key.lower().replace("_", "-"), known, n=1) if searched else []
            hint = f"Did you mean `{near[0]}`?" if near else f"Tools can add their own keys in `{own}`"
            self.add("unknown-key", (key,), f"{where} has a key `{key}` that the specification does not define", hint)
