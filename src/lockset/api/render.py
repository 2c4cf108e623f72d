"""render_report(), render_graph() and render_review(): results as HTML, Markdown and other formats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from lockset.errors import UsageError
from lockset.option_values import check_argument
from lockset.rendering.graph_layout import MOST_DRAWN
from lockset.rendering.graph_model import drawing_of
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Collection

    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.diff_review import DiffReview
    from lockset.lockfile.report.report import LockReport
    from lockset.rendering.graph_model import RenderedGraph

__all__ = ["GraphFormat", "ReportFormat", "ReviewFormat", "render_graph", "render_report", "render_review"]

ReportFormat: TypeAlias = Literal["html", "markdown", "json"]
ReviewFormat: TypeAlias = Literal["markdown", "html", "json"]
GraphFormat: TypeAlias = Literal["mermaid", "dot", "svg", "html", "json"]


def render_report(report: LockReport, format: ReportFormat = "html") -> str:  # noqa: A002 - its usual name
    """The `report` as text: one HTML file that loads nothing, Markdown of at most 60,000 characters, or JSON.

    Raises:
        UsageError: `option-value` if the format is not known.
    """
    _check_format(format, get_args(ReportFormat))
    if format == "html":
        from lockset.rendering.report_html import report_html

        return report_html(report)
    if format == "markdown":
        from lockset.rendering.report_markdown import report_markdown

        return report_markdown(report)
    from lockset.rendering.report_json import report_json

    return _json(report_json(report))


def render_graph(
    graph: LockGraph,
    format: GraphFormat = "mermaid",  # noqa: A002 - its usual name
    *,
    packages: Collection[str] = (),
    depth: int | None = None,
    most_nodes: int = MOST_DRAWN,
    name: str = "pylock.toml",
) -> RenderedGraph:
    """A dependency graph as text.

    Args:
        graph: The graph, as `lockset.graph` returns it.
        format: `mermaid` (within the limits of GitHub), `dot` (for Graphviz), `svg`, `html` (one file that loads
            nothing) or `json`.
        packages: Names of packages to start with; by default what the project itself requires.
        depth: Levels below the first ones; None for all.
        most_nodes: Limit for packages; the text says how many are left out.
        name: Name of the lock file, for the title of the page.

    Raises:
        LocksetError: `unknown-package`.
        UsageError: `option-value` if a value is not valid.
    """
    _check_format(format, get_args(GraphFormat))
    names = tuple(check_argument("packages", packages, "Collection[str]"))
    from lockset.rendering.graph_text import graph_dot, graph_json, graph_mermaid, rendered_graph

    if format == "mermaid":
        return graph_mermaid(graph, packages=names, depth=depth, most_nodes=most_nodes)
    drawing = drawing_of(graph, packages=names, depth=depth, most_nodes=most_nodes)
    if format == "svg":
        from lockset.rendering.graph_svg import graph_svg_file

        text = graph_svg_file(drawing)
    elif format == "html":
        from lockset.rendering.graph_html import graph_html

        text = graph_html(graph, drawing, name=name)
    else:
        text = graph_dot(drawing) if format == "dot" else _json(graph_json(graph, drawing))
    return rendered_graph(drawing, text)


def render_review(review: DiffReview, format: ReviewFormat = "markdown") -> str:  # noqa: A002 - its usual name
    """The `review` as text: Markdown of at most 60,000 characters, one HTML file that loads nothing, or JSON.

    Raises:
        UsageError: `option-value` if the format is not known.
    """
    _check_format(format, get_args(ReviewFormat))
    if format == "html":
        from lockset.rendering.diff_html import diff_html

        return diff_html(review)
    if format == "markdown":
        from lockset.rendering.diff_markdown import diff_markdown

        return diff_markdown(review)
    from lockset.rendering.diff_json import diff_json

    return _json(diff_json(review))


def _json(value: object) -> str:
    return without_secrets(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def _check_format(given: object, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError("option-value", f"`{given}` is not a format", hint=f"Use {', '.join(known)}")
