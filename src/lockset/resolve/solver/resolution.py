"""The result of the search: which release is needed where, and by which others.

The graph of chosen releases is computed to a fixpoint from the roots. The guards of the search are not used: they may
be larger than what is needed in the end.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.solver.candidate import ForkCandidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.resolve.problem.requirement import Dependency, Key, RootRequirement
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Node", "NodeKey", "Pins", "Resolution", "ResolvedEdge", "Statistics", "resolution_graph"]

# A release: normalized name and version.
NodeKey = tuple[str, "Version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """Decisions of one run, or of several over parts of one universe.

    Attributes:
        parts: For each part of the universe, the decisions made for it; where parts overlap, the first one counts.
        translated: Translates regions to the extras and groups of another project, to which the decisions apply as
            well: that of a member of a workspace; None for the regions as they are.
    """

    parts: tuple[tuple[MarkerSet, Mapping[Key, Candidate]], ...]
    translated: Callable[[MarkerSet], MarkerSet] | None = None

    def leaves(self, name: str) -> Iterator[tuple[MarkerSet, Version]]:
        """Cells of `name` with the release chosen in each; disjoint, not always covering."""
        for region, version in self._leaves(name):
            placed = region if self.translated is None else self.translated(region)
            if not placed.is_empty:
                yield placed, version

    def _leaves(self, name: str) -> Iterator[tuple[MarkerSet, Version]]:
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


def resolution_graph(
    pins: Pins,
    roots: Sequence[RootRequirement],
    universe: MarkerSet,
    repository: Repository,
    statistics: Statistics | None = None,
) -> Resolution:
    """The part of `pins` that `roots` reach inside `universe`, each release with the region in which it is reached.

    Raises:
        LocksetError: `internal-uncovered`: a requirement applies where no release was chosen; a bug in the solver.
    """
    state = _Propagation(pins, repository)
    for root in roots:
        region = root.region & universe
        if not region.is_empty:
            state.add(root.dependency, region)
    state.run()
    nodes = {
        key: Node(
            key=key,
            region=state.regions[key],
            extras=tuple(sorted((e, r) for e, r in state.extras[key].items() if not r.is_empty)),
        )
        for key in sorted(state.regions)
    }
    edges = [e for root in roots for e in state.edges(None, root.dependency, root.region & universe)]
    for key in nodes:
        for dependency, region in state.requirements(key):
            edges.extend(state.edges(key, dependency, region))
    return Resolution(
        nodes=nodes,
        edges=tuple(edges),
        pins=pins,
        roots=tuple(roots),
        universe=universe,
        statistics=statistics or Statistics(),
    )


class _Propagation:
    """Regions only grow, and there are finitely many sets, so the fixpoint exists."""

    def __init__(self, pins: Pins, repository: Repository) -> None:
        self._pins = pins
        self._repository = repository
        self._leaves: dict[str, tuple[tuple[MarkerSet, Version], ...]] = {}
        self.regions: dict[NodeKey, MarkerSet] = {}
        self.extras: dict[NodeKey, dict[str, MarkerSet]] = {}
        self._waiting: deque[NodeKey] = deque()
        self._queued: set[NodeKey] = set()

    def leaves(self, name: str) -> tuple[tuple[MarkerSet, Version], ...]:
        known = self._leaves.get(name)
        if known is None:
            known = self._leaves[name] = tuple(self._pins.leaves(name))
        return known

    def add(self, dependency: Dependency, region: MarkerSet) -> None:
        """Mark the releases of `dependency` as needed in `region`."""
        left = region
        for leaf, version in self.leaves(dependency.name):
            part = left & leaf
            if part.is_empty:
                continue
            left = left - leaf
            self._grow((dependency.name, version), dependency.extras, part)
            if left.is_empty:
                return
        if not left.is_empty:
            raise LocksetError(
                "internal-uncovered",
                f"No release of {dependency.name} was chosen where {left} holds",
                hint="This is a bug in lockset: report it with the project that shows it",
            )

    def _grow(self, key: NodeKey, extras: frozenset[str], part: MarkerSet) -> None:
        before = self.regions.get(key)
        after = part if before is None else before | part
        changed = after is not before
        self.regions[key] = after
        known = self.extras.setdefault(key, {})
        for extra in extras:
            old = known.get(extra)
            new = part if old is None else old | part
            if new is not old:
                known[extra] = new
                changed = True
        if changed and key not in self._queued:
            self._queued.add(key)
            self._waiting.append(key)

    def run(self) -> None:
        """Follow the dependencies of reached releases until no region grows."""
        while self._waiting:
            key = self._waiting.popleft()
            self._queued.discard(key)
            for dependency, region in self.requirements(key):
                if dependency.name == key[0]:
                    self._grow(key, dependency.extras, region)
                else:
                    self.add(dependency, region)

    def requirements(self, key: NodeKey) -> Iterator[tuple[Dependency, MarkerSet]]:
        """The dependencies of a release, each with the region in which it applies."""
        facts = self._repository.facts(*key)
        assert facts is not None, key
        base = self.regions[key]
        extras = dict(self.extras[key])
        for dependency in facts.dependencies.with_extras(extras):
            marker = dependency.marker
            if marker.is_full:
                yield dependency, base
                continue
            region = base & marker.with_metadata_extra(None)
            for extra, where in extras.items():
                region |= where & marker.with_metadata_extra(extra)
            if not region.is_empty:
                yield dependency, region

    def edges(self, source: NodeKey | None, dependency: Dependency, region: MarkerSet) -> Iterator[ResolvedEdge]:
        """The edges from `source` to every release that meets `dependency`."""
        for leaf, version in self.leaves(dependency.name):
            part = region & leaf
            if not part.is_empty:
                target = (dependency.name, version)
                if target != source:
                    yield ResolvedEdge(source=source, target=target, dependency=dependency, region=part)
