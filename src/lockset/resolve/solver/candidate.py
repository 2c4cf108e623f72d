"""Candidates of a decision: a release with the environments in which it is needed, or a fork."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.requirement import Key, Requirement

__all__ = ["Candidate", "ForkCandidate", "ReleaseCandidate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReleaseCandidate:
    """One release for a decision, under a guard; interned by `CandidateMaker`, compared by identity.

    Attributes:
        key: Package and region of the decision.
        version: The release.
        guard: The environments in which it is needed, as known when it was made.
        extras: For each required extra, the environments in which it is required.
        met: Memo of `meets`.
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
        """The version, which identifies the choice regardless of the guard."""
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
        """Whether this candidate brings all that `other` brings, so that what excludes `other` excludes it."""
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
    """The choice to divide the region of a decision in two: inside and outside the fork point.

    Attributes:
        key: Package and region of the decision.
        fork_point: The set whose inside and outside become regions of decisions of their own.
        requirements: The requirements on the decision when the fork was made, in the order in which they came.
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
        """The fork point, which identifies the choice regardless of its requirements."""
        return self.fork_point

    @property
    def halves(self) -> tuple[MarkerSet, MarkerSet]:
        """The two regions."""
        region = self.key[1]
        return region & self.fork_point, region - self.fork_point

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
