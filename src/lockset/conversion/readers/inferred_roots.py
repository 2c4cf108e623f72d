"""Who is asked for, where neither the lock nor its project tells: what nothing else in the lock explains.

A lock holds nothing without a reason: an entry that no other one needs was asked for by the project. So every entry is
asked for or needed, and the fewest are taken as asked for. What this cannot know, and what callers have to tell their
users, are the markers of those requirements, and requirements of the project for what others need as well.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.graph import ForeignGraph, GraphEdge, GraphRoot, region_of_text
from lockset.conversion.readers.reachability import reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.conversion.model.graph import GraphNode
    from lockset.conversion.model.selectable import Choice, SelectableNames
    from lockset.markers import MarkerSet

__all__ = ["InferredRoots", "infer_roots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredRoots:
    """What is taken as asked for.

    Attributes:
        roots: The requirements, those that were known among them.
        asked: Names of what is taken as asked for, sorted.
        extras: Those of them with extras (`name[extra]`), sorted: what the extras add would be unexplained otherwise.
        forked: Names of which several entries are locked, and nothing tells where each of them applies, sorted.
    """

    roots: tuple[GraphRoot, ...]
    asked: tuple[str, ...]
    extras: tuple[str, ...]
    forked: tuple[str, ...]


def infer_roots(
    nodes: Mapping[str, GraphNode],
    members: Mapping[Choice, Sequence[str]],
    *,
    known: Sequence[GraphRoot] = (),
    optional: Sequence[str] = (),
    bounds: Mapping[str, str] | None = None,
    offers: SelectableNames,
    universe: MarkerSet,
) -> InferredRoots:
    """The fewest requirements by which every member is reached somewhere in `universe`.

    Args:
        nodes: The graph.
        members: By whose choice entries (keys) are installed; each is to be explained within its choice.
        known: Requirements that the lock does tell.
        optional: Entries that only known requirements reach, with extras perhaps.
        bounds: Markers for entries that cannot be installed elsewhere, should they be asked for.
        offers: What can be chosen.
        universe: What the lock serves.
    """
    walk = _RootInference(nodes=nodes, universe=universe, roots=list(known), bounds=bounds or {})
    walk.explain_optional(known, walk.unreached(optional, offers))
    for choice, keys in members.items():
        walk.explain(choice, list(keys))
        while left := walk.unreached(keys, offers):
            walk.ask(choice, _tops(left, walk.needs()))
    names = sorted({nodes[key].name for key in walk.asked})
    extras = sorted({f"{nodes[key].name}[{extra}]" for key, extra in walk.extras})
    return InferredRoots(
        roots=tuple(walk.roots), asked=tuple(names), extras=tuple(extras), forked=tuple(walk.forked(offers))
    )


@dataclass(slots=True, kw_only=True)
class _RootInference:
    """One search; what is asked for only grows."""

    nodes: Mapping[str, GraphNode]
    universe: MarkerSet
    roots: list[GraphRoot]
    bounds: Mapping[str, str]
    asked: list[str] = field(default_factory=list)
    extras: list[tuple[str, str]] = field(default_factory=list)

    def explain(self, choice: Choice, keys: Sequence[str]) -> None:
        """Asks for what nothing among `keys` needs; with extras, where these explain entries that nothing needs."""
        while True:
            tops = _tops(keys, self.needs())
            found = self._best_extra(keys, frozenset(tops))
            if found is None:
                self.ask(choice, tops)
                return
            self.asked.append(found[0])
            self.roots.append(GraphRoot(choice=choice, edge=self._with_extra(*found)))

    def _with_extra(self, key: str, extra: str) -> GraphEdge:
        """A requirement of whatever entry of the name, with the extra."""
        name = self.nodes[key].name
        several = [k for k, node in self.nodes.items() if node.name == name]
        self.extras += [(k, extra) for k in several]
        targets = tuple(sorted(several, key=lambda k: self.nodes[k].rank))
        return GraphEdge(targets=targets, extras=frozenset({extra}))

    def explain_optional(self, known: Sequence[GraphRoot], left: Sequence[str]) -> None:
        """Asks for extras of what known requirements name, where these explain entries that nothing needs."""
        named = dict.fromkeys(target for root in known for target in root.edge.targets)
        tops = frozenset(_tops(left, self.needs()))
        while found := self._best_extra(named, tops):
            edge = self._with_extra(*found)
            self.roots += [GraphRoot(choice=r.choice, edge=edge) for r in known if found[0] in r.edge.targets]

    def ask(self, choice: Choice, keys: Iterable[str]) -> None:
        """Takes the names of the entries as asked for, everywhere."""
        by_name: dict[str, list[str]] = {}
        for key in keys:
            by_name.setdefault(self.nodes[key].name, []).append(key)
            self.asked.append(key)
        for several in by_name.values():
            targets = tuple(sorted(several, key=lambda key: self.nodes[key].rank))
            markers = {self.bounds.get(key) for key in several}
            marker = markers.pop() if len(markers) == 1 else None
            self.roots.append(GraphRoot(choice=choice, edge=GraphEdge(targets=targets, marker=marker)))

    def unreached(self, keys: Iterable[str], offers: SelectableNames) -> list[str]:
        """Those of `keys` that are reached nowhere."""
        graph = ForeignGraph(nodes=self.nodes, roots=tuple(self.roots))
        regions = reach(graph, offers, self.universe).regions
        return [key for key in keys if key not in regions]

    def needs(self) -> dict[str, frozenset[str]]:
        """What each entry needs somewhere, with the extras that anything asks for."""
        return {key: frozenset(t for e in edges for t in e.targets) for key, edges in self._edges().items()}

    def _edges(self) -> dict[str, list[GraphEdge]]:
        asked: dict[str, set[str]] = {key: set() for key in self.nodes}
        queue = list(self.nodes)
        for root in self.roots:
            for target in root.edge.targets:
                asked[target] |= root.edge.extras
        found: dict[str, list[GraphEdge]] = {}
        while queue:
            key = queue.pop()
            found[key] = list(self._needed(self.nodes[key], asked[key]))
            for edge in found[key]:
                for target in edge.targets:
                    if not edge.extras <= asked[target]:
                        asked[target] |= edge.extras
                        queue.append(target)
        return found

    def _needed(self, node: GraphNode, extras: Iterable[str]) -> Iterator[GraphEdge]:
        for edge in node.edges:
            if self._applies(edge, None) or any(self._applies(edge, extra) for extra in extras):
                yield edge
        for extra in extras:
            yield from (edge for edge in node.optional.get(extra, ()) if self._applies(edge, extra))

    def _applies(self, edge: GraphEdge, extra: str | None) -> bool:
        return not (region_of_text(edge.marker).with_metadata_extra(extra) & self.universe).is_empty

    def _best_extra(self, keys: Iterable[str], tops: frozenset[str]) -> tuple[str, str] | None:
        """An entry with an extra all of whose requirements are locked, and some of them for no other reason.

        Of several the one that explains most, then the one that needs least.
        """
        found: list[tuple[int, int, str, str]] = []
        chosen = frozenset(self.extras)
        for key in keys:
            node = self.nodes[key]
            for extra in sorted(_extras_of(node)):
                edges = [e for e in node.edges if not self._applies(e, None) and self._applies(e, extra)]
                edges += [e for e in node.optional.get(extra, ()) if self._applies(e, extra)]
                explained = tops & {t for edge in edges for t in edge.targets} - {key}
                if explained and all(edge.targets for edge in edges) and (key, extra) not in chosen:
                    found.append((-len(explained), len(edges), key, extra))
        return min(found)[2:] if found else None

    def forked(self, offers: SelectableNames) -> list[str]:
        """Names with entries that would be installed together."""
        by_name: dict[str, list[str]] = {}
        for key, node in self.nodes.items():
            if node.identity is not None:
                by_name.setdefault(node.name, []).append(key)
        several = {name: keys for name, keys in by_name.items() if len(keys) > 1}
        if not several:
            return []
        regions = reach(ForeignGraph(nodes=self.nodes, roots=tuple(self.roots)), offers, self.universe).regions
        found = []
        for name, keys in several.items():
            reached = [key for key in keys if key in regions]
            if not all(regions[a].is_disjoint(regions[b]) for i, a in enumerate(reached) for b in reached[:i]):
                found.append(name)
        return sorted(found)


def _extras_of(node: GraphNode) -> set[str]:
    found = set(node.optional)
    for edge in node.edges:
        found |= region_of_text(edge.marker).metadata_extras()
    return found


def _tops(keys: Sequence[str], needs: Mapping[str, frozenset[str]]) -> list[str]:
    """Those of `keys` that no other of them needs; of a circle that nothing else needs, all."""
    inside = frozenset(keys)
    needed = {target for key in keys for target in needs[key] if target != key}
    found = [key for key in keys if key not in needed]
    seen = _below(found, needs, inside)
    askers: dict[str, set[str]] = {key: set() for key in keys}
    for key in keys:
        for target in needs[key] & inside:
            askers[target].add(key)
    for key in keys:
        if key in seen:
            continue
        above, below = _below([key], askers, inside), _below([key], needs, inside)
        if above <= below:
            found += sorted(above)
            seen |= below
    return found


def _below(keys: Iterable[str], needs: Mapping[str, Iterable[str]], inside: frozenset[str]) -> set[str]:
    found: set[str] = set()
    queue = list(keys)
    while queue:
        key = queue.pop()
        if key in found:
            continue
        found.add(key)
        queue.extend(target for target in needs[key] if target in inside)
    return found
