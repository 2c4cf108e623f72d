"""`lockset merge-driver`: merge lock files for git, or set git up for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.merge import (
    LockMerge,
    merge_lock_versions,
    read_merge_version,
    setup_merge_driver,
    text_with_markers,
    write_merge_version,
)
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.merge_driver import add_merge_driver_arguments as add_arguments
from lockset.cli.options.merge_driver import read_merge_driver_command as read
from lockset.cli.output.streams import count_text, plain
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from lockset.cli.options.merge_driver import MergeDriverCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: MergeDriverCommand, out: Output) -> int:
    """Merge, or set up."""
    if command.files is None:
        path, changed = setup_merge_driver(remove=command.uninstall, for_user=command.for_user, context=command.context)
        if command.uninstall:
            out.line("git merges lock files as text again" if changed else "There was no merge driver to remove")
        else:
            out.line("git merges lock files with lockset" if changed else "git merges lock files with lockset already")
            out.line(f"  attributes: {plain(str(path))}")
        return DONE
    base, ours, theirs = (read_merge_version(command.context.here / path) for path in command.files)
    label = command.labels[2] if command.labels[2] != "theirs" else ""
    merge = LockMerge(path=command.path, base=base, ours=ours, theirs=theirs, label=label)
    try:
        result = merge_lock_versions(merge, indexes=command.indexes, context=command.context)
    except LocksetError as error:
        out.error(error.diagnostic)
        _leave_markers(command, out)
        return REFUSED
    write_merge_version(command.context.here / command.files[1], result.text.encode())
    count = count_text(len({package.name for package in result.lock.packages}), "package")
    out.line(f"Merged {plain(command.path)}: {count}, with the pins of both sides")
    return DONE


def _leave_markers(command: MergeDriverCommand, out: Output) -> None:
    """Leave what git would: its conflict markers in our file."""
    assert command.files is not None
    here = command.context.here
    base, ours, theirs = (str(here / path) for path in command.files)
    text = text_with_markers((ours, base, theirs), command.labels, command.marker_size, here)
    if text is not None:
        write_merge_version(here / command.files[1], text)
        out.line(f"The conflict markers of git are in {plain(command.path)}")
