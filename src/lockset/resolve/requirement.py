"""What is asked of a project: specifiers and requirements, interned so that equal ones are the same object."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lockset.errors import LocksetError
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.version import Version

__all__ = ["ANY_VERSION", "Dependency", "Key", "Origin", "Requirement", "Root", "Specifier", "parse_dependency"]

_EXTRA_ALONE = re.compile(r"""extra == "[^"]*"|extra == '[^']*'""")

# A decision of the search: one name in one part of the universe.
Key = tuple[str, MarkerSet]


class Specifier:
    """An interned set of version specifiers: `Specifier.of` gives one object for one meaning as written."""

    __slots__ = ("exact", "names_prerelease", "specifiers", "text")
    _known: ClassVar[dict[str, Specifier]] = {}

    def __init__(self, specifiers: SpecifierSet, text: str) -> None:
        self.specifiers = specifiers
        self.text = text
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

    def admits(self, version: Version) -> bool:
        """Whether `version` fits; pre-releases fit like others, since policy decides on them."""
        return self.specifiers.contains(version, prereleases=True)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Specifier({self.text!r})"


ANY_VERSION = Specifier.of(SpecifierSet())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dependency:
    """One requirement of a release or of the project, parsed; interned by its text.

    Attributes:
        name: Normalised name of the project asked for.
        extras: Normalised names of its extras asked for.
        specifier: Versions that fit.
        marker: Where it applies; the variable `extra` may be in it.
        condition: The same as packaging parsed it; None for always.
        condition_on_extra_alone: No variable but `extra` is in the condition, so that it holds everywhere or nowhere.
        url: The direct URL asked for, None for a project of an index.
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


@cache
def parse_dependency(text: str) -> Dependency:
    """`text` (dependency specifier) as a Dependency.

    Raises:
        LocksetError: `requirement-syntax`.
    """
    try:
        parsed = ParsedRequirement(text)
    except InvalidRequirement as error:
        raise LocksetError("requirement-syntax", f"{text!r} is no requirement: {error}") from error
    marker = MarkerSet.any() if parsed.marker is None else MarkerSet.of_marker(parsed.marker)
    extras = frozenset(str(canonicalize_name(e)) for e in parsed.extras)
    brackets = f"[{','.join(sorted(extras))}]" if extras else ""
    name = str(canonicalize_name(parsed.name))
    place = f" @ {parsed.url}" if parsed.url else str(parsed.specifier)
    return Dependency(
        name=name,
        extras=extras,
        specifier=Specifier.of(parsed.specifier),
        marker=marker,
        condition=parsed.marker,
        condition_on_extra_alone=parsed.marker is not None and _EXTRA_ALONE.fullmatch(str(parsed.marker)) is not None,
        url=parsed.url,
        text=f"{name}{brackets}{place}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who asks: the project itself (`version` None) or a release of another project.

    Attributes:
        name: Normalised name of the asking project; for a root, where it is written (`pyproject.toml`, ...).
        version: The asking release; None for a root.
        text: The requirement as asked, without its marker.
    """

    name: str
    version: Version | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One requirement of the project itself.

    Attributes:
        dependency: What is asked.
        region: Where, before the universe is considered: its marker and the extra or group it belongs to.
        origin: Where it is written.
    """

    dependency: Dependency
    region: MarkerSet
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requirement:
    """A requirement inside one run of the search; interned by the provider, compared by identity.

    Attributes:
        key: The decision it bears on: name and cell.
        specifier: Versions that fit.
        extras: Extras asked for.
        region: The environments in which it applies, inside the cell; never empty.
        origin: Who asks; kept when a split hands the requirement on.
    """

    key: Key
    specifier: Specifier
    extras: frozenset[str]
    region: MarkerSet
    origin: Origin

    @property
    def name(self) -> str:
        """Normalised name of the project asked for."""
        return self.key[0]
