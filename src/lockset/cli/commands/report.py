"""`lockset report`: what a lock file gives each environment, and the health of its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.render import render_report
from lockset.api.report import report
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.report import add_report_arguments as add_arguments
from lockset.cli.options.report import read_report_command as read
from lockset.cli.output.documents import write_document
from lockset.cli.output.report_summary import show_failures, summary_text

if TYPE_CHECKING:
    from lockset.cli.options.report import ReportCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: ReportCommand, out: Output) -> int:
    """Write the report; 1 if it has a concern of `--fail-on`."""
    made = report(command.file, options=command.options, indexes=command.indexes, context=command.context)
    path = write_document(render_report(made, command.format), command.target, out)
    out.line(summary_text(made, path, out))
    failures = [each for each in made.concerns if each.name in command.fail_on]
    show_failures(made, failures, out)
    return REFUSED if failures else DONE
