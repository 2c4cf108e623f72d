"""`lockset diff [A [B]]`: compare two lock files, or versions of one that git has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.render import render_review
from lockset.api.review import review
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.diff import add_diff_arguments as add_arguments
from lockset.cli.options.diff import read_diff_command as read
from lockset.cli.output.diff_text import diff_lines, diff_summary
from lockset.cli.output.documents import write_document
from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from lockset.cli.options.diff import DiffCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: DiffCommand, out: Output) -> int:
    """Show the changes."""
    changes = review(command.old, command.new, context=command.context)
    if command.format == "text":
        if not changes.diff.is_empty:
            out.data("\n".join(diff_lines(changes, out)))
    elif command.format != "markdown" or not changes.diff.is_empty or command.target is not None:
        text = render_review(changes, command.format)
        path = write_document(text, command.target, out)
        if path is not None:
            out.line(f"Wrote {plain(path)}")
    if command.format != "json":
        out.line(diff_summary(changes))
    if changes.alerts and command.format != "json":
        out.warn(f"{count_text(len(changes.alerts), 'change')} of hashes or publishers: check before you install")
    if command.format != "json":
        for change in changes.diff.publishers:
            out.warn(plain(change.text))
    refused = command.refuse_new_publisher and changes.diff.publishers
    return REFUSED if refused or (command.exit_code and not changes.diff.is_empty) else DONE
