"""Parse untrusted versions, specifiers, markers, requirements and file names with limits.

packaging parses them. With the limits here, the result for any text is either a value that every later step can use,
or packaging's own error for invalid input. Without them, a number with more digits than Python converts would raise a
plain ValueError, possibly long after the text was accepted, since specifiers and markers parse their versions late.

The modules of packaging are imported on first use: a sync from the cache only parses versions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module

from packaging.version import InvalidVersion, Version

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from packaging.markers import InvalidMarker, Marker
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
    from packaging.tags import Tag
    from packaging.utils import BuildTag, InvalidSdistFilename, InvalidWheelFilename, NormalizedName

    _T = TypeVar("_T")
else:
    _ERRORS = {
        "InvalidMarker": "packaging.markers",
        "InvalidRequirement": "packaging.requirements",
        "InvalidSdistFilename": "packaging.utils",
        "InvalidSpecifier": "packaging.specifiers",
        "InvalidWheelFilename": "packaging.utils",
    }

    def __getattr__(name: str) -> Any:
        """The errors of packaging: `except dependency_specifiers.InvalidMarker` imports it only for an error."""
        if name not in _ERRORS:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(_ERRORS[name]), name)


__all__ = [
    "SHORT",
    "InvalidMarker",
    "InvalidRequirement",
    "InvalidSdistFilename",
    "InvalidSpecifier",
    "InvalidWheelFilename",
    "composed_marker",
    "excess",
    "plain_clause",
    "plain_release",
    "read_dependency",
    "read_marker",
    "read_sdist_name",
    "read_specifier",
    "read_specifiers",
    "read_version",
    "read_wheel_name",
]

# Limit for the characters of a text. The longest real ones are composed markers of about 20,000.
_LONGEST = 4 * 1024 * 1024
# Limit for the digits of a number. Python converts up to 4,300, and resolvers add to the numbers that they read.
_MOST_DIGITS = 1_000
# Limit for open parentheses. packaging allows 200 levels in markers (older releases: Python's recursion limit).
_MOST_DEPTH = 150
# Texts up to this length are within all limits.
SHORT = 100
# Errors quote at most this many characters of a text.
_SHOWN = 40

_NUMBER = lazy_pattern(rf"\d{{{_MOST_DIGITS}}}")


def excess(text: str) -> str | None:
    """Why the text exceeds the limits, as a phrase for messages; None if it does not."""
    if len(text) <= SHORT:
        return None
    if len(text) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if _NUMBER.search(text):
        return "a number in it has too many digits"
    return "it is nested too deeply" if _depth(text) > _MOST_DEPTH else None


def _depth(text: str) -> int:
    """The largest number of open parentheses; quoted ones may count too."""
    if text.count("(") <= _MOST_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.findall("[()]", text):
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    return deepest


# Operators and versions of which packaging compares nothing but the numbers.
_NUMBERS = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}"
_RELEASE = lazy_pattern(_NUMBERS)
_CLAUSE = lazy_pattern(rf"(?:(<=|>=|<|>|==|!=)[ \t]*({_NUMBERS})|(==|!=)[ \t]*({_NUMBERS}\.\*))")


@lru_cache(maxsize=4096)
def plain_release(text: str) -> tuple[int, ...] | None:
    """The four numbers of a final release such as `3.9`, missing ones as 0; None for other texts."""
    return (*map(int, text.split(".")), 0, 0, 0)[:4] if _RELEASE.fullmatch(text) else None


def plain_clause(text: str) -> tuple[str, str] | None:
    """Operator and version of a specifier such as `>=3.9` or `==3.9.*`; None for others, which packaging parses.

    packaging compares a final release with it by the numbers alone: `plain_release`.
    """
    match = _CLAUSE.fullmatch(text)
    return None if match is None else (match[1] or match[3], match[2] or match[4])


def read_version(text: str) -> Version:
    """Parse a version.

    Raises:
        InvalidVersion: The text is not a valid version, or exceeds the limits.
    """
    return _read(Version, text, InvalidVersion, "version")


def read_specifiers(text: str) -> SpecifierSet:
    """Parse a set of version specifiers.

    Raises:
        InvalidSpecifier: The text is not a valid set of specifiers, or exceeds the limits.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    return _read(SpecifierSet, text, InvalidSpecifier, "specifier")


