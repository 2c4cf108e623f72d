"""Tables of TOML files with checked types. Every error names the key, with its line and column."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tomli

from lockset._pattern import lazy_pattern
from lockset.errors import (
    CooldownSyntaxError,
    ExcludeNewerSyntaxError,
    GroupCycleError,
    GroupDepthError,
    GroupDuplicateError,
    InvalidValueError,
    LocksetError,
    RequirementSyntaxError,
    WrongTypeError,
)
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from lockset.errors import KnownError

__all__ = ["SettingsTable", "key_path", "nearest", "parse_settings_file", "type_name", "with_key_lines"]

# How many names a hint lists.
_FEW = 12
_BARE_KEY = lazy_pattern(r"[A-Za-z0-9_-]+\Z")
_TYPE_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
}
_STEP = lazy_pattern(r"""\.?(?:"(?P<quoted>[^"]*)"|(?P<bare>[A-Za-z0-9_-]+))|\[(?P<index>\d+)\]""")
# Errors about the value, not the key.
_OF_VALUES = (
    WrongTypeError,
    InvalidValueError,
    RequirementSyntaxError,
    ExcludeNewerSyntaxError,
    CooldownSyntaxError,
)
# Errors about several keys.
_OF_GROUPS = (GroupCycleError, GroupDepthError, GroupDuplicateError)


def _syntax_error(text: str, error: tomli.TOMLDecodeError, location: str) -> LocksetError:
    from lockset.lockfile.read import open_conflict, syntax_problem  # for messages
    from lockset.spans import LineIndex

    conflict = open_conflict(text)
    if conflict is not None:
        line, column = LineIndex(text).position(conflict)
        message, hint = "The file has an unresolved merge conflict", "Resolve it, and run the command again"
        return LocksetError("toml-syntax", message, location=f"{location}:{line}:{column}", hint=hint)
    lines = text.split("\n", error.lineno)
    before = "".join(f"{line}\n" for line in lines[: error.lineno - 1]) + lines[error.lineno - 1][: error.colno - 1]
    before, problem, _ = syntax_problem(text, before, error.msg)
    line, column = LineIndex(before).position(len(before))
    return LocksetError("toml-syntax", f"This is not valid TOML: {problem}", location=f"{location}:{line}:{column}")


def parse_settings_file(text: str, *, location: str) -> SettingsTable:
    """Parse a file as a table.

    Raises:
        LocksetError: `toml-syntax` with line and column if it is not valid TOML.
    """
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise _syntax_error(text, error, location) from error
    except (RecursionError, ValueError) as error:  # nesting and integers beyond the limits of tomli
        raise LocksetError("toml-syntax", f"This cannot be read as TOML: {error}", location=location) from error
    return SettingsTable(data, path="", location=location)


def type_name(value: object) -> str:
    """The TOML name of the value's type, with its article."""
    return _TYPE_NAMES.get(type(value), "a date or time")


def nearest(name: str, known: Collection[str]) -> str | None:
    """A hint with the known name closest to `name`, or with all known names if they are few; else None."""
    from difflib import get_close_matches  # slow to import, and only needed for invalid files

    close = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    if 0 < len(known) <= _FEW:
        return "Known names: " + ", ".join(f"`{each}`" for each in sorted(known))
    return None


