"""The walk over regions and the walk through one environment give one answer."""

from __future__ import annotations

from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.reference_selector import GraphSelector
from lockset.conversion.model.selection import SelectableNames, Situation, default_group_name
from lockset.conversion.readers.reachability import compute_reachability
from lockset.markers import Environment, MarkerSet

LINUX = Environment.of_platform("linux", "3.12").as_dict()
WINDOWS = Environment.of_platform("windows", "3.10").as_dict()


def node(key: str, *edges: GraphEdge, forks: tuple[str, ...] = (), **optional: tuple[GraphEdge, ...]) -> GraphNode:
    return GraphNode(key=key, name=key[0], identity=key, edges=edges, optional=optional, forks=forks)


def graph(*nodes: GraphNode, roots: tuple[GraphRoot, ...]) -> ForeignGraph:
    return ForeignGraph(nodes={n.key: n for n in nodes}, roots=roots)


def project(target: str, **more: object) -> GraphRoot:
    return GraphRoot(choice=("project", ""), edge=GraphEdge(targets=(target,), **more))  # type: ignore[arg-type]


def asked(
    foreign_graph: ForeignGraph,
    values: dict[str, str],
    offered: SelectableNames | None = None,
    **chosen: frozenset[str],
) -> set[str]:
    extras, groups = chosen.get("extras", frozenset()), chosen.get("groups", frozenset())
    situation = Situation(environment=values, extras=extras, groups=groups)
    return set(GraphSelector(graph=foreign_graph, selectable=offered or SelectableNames()).select(situation))


def agrees(
    foreign_graph: ForeignGraph,
    values: dict[str, str],
    selectable: SelectableNames | None = None,
    **chosen: frozenset[str],
) -> None:
    extras, groups = chosen.get("extras", frozenset()), chosen.get("groups", frozenset())
    regions = compute_reachability(foreign_graph, selectable or SelectableNames(), MarkerSet.any()).regions
    by_regions = {k for k, r in regions.items() if r.evaluate(values, extras=extras, groups=groups)}
    assert by_regions == asked(foreign_graph, values, selectable, **chosen)


def test_markers_along_all_paths_are_joined() -> None:
    result = graph(
        node("a", GraphEdge(targets=("c",), marker="sys_platform == 'win32'")),
        node("b", GraphEdge(targets=("c",), marker="python_version < '3.11'")),
        node("c"),
        roots=(project("a"), project("b", marker="sys_platform != 'win32'")),
    )
    assert asked(result, LINUX) == {"a", "b"}
    assert asked(result, WINDOWS) == {"a", "c"}
    agrees(result, LINUX)
    agrees(result, WINDOWS)


def test_cycles_end() -> None:
    result = graph(
        node("a", GraphEdge(targets=("b",))),
        node("b", GraphEdge(targets=("a",)), GraphEdge(targets=("b",))),
        roots=(project("a"),),
    )
    assert asked(result, LINUX) == {"a", "b"}
    agrees(result, LINUX)


def test_extras_add_their_requirements_where_they_are_requested() -> None:
    result = graph(
        node(
            "a",
            GraphEdge(targets=("c",), extras=frozenset({"fast"}), marker="sys_platform == 'win32'"),
            GraphEdge(targets=("c",)),
        ),
        node("c", GraphEdge(targets=("d",), marker="extra == 'fast'"), fast=(GraphEdge(targets=("e",)),)),
        node("d"),
        node("e"),
        roots=(project("a"),),
    )
    assert asked(result, LINUX) == {"a", "c"}
    assert asked(result, WINDOWS) == {"a", "c", "d", "e"}
    agrees(result, LINUX)
    agrees(result, WINDOWS)


def test_a_requirement_with_several_targets_uses_one_that_is_required_already_else_the_newest() -> None:
    result = graph(
        node("a", GraphEdge(targets=("n2", "n1"))),
        node("b", GraphEdge(targets=("n1",))),
        node("n1"),
        node("n2"),
        roots=(project("a"), project("b", marker="sys_platform == 'win32'")),
    )
    assert asked(result, LINUX) == {"a", "n2"}
    assert asked(result, WINDOWS) == {"a", "b", "n1"}
    agrees(result, LINUX)
    agrees(result, WINDOWS)


def test_groups_that_are_installed_by_default_have_a_twin() -> None:
    selectable = SelectableNames(groups=("dev",), by_default=("dev",))
    result = graph(
        node("a"), node("t"), roots=(project("a"), GraphRoot(choice=("group", "dev"), edge=GraphEdge(targets=("t",))))
    )
    assert selectable.default_groups == ("default", "default-dev")
    assert asked(result, LINUX, selectable, groups=frozenset(selectable.default_groups)) == {"a", "t"}
    assert asked(result, LINUX, selectable, groups=frozenset({"dev"})) == {"t"}
    assert asked(result, LINUX, selectable, groups=frozenset({"default"})) == {"a"}
    for groups in (frozenset(selectable.default_groups), frozenset({"dev"}), frozenset({"default"}), frozenset[str]()):
        agrees(result, LINUX, selectable, groups=groups)


def test_the_default_group_is_named_only_where_groups_exist() -> None:
    assert default_group_name(()) is None
    assert default_group_name(("dev",)) == "default"
    assert default_group_name(("default",)) == "project"


def parity_of_extras(count: int) -> ForeignGraph:
    """`z` is needed where pkg is reached with the extra x: where an odd number of the extras e0, e1 … is chosen."""
    nodes = [GraphNode(key="pkg", name="pkg", identity="pkg"), GraphNode(key="z", name="z", identity="z")]
    for step in range(count):
        for odd in (0, 1):
            edges = (
                GraphEdge(targets=(f"s{step + 1}-{odd}",), marker=f"'e{step}' not in extras"),
                GraphEdge(targets=(f"s{step + 1}-{1 - odd}",), marker=f"'e{step}' in extras"),
            )
            nodes.append(GraphNode(key=f"s{step}-{odd}", name=f"s{step}-{odd}", identity=None, edges=edges))
    asks = GraphEdge(targets=("pkg",), extras=frozenset({"x"}))
    nodes += [
        GraphNode(key=f"s{count}-0", name="even", identity=None),
        GraphNode(key=f"s{count}-1", name="odd", identity=None, edges=(asks,)),
    ]
    roots = (project("s0-0"), project("z", marker="'mark' in extras and sys_platform == 'linux'"))
    return ForeignGraph(nodes={n.key: n for n in nodes}, roots=roots, activations={"mark": ("pkg", "x")})


def test_an_extra_that_holds_in_a_region_whose_text_would_be_long_is_followed() -> None:
    result = parity_of_extras(12)
    selectable = SelectableNames(extras=tuple(f"e{step}" for step in range(12)))
    region = compute_reachability(result, selectable, MarkerSet.any()).regions["z"]
    for count in range(4):
        extras = frozenset(f"e{step}" for step in range(count))
        assert region.evaluate(LINUX, extras=extras) is bool(count % 2)
        assert not region.evaluate(WINDOWS, extras=extras)
        assert ("z" in asked(result, LINUX, selectable, extras=extras)) is bool(count % 2)
