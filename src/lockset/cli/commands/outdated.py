"""`lockset outdated`: show which packages of a lock file have newer versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.outdated import outdated
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.outdated import add_outdated_arguments as add_arguments
from lockset.cli.options.outdated import read_outdated_command as read
from lockset.cli.output.outdated_report import outdated_json, show_outdated

if TYPE_CHECKING:
    from lockset.cli.options.outdated import OutdatedCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: OutdatedCommand, out: Output) -> int:
    """Compare, and show the table."""
    report = outdated(
        command.file,
        source=command.source,
        options=command.options,
        indexes=command.indexes,
        context=command.context,
    )
    if command.json:
        out.json(outdated_json(report, only_direct=command.direct))
    else:
        show_outdated(report, out, only_direct=command.direct)
    return REFUSED if command.exit_code and report.can_upgrade_any(only_direct=command.direct) else DONE