class SettingsTable:
    """One table. A getter returns None (or an empty tuple) for a missing key; `wrong-type` for another type."""

    __slots__ = ("data", "location", "path")

    def __init__(self, data: Mapping[str, Any], *, path: str, location: str) -> None:
        self.data = data
        self.path = path
        self.location = location

    def at(self, key: str) -> str:
        """The dotted path of `key` from the top level, as in TOML."""
        part = key if _BARE_KEY.match(key) else f'"{key}"'
        return f"{self.path}.{part}" if self.path else part

    def wrong(self, key_path: str, expected: str, value: object) -> LocksetError:
        """The error for a value of the wrong type."""
        return WrongTypeError(f"`{key_path}` must be {expected}, not {type_name(value)}", location=self.location)

    def invalid(self, key_path: str, message: str, *, hint: str | None = None) -> LocksetError:
        """The error for an invalid value of the right type. `message` continues "`key` "."""
        return InvalidValueError(f"`{key_path}` {message}", location=self.location, hint=hint)

    def text(self, key: str) -> str | None:
        """A string."""
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(self.at(key), "a string", value)

    def flag(self, key: str) -> bool | None:
        """A boolean."""
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong(self.at(key), "a boolean", value)

    def array(self, key: str) -> tuple[Any, ...]:
        """An array of anything."""
        value = self.data.get(key)
        if value is None:
            return ()
        if isinstance(value, list):
            return tuple(value)
        raise self.wrong(self.at(key), "an array", value)

    def texts(self, key: str) -> tuple[str, ...]:
        """An array of strings."""
        items = self.array(key)
        for number, item in enumerate(items):
            if not isinstance(item, str):
                raise self.wrong(f"{self.at(key)}[{number}]", "a string", item)
        return items

    def choice(self, key: str, allowed: Collection[str]) -> str | None:
        """One of the strings in `allowed`."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise self.invalid(self.at(key), f"has an invalid value: `{value}`", hint=nearest(value, allowed))
        return value

    def table(self, key: str) -> SettingsTable | None:
        """A table."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return SettingsTable(value, path=self.at(key), location=self.location)
        raise self.wrong(self.at(key), "a table", value)

    def tables(self, key: str) -> tuple[SettingsTable, ...]:
        """An array of tables."""
        tables: list[SettingsTable] = []
        for number, item in enumerate(self.array(key)):
            path = f"{self.at(key)}[{number}]"
            if not isinstance(item, dict):
                raise self.wrong(path, "a table", item)
            tables.append(SettingsTable(item, path=path, location=self.location))
        return tuple(tables)

    def normalized_keys(self, what: str, error: type[KnownError]) -> Iterator[tuple[str, str]]:
        """Each key, normalized and as it is written; two with the same normalized name are an `error`."""
        spellings: dict[str, str] = {}
        for spelling in self.data:
            name = canonicalize_name(spelling)
            if name in spellings:
                raise error(
                    f"The {what} `{spellings[name]}` and `{spelling}` have the same name, `{name}`",
                    location=self.location,
                    hint="Merge them, or rename one",
                )
            spellings[name] = spelling
            yield name, spelling

    def only(self, known: Collection[str], instead: Mapping[str, str] | None = None) -> None:
        """Refuse keys that are not `known`, with `unknown-key` and the closest known one.

        `instead`: the known keys for names that resemble another one.
        """
        for key in self.data:
            if key not in known:
                raise LocksetError(
                    "unknown-key",
                    f"`{self.at(key)}` is not a known setting",
                    location=self.location,
                    hint=f"Write `{instead[key]}`" if instead and key in instead else nearest(key, known),
                )


@contextmanager
def with_key_lines(text: str, location: str, *, before: int = 0, validated: bool = True) -> Iterator[None]:
    """Add line and column to a LocksetError about a key of the TOML file `text`, whose name in messages is `location`.

    `before`: the number of characters before each line in the file itself. `validated`: whether `lockset validate` of
    this file reports such an error, too; the hint names the command then.
    """
    try:
        yield
    except LocksetError as error:
        where = _position_of(error, text, location, before)
        if where is not None:
            error.diagnostic = error.diagnostic._replace(location=where)
        if validated and (where is not None or isinstance(error, _OF_GROUPS)):
            error.diagnostic = error.diagnostic._replace(hint=_hint(error.diagnostic.hint, location))
        raise


def key_path(error: LocksetError, location: str) -> tuple[str | int, ...]:
    """The key that the error names in the file `location`; empty if it names none."""
    diagnostic = error.diagnostic
    if diagnostic.location is not None and diagnostic.location.startswith(f"{location}: "):
        return _keys(diagnostic.location.removeprefix(f"{location}: "))
    if diagnostic.location == location and diagnostic.message.startswith("`"):
        return _keys(diagnostic.message[1:].partition("`")[0])
    return ()


def _hint(hint: str | None, location: str) -> str | None:
    """The hint with the command that lists every finding (not for standard input, which is already read)."""
    if location.startswith("<"):
        return hint
    from shlex import quote  # only for errors

    more = f"`lockset validate {quote(location)}` lists every finding"
    if hint is None:
        return more
    return f"{hint} {more}" if hint.endswith("?") else f"{hint}; {more}"


def _position_of(error: LocksetError, text: str, location: str, before: int) -> str | None:
    keys = key_path(error, location)
    if not keys:
        return None
    from lockset.lockfile.positions import positions
    from lockset.spans import LineIndex

    spans = positions(text)
    try:
        span = spans.value(keys) if isinstance(error, _OF_VALUES) else spans[keys]
    except KeyError:
        span = spans.nearest(keys)
    line, column = LineIndex(text).position(span.start)
    return f"{location}:{line}:{column + before}"


def _keys(path: str) -> tuple[str | int, ...]:
    """Parse a key path; empty if it is not valid."""
    keys: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or step.end() == at:
            return ()
        keys.append(int(step["index"]) if step["index"] else step["bare"] or step["quoted"] or "")
        at = step.end()
    return tuple(keys)
