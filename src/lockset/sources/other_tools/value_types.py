"""Refuse values in tables of other tools that cannot say what they are meant to say: where packages come from.

A source that is not understood would mean the package of that name on an index, which may be a stranger's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from packaging.markers import InvalidMarker

from lockset.dependency_specifiers import read_marker
from lockset.errors import InvalidValueError, LocksetError, WrongTypeError
from lockset.index.options import location_url
from lockset.sources.other_tools.locations import list_of, table_of
from lockset.sources.toml_table import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check: TypeAlias = Callable[[object, str, str], None]

__all__ = ["refuse_wrong_values"]

# Keys of which a source has exactly one.
_LOCATIONS = ("path", "git", "url", "index", "workspace")


def refuse_wrong_values(tool: object, *, location: str) -> None:
    """Refuse values of the wrong type, and sources that are none, in the tables of uv, Poetry and PDM in `[tool]`.

    Tables of tools in `ignore-tools` of `[tool.lockset]` are not checked.

    Raises:
        LocksetError: `wrong-type` or `invalid-value`, with the key.
    """
    tools = table_of(tool)
    ignored = list_of(table_of(tools.get("lockset")).get("ignore-tools"))
    for name, check in _TOOLS.items():
        if name in tools and name not in ignored:
            check(tools[name], f"tool.{name}", location)


def _wrong(path: str, expected: str, value: object, location: str) -> WrongTypeError:
    return WrongTypeError(f"`{path}` must be {expected}, not {type_name(value)}", location=location)


def _text(value: object, path: str, location: str) -> None:
    if not isinstance(value, str):
        raise _wrong(path, "a string", value, location)
    if "\0" in value:
        raise InvalidValueError(f"`{path}` contains a NUL character", location=location)


def _url(value: object, path: str, location: str) -> None:
    _text(value, path, location)
    try:
        location_url(str(value), base=Path(os.sep))
    except LocksetError as error:
        raise InvalidValueError(
            f"`{path}` is not the address of an index: {error.diagnostic.message}", location=location
        ) from error


def _flag(value: object, path: str, location: str) -> None:
    if not isinstance(value, bool):
        raise _wrong(path, "true or false", value, location)


def _marker(value: object, path: str, location: str) -> None:
    _text(value, path, location)
    try:
        read_marker(str(value))
    except (InvalidMarker, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidValueError(f"`{path}` is not a valid environment marker: {reason}", location=location) from error


def _list(check: Check) -> Check:
    def checked(value: object, path: str, location: str) -> None:
        if not isinstance(value, list):
            raise _wrong(path, "an array", value, location)
        for number, one in enumerate(value):
            check(one, f"{path}[{number}]", location)

    return checked


def _table(keys: Mapping[str, Check], every: Check | None = None) -> Check:
    """A table whose `keys` are checked, and all others by `every`."""

    def checked(value: object, path: str, location: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(path, "a table", value, location)
        for key, one in value.items():
            check = keys.get(key, every)
            if check is not None:
                check(one, f"{path}.{_quoted(key)}", location)

    return checked


def _quoted(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else f'"{key}"'


def _or_list(check: Check) -> Check:
    return lambda value, path, location: (_list(check) if isinstance(value, list) else check)(value, path, location)


def _or_text(check: Check) -> Check:
    return lambda value, path, location: (_text if isinstance(value, str) else check)(value, path, location)


_SOURCE_KEYS: Mapping[str, Check] = {
    **dict.fromkeys(("path", "git", "url", "index", "subdirectory", "rev", "tag", "branch", "extra", "group"), _text),
    **dict.fromkeys(("workspace", "editable", "package"), _flag),
    "marker": _marker,
}


def _uv_source(value: object, path: str, location: str) -> None:
    _table(_SOURCE_KEYS)(value, path, location)
    named = [key for key in _LOCATIONS if key in table_of(value) and table_of(value)[key] is not False]
    if len(named) != 1:
        what = f"has {' and '.join(f'`{key}`' for key in named)}" if named else "has no location"
        raise InvalidValueError(
            f"`{path}` {what}: it must have one of {', '.join(f'`{key}`' for key in _LOCATIONS)}", location=location
        )


def _uv_sources(value: object, path: str, location: str) -> None:
    if value == []:
        raise InvalidValueError(f"`{path}` has no source", location=location)
    _or_list(_uv_source)(value, path, location)


_INDEX = _table(
    {"url": _url, **dict.fromkeys(("name", "priority"), _text), **dict.fromkeys(("default", "explicit"), _flag)}
)
_POETRY_SOURCES = _or_list(
    _or_text(_table(dict.fromkeys(("path", "file", "git", "url", "source", "rev", "tag", "branch"), _text)))
)
_TOOLS: Mapping[str, Check] = {
    "uv": _table({
        "sources": _table({}, _uv_sources),
        "index": _list(_INDEX),
        "index-url": _url,
        "extra-index-url": _list(_url),
        "dev-dependencies": _list(_text),
        "dependency-groups": _table({}, _table({"requires-python": _text})),
    }),
    "poetry": _table({
        "source": _list(_INDEX),
        "dependencies": _table({}, _POETRY_SOURCES),
        "dev-dependencies": _table({}, _POETRY_SOURCES),
        "group": _table({}, _table({"dependencies": _table({}, _POETRY_SOURCES), "optional": _flag})),
    }),
    "pdm": _table({
        "source": _list(_INDEX),
        "dev-dependencies": _table({}, _list(_text)),
    }),
}  # fmt: skip
