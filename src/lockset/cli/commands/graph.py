"""`lockset graph`: draw the dependency graph of a lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.lock_files import graph
from lockset.api.render import render_graph
from lockset.cli.exit_codes import DONE
from lockset.cli.options.report import add_graph_arguments as add_arguments
from lockset.cli.options.report import read_graph_command as read
from lockset.cli.output.documents import write_document
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.cli.options.report import GraphCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: GraphCommand, out: Output) -> int:
    """Write the drawing."""
    view = command.view
    shown = graph(view.file, **view.selection, context=view.context)
    drawn = render_graph(
        shown,
        command.format,
        packages=command.packages,
        depth=command.depth,
        most_nodes=command.most_nodes,
        name=view.name,
    )
    path = write_document(drawn.text, command.target, out)
    if not shown.recorded and shown.entries:
        out.line(f"{plain(shown.created_by)} recorded no dependencies in this lock file: there are no edges")
    if drawn.note:
        out.line(f"Not everything is drawn: {drawn.note}")
    if path is not None:
        out.line(out.style(f"Wrote {plain(path)}: {drawn.nodes} packages, {drawn.edges} dependencies", "bold green"))
    return DONE
