"""`lockset export`: export a lock file to requirements, constraints or a bill of materials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.export import export
from lockset.cli.exit_codes import DONE
from lockset.cli.options.export import add_export_arguments as add_arguments
from lockset.cli.options.export import read_export_command as read
from lockset.cli.output.convert_report import show_export

if TYPE_CHECKING:
    from lockset.cli.options.export import ExportCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: ExportCommand, out: Output) -> int:
    """Export; see `lockset export --help`."""
    result = export(command.file, command.options, context=command.context)
    if command.target is not None:
        result.write(command.target)
    show_export(result, command.target, command, out)
    return DONE
