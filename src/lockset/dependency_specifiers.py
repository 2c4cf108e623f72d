"""Versions, specifiers, markers, requirements and file names from outside, read within one bound.

packaging reads them, and this module makes its contract whole: whatever the text is, the answer is a value that every
later step can use, or the one error of packaging that callers already expect. Without the bound, a number with more
digits than Python turns into an integer is a plain ValueError, at times long after the text was accepted: specifiers
and markers read their versions late.

The parts of packaging are imported where they are needed: a sync from the cache reads versions only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from packaging.version import InvalidVersion, Version

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import Specifier, SpecifierSet
    from packaging.tags import Tag
    from packaging.utils import BuildTag, NormalizedName

__all__ = [
    "SHORT",
    "composed_marker",
    "excess",
    "read_dependency",
    "read_marker",
    "read_sdist_name",
    "read_specifier",
    "read_specifiers",
    "read_version",
    "read_wheel_name",
]

# Characters of one text. The longest honest ones are markers that resolvers composed, of some 20,000.
_LONGEST = 4 * 1024 * 1024
# Digits of one number. Python turns up to 4,300 into an integer, and resolvers add to the numbers they read.
_MOST_DIGITS = 1_000
# Brackets opened. packaging follows markers into 200 levels (its older releases as deep as Python lets them).
_MOST_DEPTH = 150
# Texts up to this length are within all bounds.
SHORT = 100
# Of longer texts only the beginning is quoted in errors.
_SHOWN = 40

_NUMBER = re.compile(rf"\d{{{_MOST_DIGITS}}}")

_T = TypeVar("_T")


def excess(text: str) -> str | None:
    """Why the text is beyond what any reader of specifiers is up to; None where it is not."""
    if len(text) <= SHORT:
        return None
    if len(text) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    if _NUMBER.search(text):
        return "a number in it has more digits than can be read"
    return "it is nested too deep" if _depth(text) > _MOST_DEPTH else None


def _depth(text: str) -> int:
    """How many brackets are open at most at one time; quoted ones may count too."""
    if text.count("(") <= _MOST_DEPTH:
        return 0
    depth = deepest = 0
    for bracket in re.findall("[()]", text):
        depth += 1 if bracket == "(" else -1
        deepest = max(deepest, depth)
    return deepest


def read_version(text: str) -> Version:
    """The version.

    Raises:
        InvalidVersion: The text is not a valid version, or is beyond the bound.
    """
    return _read(Version, text, InvalidVersion, "version")


def read_specifiers(text: str) -> SpecifierSet:
    """The set of version specifiers.

    Raises:
        InvalidSpecifier: The text is not a valid set of specifiers, or is beyond the bound.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    return _read(SpecifierSet, text, InvalidSpecifier, "specifier")


def read_specifier(text: str) -> Specifier:
    """One version specifier.

    Raises:
        InvalidSpecifier: The text is not a valid specifier, or is beyond the bound.
    """
    from packaging.specifiers import InvalidSpecifier, Specifier

    return _read(Specifier, text, InvalidSpecifier, "specifier")


def read_marker(text: str) -> Marker:
    """The marker.

    Raises:
        InvalidMarker: The text is not a valid marker, or is beyond the bound.
    """
    from packaging.markers import InvalidMarker, Marker

    marker = _read(Marker, text, InvalidMarker, "marker")
    reason = excess(str(marker)) if "\\" in text else None  # escapes in its strings may stand for digits
    if reason is not None:
        raise InvalidMarker(f"Invalid marker: {text[:_SHOWN]!r}...: {reason}")
    return marker


def composed_marker(text: str) -> Marker:
    """The marker that lockset put together out of conditions and of names of extras and groups.

    Raises:
        LocksetError: `marker-limit`: a name in it, or all of it, is beyond the bound.
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
    """The requirement.

    Raises:
        InvalidRequirement: The text is not a valid requirement, or is beyond the bound.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    requirement = _read(Requirement, text, InvalidRequirement, "requirement")
    reason = excess(str(requirement.marker)) if requirement.marker is not None and "\\" in text else None
    if reason is not None:
        raise InvalidRequirement(f"Invalid requirement: {text[:_SHOWN]!r}...: {reason}")
    return requirement


def read_wheel_name(text: str) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Project, version, build and tags that the file name of a wheel gives.

    Raises:
        InvalidWheelFilename: The text is not a valid file name of a wheel, or is beyond the bound.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    return _read(parse_wheel_filename, text, InvalidWheelFilename, "file name of a wheel")


def read_sdist_name(text: str) -> tuple[NormalizedName, Version]:
    """Project and version that the file name of an sdist gives.

    Raises:
        InvalidSdistFilename: The text is not a valid file name of an sdist, or is beyond the bound.
    """
    from packaging.utils import InvalidSdistFilename, parse_sdist_filename

    return _read(parse_sdist_filename, text, InvalidSdistFilename, "file name of an sdist")


def _read(parse: Callable[[str], _T], text: str, error_type: type[ValueError], what: str) -> _T:
    if not isinstance(text, str):
        raise error_type(f"Invalid {what}: {text!r:.{_SHOWN}} is not a text")
    reason = excess(text)
    if reason is not None:
        raise error_type(f"Invalid {what}: {text[:_SHOWN]!r}...: {reason}")
    try:
        return parse(text)
    except error_type:
        raise
    except (ValueError, RecursionError, TypeError) as error:
        raise error_type(f"Invalid {what}: {text[:_SHOWN]!r}: {error}") from error
