"""Walk a dependency graph, and compute for each entry the region (set of environments) in which it is required."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.foreign_graph import ROUNDS, ForeignGraph, GraphEdge, order_of
from lockset.conversion.model.imported_lock import region_of_text
from lockset.errors import LocksetError
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.conversion.model.selection import SelectableNames

__all__ = ["Reachability", "compute_reachability", "dependencies_of", "unmet_requirement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability:
    """The regions in which each node, and each of its extras, is required. Nodes that never are have no region.

    `decided`: names with several entries that fit, of which the best was taken.
    """

    regions: Mapping[str, MarkerSet]
    extras: Mapping[str, Mapping[str, MarkerSet]]
    decided: frozenset[str] = frozenset()


def compute_reachability(graph: ForeignGraph, selectable: SelectableNames, universe: MarkerSet) -> Reachability:
    """Compute where the nodes of the graph are required within `universe`.

    Raises:
        LocksetError: `conflict-unsupported`: whether an extra is requested depends on itself.
    """
    regions = dict.fromkeys(graph.activations, MarkerSet.none())
    for _ in range(ROUNDS):
        reached = _walk_graph(graph, selectable, universe, regions)
        again = {mark: _extra_region(graph, reached, *activation) for mark, activation in graph.activations.items()}
        if again == regions:
            return reached
        regions = again
    raise LocksetError(
        "conflict-unsupported",
        "Whether a conflicting extra is requested depends on that extra, and a lock file cannot express that",
        hint="Convert one workspace member alone with `--package NAME`",
    )


def _extra_region(graph: ForeignGraph, reached: Reachability, name: str, extra: str) -> MarkerSet:
    region = MarkerSet.none()
    for key, extras in reached.extras.items():
        if graph.nodes[key].name == name:
            region |= extras.get(extra, MarkerSet.none())
    return region


def _walk_graph(
    graph: ForeignGraph, selectable: SelectableNames, universe: MarkerSet, regions: Mapping[str, MarkerSet]
) -> Reachability:
    walk = _RegionWalk(graph, regions)
    for root in graph.roots:
        walk.follow(root.edge, selectable.region(root.choice) & universe & walk.region_of(root.edge.marker))
    walk.run()
    return Reachability(regions=walk.regions, extras=walk.extras, decided=frozenset(walk.decided))


class _RegionWalk:
    """A fixpoint: regions grow until nothing changes. They only grow, and there are finitely many sets."""

    def __init__(self, graph: ForeignGraph, activations: Mapping[str, MarkerSet]) -> None:
        """`activations`: the regions in which the synthetic extras of the graph hold."""
        self._graph = graph
        self._activations = activations
        self._read: dict[str, MarkerSet] = {}
        self.regions: dict[str, MarkerSet] = {}
        self.extras: dict[str, dict[str, MarkerSet]] = {}
        self._order = order_of(graph)
        self._queue: list[tuple[int, str]] = []
        self._queued: set[str] = set()
        self._open: dict[GraphEdge, MarkerSet] = {}
        self._turns = graph.turns
        self.decided: set[str] = set()

    def run(self) -> None:
        """Follow every edge. Edges with several targets are decided last."""
        while True:
            while self._queue:
                _, key = heappop(self._queue)
                self._queued.discard(key)
                for edge, region in self._requirements(key):
                    self.follow(edge, region)
            if not self._decide():
                return

    def region_of(self, marker: str | None) -> MarkerSet:
        """The region of a marker of the graph, with the synthetic extras replaced."""
        if marker is None:
            return MarkerSet.any()
        if marker not in self._read:
            self._read[marker] = region_of_text(marker).with_extras_as(self._activations)
        return self._read[marker]

    def follow(self, edge: GraphEdge, region: MarkerSet) -> None:
        """Follow `edge` in `region`."""
        fitting = [(target, region & self._fork(target)) for target in edge.targets]
        several = MarkerSet.none()
        for number, (_, one) in enumerate(fitting):
            for _, other in fitting[:number]:
                several |= one & other
        for target, part in fitting:
            self._grow(target, edge.extras, part - several)
        if not several.is_empty:
            self._open[edge] = self._open.get(edge, MarkerSet.none()) | several

    def _fork(self, key: str) -> MarkerSet:
        forks = self._graph.nodes[key].forks
        if not forks:
            return MarkerSet.any()
        region = MarkerSet.none()
        for fork in forks:
            region |= self.region_of(fork)
        return region

    def _decide(self) -> bool:
        """Decide one edge with several targets, by a target already required or by name. False if none is left."""
        for edge, region in self._open.items():
            left = region
            changed = False
            for target in edge.targets:
                part = left & self._fork(target) & self.regions.get(target, MarkerSet.none())
                left -= part
                changed |= self._grow(target, edge.extras, part)
            if changed:
                return True
        left_open: dict[str, list[tuple[GraphEdge, MarkerSet]]] = {}
        for edge, region in self._open.items():
            left = region
            for target in edge.targets:
                left -= self._fork(target) & self.regions.get(target, MarkerSet.none())
            if not left.is_empty:
                left_open.setdefault(self._graph.nodes[edge.targets[0]].name, []).append((edge, left))
        if not left_open:
            return False
        name = min(left_open, key=self._turns.__getitem__)
        self.decided.add(name)
        self._choose(left_open[name])
        return True

    def _choose(self, open_edges: Sequence[tuple[GraphEdge, MarkerSet]]) -> None:
        """Satisfy all requirements of one name: by the best entry for all of them, else each by its own best.

        Entries whose own requirements cannot be satisfied come last.
        """
        for common, working in ((True, True), (True, False), (False, False)):
            parts: dict[GraphEdge, MarkerSet] = dict(open_edges)
            targets = dict.fromkeys(t for edge, _ in open_edges for t in edge.targets)
            for target in sorted(targets, key=lambda t: self._graph.nodes[t].rank):
                refused = self._unsatisfiable_region(target) if working else MarkerSet.none()
                for edge, _ in open_edges:
                    if common and target not in edge.targets:
                        refused |= parts[edge]
                for edge, _ in open_edges:
                    if target in edge.targets:
                        part = (parts[edge] & self._fork(target)) - refused
                        self._grow(target, edge.extras, part)
                        parts[edge] -= part
            open_edges = [(edge, left) for edge, left in parts.items() if not left.is_empty]

    def _unsatisfiable_region(self, key: str) -> MarkerSet:
        """Where a requirement of the entry has no target, or conflicts with an entry of its name that is required."""
        failing = MarkerSet.none()
        for edge in self._graph.nodes[key].edges:
            fitting, reached, other = MarkerSet.none(), MarkerSet.none(), MarkerSet.none()
            for target in (*edge.targets, *edge.others):
                here = self.regions.get(target, MarkerSet.none()) & self._fork(target)
                if target in edge.targets:
                    fitting |= self._fork(target)
                    reached |= here
                else:
                    other |= here
            answered = fitting - (other - reached)
            if edge.targets or edge.others:
                failing |= self.region_of(edge.marker).with_metadata_extra(None) - answered
        return failing

    def _grow(self, key: str, extras: frozenset[str], part: MarkerSet) -> bool:
        if part.is_empty:
            return False
        before = self.regions.get(key, MarkerSet.none())
        after = before | part
        changed = after is not before
        self.regions[key] = after
        known = self.extras.setdefault(key, {})
        for extra in extras:
            old = known.get(extra, MarkerSet.none())
            if (new := old | part) is not old:
                known[extra] = new
                changed = True
        if changed and key not in self._queued:
            self._queued.add(key)
            heappush(self._queue, (self._order[key], key))
        return changed

    def _requirements(self, key: str) -> Iterator[tuple[GraphEdge, MarkerSet]]:
        node = self._graph.nodes[key]
        base = self.regions[key]
        extras = tuple(self.extras[key].items())
        for edge in node.edges:
            yield edge, _required_region(edge, self.region_of(edge.marker), base, extras)
        for extra, where in extras:
            for edge in node.optional.get(extra, ()):
                yield edge, where & self.region_of(edge.marker).with_metadata_extra(extra)


def _required_region(
    edge: GraphEdge, marker: MarkerSet, base: MarkerSet, extras: tuple[tuple[str, MarkerSet], ...]
) -> MarkerSet:
    if edge.marker is None:
        return base
    region = base & marker.with_metadata_extra(None)
    for extra, where in extras:
        region |= where & marker.with_metadata_extra(extra)
    return region


def unmet_requirement(graph: ForeignGraph, reached: Reachability) -> tuple[str, GraphEdge, MarkerSet] | None:
    """A requirement that no entry satisfies somewhere, though the lock has entries of its name; None if all are met."""
    for key, base in reached.regions.items():
        for edge in graph.nodes[key].edges:
            if not edge.others:
                continue
            left = _required_region(edge, region_of_text(edge.marker), base, tuple(reached.extras[key].items()))
            for target in edge.targets:
                left -= reached.regions.get(target, MarkerSet.none())
            if not left.is_empty:
                return key, edge, left
    return None


def dependencies_of(
    graph: ForeignGraph, key: str, reached: Reachability, versions: Mapping[str, tuple[str, str | None]]
) -> tuple[tuple[str, str | None], ...]:
    """Names that the node requires somewhere, sorted; with versions if the lock has several entries of the name.

    `versions`: key to name and version for every entry of the output.
    """
    node = graph.nodes[key]
    edges = [*node.edges]
    for extra in reached.extras[key]:
        edges += node.optional.get(extra, ())
    here = reached.regions[key]
    counted = Counter(name for name, _ in versions.values())
    needed: set[tuple[str, str | None]] = set()
    for edge in edges:
        for target in edge.targets:
            if target == key or target not in versions or target not in reached.regions:
                continue
            if not (reached.regions[target] & here & _applicable_region(edge, reached.extras[key])).is_empty:
                name, version = versions[target]
                needed.add((name, version if counted[name] > 1 else None))
    return tuple(sorted(needed, key=lambda pair: (pair[0], pair[1] or "")))


def _applicable_region(edge: GraphEdge, extras: Iterable[str]) -> MarkerSet:
    """Where the edge applies, with any one of the extras or none."""
    marker = region_of_text(edge.marker)
    region = marker.with_metadata_extra(None)
    for extra in extras:
        region |= marker.with_metadata_extra(extra)
    return region
