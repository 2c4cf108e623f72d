"""The kinds of concerns in a report, each with its name for `lockset report --fail-on`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONCERNS", "Concern", "ConcernKind", "ConcernName", "Gravity"]

ConcernName: TypeAlias = Literal[
    "missing-file",
    "quarantined",
    "not-on-index",
    "invalid",
    "yanked",
    "weak-hash",
    "insecure-url",
    "archived",
    "deprecated",
    "sdist-only",
    "partial-wheels",
    "outdated",
    "old",
    "other-index",
    "direct-source",
    "warnings",
    "not-checked",
]
# `bad` breaks or endangers an installation, `poor` makes it worse, `note` is worth knowing.
Gravity: TypeAlias = Literal["bad", "poor", "note"]


class ConcernKind(NamedTuple):
    """A kind of concern.

    Attributes:
        title: In a few words, for a heading.
        meaning: One sentence.
        gravity: How grave it is.
        online: Whether only an index tells.
    """

    title: str
    meaning: str
    gravity: Gravity
    online: bool = False


# In the order of reports, the gravest first.
CONCERNS: Mapping[ConcernName, ConcernKind] = {
    "missing-file": ConcernKind(
        "Nothing to install", "On some environment there is neither a usable wheel nor an sdist.", "bad"
    ),
    "quarantined": ConcernKind(
        "Quarantined", "The index has quarantined the project, which may be malicious (PEP 792).", "bad", online=True
    ),
    "not-on-index": ConcernKind(
        "Gone from the index", "The index does not have the project or the locked version.", "bad", online=True
    ),
    "invalid": ConcernKind("Invalid", "`lockset validate` reports errors.", "bad"),
    "yanked": ConcernKind("Yanked", "The publisher has withdrawn the locked version (PEP 592).", "bad", online=True),
    "weak-hash": ConcernKind("No strong hash", "A file has no SHA-256 or stronger hash.", "bad"),
    "insecure-url": ConcernKind("Insecure URL", "A file is downloaded over `http:`.", "bad"),
    "archived": ConcernKind(
        "Archived", "The project expects no more releases, nor security fixes (PEP 792).", "poor", online=True
    ),
    "deprecated": ConcernKind("Deprecated", "The project is considered obsolete (PEP 792).", "poor", online=True),
    "sdist-only": ConcernKind(
        "Only an sdist", "There is no wheel at all: each installation builds the package and runs its code.", "poor"
    ),
    "partial-wheels": ConcernKind(
        "Built on some environments", "There are wheels, but some environment has to build the sdist.", "poor"
    ),
    "outdated": ConcernKind("Newer versions", "The index has a newer final release.", "note", online=True),
    "old": ConcernKind("Old", "The locked version was uploaded long ago.", "note"),
    "other-index": ConcernKind("Another index", "The package comes from another index than the default one.", "note"),
    "direct-source": ConcernKind(
        "Not from an index", "The package comes from a repository, a folder or an archive.", "note"
    ),
    "warnings": ConcernKind("Warnings", "`lockset validate` reports warnings.", "note"),
    "not-checked": ConcernKind("Could not be checked", "The index could not be read.", "note", online=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """One concern about one package.

    Attributes:
        name: Its kind.
        entry: Index of the package in the lock file; None for the file as a whole.
        detail: What exactly, in a few words; may be empty.
    """

    name: ConcernName
    entry: int | None
    detail: str
