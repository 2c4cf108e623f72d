"""What the search decides on: guarded candidates and splits."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.requirement import Key, Requirement

__all__ = ["Candidate", "ForkCandidate", "ReleaseCandidate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReleaseCandidate:
    """One release, chosen for a cell under a guard; interned by its maker, compared by identity.

    Attributes:
        key: Name and cell it decides.
        version: The release.
        guard: The environments in which it is needed, as known when it was made.
        extras: For each extra asked for by others, the environments in which it is.
        met: Memo: for requirements of its key, whether this candidate meets them.
    """

    key: Key
    version: Version
    guard: MarkerSet
    extras: tuple[tuple[str, MarkerSet], ...]
    met: dict[Requirement, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Normalised name of the project."""
        return self.key[0]

    @property
    def choice(self) -> Version:
        """What is chosen for the cell, however large its guard."""
        return self.version

    def meets(self, requirement: Requirement) -> bool:
        """Whether the version fits, and the requirement's region lies inside the guard and its extras' regions."""
        known = self.met.get(requirement)
        if known is None:
            known = self.met[requirement] = self._meets(requirement)
        return known

    def _meets(self, requirement: Requirement) -> bool:
        if not requirement.specifier.admits(self.version) or not requirement.region.implies(self.guard):
            return False
        if requirement.extras:
            regions = dict(self.extras)
            return all(e in regions and requirement.region.implies(regions[e]) for e in requirement.extras)
        return True

    def covers(self, other: Candidate) -> bool:
        """Whether all that `other` brings with it comes with this one too: what is bad for it is bad here."""
        if self is other:
            return True
        if not isinstance(other, ReleaseCandidate) or self.version != other.version:
            return False
        if not other.guard.implies(self.guard):
            return False
        mine = dict(self.extras)
        return all(e in mine and region.implies(mine[e]) for e, region in other.extras)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForkCandidate:
    """Not a release but the decision to treat a cell as two: inside and outside `boundary`.

    Attributes:
        key: Name and cell it decides.
        boundary: The set whose inside and outside become cells of their own.
        requirements: All requirements of the cell when the split was made, in the order in which they came.
    """

    key: Key
    fork_point: MarkerSet
    requirements: Mapping[Requirement, None]

    @property
    def name(self) -> str:
        """Normalised name of the project."""
        return self.key[0]

    @property
    def choice(self) -> MarkerSet:
        """What is chosen for the cell, however many requirements it hands on."""
        return self.fork_point

    @property
    def halves(self) -> tuple[MarkerSet, MarkerSet]:
        """The two cells."""
        cell = self.key[1]
        return cell & self.fork_point, cell - self.fork_point

    def meets(self, requirement: Requirement) -> bool:
        """Whether it hands the requirement on."""
        return requirement in self.requirements

    def covers(self, other: Candidate) -> bool:
        """Whether it hands on all that `other` does."""
        if self is other:
            return True
        return (
            isinstance(other, ForkCandidate)
            and self.fork_point is other.fork_point
            and self.requirements.keys() >= other.requirements.keys()
        )


Candidate = ReleaseCandidate | ForkCandidate
