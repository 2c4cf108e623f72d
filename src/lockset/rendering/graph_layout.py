"""Positions for a drawing of a dependency graph: layers from left to right (Sugiyama, Tagawa and Toda, 1981).

The steps are those of the literature: reverse edges of cycles, assign layers by the longest path, split edges over
several layers by points between them, order each layer by barycenters, and place boxes close to their neighbours. A
box overlaps no other box, and every edge that is not part of a cycle goes from left to right.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["MOST_DRAWN", "Box", "GraphLayout", "lay_out"]

# The most nodes that are drawn unless more are requested.
MOST_DRAWN = 150
_SWEEPS = 8
# Beyond that many points, long edges are straight, and boxes are ordered once.
_MOST_POINTS = 20_000
_HEIGHT, _GAP, _POINT_GAP, _BETWEEN, _MARGIN = 26.0, 10.0, 9.0, 70.0, 12.0


class Box(NamedTuple):
    """A node's rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLayout:
    """Positions in pixels.

    Attributes:
        boxes: Node -> rectangle.
        routes: Edge -> points from the source to the target.
        width: Of the whole drawing.
        height: Of the whole drawing.
    """

    boxes: Mapping[int, Box]
    routes: Mapping[tuple[int, int], tuple[tuple[float, float], ...]]
    width: float
    height: float


