"""A fast parser of dependency specifiers (PEP 508), for the thousands in the metadata of a resolution.

Most requirements have the same few markers, and many the same specifiers, so these are parsed by packaging once for
each text. Requirements of an unusual form are left to packaging as a whole.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import read_dependency, read_marker, read_specifiers
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

__all__ = ["Condition", "RequirementParts", "split_requirement"]

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:~=|==|!=|<=|>=|<|>)[ \t]*[A-Za-z0-9.*+!_-]+[ \t]*"
_CLAUSES = rf"{_CLAUSE}(?:,[ \t]*{_CLAUSE})*"
_ORDINARY = re.compile(
    rf"""
    ({_NAME}) [ \t]*
    (?:\[ [ \t]* ({_NAME}(?:[ \t]*,[ \t]*{_NAME})*) [ \t]* \])? [ \t]*
    (?: ({_CLAUSES}) | \( [ \t]* ({_CLAUSES}) \) [ \t]* )?
    (?: ; (.*) )?
    """,
    re.VERBOSE | re.ASCII,
)
# Characters of an ordinary requirement. Blanks may be part of several pieces of the pattern, so that its time grows
# with their square; packaging reads longer texts.
_LONGEST = 1_000
_EXTRA_ALONE = re.compile(r"""extra == "[^"]*"|extra == '[^']*'""")


class Condition(NamedTuple):
    """A marker: its environments, the parsed marker (None: always), and whether it is on `extra` alone."""

    marker: MarkerSet
    parsed: Marker | None
    is_extra_alone: bool


class RequirementParts(NamedTuple):
    """A requirement: normalised names of the project and of its extras, specifiers, URL and condition."""

    name: str
    extras: frozenset[str]
    specifiers: SpecifierSet
    url: str | None
    condition: Condition


def split_requirement(text: str) -> RequirementParts:
    """Split a dependency specifier into its parts.

    Raises:
        packaging.requirements.InvalidRequirement: `text` is not a valid requirement.
        LocksetError: `marker-syntax`.
    """
    matched = _ORDINARY.fullmatch(text) if len(text) <= _LONGEST else None
    if matched is not None:
        name, extras, bare, bracketed, marker = matched.groups()
        try:
            specifiers = _specifiers(bare or bracketed or "")
            condition = _ALWAYS if marker is None else _condition(marker)
        except ValueError:
            pass  # packaging has better messages for the whole text
        else:
            names = frozenset(map(_canonical, extras.split(","))) if extras else _NO_EXTRAS
            return RequirementParts(str(canonicalize_name(name)), names, specifiers, None, condition)
    parsed = read_dependency(text)
    return RequirementParts(
        str(canonicalize_name(parsed.name)),
        frozenset(map(_canonical, parsed.extras)),
        parsed.specifier,
        parsed.url,
        _ALWAYS if parsed.marker is None else _of(parsed.marker),
    )


_NO_EXTRAS: frozenset[str] = frozenset()
_ALWAYS = Condition(MarkerSet.any(), parsed=None, is_extra_alone=False)


def _canonical(name: str) -> str:
    return str(canonicalize_name(name.strip()))


@cache
def _specifiers(text: str) -> SpecifierSet:
    return read_specifiers(text)


@cache
def _condition(text: str) -> Condition:
    return _of(read_marker(text.strip(" \t")))


def _of(marker: Marker) -> Condition:
    return Condition(MarkerSet.of_condition(marker), marker, _EXTRA_ALONE.fullmatch(str(marker)) is not None)
