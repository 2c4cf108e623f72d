"""The files that commands are asked to write: whole or not at all, and never through what stands in their place."""

# Paths are strings here, as in all that a sync imports.
# ruff: noqa: PTH105, PTH108, PTH116, PTH119, PTH120
from __future__ import annotations

import contextlib
import errno
import os
import stat

from lockset.sync.disk.atomic import sync_folder
from lockset.sync.disk.lock_file import LockFile

__all__ = ["write_output"]

# Bounds how long another process that writes the same file is waited for.
_SECONDS = 10.0


def write_output(path: str, data: bytes) -> None:
    """Put `data` at `path` by rename, safe from a loss of power when this returns; where it fails, nothing is changed.

    A file that is there keeps its mode; a new one may be read by whom the user's mask lets. A link is replaced, what it
    points to is left alone. Two processes at once: one of both contents, whole.

    Raises:
        OSError: The system did not let us, or what stands there (a pipe, a device, a folder) is no regular file.
    """
    mode = _mode_for(path)
    temporary = f"{os.path.dirname(path) or os.curdir}{os.sep}.{os.path.basename(path)}.new"
    lock = LockFile(temporary, mode=0o666)
    if os.name == "posix" and not lock.take(seconds=_SECONDS):
        raise OSError(errno.EBUSY, "another process is writing it", path)
    try:
        _write(temporary, data, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        lock.release()
    sync_folder(os.path.dirname(path) or os.curdir)


def _mode_for(path: str) -> int | None:
    """The mode that the file has and shall have again; None where there is none."""
    try:
        found = os.stat(path).st_mode
    except OSError:  # nothing, a link to nothing, or nothing that may be looked at: the rename tells
        return None
    if not stat.S_ISREG(found):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return stat.S_IMODE(found)


def _write(temporary: str, data: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(temporary, flags | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "what stands beside it is no regular file", temporary)
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode & 0o777)
        file.write(data)
        file.flush()
        os.fsync(descriptor)
