"""Tables of another tool's lock file with checked types. Every error names the file and the key."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import tomli
from packaging.markers import InvalidMarker
from packaging.version import InvalidVersion, Version

from lockset._pattern import lazy_pattern
from lockset.conversion.model.formats import refuse_conflicts
from lockset.dependency_specifiers import read_marker, read_version
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.package_names import canonicalize_name
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Fields",
    "hashes_of_one_file",
    "parse_json_fields",
    "parse_toml_fields",
    "repository_url",
]

_SHORT_SSH = lazy_pattern(r"([\w.-]+@[\w.-]+):(?!//)/*(.+)\Z")
_HEX = lazy_pattern(r"[0-9a-f]+\Z")
_COMMIT = lazy_pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WHAT = {str: "a string", bool: "a boolean", int: "a number", list: "an array", dict: "a table"}

_T = TypeVar("_T")


def parse_toml_fields(text: str, *, location: str, what: str) -> Fields:
    """Parse a file as TOML.

    Raises:
        LocksetError: `toml-syntax` with line and column.
    """
    refuse_conflicts(text, location=location)
    with _syntax_errors("toml-syntax", location, what):
        return Fields(tomli.loads(text), location=location, path="")


def parse_json_fields(text: str, *, location: str, what: str) -> Fields:
    """Parse a file as JSON.

    Raises:
        LocksetError: `json-syntax` with line and column.
    """
    refuse_conflicts(text, location=location)
    with _syntax_errors("json-syntax", location, what):
        data = json.loads(text)
    return Fields(data, location=location, path="") if isinstance(data, dict) else _refuse_top_level(location, what)


@contextmanager
def _syntax_errors(code: str, location: str, what: str) -> Iterator[None]:
    """Errors of the parsers of TOML and JSON as LocksetErrors with `code`."""
    try:
        yield
    except (tomli.TOMLDecodeError, json.JSONDecodeError) as error:
        raise LocksetError(
            code,
            f"This is not a valid {what}: {error.msg[:1].lower()}{error.msg[1:]}",
            location=f"{location}:{error.lineno}:{error.colno}",
            hint="Restore the file from version control, or lock again with the tool that wrote it",
        ) from error
    except RecursionError as error:
        raise LocksetError(code, f"This {what} is nested too deeply", location=location) from error
    except ValueError as error:
        raise LocksetError(code, f"This {what} cannot be read: {error}", location=location) from error


def _refuse_top_level(location: str, what: str) -> Fields:
    raise LocksetError("format-invalid", f"This is not a valid {what}: the top level is not a table", location=location)


def repository_url(url: str) -> str:
    """The URL of a repository without secrets. `user@host:path` becomes an `ssh://` URL, as lock files require."""
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
    """One table of another tool's file. A getter returns None for a missing key and refuses a wrong type."""

    __slots__ = ("data", "location", "path")

    def __init__(self, data: dict[str, Any], *, location: str, path: str) -> None:
        self.data = data
        self.location = location
        self.path = path

    def at(self, key: str) -> str:
        """The dotted path of `key` from the top level."""
        return f"{self.path}.{key}" if self.path else key

    def invalid(self, key: str, message: str) -> LocksetError:
        """The error for the value of `key`; `message` continues "`key` "."""
        return LocksetError("format-invalid", f"`{self.at(key)}` {message}", location=self.location)

    def _get(self, key: str, kind: type[_T]) -> _T | None:
        value = self.data.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.invalid(key, f"is not {_WHAT[kind]}")
        return value

    def text(self, key: str) -> str | None:
        """A string."""
        return self._get(key, str)

    def required_text(self, key: str) -> str:
        """A string that is required."""
        value = self.text(key)
        if value is None:
            raise self.invalid(key, "is missing")
        return value

    def flag(self, key: str) -> bool:
        """A boolean; False if the key is missing."""
        return bool(self._get(key, bool))

    def number(self, key: str) -> int | None:
        """An integer."""
        return self._get(key, int)

    def table(self, key: str) -> Fields | None:
        """A table."""
        value = self._get(key, dict)
        return None if value is None else Fields(value, location=self.location, path=self.at(key))

    def tables(self, key: str) -> Iterator[Fields]:
        """The members of an array of tables."""
        for number, item in enumerate(self._get(key, list) or ()):
            path = f"{key}[{number}]"
            if not isinstance(item, dict):
                raise self.invalid(path, "is not a table")
            yield Fields(item, location=self.location, path=self.at(path))

    def texts(self, key: str) -> tuple[str, ...]:
        """The members of an array of strings."""
        members = self._get(key, list) or []
        if not all(isinstance(item, str) for item in members):
            raise self.invalid(key, "contains a value that is not a string")
        return tuple(members)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Keys and values, unchecked."""
        return iter(self.data.items())

    def time(self, key: str) -> datetime | None:
        """A time in UTC, from a string or a TOML date-time; None if it is neither."""
        value = self.data.get(key)
        if isinstance(value, str):
            value = _moment(value)
        if not isinstance(value, datetime):
            return None
        try:
            return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
        except OverflowError:  # a time whose year in UTC is out of range
            return None

    def name(self, key: str = "name") -> str:
        """A normalized project name."""
        value = self.required_text(key)
        try:
            return canonicalize_name(value, validate=True)
        except ValueError:
            raise self.invalid(key, f"is not a valid project name: `{value}`") from None

    def version(self, key: str = "version") -> Version:
        """A version that is required."""
        value = self.required_text(key)
        try:
            return read_version(value)
        except InvalidVersion:
            raise self.invalid(key, f"is not a valid version: `{value}`") from None

    def marker(self, key: str) -> str | None:
        """The text of a valid marker."""
        value = self.text(key)
        return None if value is None or not value.strip() else self.checked_marker(value, key)

    def checked_marker(self, value: str, key: str) -> str:
        """`value`, checked to be a valid marker."""
        try:
            read_marker(value)
        except (InvalidMarker, RecursionError):
            raise self.invalid(key, f"is not a valid marker: `{value}`") from None
        return value

    def commit(self, key: str) -> str:
        """A full commit hash of git."""
        value = self.text(key) or ""
        if not _COMMIT.fullmatch(value):
            raise self.invalid(key, f"is not a full commit hash: `{value}`")
        return value

    def hash(self, key: str = "hash") -> dict[str, str]:
        """`algorithm:value` as a mapping with one item; empty if the key is missing or empty."""
        value = self.text(key)
        return {} if not value else self.parsed_hash(value, key)

    def parsed_hash(self, value: str, key: str) -> dict[str, str]:
        """`algorithm:value` as a mapping, with algorithm, length and digits checked."""
        algorithm, colon, digest = value.partition(":")
        algorithm, digest = algorithm.lower(), digest.lower()
        length = STRONG_ALGORITHMS.get(algorithm) or WEAK_ALGORITHMS.get(algorithm)
        if not colon or length is None:
            raise self.invalid(key, f"has a hash with an unknown algorithm: `{value}`")
        if len(digest) != 2 * length or not _HEX.match(digest):
            raise self.invalid(key, f"is not a valid {algorithm} hash of {2 * length} hexadecimal digits: `{value}`")
        return {algorithm: digest}


def hashes_of_one_file(tables: Iterable[Fields]) -> dict[str, str]:
    """Join the hashes of several tables that describe one archive.

    Raises:
        LocksetError: `format-invalid` if the hashes of one algorithm differ.
    """
    hashes: dict[str, str] = {}
    for table in tables:
        for algorithm, value in table.hash().items():
            if hashes.setdefault(algorithm, value) != value:
                raise table.invalid("hash", "differs from an earlier hash of the same archive")
    return hashes
