"""Partitions of one variable's values: cut points on the line of releases, and comparisons of single values.

The release line. A value of `python_full_version` (or `implementation_version`) is placed by its release segment, cut
or padded to three numbers. The places are ordered as triples, and a set of versions is a list of cut points, each the
first place of a new interval. `python_version` is the first two numbers of the same place.

The rule for pre-releases: 3.14.0rc1 stands where 3.14.0 stands, as do development and local builds. On every final
release the answers are those of packaging, literal for literal; for a pre-release Python packaging says neither
`python_full_version < "3.14"` nor `python_full_version >= "3.14"`, and here the second holds. So a set and its
complement always cover every Python, and `python_version` and `python_full_version` never contradict one another.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import InvalidVersion

from lockset.dependency_specifiers import read_specifier, read_version

__all__ = [
    "ORIGIN",
    "VERSION_COMPARED",
    "Release",
    "UndefinedComparisonError",
    "fits_specifier",
    "is_finite",
    "partition",
    "release_point",
    "satisfies",
]

Release = tuple[int, int, int]

ORIGIN: Release = (0, 0, 0)

# Variables whose comparisons are version comparisons where the literal fits into a specifier.
VERSION_COMPARED = frozenset({"python_version", "python_full_version", "implementation_version", "platform_release"})

_RELEASE_IN_LITERAL = re.compile(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", re.IGNORECASE)
_DOTTED = re.compile(r"\d+(?:\.\d+)+")
# Characters of a literal after `in`, and of one number in it: every part of it that reads as a version is a place.
_LONGEST_LIST = 1_000
_LONG_NUMBER = re.compile(r"\d{20}")


class UndefinedComparisonError(ValueError):
    """The operator has no meaning for strings (`~=` and `===`), or the literal holds more versions than can be read."""


@lru_cache(maxsize=4096)
def release_point(text: str) -> Release:
    """The place of a version on the release line; the origin for what is not a version."""
    try:
        release = read_version(text.removesuffix("+")).release  # a build between tags calls itself "3.14.0+"
    except InvalidVersion:
        return ORIGIN
    return _padded(release)


def _padded(release: tuple[int, ...]) -> Release:
    major, minor, micro = (*release, 0, 0)[:3]
    return major, minor, micro


def satisfies(name: str, left: str, operator: str, right: str) -> bool:
    """Whether `left operator right` holds, as packaging evaluates it for the variable `name`.

    Raises:
        UndefinedComparisonError: Where packaging has no meaning for it.
    """
    if name in VERSION_COMPARED and operator not in {"in", "not in"}:
        try:
            specifier = _specifier(operator + right)
        except InvalidSpecifier:
            pass
        else:
            return specifier.contains(left, prereleases=True)
    return _compare_text(left, operator, right)


def fits_specifier(operator: str, literal: str) -> bool:
    """Whether the two make a version specifier, so that packaging compares versions and not texts."""
    try:
        _specifier(operator + literal)
    except InvalidSpecifier:
        return False
    return True


@lru_cache(maxsize=4096)
def _specifier(text: str) -> Specifier:
    return read_specifier(text)


def _compare_text(left: str, operator: str, right: str) -> bool:
    # Strings have no order: "smaller or equal" is "equal", "smaller" is never true (as the specification asks).
    if operator in {"==", "<=", ">="}:
        return left == right
    if operator == "!=":
        return left != right
    if operator in {"<", ">"}:
        return False
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    raise UndefinedComparisonError(operator)


def is_finite(operator: str, *, literal_first: bool) -> bool:
    """Whether finitely many cut points express the comparison of a release variable.

    All do except `'3.1' in python_version`, which holds for infinitely many separate versions.
    """
    return not (literal_first and operator in {"in", "not in"})


def partition(
    name: str, operator: str, literal: str, *, literal_first: bool = False
) -> tuple[tuple[Release, ...], tuple[bool, ...]]:
    """Cut points and, for each of the intervals between them, whether the comparison holds there.

    Exact on all final releases: the answer can only change at a place next to one that the literal names, so every
    interval between such places is decided by asking for its first member.

    Raises:
        UndefinedComparisonError: Where packaging has no meaning for the comparison.
    """
    only_minor = name == "python_version"
    starts = sorted({ORIGIN, *_neighbours(_named_locations(operator, literal), only_minor=only_minor)})
    cuts: list[Release] = []
    truths: list[bool] = []
    for start in starts:
        sample = f"{start[0]}.{start[1]}" if only_minor else ".".join(map(str, start))
        left, right = (literal, sample) if literal_first else (sample, literal)
        truth = satisfies(name, left, operator, right)
        if not truths or truth != truths[-1]:
            truths.append(truth)
            cuts.append(start)
    return tuple(cuts[1:]), tuple(truths)


def _named_locations(operator: str, literal: str) -> set[Release]:
    if operator not in {"in", "not in"}:
        found = _RELEASE_IN_LITERAL.match(literal)
        return {_padded(tuple(map(int, found[1].split("."))))} if found else set()
    if len(literal) > _LONGEST_LIST or _LONG_NUMBER.search(literal):
        raise UndefinedComparisonError(operator)
    locations: set[Release] = set()
    for run in _DOTTED.findall(literal):
        locations |= _substring_versions(run.split("."))
    return locations


def _substring_versions(numbers: list[str]) -> set[Release]:
    """Every version that is a substring of the dotted run: of "13.10" also 3.1, 3.10 and 13.1."""
    locations: set[Release] = set()
    for length in (2, 3):
        for start in range(len(numbers) - length + 1):
            first, *middle, last = numbers[start : start + length]
            heads = (first[i:] for i in range(len(first)))
            tails = [last[: i + 1] for i in range(len(last))]
            locations |= {_padded(tuple(map(int, (head, *middle, tail)))) for head in heads for tail in tails}
    return locations


def _neighbours(locations: set[Release], *, only_minor: bool) -> set[Release]:
    """The places where an answer may change: at, directly after, and at the series around each named place."""
    found: set[Release] = set()
    for major, minor, micro in locations:
        found |= {(major, 0, 0), (major, minor, 0), (major, minor + 1, 0), (major + 1, 0, 0)}
        if not only_minor:
            found |= {(major, minor, micro), (major, minor, micro + 1)}
    return found
