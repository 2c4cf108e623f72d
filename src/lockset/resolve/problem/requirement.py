"""The types of a requirement: as parsed, as one of the project, and as the solver sees it.

The relation of these types is drawn in docs/pages/development/solver.md. Specifiers, dependencies and requirements are
interned, so that equal ones are the same object.

Dependency specifiers (PEP 508) come by the thousands in the metadata of a resolution, so they have a fast parser here.
Most have the same few markers, and many the same specifiers, so these are parsed by packaging once for each text.
Requirements of an unusual form are left to packaging as a whole.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import SpecifierSet

from lockset._dataclass import dataclass, replace
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import plain_clause, read_dependency, read_marker, read_specifiers
from lockset.errors import LocksetError, RequirementSyntaxError
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.resolve.problem.direct_source import DirectVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.markers import Marker
    from packaging.version import Version

    from lockset.resolve.problem.direct_source import DirectSource

__all__ = [
    "ANY_VERSION",
    "Condition",
    "Dependency",
    "Key",
    "Requirement",
    "RequirementOrigin",
    "RequirementParts",
    "RootRequirement",
    "Specifier",
    "from_source",
    "of_extra",
    "ordered_text",
    "parse_dependency",
    "replaced",
    "split_requirement",
]

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_CLAUSE = r"(?:~=|==|!=|<=|>=|<|>)[ \t]*[A-Za-z0-9.*+!_-]+[ \t]*"
_CLAUSES = rf"{_CLAUSE}(?:,[ \t]*{_CLAUSE})*"
_ORDINARY = lazy_pattern(
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
_EXTRA_IS = "extra == "
_QUOTES = ("'", '"')
_EXTRA_NAME = lazy_pattern(_NAME, re.ASCII)
_EXTRA_ALONE = lazy_pattern(r"""extra == "[^"]*"|extra == '[^']*'""")


class Condition(NamedTuple):
    """A marker: its environments, the parsed marker (None: always), and whether it is on `extra` alone."""

    marker: MarkerSet
    parsed: Marker | None
    is_extra_alone: bool


class RequirementParts(NamedTuple):
    """A requirement: normalized names of the project and of its extras, specifiers, URL and condition."""

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


# First characters of operators, in the order they are written in.
_ORDER = "=~><!"

# What the solver decides on: a package name and a region, which is a part of the universe.
Key = tuple[str, MarkerSet]


class Specifier:
    """A set of version specifiers (PEP 440); `Specifier.of` returns one object for each text.

    The specifier of a direct source admits the release of that source alone, like an exact pin.
    """

    __slots__ = ("exact", "names_prerelease", "source", "specifiers", "text")
    _known: ClassVar[dict[str, Specifier]] = {}
    _of_sources: ClassVar[dict[tuple[DirectSource, str], Specifier]] = {}

    def __init__(self, specifiers: SpecifierSet, text: str) -> None:
        self.specifiers = specifiers
        self.text = text
        self.source: DirectSource | None = None
        self.names_prerelease = bool(specifiers.prereleases)
        self.exact = any(s.operator == "===" or (s.operator == "==" and "*" not in s.version) for s in specifiers)

    @classmethod
    def of(cls, specifiers: SpecifierSet) -> Specifier:
        """The interned form."""
        text = str(specifiers)
        known = cls._known.get(text)
        if known is None:
            known = cls._known[text] = cls(specifiers, text)
        return known

    @classmethod
    def of_source(cls, source: DirectSource) -> Specifier:
        """The interned form of a requirement by URL or path."""
        key = (source, source.shown)
        known = cls._of_sources.get(key)
        if known is None:
            known = cls._of_sources[key] = cls(SpecifierSet(), f" @ {source.shown}")
            known.source = source
            known.exact = known.names_prerelease = True
        return known

    def admits(self, version: Version) -> bool:
        """Whether `version` matches; pre-releases match like others, since policy decides on them."""
        if isinstance(version, DirectVersion):
            if self.source is not None:
                return version.source == self.source
            if version.source.any_version:
                return True
            version = version.plain
        return self.source is None and self.specifiers.contains(version, prereleases=True)

    def filter(self, versions: Sequence[Version]) -> Iterator[Version]:
        """Those of `versions` that match, in their order; much quicker than one call of `admits` for each."""
        if self.source is None and not any(isinstance(v, DirectVersion) for v in versions[-1:]):
            return self.specifiers.filter(versions, prereleases=True)
        return (v for v in versions if self.admits(v))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Specifier({self.text!r})"


ANY_VERSION = Specifier.of(SpecifierSet())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dependency:
    """A parsed dependency specifier (PEP 508), of a release or of the project; interned by its text.

    Attributes:
        name: Normalized name of the required project.
        extras: Normalized names of the required extras.
        specifier: Versions that match.
        marker: Where it applies; may contain the variable `extra`.
        condition: The marker as parsed by packaging; None for always.
        condition_on_extra_alone: Whether `extra` is the only variable of the condition.
        url: The direct URL; None for a project of an index, and where the URL has become a source.
        text: The requirement without its marker, for messages.
    """

    name: str
    extras: frozenset[str]
    specifier: Specifier
    marker: MarkerSet
    condition: Marker | None
    condition_on_extra_alone: bool
    url: str | None
    text: str


