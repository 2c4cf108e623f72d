"""A dependency graph as SVG: inside a page, or as a file with its own style."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.rendering.graph_layout import lay_out
from lockset.rendering.graph_model import KINDS
from lockset.rendering.markup import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.rendering.graph_model import DrawnNode, GraphDrawing

__all__ = ["graph_legend", "graph_svg", "graph_svg_file"]

# Width of a character of the monospaced font of 12 pixels, and what is around a label.
_CHARACTER, _PADDING = 7.3, 18.0
_LONGEST_LABEL = 60
_LEGEND_HEIGHT = 26
# The parts of the style sheet that a drawing needs.
_COLORS = lazy_pattern(r"^:root \{.*?^\}|^@media \(prefers-color-scheme: dark\) \{.*?^\}", re.DOTALL | re.MULTILINE)
_RULES = lazy_pattern(r"^svg\.graph .*$", re.MULTILINE)


def graph_legend() -> Html:
    """A legend of the colours and lines."""
    kinds = [element("li", element("span", class_=f"swatch {kind}"), text) for kind, text in KINDS.items()]
    edge = element("li", element("span", class_="swatch edge"), "required only where its marker holds")
    return element("ul", *kinds, edge, class_="legend")


def graph_svg(drawing: GraphDrawing, *, links: str | None = None, extra: Sequence[Html] = (), lower: int = 0) -> Html:
    """The drawing as an `svg` element.

    Args:
        drawing: What to draw.
        links: Prefix of the address that a node links to, followed by its number; None for no links.
        extra: Further content.
        lower: Pixels above the drawing, for further content.
    """
    labels = {node.number: _label(node) for node in drawing.nodes}
    widths = {number: len(label) * _CHARACTER + _PADDING for number, label in labels.items()}
    layout = lay_out(widths, [(edge.source, edge.target) for edge in drawing.edges])
    arrow = element(
        "marker",
        element("path", d="M0 0 8 4 0 8z", fill="context-stroke"),
        id="arrow", viewBox="0 0 8 8", refX=8, refY=4, markerWidth=7, markerHeight=7, orient="auto",
    )  # fmt: skip
    edges = []
    for edge in drawing.edges:
        route = layout.routes.get((edge.source, edge.target))
        if route is None:
            continue
        title = element("title", edge.condition) if edge.condition else None
        path = element("path", d=_path(route), marker_end="url(#arrow)", class_=f"edge{' part' if title else ''}",
                       data_from=edge.source, data_to=edge.target)  # fmt: skip
        edges.append(element("g", title, path) if title else path)
    nodes = [_node(node, labels[node.number], layout.boxes[node.number], links) for node in drawing.nodes]
    width, height = round(layout.width), round(layout.height) + lower
    moved = element("g", *edges, *nodes, transform=f"translate(0 {lower})")
    return element(
        "svg", element("defs", arrow), *extra, moved,
        xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}", width=width, height=height, class_="graph",
        role="group", aria_label=f"Dependency graph of {len(drawing.nodes)} packages",
    )  # fmt: skip


def _node(node: DrawnNode, label: str, box: tuple[float, float, float, float], links: str | None) -> Html:
    x, y, width, height = (round(each, 1) for each in box)
    about = f"{node.label}: {KINDS[node.kind]}" + (f"; {node.condition}" if node.condition else "")
    shape = joined(
        element("title", about),
        element("rect", x=x, y=y, width=width, height=height, rx=6),
        element("text", label, x=round(x + _PADDING / 2, 1), y=round(y + height / 2 + 4, 1)),
    )
    class_ = f"node {node.kind}"
    if links is None:
        return element("g", shape, class_=class_, data_node=node.number, data_name=node.name)
    return element("a", shape, href=f"{links}{node.number}", class_=class_, data_node=node.number, data_name=node.name)


def _label(node: DrawnNode) -> str:
    label = node.label
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A smooth line through the points: straight within a layer, curved between layers."""
    parts = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    for (x, y), (next_x, next_y) in pairwise(points):
        if y == next_y:
            parts.append(f"H{next_x:.0f}")
            continue
        middle = (x + next_x) / 2
        parts.append(f"C{middle:.0f} {y:.0f} {middle:.0f} {next_y:.0f} {next_x:.0f} {next_y:.0f}")
    return "".join(parts)


def graph_svg_file(drawing: GraphDrawing) -> str:
    """The drawing as an SVG file with its legend, which follows the light or dark scheme of the viewer."""
    css = files("lockset.rendering").joinpath("page.css").read_text(encoding="utf-8")
    colors = "".join(_COLORS.findall(css))
    rules = "\n".join(_RULES.findall(css))
    style = Html(
        f"<style>{colors}\nsvg.graph {{ background: var(--page); color-scheme: light dark; }}\n{rules}</style>"
    )
    legend: list[Html] = []
    x = 12
    kinds = {node.kind for node in drawing.nodes}
    for kind, text in ((kind, text) for kind, text in KINDS.items() if kind in kinds):
        swatch = element("rect", x=x, y=6, width=18, height=12, rx=3)
        legend.append(element("g", swatch, element("text", text, x=x + 24, y=16), class_=f"node {kind}"))
        x += 40 + round(len(text) * _CHARACTER)
    note = element("desc", drawing.note) if drawing.note else None
    svg = graph_svg(drawing, extra=[style, *([note] if note else []), *legend], lower=_LEGEND_HEIGHT)
    # The legend may be wider than a small drawing.
    match = re.search(r'viewBox="0 0 (\d+) (\d+)" width="(\d+)"', svg)
    assert match is not None
    if int(match[1]) < x:
        svg = Html(svg.replace(match[0], f'viewBox="0 0 {x} {match[2]}" width="{x}"', 1))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}\n'