def read_specifier(text: str) -> Specifier:
    """Parse one version specifier.

    Raises:
        InvalidSpecifier: The text is not a valid specifier, or exceeds the limits.
    """
    from packaging.specifiers import InvalidSpecifier, Specifier

    return _read(Specifier, text, InvalidSpecifier, "specifier")


def read_marker(text: str) -> Marker:
    """Parse a marker.

    Raises:
        InvalidMarker: The text is not a valid marker, or exceeds the limits.
    """
    from packaging.markers import InvalidMarker, Marker

    marker = _read(Marker, text, InvalidMarker, "marker")
    reason = excess(str(marker)) if "\\" in text else None  # escapes in its strings may stand for digits
    if reason is not None:
        raise InvalidMarker(f"Invalid marker: {text[:_SHOWN]!r}...: {reason}")
    return marker


def composed_marker(text: str) -> Marker:
    """Parse a marker that lockset composed from conditions and from names of extras and groups.

    Raises:
        LocksetError: `marker-limit`: the marker, or a name in it, exceeds the limits.
    """
    from packaging.markers import InvalidMarker

    try:
        return read_marker(text)
    except InvalidMarker as error:
        raise LocksetError(
            "marker-limit",
            f"A marker of the lock file cannot be written: {error}",
            hint="Give extras and dependency groups shorter names",
        ) from error


def read_dependency(text: str) -> Requirement:
    """Parse a requirement.

    Raises:
        InvalidRequirement: The text is not a valid requirement, or exceeds the limits.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    requirement = _read(Requirement, text, InvalidRequirement, "requirement")
    reason = excess(str(requirement.marker)) if requirement.marker is not None and "\\" in text else None
    if reason is not None:
        raise InvalidRequirement(f"Invalid requirement: {text[:_SHOWN]!r}...: {reason}")
    return requirement


def read_wheel_name(text: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Parse the file name of a wheel into project, version, build and tags.

    Raises:
        InvalidWheelFilename: The text is not a valid wheel file name, or exceeds the limits.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    return _read(parse_wheel_filename, text, InvalidWheelFilename, "file name of a wheel")


def read_sdist_name(text: str) -> tuple[NormalizedName, Version]:
    """Parse the file name of an sdist into project and version, also one with an old ending (`.tar.bz2`, `.tgz`).

    Raises:
        InvalidSdistFilename: The text is not a valid sdist file name, or exceeds the limits.
    """
    from packaging.utils import InvalidSdistFilename, parse_sdist_filename

    def parse(name: str) -> tuple[NormalizedName, Version]:
        for ending in (".tar.bz2", ".tgz"):
            if name.endswith(ending):
                return parse_sdist_filename(f"{name.removesuffix(ending)}.tar.gz")
        return parse_sdist_filename(name)

    return _read(parse, text, InvalidSdistFilename, "file name of an sdist")


def _read(parse: Callable[[str], _T], text: str, error_type: type[ValueError], what: str) -> _T:
    if not isinstance(text, str):
        raise error_type(f"Invalid {what}: {text!r:.{_SHOWN}} is not a string")
    reason = excess(text)
    if reason is not None:
        raise error_type(f"Invalid {what}: {text[:_SHOWN]!r}...: {reason}")
    try:
        return parse(text)
    except error_type:
        raise
    except (ValueError, RecursionError, TypeError) as error:
        raise error_type(f"Invalid {what}: {text[:_SHOWN]!r}: {error}") from error
