"""A foreign lock's graph: who needs whom, and the region in which each entry is reached."""

from __future__ import annotations

from dataclasses import field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.markers.environment import example_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.conversion.model.selectable import Choice

__all__ = [
    "ROUNDS",
    "ForeignGraph",
    "GraphEdge",
    "GraphNode",
    "GraphRoot",
    "order_of",
    "refuse_overlap",
    "region_of_text",
]

# Bounds how often a graph is walked again with extras that the walk before met; beyond it the input is refused.
ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """One requirement: of one of `targets` (keys of nodes; several where the input does not say which, best first).

    `others`: entries of the same name that do not answer it, where the format tells the versions that would.
    """

    targets: tuple[str, ...]
    extras: frozenset[str] = frozenset()
    marker: str | None = None
    others: tuple[str, ...] = ()

    def towards(self, target: str) -> GraphEdge:
        """The same, decided."""
        return replace(self, targets=(target,))


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """One entry of the input.

    Attributes:
        key: Its own within the graph.
        name: Normalised.
        identity: What it installs; None where it stands for the project and nothing is installed for it.
        edges: What it needs; markers may ask for `extra`.
        optional: What each of its extras adds.
        forks: Markers, one of which has to hold for the entry to count; none for no bound.
        rank: The smaller, the better among entries of the name, where several would do.
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
    """What is asked for from outside, and by whose choice."""

    choice: Choice
    edge: GraphEdge


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignGraph:
    """Nodes by key, and where walks begin.

    `activations`: made-up extras that markers may ask for: they hold where the named package is reached with the extra.
    """

    nodes: Mapping[str, GraphNode]
    roots: tuple[GraphRoot, ...]
    activations: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def turns(self) -> Mapping[str, int]:
        """In which turn a name is decided of which several entries answer: who needs before what is needed."""
        found: dict[str, int] = {}
        for key, number in order_of(self).items():
            name = self.nodes[key].name
            found[name] = min(number, found.get(name, number))
        return found


@lru_cache(maxsize=4096)
def region_of_text(marker: str | None) -> MarkerSet:
    """The region of a marker text; everything where there is none."""
    return MarkerSet.any() if marker is None else MarkerSet.parse(marker)


def order_of(graph: ForeignGraph) -> dict[str, int]:
    """Nodes numbered so that, cycles apart, who needs comes before what is needed: each is then followed about once."""
    found: list[str] = []
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
                found.append(key)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(_targets(graph, following))))
    return {key: -number for number, key in enumerate(found)}


def _targets(graph: ForeignGraph, key: str) -> list[str]:
    node = graph.nodes[key]
    edges = [*node.edges, *(edge for group in node.optional.values() for edge in group)]
    return [target for edge in edges for target in edge.targets if target in graph.nodes]


def refuse_overlap(
    name: str, first: str, second: str, both: MarkerSet, *, location: str, hint: str | None = None
) -> LocksetError:
    """The refusal of two entries that apply at once, with one environment in which they do."""
    example = both.example()
    context: tuple[str, ...] = ()
    if example is not None:
        where = example_in_words(example.environment)
        chosen = ", ".join(sorted(example.extras | example.groups))
        context = (f"for example: {where}" + (f" with {chosen}" if chosen else ""),)
    return LocksetError(
        "pins-overlap",
        f"`{name}` is pinned twice ({first}, {second}), and both apply in one environment",
        location=location,
        context=context,
        hint=hint or "Give them markers that exclude each other, or keep one",
    )
