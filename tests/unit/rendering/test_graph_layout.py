"""Laws of the layout: boxes do not overlap, edges go from left to right, everything is inside."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from lockset.rendering.graph_layout import Box, lay_out

NODES = st.integers(0, 24)
EDGES = st.lists(st.tuples(NODES, NODES), max_size=60)


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height - 0.01
        and other.y < one.y + one.height - 0.01
    )


@given(edges=EDGES, widths=st.lists(st.floats(20, 300), min_size=25, max_size=25))
def test_boxes_do_not_overlap_and_stay_inside(edges: list[tuple[int, int]], widths: list[float]) -> None:
    layout = lay_out(dict(enumerate(widths)), edges)
    assert set(layout.boxes) == set(range(25))
    assert not [pair for pair in combinations(layout.boxes.values(), 2) if overlap(*pair)]
    for box in layout.boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height
    for route in layout.routes.values():
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in route)


@given(edges=st.lists(st.tuples(NODES, NODES).filter(lambda pair: pair[0] < pair[1]), max_size=60))
def test_edges_go_from_left_to_right(edges: list[tuple[int, int]]) -> None:
    layout = lay_out(dict.fromkeys(range(25), 80.0), edges)
    assert set(layout.routes) == set(edges)
    for (source, target), route in layout.routes.items():
        first, last = layout.boxes[source], layout.boxes[target]
        assert route[0] == (first.x + first.width, first.y + first.height / 2)
        assert route[-1] == (last.x, last.y + last.height / 2)
        assert all(left[0] <= right[0] for left, right in pairwise(route))


@given(edges=EDGES)
def test_cycles_are_drawn_too(edges: list[tuple[int, int]]) -> None:
    layout = lay_out(dict.fromkeys(range(25), 80.0), edges)
    assert set(layout.routes) == {pair for pair in edges if pair[0] != pair[1]}


def test_a_long_edge_crosses_no_box() -> None:
    """It passes between the boxes of the layers that it skips."""
    edges = [(0, 1), (1, 2), (2, 3), (0, 3), *((0, node) for node in range(4, 12))]
    layout = lay_out(dict.fromkeys(range(12), 80.0), edges)
    inner = layout.routes[0, 3][1:-1]
    assert len(inner) == 4
    for x, y in inner:
        assert not any(
            box.x < x < box.x + box.width and box.y < y < box.y + box.height for box in layout.boxes.values()
        )


def test_the_same_graph_is_drawn_the_same() -> None:
    edges = [(node, (node * 7) % 25) for node in range(25)]
    assert lay_out(dict.fromkeys(range(25), 80.0), edges) == lay_out(dict.fromkeys(range(25), 80.0), edges)


def test_a_deep_graph_and_a_broad_one_are_drawn_in_time() -> None:
    chain = [(node, node + 1) for node in range(1999)]
    assert len(lay_out(dict.fromkeys(range(2000), 80.0), chain).boxes) == 2000
    star = [(0, node) for node in range(1, 2000)]
    assert len(lay_out(dict.fromkeys(range(2000), 80.0), star).boxes) == 2000


def test_nothing_is_drawn_of_nothing() -> None:
    layout = lay_out({}, [])
    assert (layout.boxes, layout.routes) == ({}, {})
