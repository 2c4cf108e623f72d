"""`lockset lock`: lock a project for every platform into one pylock.toml."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lockset.api.lock import lock
from lockset.cli.exit_codes import DONE
from lockset.cli.fast_path.save_lock import save_lock
from lockset.cli.options.lock import add_lock_arguments as add_arguments
from lockset.cli.options.lock import read_lock_command as read
from lockset.cli.output.lock_report import show_check, show_lock

if TYPE_CHECKING:
    from lockset.cli.options.lock import LockCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: LockCommand, out: Output) -> int:
    """Lock, check or show; see `lockset lock --help`."""
    began, since = time.perf_counter(), time.time()
    sources, output, indexes = command.sources, command.output, command.indexes
    if command.check:
        from lockset.api.check import check  # not needed for a lock

        state = check(
            sources,
            options=command.options,
            indexes=indexes,
            output=output,
            context=command.context,
            online=command.online,
        )
        if state.members:
            from lockset.cli.output.workspace_report import show_workspace_check  # most projects are in no workspace

            return show_workspace_check(state, command, out)
        return show_check(state, command, out)
    result = lock(sources, options=command.options, indexes=indexes, output=output, context=command.context)
    if result.path is None and not command.dry_run:
        out.file(result.text)
    elif not command.dry_run:
        result.write()
    if result.members:
        from lockset.cli.output.workspace_report import show_workspace_lock  # most projects are in no workspace

        show_workspace_lock(result, command, time.perf_counter() - began, out)
        return DONE
    summary = show_lock(result, command, time.perf_counter() - began, out)
    if command.repeatable:
        save_lock(command, result, outputs=summary, since=since)
    return DONE
