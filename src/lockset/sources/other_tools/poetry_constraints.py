"""Version constraints in Poetry's notation (`^1.2`, `~1.2`, `>=1,<2 || >=3`) as standard specifiers (PEP 440)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_specifiers, read_version
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["admits", "alternatives", "poetry_python_region", "python_marker"]

_OR = lazy_pattern(r"\s*\|\|?\s*")
_AND = lazy_pattern(r"\s*,\s*|(?<=[\w*])\s+(?=[<>=!~^])")
_ONE = lazy_pattern(r"(?P<sign>\^|~=|~|===?|!=|<=|>=|<|>)?\s*(?P<version>.+)\Z")


@lru_cache(maxsize=4096)
def alternatives(text: str) -> tuple[SpecifierSet, ...]:
    """The constraint as alternative sets of specifiers. An empty set admits every version.

    Raises:
        ValueError: the constraint is not valid.
    """
    sets = []
    for part in _OR.split(text.strip() or "*"):
        pieces = [piece for piece in _AND.split(part.strip().strip("()")) if piece]
        try:
            sets.append(read_specifiers(",".join(filter(None, map(_standard, pieces)))))
        except (InvalidSpecifier, InvalidVersion) as error:
            message = f"`{text}` is not a valid version constraint"
            raise ValueError(message) from error
    return tuple(sets)


def admits(text: str, version: Version) -> bool:
    """Whether the version satisfies the constraint.

    Raises:
        ValueError: the constraint is not valid.
    """
    return any(one.contains(version, prereleases=True) for one in alternatives(text))


def poetry_python_region(text: str) -> MarkerSet:
    """The environments with a Python that the constraint admits.

    Raises:
        ValueError: the constraint is not valid.
    """
    region = MarkerSet.none()
    for one in alternatives(text):
        region |= MarkerSet.of_python(one)
    return region


def python_marker(text: str) -> str | None:
    """The Pythons that the constraint admits as a marker; None if it admits all.

    Raises:
        ValueError: the constraint is not valid, or admits no version.
    """
    return poetry_python_region(text).text()


def _standard(piece: str) -> str:
    matched = _ONE.match(piece)
    if matched is None:
        raise InvalidSpecifier(piece)
    sign, version = matched["sign"] or "", matched["version"].strip()
    if version == "*":
        return ""
    if sign == "^":
        return _caret(read_version(version))
    if sign == "~":
        release = read_version(version).release
        return _between(read_version(version), release[: 2 if len(release) > 1 else 1])
    if sign in {"", "=", "=="}:
        return f"=={version}"
    if sign in {"<", "<=", ">", ">="} and version.endswith(".*"):
        version = version[:-2]
    return f"{sign}{version}"


def _caret(version: Version) -> str:
    """A caret constraint: up to the next change of the leftmost number that is not zero."""
    release = version.release
    at = next((i for i, number in enumerate(release) if number), len(release) - 1)
    return _between(version, release[: at + 1])


def _between(version: Version, kept: Sequence[int]) -> str:
    upper = ".".join(map(str, (*kept[:-1], kept[-1] + 1)))
    return f">={version},<{upper}"
