"""Foreign lock files as tables whose types are checked: every refusal names file, place and key."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import tomli
from packaging.markers import InvalidMarker
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lockset.dependency_specifiers import read_marker, read_version
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Fields",
    "decode_lock_text",
    "hashes_of_one_file",
    "parse_json_fields",
    "parse_toml_fields",
    "refuse_conflicts",
    "refuse_undecoded",
    "repository_url",
]

_CONFLICT = re.compile(r"(?:<{7}|>{7}|\|{7})(?: |\Z)|={7}\Z")
# As many lines as a message lists.
_LINES_SHOWN = 12
_SHORT_SSH = re.compile(r"([\w.-]+@[\w.-]+):(?!//)/*(.+)\Z")
_UNDECODED = re.compile("[\udc80-\udcff]")
_HEX = re.compile(r"[0-9a-f]+\Z")
_WHAT = {str: "text", bool: "true or false", int: "a number", list: "a list", dict: "a table"}

_T = TypeVar("_T")


def decode_lock_text(data: bytes, *, location: str) -> str:
    """The text of a lock file: UTF-8, with or without a byte order mark.

    Raises:
        LocksetError: `encoding` with line and column of the first byte that is none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        raise LocksetError(
            "encoding",
            f"The byte 0x{data[error.start]:02x} is not UTF-8",
            location=f"{location}:{line}",
            hint="Restore the file from version control, or save it as UTF-8",
        ) from error


def refuse_undecoded(text: str, *, location: str) -> None:
    """Refuse a text that was no UTF-8, even where only comments are hurt: what was lost nobody knows.

    Raises:
        LocksetError: `encoding` with the line.
    """
    found = _UNDECODED.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise LocksetError(
            "encoding",
            f"The byte 0x{ord(found[0]) - 0xDC00:02x} is not UTF-8",
            location=f"{location}:{line}",
            hint="Save the file as UTF-8, or name its encoding in the first line: `# -*- coding: NAME -*-`",
        )


def refuse_conflicts(text: str, *, location: str) -> None:
    """Refuse a text with conflict markers of a merge.

    Raises:
        LocksetError: `merge-conflict` with the lines.
    """
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if _CONFLICT.match(line)]
    begun = any(line.startswith(("<<<<<<<", ">>>>>>>")) for line in text.splitlines())
    if lines and begun:
        shown = ", ".join(map(str, lines[:_LINES_SHOWN])) + (" and more" if len(lines) > _LINES_SHOWN else "")
        raise LocksetError(
            "merge-conflict",
            f"The file holds conflict markers of a merge (lines {shown})",
            location=f"{location}:{lines[0]}",
            hint="Take one side, or lock again with the tool that wrote it",
        )


def parse_toml_fields(text: str, *, location: str, what: str) -> Fields:
    """The whole file, as TOML.

    Raises:
        LocksetError: `toml-syntax` with line and column.
    """
    refuse_conflicts(text, location=location)
    try:
        return Fields(tomli.loads(text), location=location, path="")
    except tomli.TOMLDecodeError as error:
        raise LocksetError(
            "toml-syntax",
            f"This is no {what}: {error.msg[:1].lower()}{error.msg[1:]}",
            location=f"{location}:{error.lineno}:{error.colno}",
            hint="Restore the file from version control, or lock again with the tool that wrote it",
        ) from error
    except RecursionError as error:
        raise LocksetError("toml-syntax", f"This {what} is nested too deep to be read", location=location) from error
    except ValueError as error:
        raise LocksetError("toml-syntax", f"This {what} cannot be read: {error}", location=location) from error


def parse_json_fields(text: str, *, location: str, what: str) -> Fields:
    """The whole file, as JSON.

    Raises:
        LocksetError: `json-syntax` with line and column.
    """
    refuse_conflicts(text, location=location)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise LocksetError(
            "json-syntax",
            f"This is no {what}: {error.msg}",
            location=f"{location}:{error.lineno}:{error.colno}",
            hint="Restore the file from version control, or lock again with the tool that wrote it",
        ) from error
    except RecursionError as error:
        raise LocksetError("json-syntax", f"This {what} is nested too deep to be read", location=location) from error
    except ValueError as error:
        raise LocksetError("json-syntax", f"This {what} cannot be read: {error}", location=location) from error
    return Fields(data, location=location, path="") if isinstance(data, dict) else _no_table(location, what)


def _no_table(location: str, what: str) -> Fields:
    raise LocksetError("format-invalid", f"This is no {what}: its top is no table", location=location)


def repository_url(url: str) -> str:
    """The address of a repository without secrets; `user@host:path` as the URL that lock files need."""
    short = _SHORT_SSH.match(url)
    return plain_url(url if short is None else f"ssh://{short[1]}/{short[2]}")


