"""The files that commands are asked to write: whole or not at all, and never through what stands in their place."""

# Paths are strings here, as in all that a sync imports.
# ruff: noqa: PTH113, PTH116, PTH119, PTH120, PTH123
from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from lockset.errors import LocksetError
from lockset.files.atomic import sync_folder
from lockset.files.lock_file import LockFile
from lockset.files.system import BINARY, NOFOLLOW, NONBLOCK, keep_mode, replace, unlink

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["replacing", "write_export", "write_lock_file", "write_output"]

# Bytes of a name to which a file system lets some more be added.
_LONGEST_NAME = 248
# Bounds how long another process that writes the same file is waited for.
_SECONDS = 10.0


def write_output(path: str, data: bytes) -> None:
    """Put `data` at `path` by rename, safe from a loss of power when this returns; where it fails, nothing is changed.

    A file that is there keeps its mode; a new one may be read by whom the user's mask lets. A link is replaced, what it
    points to is left alone. Two processes at once: one of both contents, whole.

    Raises:
        OSError: The system did not let us, or what stands there (a pipe, a device, a folder) is no regular file.
    """
    mode = _mode_of(path)
    with replacing(path, seconds=_SECONDS) as file:
        if mode is not None:
            keep_mode(file.fileno(), mode & 0o777)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(os.path.dirname(path) or os.curdir)


@contextlib.contextmanager
def replacing(path: str, *, seconds: float) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the context ends, and is gone where it ends by an exception.

    Until then it stands beside, under a name of its own; another process that replaces the same file is waited for so
    long. What a killed process has left there is used and gone with the next one.

    Raises:
        OSError: The system did not let us.
    """
    folder, name = os.path.dirname(path) or os.curdir, os.path.basename(path)
    os.stat(folder)  # a folder that is not there is not made
    short = name if len(os.fsencode(name)) <= _LONGEST_NAME else name[: _LONGEST_NAME // 4]
    temporary = f"{folder}{os.sep}.{short}.new"
    # Where locks keep others from opening a file, the lock is a file of its own.
    lock = LockFile(f"{folder}{os.sep}.{short}.lock" if os.name == "nt" else temporary, mode=0o666)
    if not lock.take(seconds=seconds):
        raise OSError(errno.EBUSY, "another process is writing it", path)
    try:
        with os.fdopen(_created(temporary), "wb") as file:
            yield file
        replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unlink(temporary)
        raise
    finally:
        lock.release()


def _mode_of(path: str) -> int | None:
    """The mode that the file has and shall have again; None where there is none."""
    try:
        found = os.stat(path).st_mode
    except OSError:  # nothing, a link to nothing, or nothing that may be looked at: the rename tells
        return None
    if not stat.S_ISREG(found):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return stat.S_IMODE(found)


def _created(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NOFOLLOW | NONBLOCK | BINARY
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "what stands beside it is no regular file", path)
    return descriptor


def write_lock_file(path: str | os.PathLike[str], text: str) -> None:
    """Write a lock file whole or not at all; one that is the same already is left alone.

    Raises:
        LocksetError: `output-not-writable`.
    """
    data = text.encode()
    try:
        if os.path.isfile(path) and _bytes(path) == data:  # neither a pipe nor a device, which have no end
            return
        write_output(os.fspath(path), data)
    except OSError as error:
        raise LocksetError(
            "output-not-writable", f"Cannot write {os.fspath(path)}: {error.strerror}", hint="The old file is as it was"
        ) from error


def write_export(path: str | os.PathLike[str], text: str) -> None:
    """Write what a lock file was exported to.

    Raises:
        LocksetError: `output-not-writable`.
    """
    try:
        write_output(os.fspath(path), text.encode())
    except OSError as error:
        raise LocksetError("output-not-writable", f"Cannot write {os.fspath(path)}: {error.strerror}") from error


def _bytes(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()
