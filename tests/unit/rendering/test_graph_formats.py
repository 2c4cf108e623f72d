"""A graph in each format: what is drawn, what is left out, and what the formats allow."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from shutil import which

import pytest

from lockset.api.render import GraphFormat, render_graph
from lockset.errors import LocksetError, UsageError
from lockset.lockfile.dependency_graph import LockGraph, build_graph
from support.builders.graph_locks import entry, lock_of
from support.output_schema import check_output

FORMATS: tuple[GraphFormat, ...] = ("mermaid", "dot", "svg", "html", "json")
SVG = "{http://www.w3.org/2000/svg}"


def small() -> LockGraph:
    return build_graph(
        lock_of(
            entry("app", needs=("base", "old")),
            entry("base", "2.0"),
            entry("old", marker="python_version < '3.12'"),
            entry("plot", marker="'charts' in extras"),
            entry("test", needs=("base",), marker="'dev' in dependency_groups"),
            roots=["app", "plot; 'charts' in extras", "test"],
            extras=["charts"],
            dependency_groups=["dev"],
        )
    )


def large(count: int, needs: int = 1) -> LockGraph:
    entries = [
        entry(f"p{number}", needs=tuple(f"p{number + step}" for step in range(1, needs + 1) if number + step < count))
        for number in range(count)
    ]
    return build_graph(lock_of(*entries, roots=["p0"]))


def test_mermaid_names_packages_kinds_and_conditions() -> None:
    lines = render_graph(small(), "mermaid").text.splitlines()
    assert lines[0] == "flowchart LR"
    assert '    n0["app 1"]:::direct' in lines
    assert '    n2["old 1"]:::platform' in lines
    assert '    n3["plot 1"]:::extra' in lines
    assert '    n4["test 1"]:::group' in lines
    assert "    n0 --> n1" in lines
    assert "    n0 -. \"python_version #lt; '3.12'\" .-> n2" in lines


def test_a_package_that_is_also_installed_without_an_extra_is_not_one_of_the_extra() -> None:
    graph = build_graph(
        lock_of(
            entry("a", marker="python_version < '3.12' or 'x' in extras"),
            extras=["x"],
            roots=[],
            requires_python=">=3.10",
        )
    )
    assert ":::direct" in render_graph(graph, "mermaid").text


def test_mermaid_stays_within_the_limits_of_github() -> None:
    many = render_graph(large(1500, needs=8), "mermaid", most_nodes=1500)
    assert many.edges <= 500
    assert len(many.text) <= 50_000
    assert many.note is not None
    assert f"%% {many.note}" in many.text


@pytest.mark.parametrize("format_", FORMATS)
def test_a_limit_is_reported(format_: GraphFormat) -> None:
    drawn = render_graph(large(40), format_, most_nodes=10)
    assert drawn.nodes == 10
    assert drawn.note == "30 packages are left out by the limit for nodes"
    assert drawn.note in drawn.text or '"left-out": 30' in drawn.text


def test_depth_and_packages_choose_a_part() -> None:
    drawn = render_graph(large(40), "json", packages=["P5"], depth=2)
    assert [node["name"] for node in json.loads(drawn.text)["nodes"]] == ["p5", "p6", "p7"]
    assert drawn.note == "32 packages are left out by --depth"
    with pytest.raises(LocksetError, match="has no package `q`"):
        render_graph(large(3), "json", packages=["q"])


def test_json_is_as_its_schema_says() -> None:
    value = json.loads(render_graph(small(), "json").text)
    check_output(value, "graph")
    assert value["edges"][1] == {"from": 0, "to": 2, "marker": "python_version < '3.12'"}


def test_svg_is_xml_with_a_box_for_each_package_and_a_line_for_each_edge() -> None:
    root = ET.fromstring(render_graph(small(), "svg").text)
    nodes = [each for each in root.iter() if each.get("data-node") is not None]
    assert len(nodes) == 5
    edges = [each for each in root.iter(f"{SVG}path") if each.get("data-from") is not None]
    assert [(each.get("data-from"), each.get("data-to"), each.get("class")) for each in edges] == [
        ("0", "1", "edge"),
        ("0", "2", "edge part"),
        ("4", "1", "edge"),
    ]
    assert "python_version < '3.12'" in [title.text for title in root.iter(f"{SVG}title")]


@pytest.mark.skipif(which("dot") is None, reason="Graphviz is not installed")
def test_dot_is_read_by_graphviz() -> None:
    done = subprocess.run(["dot", "-Tplain"], input=render_graph(small(), "dot").text, text=True, capture_output=True,
                          check=True)  # fmt: skip
    assert done.stdout.count("\nnode ") == 5


def test_dot_has_each_package_and_edge() -> None:
    text = render_graph(small(), "dot").text
    assert re.findall(r"n(\d+) -> n(\d+)( \[style=dashed)?", text) == [
        ("0", "1", ""), ("0", "2", " [style=dashed"), ("4", "1", ""),
    ]  # fmt: skip
    assert text.count("label=") == 5


def test_the_page_says_why_each_package_is_locked() -> None:
    text = render_graph(small(), "html").text
    assert "app 1 → old 1" in text
    assert 'href="#p2"' in text
    assert 'id="p2"' in text


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="`png` is not a format"):
        render_graph(small(), "png")  # type: ignore[arg-type]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_lock_file_without_packages_or_dependencies_is_drawn(format_: GraphFormat) -> None:
    assert render_graph(build_graph(lock_of()), format_).nodes == 0
    assert render_graph(build_graph(lock_of(entry("a", None, needs=None), entry("b", needs=None))), format_).edges == 0
