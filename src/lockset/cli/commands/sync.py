"""`lockset sync`: make an environment match a lock file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lockset.api.sync import sync_target
from lockset.cli.options.sync import add_sync_arguments as add_arguments
from lockset.cli.options.sync import read_sync_command as read
from lockset.cli.output.sync_report import carry_out, show_sync

if TYPE_CHECKING:
    from lockset.cli.options.sync import SyncCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: SyncCommand, out: Output) -> int:
    """Sync, and report the changes."""
    began = time.perf_counter()
    result = carry_out(
        lambda show: sync_target(
            command.locks,
            python=command.python,
            options=command.options,
            indexes=command.indexes,
            context=command.context,
            on_plan=show,
        ),
        out,
    )
    return show_sync(result, command, time.perf_counter() - began, out)
