"""Select the packages of the input in one environment, evaluated with packaging's markers alone.

`pipeline.verify` compares this with what the new lock file installs. To keep the two sides independent, this module
uses neither `MarkerSet` nor the code that assembles the lock file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.conversion.model.foreign_graph import ROUNDS
from lockset.conversion.model.selection import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge
    from lockset.conversion.model.selection import Choice, SelectableNames

__all__ = ["EntrySelector", "GraphSelector", "StatedEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedEntry:
    """An entry whose conditions the input states. It applies if any choice of `when` is made and its marker holds."""

    identity: str
    when: tuple[tuple[Choice, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelector:
    """Selector for a format that states the conditions of each entry."""

    entries: tuple[StatedEntry, ...]
    selectable: SelectableNames

    _by_choice: dict[tuple[frozenset[str], frozenset[str]], list[tuple[str, list[str | None]]]] = field(
        default_factory=dict
    )

    def select(self, situation: Situation) -> frozenset[str]:
        """Identities of the entries one of whose conditions holds."""
        return frozenset(
            name
            for name, markers in self._markers_of(situation.extras, situation.groups)
            if any(marker is None or situation.holds(marker) for marker in markers)
        )

    def _markers_of(self, extras: frozenset[str], groups: frozenset[str]) -> list[tuple[str, list[str | None]]]:
        """Every entry with the markers that count when these extras and groups are selected (cached)."""
        known = self._by_choice.get((extras, groups))
        if known is None:
            known = self._by_choice[extras, groups] = [
                (entry.identity, [m for choice, m in entry.when if self.selectable.holds(choice, extras, groups)])
                for entry in self.entries
            ]
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSelector:
    """Selector for a format that states a dependency graph. It walks the graph for one environment at a time."""

    graph: ForeignGraph
    selectable: SelectableNames
    _turns: dict[str, int] = field(default_factory=dict)

    def select(self, situation: Situation) -> frozenset[str]:
        """Walk the graph from its roots, again with the extras that the walk activated, until these are stable."""
        here, met = situation, self._walk(situation)
        for _ in range(ROUNDS if self.graph.activations else 0):
            here = Situation(
                environment=situation.environment, extras=situation.extras | self._active(met), groups=situation.groups
            )
            before, met = met, self._walk(here)
            if self._active(met) == self._active(before):
                break
        identities = (self.graph.nodes[key].identity for key in met if self._fits(key, here))
        return frozenset(name for name in identities if name is not None)

    def _active(self, met: Mapping[str, set[str]]) -> frozenset[str]:
        """The synthetic extras that hold for the visited entries."""
        return frozenset(
            mark
            for mark, (name, extra) in self.graph.activations.items()
            if any(self.graph.nodes[key].name == name and extra in extras for key, extras in met.items())
        )

    def _walk(self, situation: Situation) -> Mapping[str, set[str]]:
        """The visited entries, each with its extras."""
        met: dict[str, set[str]] = {}
        open_edges: list[GraphEdge] = []
        queue: list[GraphEdge] = []
        for root in self.graph.roots:
            chosen = self.selectable.holds(root.choice, situation.extras, situation.groups)
            if chosen and situation.holds(root.edge.marker):
                queue.append(root.edge)
        while queue or open_edges:
            if not queue:
                queue = self._decide_open_edges(open_edges, met, situation)
                open_edges = []
                continue
            edge = queue.pop()
            targets = [t for t in edge.targets if self._fits(t, situation)]
            if len(targets) > 1:
                open_edges.append(edge)
                continue
            for target in targets:
                queue.extend(self._visit(target, edge.extras, met, situation))
        return met

    def _fits(self, key: str, situation: Situation) -> bool:
        forks = self.graph.nodes[key].forks
        return not forks or any(situation.holds(fork) for fork in forks)

    def _visit(
        self, key: str, extras: Iterable[str], met: dict[str, set[str]], situation: Situation
    ) -> Iterable[GraphEdge]:
        new = key not in met
        known = met.setdefault(key, set())
        fresh = set(extras) - known
        known |= fresh
        node = self.graph.nodes[key]
        for edge in node.edges if new or fresh else ():
            if any(situation.holds(edge.marker, extra=extra) for extra in ("", *known)):
                yield edge
        for extra in fresh:
            for edge in node.optional.get(extra, ()):
                if situation.holds(edge.marker, extra=extra):
                    yield edge

    def _decide_open_edges(
        self, open_edges: list[GraphEdge], met: dict[str, set[str]], situation: Situation
    ) -> list[GraphEdge]:
        """Decide edges with several targets: by a visited target, else by the best for all edges of a name."""
        edges = list(dict.fromkeys(open_edges))
        for number, edge in enumerate(edges):
            chosen = [t for t in edge.targets if t in met and self._fits(t, situation)]
            if chosen:
                return [edge.towards(chosen[0]), *edges[:number], *edges[number + 1 :]]
        if not self._turns:
            self._turns.update(self.graph.turns)
        name = min((self._name(edge) for edge in edges), key=self._turns.__getitem__)
        edges_of_name = [edge for edge in edges if self._name(edge) == name]
        fitting = [[t for t in edge.targets if self._fits(t, situation)] for edge in edges_of_name]
        common = [t for t in fitting[0] if all(t in targets for targets in fitting)]
        working = [t for t in common if self._is_satisfiable(t, met, situation)]
        best = [min(working or common or targets, key=lambda t: self.graph.nodes[t].rank) for targets in fitting]
        decided = [edge.towards(target) for edge, target in zip(edges_of_name, best, strict=True)]
        return [*decided, *(edge for edge in edges if self._name(edge) != name)]

    def _is_satisfiable(self, key: str, met: Mapping[str, object], situation: Situation) -> bool:
        """Whether every requirement of the entry can be satisfied together with the visited entries."""
        for edge in self.graph.nodes[key].edges:
            if not (edge.targets or edge.others) or not situation.holds(edge.marker):
                continue
            fitting = [t for t in edge.targets if self._fits(t, situation)]
            there = [t for t in (*edge.targets, *edge.others) if t in met and self._fits(t, situation)]
            if not fitting or (there and not any(t in fitting for t in there)):
                return False
        return True

    def _name(self, edge: GraphEdge) -> str:
        return self.graph.nodes[edge.targets[0]].name
