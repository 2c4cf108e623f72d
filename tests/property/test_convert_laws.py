"""Laws of conversions: whatever the pins and the graph, both sides of the proof agree, and the way back keeps all."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.composition.conversions.conversion import ConvertOptions
from lockset.composition.conversions.export import ExportOptions, export_lock
from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.reference_selector import GraphSelector
from lockset.conversion.model.selection import SelectableNames, Situation
from lockset.conversion.pipeline.verify import entry_hashes, environments_within, selected
from lockset.conversion.readers.inferred_roots import infer_roots
from lockset.conversion.readers.reachability import compute_reachability
from lockset.markers import MarkerSet
from lockset.sources.other_tools.poetry_constraints import admits, alternatives
from support.fakes.fake_conversion import convert_text, sha

if TYPE_CHECKING:
    from lockset.conversion.model.selection import Choice

MARKERS = (
    None,
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "python_version < '3.11'",
    "python_version >= '3.11' and platform_machine == 'x86_64'",
    "implementation_name == 'pypy' or sys_platform == 'darwin'",
    "extra == 'x'",
    "extra == 'x' and sys_platform == 'linux'",
)
OFFERS = SelectableNames(extras=("e",), groups=("dev", "docs"), by_default=("dev",))
CHOICES: tuple[Choice, ...] = (("project", ""), ("extra", "e"), ("group", "dev"), ("group", "docs"))
ENVIRONMENTS = environments_within(None, (), [MarkerSet.parse(m) for m in MARKERS[1:6] if m])[::5]

keys = st.sampled_from("abcdef")
edges = st.builds(
    lambda target, marker, extra: GraphEdge(targets=(target,), marker=marker, extras=frozenset({"x"} if extra else ())),
    keys,
    st.sampled_from(MARKERS),
    st.booleans(),
)


@st.composite
def graphs(draw: st.DrawFn) -> ForeignGraph:
    nodes = {}
    for key in "abcdef":
        optional = {"x": tuple(draw(st.lists(edges, max_size=2)))}
        own = tuple(draw(st.lists(edges, max_size=3)))
        nodes[key] = GraphNode(key=key, name=key, identity=f"{key}==1", edges=own, optional=optional)
    roots = tuple(
        GraphRoot(
            choice=draw(st.sampled_from(CHOICES)), edge=draw(edges.filter(lambda e: "extra" not in (e.marker or "")))
        )
        for _ in range(draw(st.integers(1, 4)))
    )
    return ForeignGraph(nodes=nodes, roots=roots)


@given(graphs())
@settings(max_examples=40)
def test_regions_agree_with_the_selection_in_each_environment(graph: ForeignGraph) -> None:
    regions = compute_reachability(graph, OFFERS, MarkerSet.any()).regions
    selector = GraphSelector(graph=graph, selectable=OFFERS)
    for values in ENVIRONMENTS:
        for extras, groups in OFFERS.choices():
            met = selector.select(Situation(environment=values, extras=extras, groups=groups))
            inside = {f"{k}==1" for k, r in regions.items() if r.evaluate(values, extras=extras, groups=groups)}
            assert met == inside


VERSIONS = ("n1", "n2", "n3", "m1", "m2")
FORKS = ((), ("python_version >= '3.11'",), ("sys_platform == 'win32'",), ("sys_platform != 'win32'",))


def several(name: str, chosen: list[str]) -> tuple[str, ...]:
    return tuple(sorted((v for v in chosen if v.startswith(name)), reverse=True))


@st.composite
def forked_edges(draw: st.DrawFn) -> GraphEdge:
    name = draw(st.sampled_from("nm"))
    targets = several(name, draw(st.lists(st.sampled_from(VERSIONS), min_size=1, unique=True)))
    rest = tuple(v for v in several(name, list(VERSIONS)) if v not in targets)
    return GraphEdge(
        targets=targets or several(name, list(VERSIONS)), marker=draw(st.sampled_from(MARKERS[:6])), others=rest
    )


@st.composite
def forked_graphs(draw: st.DrawFn) -> ForeignGraph:
    """Names locked in several versions, and requirements that several of these answer."""
    nodes = {}
    for number, key in enumerate((*"abc", *VERSIONS)):
        own = tuple(draw(st.lists(forked_edges(), max_size=2)))
        forks = draw(st.sampled_from(FORKS)) if key in VERSIONS else ()
        nodes[key] = GraphNode(
            key=key, name=key[0], identity=f"{key[0]}=={number}", edges=own, forks=forks, rank=-int(key[1:] or 0)
        )
    plain = st.builds(
        lambda k, m: GraphEdge(targets=(k,), marker=m), st.sampled_from("abc"), st.sampled_from(MARKERS[:6])
    )
    roots = tuple(
        GraphRoot(choice=draw(st.sampled_from(CHOICES)), edge=draw(plain | forked_edges()))
        for _ in range(draw(st.integers(1, 4)))
    )
    return ForeignGraph(nodes=nodes, roots=roots)


@given(forked_graphs())
@settings(max_examples=60)
def test_regions_and_walks_choose_alike_among_versions(graph: ForeignGraph) -> None:
    regions = compute_reachability(graph, OFFERS, MarkerSet.any()).regions
    assume(all(regions[a].is_disjoint(regions[b]) for a in regions for b in regions if a[0] == b[0] and a < b))
    selector = GraphSelector(graph=graph, selectable=OFFERS)
    for values in ENVIRONMENTS:
        for extras, groups in OFFERS.choices():
            met = selector.select(Situation(environment=values, extras=extras, groups=groups))
            inside = {
                graph.nodes[k].identity for k, r in regions.items() if r.evaluate(values, extras=extras, groups=groups)
            }
            assert met == inside


@given(graphs())
@settings(max_examples=30)
def test_the_assumed_roots_reach_every_entry(graph: ForeignGraph) -> None:
    members: dict[Choice, list[str]] = {("project", ""): list(graph.nodes)}
    result = infer_roots(graph.nodes, members, selectable=SelectableNames(), universe=MarkerSet.any())
    reached = compute_reachability(
        ForeignGraph(nodes=graph.nodes, roots=result.roots), SelectableNames(), MarkerSet.any()
    )
    assert set(reached.regions) == set(graph.nodes)
    assert not result.forked


PIN_MARKERS = ("", " ; sys_platform == 'win32'", " ; python_version < '3.11'", " ; platform_machine != 'x86_64'")
pins = st.dictionaries(
    st.sampled_from(("a", "b-c", "d")),
    st.tuples(st.sampled_from(("1", "1.0.post1", "2!3")), st.sampled_from(PIN_MARKERS), st.integers(1, 3)),
    min_size=1,
)


@given(pins)
@settings(max_examples=30)
def test_pins_there_and_back_are_the_same(chosen: dict[str, tuple[str, str, int]]) -> None:
    lines = [
        f"{name}=={version}{marker} " + " ".join(f"--hash=sha256:{sha(name + str(n))}" for n in range(count))
        for name, (version, marker, count) in chosen.items()
    ]
    with TemporaryDirectory() as folder:
        done = convert_text(Path(folder), "requirements.txt", "\n".join(lines))
        text = export_lock(done.lock, ExportOptions()).text
        back = convert_text(Path(folder), "requirements.txt", text, options=ConvertOptions())
    assert [str(p.version) for p in done.lock.packages] == [str(p.version) for p in back.lock.packages]
    assert {h for p in done.lock.packages for one in entry_hashes(p) for h in one} == {
        h for p in back.lock.packages for one in entry_hashes(p) for h in one
    }
    for values in ENVIRONMENTS:
        situation = Situation(environment=values, extras=frozenset(), groups=frozenset())
        assert selected(done.lock, situation) == selected(back.lock, situation)


numbers = st.integers(0, 5)


@given(st.lists(numbers, min_size=1, max_size=3), st.lists(numbers, min_size=1, max_size=3))
def test_carets_end_where_the_first_number_that_counts_changes(base: list[int], other: list[int]) -> None:
    version, text = Version(".".join(map(str, other))), ".".join(map(str, base))
    padded = [*base, 0, 0][:3]
    at = next((i for i, n in enumerate(base) if n), len(base) - 1)
    upper = [*base[:at], base[at] + 1]
    inside = padded <= [*version.release, 0, 0][:3] < [*upper, 0, 0][:3]
    assert admits(f"^{text}", version) is inside


@given(st.sampled_from((">=1,<2", "1.2.*", "~=1.4", "!=1.5", "==1.2", ">1")), st.lists(numbers, min_size=1, max_size=3))
def test_standard_constraints_mean_what_they_do_elsewhere(text: str, release: list[int]) -> None:
    version = Version(".".join(map(str, release)))
    plain = SpecifierSet(f"=={text}" if text[0].isdigit() else text)
    assert admits(text, version) == plain.contains(version, prereleases=True)
    assert admits(f"{text} || {text}", version) == admits(text, version)
    assert len(alternatives(f"{text} || >=9")) == 2
