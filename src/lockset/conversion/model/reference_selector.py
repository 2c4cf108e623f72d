"""What a foreign lock installs in one environment, by packaging's markers alone: the other side of the proof.

Nothing here knows of MarkerSets or of the writer: a conversion is right where both sides agree.
"""

from __future__ import annotations

from dataclasses import field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from lockset._dataclass import dataclass
from lockset.conversion.model.graph import ROUNDS
from lockset.dependency_specifiers import composed_marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.markers import Marker

    from lockset.conversion.model.graph import ForeignGraph, GraphEdge
    from lockset.conversion.model.selectable import Choice, SelectableNames

__all__ = ["EntrySelector", "GraphSelector", "ReferenceSelector", "Situation", "StatedEntry"]


@dataclass(slots=True, kw_only=True)
class Situation:
    """One environment with chosen extras and groups; remembers what it has decided."""

    environment: Mapping[str, str]
    extras: frozenset[str]
    groups: frozenset[str]
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)

    def holds(self, marker: str | None, *, extra: str = "") -> bool:
        """Whether the marker holds, with `extra` as the extra for which metadata is read."""
        if marker is None:
            return True
        found = self._known.get((marker, extra))
        if found is None:
            values: dict[str, Any] = {
                **self.environment,
                "extra": extra,
                "extras": set(self.extras),
                "dependency_groups": set(self.groups),
            }
            found = self._known[marker, extra] = bool(_parsed(marker).evaluate(values, context="lock_file"))
        return found


@lru_cache(maxsize=16384)
def _parsed(marker: str) -> Marker:
    return composed_marker(marker)


class ReferenceSelector(Protocol):
    """Answers what the input installs."""

    def wanted(self, situation: Situation) -> frozenset[str]:
        """Identities (`lockset.conversion.model.imported_lock.identity`) of all that is installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedEntry:
    """An entry for which the input itself says where it applies: for any of `when`, if its marker holds."""

    identity: str
    when: tuple[tuple[Choice, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelector:
    """A format that says of each entry where it applies."""

    entries: tuple[StatedEntry, ...]
    offers: SelectableNames

    def wanted(self, situation: Situation) -> frozenset[str]:
        """Those entries whose condition holds."""
        return frozenset(entry.identity for entry in self.entries if self._applies(entry, situation))

    def _applies(self, entry: StatedEntry, situation: Situation) -> bool:
        return any(
            self.offers.holds(choice, situation.extras, situation.groups) and situation.holds(marker)
            for choice, marker in entry.when
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSelector:
    """A format that says who needs whom: walked for one environment at a time."""

    graph: ForeignGraph
    offers: SelectableNames
    _turns: dict[str, int] = field(default_factory=dict)

    def wanted(self, situation: Situation) -> frozenset[str]:
        """What a walk from the roots meets; again with the extras that were met, until there are no further ones."""
        here, met = situation, self._walk(situation)
        for _ in range(ROUNDS if self.graph.activations else 0):
            here = Situation(
                environment=situation.environment, extras=situation.extras | self._active(met), groups=situation.groups
            )
            before, met = met, self._walk(here)
            if self._active(met) == self._active(before):
                break
        found = (self.graph.nodes[key].identity for key in met if self._fits(key, here))
        return frozenset(name for name in found if name is not None)

    def _active(self, met: Mapping[str, set[str]]) -> frozenset[str]:
        """The made-up extras that hold by what was met."""
        return frozenset(
            mark
            for mark, (name, extra) in self.graph.activations.items()
            if any(self.graph.nodes[key].name == name and extra in found for key, found in met.items())
        )

    def _walk(self, situation: Situation) -> Mapping[str, set[str]]:
        """What is met, with which extras."""
        met: dict[str, set[str]] = {}
        open_edges: list[GraphEdge] = []
        queue: list[GraphEdge] = []
        for root in self.graph.roots:
            chosen = self.offers.holds(root.choice, situation.extras, situation.groups)
            if chosen and situation.holds(root.edge.marker):
                queue.append(root.edge)
        while queue or open_edges:
            if not queue:
                queue = self._decided(open_edges, met, situation)
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

    def _decided(self, open_edges: list[GraphEdge], met: dict[str, set[str]], situation: Situation) -> list[GraphEdge]:
        """Edges that several releases answer: those that others ask for, else those of one name by the best for all."""
        edges = list(dict.fromkeys(open_edges))
        for number, edge in enumerate(edges):
            chosen = [t for t in edge.targets if t in met and self._fits(t, situation)]
            if chosen:
                return [edge.towards(chosen[0]), *edges[:number], *edges[number + 1 :]]
        if not self._turns:
            self._turns.update(self.graph.turns)
        name = min((self._name(edge) for edge in edges), key=self._turns.__getitem__)
        asked = [edge for edge in edges if self._name(edge) == name]
        fitting = [[t for t in edge.targets if self._fits(t, situation)] for edge in asked]
        common = [t for t in fitting[0] if all(t in targets for targets in fitting)]
        working = [t for t in common if self._works(t, met, situation)]
        best = [min(working or common or targets, key=lambda t: self.graph.nodes[t].rank) for targets in fitting]
        decided = [edge.towards(target) for edge, target in zip(asked, best, strict=True)]
        return [*decided, *(edge for edge in edges if self._name(edge) != name)]

    def _works(self, key: str, met: Mapping[str, object], situation: Situation) -> bool:
        """Whether every requirement of the entry can be answered beside what is installed already."""
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