def lay_out(widths: Mapping[int, float], edges: Iterable[tuple[int, int]]) -> GraphLayout:
    """Place nodes, given with their widths, and the edges between them."""
    pairs = [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
    forward = _acyclic(list(widths), pairs)
    levels = _levels(list(widths), forward)
    # A point of a long edge is a node of its own, with a negative number.
    layers, chains = _split(levels, forward)
    neighbours = _neighbours(chains.values())
    _order(layers, neighbours)
    ys = _place(layers, neighbours)
    return _layout(widths, forward, layers, chains, ys)


def _acyclic(nodes: Sequence[int], pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Edge -> the same edge, or its reverse where a depth-first search meets a node that it has not left."""
    children: dict[int, list[int]] = defaultdict(list)
    for source, target in pairs:
        children[source].append(target)
    state: dict[int, int] = {}
    back: set[tuple[int, int]] = set()
    targets = {target for _, target in pairs}
    for start in sorted(nodes, key=lambda node: node in targets):
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(children[start]))]
        while stack:
            node, rest = stack[-1]
            for child in rest:
                if state.get(child) == 1:
                    back.add((node, child))
                elif child not in state:
                    state[child] = 1
                    stack.append((child, iter(children[child])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return {pair: (pair[1], pair[0]) if pair in back else pair for pair in pairs}


def _levels(nodes: Sequence[int], forward: Mapping[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """Node -> its layer: the length of the longest path to it."""
    children: dict[int, set[int]] = defaultdict(set)
    waiting_for = dict.fromkeys(nodes, 0)
    for source, target in set(forward.values()):
        children[source].add(target)
        waiting_for[target] += 1
    levels = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting_for[node]]
    while ready:
        node = ready.pop()
        for child in sorted(children[node]):
            levels[child] = max(levels[child], levels[node] + 1)
            waiting_for[child] -= 1
            if not waiting_for[child]:
                ready.append(child)
    return levels


def _split(
    levels: Mapping[int, int], forward: Mapping[tuple[int, int], tuple[int, int]]
) -> tuple[list[list[int]], dict[tuple[int, int], list[int]]]:
    """The nodes and points of each layer, and for each edge its nodes and points from left to right."""
    layers: list[list[int]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    for node, level in levels.items():
        layers[level].append(node)
    needed = sum(levels[target] - levels[source] - 1 for source, target in forward.values())
    chains: dict[tuple[int, int], list[int]] = {}
    point = 0
    for pair, (source, target) in forward.items():
        chain = [source]
        for level in range(levels[source] + 1, levels[target]) if needed <= _MOST_POINTS else ():
            point -= 1
            layers[level].append(point)
            chain.append(point)
        chains[pair] = [*chain, target]
    return layers, chains


class _Neighbours(NamedTuple):
    before: Mapping[int, list[int]]
    after: Mapping[int, list[int]]


def _neighbours(chains: Iterable[Sequence[int]]) -> _Neighbours:
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for left, right in pairwise(chain):
            after[left].append(right)
            before[right].append(left)
    return _Neighbours(before, after)


def _order(layers: list[list[int]], neighbours: _Neighbours) -> None:
    """Order each layer by the mean position of its neighbours, and keep the order with the fewest crossings."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, neighbours.after)
    for sweep in range(_SWEEPS if sum(map(len, layers)) <= _MOST_POINTS else 1):
        down = sweep % 2 == 0
        sides = neighbours.before if down else neighbours.after
        steps = range(1, len(layers)) if down else range(len(layers) - 2, -1, -1)
        for level in steps:
            other = layers[level - 1 if down else level + 1]
            positions = {node: number for number, node in enumerate(other)}
            own = {node: number for number, node in enumerate(layers[level])}

            def barycenter(
                node: int, sides: Mapping[int, list[int]] = sides, positions: dict[int, int] = positions,
                own: dict[int, int] = own,
            ) -> float:  # fmt: skip
                near = [positions[each] for each in sides.get(node, ()) if each in positions]
                return sum(near) / len(near) if near else float(own[node])

            layers[level].sort(key=barycenter)
        crossings = _crossings(layers, neighbours.after)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best


def _crossings(layers: Sequence[Sequence[int]], after: Mapping[int, list[int]]) -> int:
    count = 0
    for left, right in pairwise(layers):
        positions = {node: number for number, node in enumerate(right)}
        passed: list[int] = []
        for node in left:
            ends = sorted(positions[each] for each in after.get(node, ()) if each in positions)
            count += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return count


def _place(layers: Sequence[Sequence[int]], neighbours: _Neighbours) -> dict[int, float]:
    """The middle of each node and point: as close to the mean of its neighbours as order and gaps allow."""
    ys: dict[int, float] = {}
    for layer in layers:
        offsets = _offsets(layer)
        ys.update({node: offset - offsets[-1] / 2 for node, offset in zip(layer, offsets, strict=True)})
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            first = neighbours.before if sweep % 2 == 0 else neighbours.after
            desired = []
            for node in layer:
                near = first.get(node) or neighbours.after.get(node) or neighbours.before.get(node) or [node]
                desired.append(sum(ys[each] for each in near) / len(near))
            ys.update(zip(layer, _spread(desired, _offsets(layer)), strict=True))
    return ys


def _offsets(layer: Sequence[int]) -> list[float]:
    """The least distance of each middle from the first one."""
    offsets = [0.0] if layer else []
    for one, other in pairwise(layer):
        heights = sum(_HEIGHT if node >= 0 else 0.0 for node in (one, other))
        offsets.append(offsets[-1] + heights / 2 + (_GAP if one >= 0 or other >= 0 else _POINT_GAP))
    return offsets


def _spread(desired: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The positions closest to `desired` that keep the distances of `offsets` (isotonic regression)."""
    blocks: list[list[float]] = []  # sum and number of members
    for goal, offset in zip(desired, offsets, strict=True):
        blocks.append([goal - offset, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    middles = [total / count for total, count in blocks for _ in range(int(count))]
    return [middle + offset for middle, offset in zip(middles, offsets, strict=True)]


def _layout(
    widths: Mapping[int, float],
    forward: Mapping[tuple[int, int], tuple[int, int]],
    layers: Sequence[Sequence[int]],
    chains: Mapping[tuple[int, int], Sequence[int]],
    ys: Mapping[int, float],
) -> GraphLayout:
    top = min(ys.values(), default=0.0) - _HEIGHT / 2 - _MARGIN
    boxes: dict[int, Box] = {}
    columns: dict[int, tuple[float, float]] = {}  # point -> left and right of its layer
    x = _MARGIN
    for layer in layers:
        widest = max((widths[node] for node in layer if node >= 0), default=0.0)
        for node in layer:
            if node >= 0:
                boxes[node] = Box(x, ys[node] - top - _HEIGHT / 2, widths[node], _HEIGHT)
            else:
                columns[node] = (x, x + widest)
        x += widest + _BETWEEN
    routes = {}
    for pair in forward:
        points: list[tuple[float, float]] = []
        chain = chains[pair]
        first, last = boxes[chain[0]], boxes[chain[-1]]
        points.append((first.x + first.width, first.y + first.height / 2))
        for node in chain[1:-1]:
            points += [(side, ys[node] - top) for side in columns[node]]
        points.append((last.x, last.y + last.height / 2))
        routes[pair] = tuple(points if forward[pair] == pair else reversed(points))
    bottom = max(ys.values(), default=0.0) - top + _HEIGHT / 2 + _MARGIN
    return GraphLayout(boxes=boxes, routes=routes, width=max(x - _BETWEEN + _MARGIN, 2 * _MARGIN), height=bottom)
