"""The part of a dependency graph to draw: nodes with a kind, edges with a condition, and what was left out."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, TypeAlias

from lockset._dataclass import dataclass
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.lockfile.dependency_graph import LockGraph

__all__ = ["KINDS", "DrawnEdge", "DrawnNode", "GraphDrawing", "NodeKind", "RenderedGraph", "drawing_of"]

NodeKind: TypeAlias = Literal["direct", "extra", "group", "platform", "transitive"]
# Kind -> its meaning, for legends.
KINDS: dict[NodeKind, str] = {
    "direct": "required by the project itself",
    "extra": "only with an extra",
    "group": "only with a dependency group",
    "platform": "only on some platforms or Pythons",
    "transitive": "required by other packages",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnNode:
    """One entry: `number` is its index in the lock file, `condition` the marker for where it is installed."""

    number: int
    name: str
    version: str | None
    kind: NodeKind
    condition: str | None

    @property
    def label(self) -> str:
        """Name and version."""
        return self.name if self.version is None else f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnEdge:
    """`source` requires `target`; `condition` is where, if not wherever `source` is installed."""

    source: int
    target: int
    condition: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphDrawing:
    """A drawing of a graph.

    Attributes:
        nodes: In breadth-first order from the first ones.
        edges: Edges between these nodes.
        left_out: Number of packages that are not drawn because of a limit.
        edges_left_out: Number of edges between the nodes that are not drawn because of a limit.
        note: What was left out and why, as a sentence; None if nothing was.
    """

    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]
    left_out: int
    edges_left_out: int
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedGraph:
    """A drawing as text.

    Attributes:
        text: In the requested format.
        nodes: Number of packages that are drawn.
        edges: Number of dependencies that are drawn.
        note: What was left out and why; None if nothing was.
    """

    text: str
    nodes: int
    edges: int
    note: str | None


def drawing_of(
    graph: LockGraph,
    *,
    packages: Sequence[str] = (),
    depth: int | None = None,
    most_nodes: int | None = None,
    most_edges: int | None = None,
) -> GraphDrawing:
    """The part of `graph` to draw.

    Args:
        graph: The graph.
        packages: Names of packages to start with; by default the roots.
        depth: Levels below the first ones; None for all.
        most_nodes: Limit for nodes: those closest to the first ones are drawn.
        most_edges: Limit for edges.

    Raises:
        LocksetError: `unknown-package`.
    """
    starts = [number for name in packages for number in graph.named(name)] if packages else list(graph.roots)
    reached = _reach(graph, starts)
    near = [number for number, level in reached.items() if depth is None or level <= depth]
    numbers = near[:most_nodes]
    drawn = frozenset(numbers)
    pairs = [(number, child) for number in numbers for child in graph.children[number] if child in drawn]
    edges = tuple(
        DrawnEdge(source=source, target=target, condition=graph.condition_within(target, source))
        for source, target in pairs[:most_edges]
    )
    left_out, edges_left_out = len(reached) - len(numbers), len(pairs) - len(edges)
    return GraphDrawing(
        nodes=tuple(_node(graph, number) for number in numbers),
        edges=edges,
        left_out=left_out,
        edges_left_out=edges_left_out,
        note=_note(left_out, edges_left_out, by_depth=len(near) < len(reached), by_limit=len(numbers) < len(near)),
    )


def _reach(graph: LockGraph, starts: Sequence[int]) -> dict[int, int]:
    """Entries that can be reached, each with its level, in breadth-first order."""
    levels = dict.fromkeys(starts, 0)
    waiting = deque(levels)
    while waiting:
        number = waiting.popleft()
        for child in graph.children[number]:
            if child not in levels:
                levels[child] = levels[number] + 1
                waiting.append(child)
    return levels


def _node(graph: LockGraph, number: int) -> DrawnNode:
    entry = graph.entries[number]
    condition = entry.condition or ""
    kind: NodeKind = "transitive"
    if _is_optional(graph, number):
        kind = "extra" if " in extras" in condition else "group"
    elif number in graph.requested or (not graph.requested and number in graph.roots):
        kind = "direct"
    elif condition:
        kind = "platform"
    return DrawnNode(number=number, name=entry.name, version=entry.version, kind=kind, condition=entry.condition)


def _is_optional(graph: LockGraph, number: int) -> bool:
    """Whether the entry is never installed without extras and with the default groups only."""
    region = graph.entries[number].region
    extras, groups = region.extras(), region.groups()
    if not extras and not groups:
        return False
    chosen = region & graph.known if not region.is_disjoint(graph.known) else region
    optional = [name for name in groups if not graph.known.implies(MarkerSet.group(name))]
    return chosen.with_left_out(extras=extras, groups=optional).is_empty


def _note(left_out: int, edges_left_out: int, *, by_depth: bool, by_limit: bool) -> str | None:
    parts = []
    if left_out:
        reasons = [*(["--depth"] if by_depth else []), *(["the limit for nodes"] if by_limit else [])]
        parts.append(f"{left_out} package{'s are' if left_out > 1 else ' is'} left out by {' and '.join(reasons)}")
    if edges_left_out:
        parts.append(f"{edges_left_out} edge{'s are' if edges_left_out > 1 else ' is'} left out by the limit for edges")
    return "; ".join(parts) or None
