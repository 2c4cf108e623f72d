"""The dependency graph of a lock file of another tool: entries, what they require, and where a walk begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.conversion.model.selection import Choice


__all__ = ["ROUNDS", "ForeignGraph", "GraphEdge", "GraphNode", "GraphRoot", "order_of"]

# How often a graph is walked again with the extras of the walk before; the input is refused after that.
ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """One requirement. It is satisfied by one of `targets` (keys of nodes, best first).

    `others`: entries of the same name that do not satisfy it, if the format states which versions do.
    """

    targets: tuple[str, ...]
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    others: tuple[str, ...] = ()

    def towards(self, target: str) -> GraphEdge:
        """The same requirement with one target."""
        return replace(self, targets=(target,))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """One entry of the lock file.

    Attributes:
        key: Unique within the graph.
        name: Normalized name.
        identity: What it installs; None for a project that is not installed itself.
        edges: Its requirements. Markers may compare `extra`.
        optional: The requirements that each extra adds.
        forks: Markers of which one must hold for the entry to apply; empty if it always may.
        rank: Among several entries of one name that fit, the one with the smallest rank is taken.
    """

    key: str
    name: str
    identity: str | None
    edges: tuple[GraphEdge, ...] = ()
    optional: Mapping[str, tuple[GraphEdge, ...]] = field(default_factory=dict)
    forks: tuple[str, ...] = ()
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRoot:
    """A requirement of the project, an extra or a group."""

    choice: Choice
    edge: GraphEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGraph:
    """Nodes by key, and the requirements at which a walk begins.

    `activations`: synthetic extras in markers. Each holds where the package is reached with the extra.
    """

    nodes: Mapping[str, GraphNode]
    roots: tuple[GraphRoot, ...]
    activations: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def turns(self) -> Mapping[str, int]:
        """The order in which names with several entries are decided: dependents before their dependencies."""
        order: dict[str, int] = {}
        for key, number in order_of(self).items():
            name = self.nodes[key].name
            order[name] = min(number, order.get(name, number))
        return order


def order_of(graph: ForeignGraph) -> dict[str, int]:
    """Number the nodes in topological order (cycles apart), so that a walk follows each about once."""
    finished: list[str] = []
    seen: set[str] = set()
    for root in graph.nodes:
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(_targets(graph, root)))]
        while path:
            key, targets = path[-1]
            following = next((target for target in targets if target not in seen), None)
            if following is None:
                finished.append(key)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(_targets(graph, following))))
    return {key: -number for number, key in enumerate(finished)}


def _targets(graph: ForeignGraph, key: str) -> list[str]:
    node = graph.nodes[key]
    edges = [*node.edges, *(edge for group in node.optional.values() for edge in group)]
    return [target for edge in edges for target in edge.targets if target in graph.nodes]
