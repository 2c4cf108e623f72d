"""Write the output files of commands atomically, without following links at their paths."""

# Paths are strings here, as in all that a sync imports.
from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from lockset.errors import LocksetError, UsageError
from lockset.files.atomic import LockFile, sync_folder
from lockset.files.system import BINARY, NOFOLLOW, NONBLOCK, keep_mode, replace, unlink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["replacing", "write_export", "write_lock_file", "write_lock_files", "write_output", "write_result"]

# Longest name in bytes to which a suffix can be added.
_LONGEST_NAME = 248
# Timeout for another process that writes the same file.
_SECONDS = 10.0


def write_output(path: str, data: bytes) -> None:
    """Write `data` to `path` atomically and durably; if it fails, nothing is changed.

    An existing file keeps its mode; that of a new one follows the umask. A symbolic link is replaced, and its target is
    left alone. If two processes write at once, the result is one of both contents.

    Raises:
        OSError: The file cannot be written, or `path` is a pipe, a device or a folder.
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
    """A new file that replaces `path` at the end of the context, and is removed if an exception ends it.

    Until then it has another name in the same folder. Wait up to `seconds` for another process that replaces the same
    file. A file that a killed process has left is reused.

    Raises:
        OSError: The file cannot be written.
    """
    folder, name = os.path.dirname(path) or os.curdir, os.path.basename(path)
    os.stat(folder)  # a missing folder is not created
    short = name if len(os.fsencode(name)) <= _LONGEST_NAME else name[: _LONGEST_NAME // 4]
    temporary = f"{folder}{os.sep}.{short}.new"
    # Windows locks prevent other processes from opening the file, so the lock is a separate file.
    lock = LockFile(f"{folder}{os.sep}.{short}.lock" if os.name == "nt" else temporary, mode=0o666)
    if not lock.take(seconds=seconds):
        raise OSError(errno.EBUSY, "another process is writing it", path)
    try:
        with os.fdopen(_create(temporary), "wb") as file:
            yield file
        replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unlink(temporary)
        raise
    finally:
        lock.release()


def _mode_of(path: str) -> int | None:
    """The mode of the file, which is kept; None if there is no file."""
    try:
        mode = os.stat(path).st_mode
    except OSError:  # missing, a broken link, or not accessible: the rename will fail if it must
        return None
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return stat.S_IMODE(mode)


def _create(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NOFOLLOW | NONBLOCK | BINARY
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "its temporary file is not a regular file", path)
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
        raise _not_writable(os.fspath(path), error) from error


def write_result(path: str | os.PathLike[str] | None, text: str, *, made_for: Path | None) -> None:
    """Write a lock file to `path`, or without one to the output that it was made for.

    Raises:
        UsageError: `output-missing`: there is neither.
        LocksetError: `output-not-writable`.
    """
    location = path if path is not None else made_for
    if location is None:
        raise UsageError("output-missing", "The lock has no output file", hint="Pass a path to `write`")
    write_lock_file(location, text)


def write_lock_files(files: Sequence[tuple[Path | None, str]]) -> None:
    """Write several lock files; those that are the same already are left alone.

    All are written under other names first. The old files are replaced after that, so that a full disk, or a folder or
    file that cannot be written, leaves all of them unchanged.

    Raises:
        LocksetError: `output-not-writable`.
    """
    changed = [(str(path), text.encode()) for path, text in files if path is not None]
    with contextlib.ExitStack() as stack:
        path = ""
        try:
            for path, data in changed:
                if os.path.isfile(path) and _bytes(path) == data:
                    continue
                mode = _mode_of(path)
                # They take their places when the stack unwinds: after the last one is written.
                file = stack.enter_context(replacing(path, seconds=_SECONDS))
                if mode is not None:
                    keep_mode(file.fileno(), mode & 0o777)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                file.close()  # there may be hundreds
            stack.close()
            for folder in {os.path.dirname(path) or os.curdir for path, _ in changed}:
                sync_folder(folder)
        except OSError as error:
            raise LocksetError(
                "output-not-writable", f"Cannot write {path}: {error.strerror}", hint="The old files are as they were"
            ) from error


def write_export(path: str | os.PathLike[str], text: str) -> None:
    """Write what a lock file was exported to.

    Raises:
        LocksetError: `output-not-writable`.
    """
    try:
        write_output(os.fspath(path), text.encode())
    except OSError as error:
        raise _not_writable(os.fspath(path), error) from error


def _not_writable(path: str, error: OSError) -> LocksetError:
    folder = os.path.dirname(path)
    if folder and not os.path.exists(folder):
        hint: str | None = f"Create the folder `{folder}` first"
    else:
        hint = "The existing file is unchanged" if os.path.lexists(path) else None
    return LocksetError("output-not-writable", f"Cannot write {path}: {error.strerror}", hint=hint)


def _bytes(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as file:
        return file.read()
