"""`lockset install`: install the packages of a lock file, and remove no others."""

from __future__ import annotations

from lockset.api.sync import sync_target
from lockset.cli.options.sync import add_install_arguments as add_arguments
from lockset.cli.options.sync import read_sync_command as read
from lockset.cli.output.sync_report import run_sync

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.cli.options.sync import SyncCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: SyncCommand, out: Output) -> int:
    """Sync, and report the changes."""
    return run_sync(sync_target, command, out)