def ordered_text(specifiers: SpecifierSet) -> str:
    """`specifiers` in the usual order: lower bounds, upper bounds, exclusions."""
    # Not remembered by the set: `>=1` and `>=1.0` are equal, and are not written alike.
    return _ordered(str(specifiers))


@cache
def _ordered(text: str) -> str:
    return ",".join(sorted(filter(None, text.split(",")), key=lambda part: (_ORDER.find(part[0]), part)))


@cache
def parse_dependency(text: str) -> Dependency:
    """`text` (dependency specifier) as a Dependency.

    Raises:
        LocksetError: `requirement-syntax`.
    """
    try:
        parts = split_requirement(text)
    except InvalidRequirement as error:
        raise RequirementSyntaxError(f"{text!r} is not a valid requirement: {error}") from error
    name, extras, specifiers, url, condition = parts
    brackets = f"[{','.join(sorted(extras))}]" if extras else ""
    location = f" @ {url}" if url else ordered_text(specifiers)
    return Dependency(
        name=name,
        extras=extras,
        specifier=Specifier.of(specifiers),
        marker=condition.marker,
        condition=condition.parsed,
        condition_on_extra_alone=condition.is_extra_alone,
        url=url,
        text=f"{name}{brackets}{location}",
    )


@cache
def of_extra(text: str) -> str | None:
    """The extra, normalized, that alone decides whether the requirement `text` applies.

    None for other texts, and for those that may not be valid: what has an extra here can be parsed later.
    """
    matched = _ORDINARY.fullmatch(text) if _EXTRA_IS in text and len(text) <= _LONGEST else None
    if matched is None or matched[5] is None:
        return None
    marker, clauses = matched[5].strip(" \t"), matched[3] or matched[4]
    quote, extra = marker[-1:], marker[len(_EXTRA_IS) + 1 : -1]
    if quote not in _QUOTES or not marker.startswith(_EXTRA_IS + quote) or not _EXTRA_NAME.fullmatch(extra):
        return None
    if clauses and not all(plain_clause(clause.strip(" \t")) for clause in clauses.split(",")):
        return None
    return str(canonicalize_name(extra))


def parse_metadata_dependency(text: str) -> tuple[Dependency, str | None]:
    """Parse a Requires-Dist of a release. Where it is not valid but has one clear meaning, return that and its text.

    Raises:
        LocksetError: `requirement-syntax`.
    """
    try:
        return parse_dependency(text), None
    except LocksetError:
        from lockset.metadata.specifier_fixes import fixed_requirement  # few texts are not valid

        fixed = fixed_requirement(text)
        if fixed is None:
            raise
        return parse_dependency(fixed), fixed


def from_source(dependency: Dependency, source: DirectSource) -> Dependency:
    """`dependency`, which has a URL, as a dependency on `source`."""
    brackets = f"[{','.join(sorted(dependency.extras))}]" if dependency.extras else ""
    specifier = Specifier.of_source(source)
    return replace(dependency, specifier=specifier, url=None, text=f"{dependency.name}{brackets}{specifier.text}")


def replaced(dependency: Dependency, text: str) -> Dependency:
    """The override `text` in place of `dependency`: with the extras of both, where both apply."""
    requirement = ParsedRequirement(text)
    requirement.extras |= set(dependency.extras)
    conditions = [f"({m})" for m in (dependency.condition, requirement.marker) if m is not None]
    if conditions:
        requirement.marker = read_marker(" and ".join(conditions))
    return parse_dependency(str(requirement))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementOrigin:
    """Where a requirement is written: in the project itself (`version` None) or in the metadata of a release.

    Attributes:
        name: Normalized name of the project of that release; for a root, the file (`pyproject.toml`, ...).
        version: The release; None for a root.
        text: The requirement without its marker.
    """

    name: str
    version: Version | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRequirement:
    """One requirement of the project itself.

    Attributes:
        dependency: The parsed requirement.
        region: Where it applies: its marker, and the extra or group it belongs to; not bounded by the universe.
        origin: Where it is written.
    """

    dependency: Dependency
    region: MarkerSet
    origin: RequirementOrigin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requirement:
    """A requirement during the search; interned by the provider, compared by identity.

    Attributes:
        key: The decision it is on: package and region.
        specifier: Versions that match.
        extras: Required extras.
        region: The environments in which it applies, inside the region of `key`; never empty.
        origin: Where it is written; kept when a fork hands the requirement on.
    """

    key: Key
    specifier: Specifier
    extras: frozenset[str]
    region: MarkerSet
    origin: RequirementOrigin

    @property
    def name(self) -> str:
        """Normalized name of the required project."""
        return self.key[0]

    def is_part_of(self, other: Requirement) -> bool:
        """Whether a fork handed it on from `other`, or another fork did so for the same release."""
        return self.specifier is other.specifier and self.extras == other.extras and self.origin == other.origin
