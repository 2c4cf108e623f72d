"""Results as files: whole or not at all, and left alone where nothing changes."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.output_file import write_output

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_export", "write_lock_file"]


def write_lock_file(path: Path, text: str) -> None:
    """Write a lock file whole or not at all; one that is the same already is left alone.

    Raises:
        LocksetError: `lock-unwritable`.
    """
    data = text.encode()
    try:
        if path.is_file() and path.read_bytes() == data:  # neither a pipe nor a device, which have no end
            return
        write_output(fspath(path), data)
    except OSError as error:
        raise LocksetError(
            "lock-unwritable", f"Cannot write {path}: {error.strerror}", hint="The old file is as it was"
        ) from error


def write_export(path: Path, text: str) -> None:
    """Write what a lock file was exported to.

    Raises:
        LocksetError: `unwritable`.
    """
    try:
        write_output(fspath(path), text.encode())
    except OSError as error:
        raise LocksetError("unwritable", f"Cannot write {path}: {error.strerror}") from error
