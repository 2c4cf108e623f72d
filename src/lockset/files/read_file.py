"""Read one input file: regular files only, with a size limit, never blocking."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.system import READ

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_BYTES", "decode_utf8", "read_file", "relative_name"]

# Limit for one input file, which usually has a few kilobytes.
MAX_BYTES = 16 * 1024 * 1024


def read_file(path: Path, *, location: str, hint: str | None = None) -> bytes:
    """The content of the regular file `path`; `location` is its name in messages.

    Raises:
        LocksetError: `source-missing` (with `hint`) or `source-unreadable`.
    """
    try:
        descriptor = os.open(path, READ)
    except (FileNotFoundError, NotADirectoryError) as error:
        from lockset.similar_names import similar_file_hint  # for messages

        raise LocksetError(
            "source-missing", f"There is no file `{location}`", location=location, hint=similar_file_hint(path) or hint
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(location, _reason(error)) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _unreadable(location, "it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(location, _reason(error)) from error
    finally:
        os.close(descriptor)
    if len(data) > MAX_BYTES:
        raise _unreadable(location, f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def relative_name(path: Path, folder: Path) -> str:
    """The path relative to `folder`, for messages."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:  # another drive
        return str(path)


def decode_utf8(data: bytes, *, location: str) -> str:
    """The text of the file without a byte order mark; line ends are kept.

    Raises:
        LocksetError: `encoding`, with line and column of the first byte that is not UTF-8.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "Save it as UTF-8; PowerShell's `>` writes UTF-16"
        raise LocksetError("encoding", "The file is UTF-16, and must be UTF-8", location=location, hint=hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise LocksetError(
            "encoding",
            f"The byte 0x{data[error.start]:02x} is not UTF-8",
            location=f"{location}:{line}:{column}",
            hint="Save the file as UTF-8",
        ) from error


def _unreadable(location: str, reason: str) -> LocksetError:
    return LocksetError("source-unreadable", f"`{location}` cannot be read: {reason}", location=location)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
