"""A dependency graph as Mermaid (for GitHub and GitLab), DOT (for Graphviz) and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.rendering.graph_model import KINDS, RenderedGraph, drawing_of
from lockset.rendering.markup import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.rendering.graph_model import GraphDrawing

__all__ = ["MERMAID_EDGES", "graph_dot", "graph_json", "graph_mermaid", "rendered_graph"]

# Mermaid refuses more than 500 edges and 50,000 characters unless its page raises the limits, which GitHub's does not.
MERMAID_EDGES = 500
_MERMAID_CHARACTERS = 50_000
_LONGEST_LABEL = 80
# Fill, stroke and text of each kind; readable on light and dark pages.
_COLORS = {
    "direct": ("#e0ecfb", "#0b3f7a", "#0b3f7a"),
    "extra": ("#ddf5e3", "#10512a", "#10512a"),
    "group": ("#fff0c7", "#664300", "#664300"),
    "platform": ("#ffffff", "#1b1f24", "#1b1f24"),
    "transitive": ("#eef0f3", "#57606a", "#1b1f24"),
}
_DASHES = {"extra": "5 3", "group": "2 3", "platform": "8 3"}
_STYLES = {"extra": "filled,rounded,dashed", "group": "filled,rounded,dotted", "platform": "filled,rounded,dashed"}
_ENTITIES = str.maketrans({'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "&": "#amp;", "|": "#124;"})


def graph_mermaid(graph: LockGraph, *, packages: Sequence[str], depth: int | None, most_nodes: int) -> RenderedGraph:
    """A flowchart that GitHub renders: within its limits for edges and characters, with a comment on what is left out.

    Raises:
        LocksetError: `unknown-package`.
    """
    while True:
        drawing = drawing_of(graph, packages=packages, depth=depth, most_nodes=most_nodes, most_edges=MERMAID_EDGES)
        for labelled in (True, False):
            text = _mermaid(drawing, labelled=labelled)
            if len(text) <= _MERMAID_CHARACTERS:
                return rendered_graph(drawing, text)
        most_nodes = len(drawing.nodes) * 3 // 4


def rendered_graph(drawing: GraphDrawing, text: str) -> RenderedGraph:
    """The drawing with its text."""
    return RenderedGraph(text=text, nodes=len(drawing.nodes), edges=len(drawing.edges), note=drawing.note)


def _mermaid(drawing: GraphDrawing, *, labelled: bool) -> str:
    lines = ["flowchart LR"]
    if drawing.note:
        lines.append(f"    %% {drawing.note}")
    lines += [f'    n{node.number}["{_mermaid_text(node.label)}"]:::{node.kind}' for node in drawing.nodes]
    for edge in drawing.edges:
        label = f' "{_mermaid_text(edge.condition)}" ' if labelled and edge.condition else ""
        arrow = "-->" if edge.condition is None else f"-.{label}.->" if label else "-.->"
        lines.append(f"    n{edge.source} {arrow} n{edge.target}")
    for kind in dict.fromkeys(node.kind for node in drawing.nodes):
        fill, stroke, color = _COLORS[kind]
        dashes = f",stroke-dasharray:{_DASHES[kind]}" if kind in _DASHES else ""
        lines.append(f"    classDef {kind} fill:{fill},stroke:{stroke},color:{color}{dashes}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    return _cut(text).translate(_ENTITIES)


def _cut(text: str) -> str:
    clean = shown(text).replace("\n", " ")
    return clean if len(clean) <= _LONGEST_LABEL else f"{clean[: _LONGEST_LABEL - 1]}…"


def graph_dot(drawing: GraphDrawing) -> str:
    """A graph for Graphviz: `dot -Tsvg`."""
    lines = ["digraph lock {", "  rankdir=LR;", '  node [shape=box, fontname="monospace", fontsize=11];']
    if drawing.note:
        lines.append(f"  // {drawing.note}")
    for node in drawing.nodes:
        fill, stroke, color = _COLORS[node.kind]
        tooltip = KINDS[node.kind] + (f"; {node.condition}" if node.condition else "")
        style = _STYLES.get(node.kind, "filled,rounded")
        lines.append(
            f'  n{node.number} [label={_quoted(node.label)}, tooltip={_quoted(tooltip)}, style="{style}",'
            f' fillcolor="{fill}", color="{stroke}", fontcolor="{color}"];'
        )
    for edge in drawing.edges:
        dashed = "" if edge.condition is None else f" [style=dashed, tooltip={_quoted(edge.condition)}]"
        lines.append(f"  n{edge.source} -> n{edge.target}{dashed};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = shown(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def graph_json(graph: LockGraph, drawing: GraphDrawing) -> dict[str, Any]:
    """Nodes and edges; `schemas/command-output.schema.json` describes them."""
    return {
        "created-by": graph.created_by,
        "dependencies-recorded": graph.recorded,
        "nodes": [
            {
                "id": node.number,
                "name": node.name,
                "version": node.version,
                "kind": node.kind,
                "marker": node.condition,
                "requirements": list(graph.requested.get(node.number, ())),
            }
            for node in drawing.nodes
        ],
        "edges": [{"from": edge.source, "to": edge.target, "marker": edge.condition} for edge in drawing.edges],
        "left-out": drawing.left_out,
    }
