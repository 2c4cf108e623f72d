"""The graph of a lock file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.lockfile.dependency_graph import MOST_CHAINS, LockGraph, build_graph, chains_to, region_of
from lockset.markers.marker_set import MarkerSet
from support.builders.graph_locks import entry, lock_of


def names(graph: LockGraph, numbers: tuple[int, ...]) -> list[str]:
    return [str(graph.entries[number]) for number in numbers]


def chains(graph: LockGraph, name: str) -> list[str]:
    return [
        " ".join(each.name for each in chain.entries)
        for number in graph.named(name)
        for chain in chains_to(graph, number)[0]
    ]


def test_edges_are_the_recorded_dependencies() -> None:
    graph = build_graph(lock_of(entry("a", needs=("c", "b")), entry("b", needs=("c",)), entry("c")))
    assert [names(graph, graph.children[number]) for number in graph.entries] == [["b 1", "c 1"], ["c 1"], []]
    assert names(graph, graph.parents[2]) == ["a 1", "b 1"]
    assert names(graph, graph.roots) == ["a 1"]
    assert names(graph, graph.leaves) == ["c 1"]


def test_recorded_roots_come_first_also_when_something_depends_on_them() -> None:
    graph = build_graph(
        lock_of(entry("a", needs=("b",)), entry("b"), entry("z"), roots=["Z>=1", "b[x]", "nobody", "?"])
    )
    assert names(graph, graph.roots) == ["z 1", "b 1", "a 1"]
    assert graph.requested == {2: ("Z>=1",), 1: ("b[x]",)}


def test_roots_of_another_shape_are_passed_over() -> None:
    for tool in ({"lockset": {"roots": "a"}}, {"lockset": {"roots": [1]}}, {"lockset": 3}, {}):
        assert build_graph(lock_of(entry("a"), tool=tool)).requested == {}


def test_a_version_tells_entries_of_one_name_apart() -> None:
    low, high = "python_version < '3.12'", "python_version >= '3.12'"
    graph = build_graph(
        lock_of(
            entry("a", needs=("n==1",)),
            entry("b", needs=("n",)),
            entry("n", "1", marker=low),
            entry("n", "2", marker=high),
        )
    )
    assert names(graph, graph.children[0]) == ["n 1"]
    assert names(graph, graph.children[1]) == ["n 1", "n 2"]


def test_entries_that_never_apply_together_are_not_joined() -> None:
    graph = build_graph(
        lock_of(
            entry("a", marker="sys_platform == 'win32'", needs=("n",)),
            entry("n", "1", marker="sys_platform == 'win32'"),
            entry("n", "2", marker="sys_platform == 'linux'"),
        )
    )
    assert names(graph, graph.children[0]) == ["n 1"]


def test_a_choice_of_environment_drops_entries_and_conditions() -> None:
    lock = lock_of(
        entry("a", marker="sys_platform == 'win32' and python_version < '3.12'"),
        entry("b", marker="sys_platform == 'linux'"),
    )
    graph = build_graph(lock, within=region_of(python="3.11", platform="windows"))
    assert [(str(each), each.condition) for each in graph.entries.values()] == [("a 1", None)]
    graph = build_graph(lock, within=region_of(platform="windows"))
    assert [each.condition for each in graph.entries.values()] == ["python_version < '3.12'"]


def test_conditions_leave_out_what_the_lock_says_of_itself() -> None:
    lock = lock_of(
        entry("a", marker="python_version >= '3.10' and os_name == 'nt' and 'main' in dependency_groups"),
        requires_python=">=3.10",
        environments=["os_name == 'nt'"],
        default_groups=["main"],
    )
    assert build_graph(lock).entries[0].condition is None


def test_extras_and_groups_are_fixed_when_any_is_chosen() -> None:
    lock = lock_of(
        entry("a", marker="'x' in extras"),
        entry("b", marker="'dev' in dependency_groups"),
        entry("m", marker="'main' in dependency_groups"),
        extras=["x"],
        dependency_groups=["dev"],
        default_groups=["main"],
    )
    assert [each.name for each in build_graph(lock).entries.values()] == ["a", "b", "m"]
    assert [each.name for each in build_graph(lock, extras=["X"]).entries.values()] == ["a", "m"]
    assert [each.name for each in build_graph(lock, groups=["dev"]).entries.values()] == ["b", "m"]


@pytest.mark.parametrize(("extras", "groups", "code"), [(["y"], None, "unknown-extra"), (None, ["y"], "unknown-group")])
def test_unknown_extras_and_groups_are_refused(extras: list[str] | None, groups: list[str] | None, code: str) -> None:
    with pytest.raises(LocksetError) as caught:
        build_graph(lock_of(extras=["x"], dependency_groups=["g"]), extras=extras, groups=groups)
    assert caught.value.diagnostic.code == code
    assert caught.value.diagnostic.hint in {"It has: `x`", "It has: `g`"}


@pytest.mark.parametrize(
    ("python", "inside", "outside"),
    [("3.12", "3.12.9", "3.13.0"), ("3.12.4", "3.12.4", "3.12.5"), (">=3.12", "3.13.1", "3.11.9")],
)
def test_pythons_are_named_by_series_release_or_range(python: str, inside: str, outside: str) -> None:
    region = region_of(python=python)
    for version, expected in ((inside, False), (outside, True)):
        one = MarkerSet.parse(f"python_full_version == '{version}'")
        assert region.is_disjoint(one) is expected


@pytest.mark.parametrize("python", ["x", "3.", "3.12 or so"])
def test_an_invalid_python_is_refused(python: str) -> None:
    with pytest.raises(LocksetError) as caught:
        region_of(python=python)
    assert caught.value.diagnostic.code == "python-version-invalid"


def test_an_unknown_package_is_refused_with_names_like_it() -> None:
    with pytest.raises(LocksetError) as caught:
        build_graph(lock_of(entry("requests"), entry("rich"))).named("request")
    assert caught.value.diagnostic.code == "unknown-package"
    assert caught.value.diagnostic.hint == "Did you mean `requests`?"


def test_names_are_found_in_any_spelling() -> None:
    assert build_graph(lock_of(entry("typing-extensions"))).named("Typing_Extensions") == (0,)


def test_chains_are_all_ways_from_roots_shortest_first() -> None:
    graph = build_graph(
        lock_of(entry("a", needs=("b", "d")), entry("b", needs=("c",)), entry("c", needs=("d",)), entry("d"))
    )
    assert chains(graph, "d") == ["a d", "a b c d"]
    assert chains(graph, "a") == ["a"]


def test_chains_go_on_above_a_root() -> None:
    graph = build_graph(lock_of(entry("a", needs=("b",)), entry("b", needs=("c",)), entry("c"), roots=["a", "b"]))
    assert chains(graph, "c") == ["b c", "a b c"]


def test_chains_whose_entries_never_apply_together_are_left_out() -> None:
    graph = build_graph(
        lock_of(
            entry("a", marker="os_name == 'nt'", needs=("b",)),
            entry("b", needs=("c",)),
            entry("c", marker="os_name == 'posix'"),
            roots=["a", "b"],
        )
    )
    assert chains(graph, "c") == ["b c"]


def test_circles_end_and_have_a_root() -> None:
    graph = build_graph(
        lock_of(entry("a", needs=("b",)), entry("b", needs=("a", "c")), entry("c"), entry("s", needs=("s",)))
    )
    assert names(graph, graph.roots) == ["s 1", "a 1"]
    assert chains(graph, "c") == ["a b c"]


def test_more_chains_than_anybody_reads_are_cut_off() -> None:
    levels = 30
    entries = [
        entry(f"p{level}-{side}", needs=(f"p{level + 1}-a", f"p{level + 1}-b") if level < levels else ())
        for level in range(levels + 1)
        for side in "ab"
    ]
    graph = build_graph(lock_of(*entries))
    result, complete = chains_to(graph, graph.named(f"p{levels}-a")[0])
    assert not complete
    assert len(result) <= MOST_CHAINS


edges = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@given(edges)
def test_every_entry_is_reached_from_the_roots(drawn: list[tuple[int, int]]) -> None:
    graph = build_graph(lock_of(*(entry(f"p{n}", needs=tuple(f"p{b}" for a, b in drawn if a == n)) for n in range(8))))
    reached: set[int] = set()
    waiting = list(graph.roots)
    while waiting:
        number = waiting.pop()
        if number not in reached:
            reached.add(number)
            waiting.extend(graph.children[number])
    assert reached == set(graph.entries)


@given(edges)
def test_no_root_that_was_not_requested_hangs_below_another(drawn: list[tuple[int, int]]) -> None:
    graph = build_graph(lock_of(*(entry(f"p{n}", needs=tuple(f"p{b}" for a, b in drawn if a == n)) for n in range(8))))
    for root in graph.roots:
        reached: set[int] = set()
        waiting = [root]
        while waiting:
            number = waiting.pop()
            for child in graph.children[number]:
                if child not in reached:
                    reached.add(child)
                    waiting.append(child)
        assert not reached & (set(graph.roots) - {root})


@given(edges, st.integers(0, 7))
def test_chains_are_those_of_a_plain_search(drawn: list[tuple[int, int]], target: int) -> None:
    graph = build_graph(lock_of(*(entry(f"p{n}", needs=tuple(f"p{b}" for a, b in drawn if a == n)) for n in range(8))))

    def ways(path: tuple[int, ...]) -> set[tuple[int, ...]]:
        results = {path} if path[-1] == target else set()
        for child in graph.children[path[-1]]:
            if child not in path and path[-1] != target:
                results |= ways((*path, child))
        return results

    expected = {way for root in graph.roots for way in ways((root,))}
    results, complete = chains_to(graph, target)
    numbers = {tuple(each.number for each in chain.entries) for chain in results}
    assert numbers == expected if complete else numbers <= expected
    assert [len(chain.entries) for chain in results] == sorted(len(chain.entries) for chain in results)
