"""A requirement with its origin."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_dependency
from lockset.errors import RequirementSyntaxError
from lockset.sources.direct_url import split_hashes
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from lockset.hashes import Digest

__all__ = ["RequirementLine", "parse_requirement"]

_LONE_EQUALS = lazy_pattern(r"(?<![=!<>~])=(?!=)")
# The most digits of a number. Longer ones are not versions, and Python refuses to convert them.
_DIGITS = 1_000
_NUMBER = lazy_pattern(f"[0-9]{{{_DIGITS}}}")
# The deepest parentheses in a marker, below the limit of every release of packaging. Real markers have two.
_MAX_NESTING = 100
_POETRY_BOUND = lazy_pattern(r"[\^]|~\s*\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """A requirement and where it comes from.

    Attributes:
        text: The requirement as written, without options, comments and hashes.
        requirement: The same, parsed. A path or bare URL becomes `name @ url`; local paths become absolute
            `file:` URLs. The URL has no hash and no `egg` fragment.
        origin: For messages and annotations: `pyproject.toml [project.dependencies]`, `requirements.in:3`.
        hashes: Digests of which the file must match one; empty for none.
        editable: Whether to install the source tree as editable.
        config_settings: Pairs for the build backend, in the order written.
    """

    text: str
    requirement: Requirement
    origin: str
    hashes: tuple[Digest, ...] = ()
    editable: bool = False
    config_settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> NormalizedName:
        """The normalized project name."""
        return canonicalize_name(self.requirement.name)

    @property
    def extras(self) -> frozenset[NormalizedName]:
        """The normalized extras."""
        return frozenset(canonicalize_name(extra) for extra in self.requirement.extras)

    def where(self, marker: Marker | None, *, through: str) -> RequirementLine:
        """The same requirement restricted to `marker`, with an origin that names `through`."""
        origin = f"{self.origin} (through {through})"
        if marker is None:
            return replace(self, origin=origin)
        narrowed = read_dependency(str(self.requirement))
        narrowed.marker = marker if narrowed.marker is None else marker & narrowed.marker
        return replace(self, text=str(narrowed), requirement=narrowed, origin=origin)


def parse_requirement(text: str, *, origin: str, location: str | None = None) -> RequirementLine:
    """Parse a dependency specifier (PEP 508).

    Raises:
        LocksetError: `requirement-syntax`, with the invalid part marked below the message; `hash-weak` and
            `hash-malformed` for hashes in a URL.
    """
    if text.count("(") > _MAX_NESTING and _nesting(text) > _MAX_NESTING:
        raise RequirementSyntaxError("The marker is nested too deeply", location=location or origin)
    try:
        requirement = read_dependency(text)
    except InvalidRequirement as error:
        reason, *marked = str(error).split("\n")
        raise RequirementSyntaxError(
            f"`{without_secrets(text)}` is not a requirement: {reason}",
            location=location or origin,
            # With credentials masked, the mark would point to the wrong part.
            context=tuple(line for line in marked if line.strip()) if without_secrets(text) == text else (),
            hint=_hint(text),
        ) from error
    try:
        urlsplit(requirement.url or "")
    except ValueError as error:
        raise RequirementSyntaxError(
            f"`{without_secrets(text)}` does not have a valid URL", location=location or origin
        ) from error
    if len(text) > _DIGITS and _NUMBER.search(text):
        raise RequirementSyntaxError(
            f"A number in the requirement has more than {_DIGITS} digits",
            location=location or origin,
        )
    hashes: tuple[Digest, ...] = ()
    if requirement.url is not None:
        requirement.url, hashes = split_hashes(requirement.url, location=location or origin)
    return RequirementLine(text=text.strip(), requirement=requirement, origin=origin, hashes=hashes)


def _nesting(text: str) -> int:
    """The depth of the parentheses in `text`."""
    return max(accumulate({"(": 1, ")": -1}.get(sign, 0) for sign in text), default=0)


def _hint(text: str) -> str | None:
    # Look at the version part only: a marker or URL may contain the same characters.
    version_part = text.partition(";")[0]
    if "@" in version_part or "://" in version_part:
        return "Write a direct reference as `name @ URL`, with a blank before any `;`"
    if _POETRY_BOUND.search(version_part):
        return "Write versions in the standard form, such as `>=1.2,<2` or `~=1.2`"
    if _LONE_EQUALS.search(version_part):
        return "Write `==` for an exact version"
    return None
