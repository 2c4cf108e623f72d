"""A dependency graph as one HTML file: a drawing, a search, and why each package is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.dependency_graph import chains_to
from lockset.rendering.graph_model import KINDS
from lockset.rendering.graph_svg import graph_legend, graph_svg
from lockset.rendering.markup import Html, element, html_page, joined, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.lockfile.dependency_graph import Chain, LockGraph
    from lockset.rendering.graph_model import DrawnNode, GraphDrawing

__all__ = ["graph_html"]

# Chains of one package, and steps of the search for them.
_MOST_CHAINS, _MOST_STEPS = 5, 2_000
_CHIPS = {"direct": "note", "extra": "good", "group": "poor", "platform": "", "transitive": ""}


def graph_html(graph: LockGraph, drawing: GraphDrawing, *, name: str) -> str:
    """The page; `name` is that of the lock file."""
    title = f"Dependencies of {shown(name)}"
    recorded = None
    if not graph.recorded:
        recorded = element("p", f"{graph.created_by} recorded no dependencies in this lock file: there are no edges.",
                           class_="soft")  # fmt: skip
    cut = element("p", element("b", "Not everything is drawn: "), drawing.note, ".") if drawing.note else None
    find = element(
        "div",
        element("label", "Search packages", for_="find", class_="sr"),
        element("input", type="search", id="find", placeholder="Search packages ( / )", autocomplete="off"),
        element("button", "-", type="button", id="smaller", aria_label="Smaller"),
        element("button", "+", type="button", id="larger", aria_label="Larger"),
        element("button", "Fit", type="button", id="fit"),
        element("span", id="find-status", role="status", class_="soft"),
        class_="tools",
        hidden=True,
    )
    picture = element("div", graph_svg(drawing, links="#p"), class_="scroll tall", id="picture", role="region",
                      tabindex="0", aria_label="Drawing; packages are links to their details")  # fmt: skip
    panel = element("div", class_="why", id="panel", aria_live="polite", hidden=True)
    chosen = element("section", element("h2", "Graph", id="graph-title"), graph_legend(), recorded, cut, find, picture,
                     panel, class_="card", aria_labelledby="graph-title")  # fmt: skip
    by_name = sorted(drawing.nodes, key=lambda node: (node.name, node.number))
    items = [_details(graph, drawing, node) for node in by_name]
    listed = element("section", element("h2", "Packages", id="packages-title"), *items,
                     class_="card packages", aria_labelledby="packages-title")  # fmt: skip
    count = f"{len(drawing.nodes)} packages, {len(drawing.edges)} dependencies · written by {graph.created_by}"
    body = [
        element("header", element("div", element("h1", title), element("p", count, class_="soft"), class_="wrap"),
                class_="top"),
        element("main", chosen, listed, class_="wrap"),
        element("footer", element("div", "Made by ", element("code", "lockset graph"), ".", class_="wrap")),
    ]  # fmt: skip
    return html_page(title, body, script="graph.js")


def _details(graph: LockGraph, drawing: GraphDrawing, node: DrawnNode) -> Html:
    drawn = {each.number for each in drawing.nodes}
    chip = element("span", KINDS[node.kind], class_=f"chip {_CHIPS[node.kind]}")
    facts: list[tuple[str, object]] = []
    requested = graph.requested.get(node.number, ())
    if requested:
        facts.append(("Required as", _listed(element("code", text) for text in requested)))
    if node.condition:
        facts.append(("Installed where", element("code", node.condition)))
    chains, complete = chains_to(graph, node.number, most=_MOST_CHAINS, steps=_MOST_STEPS)
    if longer := [chain for chain in chains if len(chain.entries) > 1]:
        more = (
            None if complete else element("div", "There are more chains: ", element("code", f"lockset why {node.name}"))
        )
        facts.append(("Why", joined(*(_chain(graph, chain) for chain in longer), more)))
    for label, numbers in (("Requires", graph.children[node.number]), ("Required by", graph.parents[node.number])):
        if numbers:
            facts.append((label, _listed(_reference(graph, number, drawn) for number in numbers)))
    pairs = [joined(element("dt", label), element("dd", content)) for label, content in facts]
    content = element("dl", *pairs) if pairs else element("p", "Nothing else requires it.")
    summary = element("summary", element("b", node.name), f" {node.version or ''} ", chip)
    return element("details", summary, content, id=f"p{node.number}", data_name=node.name, data_number=node.number)


def _reference(graph: LockGraph, number: int, drawn: set[int]) -> Html:
    text = str(graph.entries[number])
    return element("a", text, href=f"#p{number}") if number in drawn else element("span", text)


def _listed(items: Iterable[Html]) -> Html:
    pieces: list[object] = []
    for item in items:
        pieces += [", ", item] if pieces else [item]
    return joined(*pieces)


def _chain(graph: LockGraph, chain: Chain) -> Html:
    text = " → ".join(str(entry) for entry in chain.entries)
    condition = graph.condition(chain.region)
    own = chain.entries[-1].condition
    where = element("code", condition) if condition is not None and condition != own else None
    return element("div", text, " " if where else None, where, class_="chain")
