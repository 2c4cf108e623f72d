"""The result of the search: which release is needed where, and by which others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.markers import MarkerSet
from lockset.resolve.solver.candidate import ForkCandidate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.version import Version

    from lockset.resolve.problem.requirement import Dependency, Key, RootRequirement
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Node", "NodeKey", "Pins", "Resolution", "ResolvedEdge", "Statistics"]

# A release: normalised name and version.
NodeKey = tuple[str, "Version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Decisions of one run, or of several over parts of one universe.

    Attributes:
        parts: For each part of the universe, the decisions made for it; where parts overlap, the first one counts.
    """

    parts: tuple[tuple[MarkerSet, Mapping[Key, Candidate]], ...]

    def leaves(self, name: str) -> Iterator[tuple[MarkerSet, Version]]:
        """Cells of `name` with the release chosen in each; disjoint, not always covering."""
        earlier = MarkerSet.none()
        for universe, mapping in self.parts:
            waiting = [universe]
            while waiting:
                candidate = mapping.get((name, waiting.pop()))
                if isinstance(candidate, ForkCandidate):
                    waiting.extend(reversed(candidate.halves))
                elif candidate is not None and not (region := candidate.key[1] - earlier).is_empty:
                    yield region, candidate.version
            earlier |= universe

    def joined(self, other: Pins) -> Pins:
        """Both, over the union of their universes; where these overlap, the decisions of this one."""
        return Pins(parts=self.parts + other.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEdge:
    """One requirement that applies between two releases.

    Attributes:
        source: The release with the requirement, None for the project itself.
        target: The release that meets it.
        dependency: The requirement.
        region: Where it applies and this release meets it.
    """

    source: NodeKey | None
    target: NodeKey
    dependency: Dependency
    region: MarkerSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One release of a resolution.

    Attributes:
        key: Name and version.
        region: Where it is needed; inside the universe, never empty.
        extras: Where each of its extras is needed.
    """

    key: NodeKey
    region: MarkerSet
    extras: tuple[tuple[str, MarkerSet], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Counts of a search."""

    rounds: int = 0
    conflicts: int = 0
    restarts: int = 0
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A complete solution.

    Attributes:
        nodes: By name and version, sorted by both.
        edges: Sorted by source, target and requirement.
        pins: The decisions it was made from.
        roots: The root requirements.
        universe: The environments it serves.
        statistics: Counts of the search.
    """

    nodes: Mapping[NodeKey, Node]
    edges: tuple[ResolvedEdge, ...]
    pins: Pins
    roots: tuple[RootRequirement, ...]
    universe: MarkerSet
    statistics: Statistics
