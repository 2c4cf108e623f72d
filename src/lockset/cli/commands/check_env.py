"""`lockset check-env`: show how an environment differs from a lock file, without changes and without the network."""

from __future__ import annotations

from lockset.api.sync import check_env
from lockset.cli.options.sync import add_check_arguments as add_arguments
from lockset.cli.options.sync import read_sync_command as read
from lockset.cli.output.sync_report import show_difference, show_plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.cli.options.sync import SyncCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: SyncCommand, out: Output) -> int:
    """Compare, and show the differences."""
    result = check_env(
        command.locks,
        python=command.python,
        options=command.options,
        indexes=command.indexes,
        context=command.context,
        on_plan=lambda target, plan: show_plan(plan, target, out),
    )
    return show_difference(result, command, out)