def _moment(text: str) -> datetime | None:
    head, _, rest = text.replace("Z", "+00:00").partition(".")
    if rest:  # Python 3.10 reads three or six digits of a fraction only
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        head = f"{head}.{digits[:6].ljust(6, '0')}{rest[len(digits) :]}"
    try:
        return datetime.fromisoformat(head)
    except ValueError:
        return None


class Fields:
    """One table of a foreign file; a getter gives None (or nothing) for an absent key and refuses another type."""

    __slots__ = ("data", "location", "path")

    def __init__(self, data: dict[str, Any], *, location: str, path: str) -> None:
        self.data = data
        self.location = location
        self.path = path

    def at(self, key: str) -> str:
        """The path of `key` from the top."""
        return f"{self.path}.{key}" if self.path else key

    def invalid(self, key: str, message: str) -> LocksetError:
        """The refusal of a value."""
        return LocksetError("format-invalid", f"`{self.at(key)}` {message}", location=self.location)

    def _get(self, key: str, kind: type[_T]) -> _T | None:
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.invalid(key, f"is not {_WHAT[kind]}")
        return value

    def text(self, key: str) -> str | None:
        """A text."""
        return self._get(key, str)

    def needed(self, key: str) -> str:
        """A text that has to be there."""
        value = self.text(key)
        if value is None:
            raise self.invalid(key, "is missing")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where absent."""
        return bool(self._get(key, bool))

    def number(self, key: str) -> int | None:
        """A whole number."""
        return self._get(key, int)

    def table(self, key: str) -> Fields | None:
        """A table."""
        value = self._get(key, dict)
        return None if value is None else Fields(value, location=self.location, path=self.at(key))

    def tables(self, key: str) -> Iterator[Fields]:
        """The members of a list of tables."""
        for number, item in enumerate(self._get(key, list) or ()):
            path = f"{key}[{number}]"
            if not isinstance(item, dict):
                raise self.invalid(path, "is not a table")
            yield Fields(item, location=self.location, path=self.at(path))

    def texts(self, key: str) -> tuple[str, ...]:
        """The members of a list of texts."""
        found = self._get(key, list) or []
        if not all(isinstance(item, str) for item in found):
            raise self.invalid(key, "holds something that is no text")
        return tuple(found)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Keys and values as they are."""
        return iter(self.data.items())

    def time(self, key: str) -> datetime | None:
        """A moment in UTC, written as text or as a time; None where it is no moment."""
        value = self.data.get(key)
        if isinstance(value, str):
            value = _moment(value)
        if not isinstance(value, datetime):
            return None
        try:
            return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        except OverflowError:  # a moment without a year in UTC
            return None

    def name(self, key: str = "name") -> str:
        """A project name, normalised."""
        value = self.needed(key)
        try:
            return canonicalize_name(value, validate=True)
        except ValueError:
            raise self.invalid(key, f"is no project name: `{value}`") from None

    def version(self, key: str = "version") -> Version:
        """A version that has to be there."""
        value = self.needed(key)
        try:
            return read_version(value)
        except InvalidVersion:
            raise self.invalid(key, f"is no version: `{value}`") from None

    def marker(self, key: str) -> str | None:
        """A marker text, checked."""
        value = self.text(key)
        return None if value is None or not value.strip() else self.checked_marker(value, key)

    def checked_marker(self, value: str, key: str) -> str:
        """`value`, which is a marker."""
        try:
            read_marker(value)
        except (InvalidMarker, RecursionError):
            raise self.invalid(key, f"is no marker: `{value}`") from None
        return value

    def hash(self, key: str = "hash") -> dict[str, str]:
        """`algorithm:value` as a mapping of one member; nothing where it is absent or empty."""
        value = self.text(key)
        return {} if not value else self.parsed_hash(value, key)

    def parsed_hash(self, value: str, key: str) -> dict[str, str]:
        """`algorithm:value`, checked for algorithm, length and alphabet."""
        algorithm, colon, digest = value.partition(":")
        algorithm, digest = algorithm.lower(), digest.lower()
        length = STRONG_ALGORITHMS.get(algorithm) or WEAK_ALGORITHMS.get(algorithm)
        if not colon or length is None:
            raise self.invalid(key, f"holds a hash of an unknown algorithm: `{value}`")
        if len(digest) != 2 * length or not _HEX.match(digest):
            raise self.invalid(key, f"is no {algorithm} hash of {2 * length} hexadecimal digits: `{value}`")
        return {algorithm: digest}


def hashes_of_one_file(tables: Iterable[Fields]) -> dict[str, str]:
    """What the tables say of the one file of an archive.

    Raises:
        LocksetError: `format-invalid` where they speak of several.
    """
    found: dict[str, str] = {}
    for table in tables:
        for algorithm, value in table.hash().items():
            if found.setdefault(algorithm, value) != value:
                raise table.invalid("hash", "is another one than before, for an archive at one place")
    return found
