"""Write files atomically, create and remove private folders, and lock files: a lock ends with its process."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from lockset.files.system import BINARY, NOFOLLOW, NONBLOCK, READ, flock, rename, replace, rmdir, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "IN_USE",
    "LockFile",
    "is_straight",
    "private_folder",
    "read_remembered",
    "remove_tree",
    "replace_file",
    "set_aside",
    "sync_folder",
    "use_folder",
    "write_durably",
]

# Limit for a cached file; the largest known targets need about ten megabytes.
_LARGEST = 256 << 20
# Folder for files that could not be removed because they were in use.
_IN_USE = "in-use"
# Seconds between two tries.
_PAUSE = 0.05
# The lock of a cache folder: runs hold it together, and a run that removes entries holds it alone.
IN_USE = ".lock"
# Seconds to wait for a run that removes entries.
_PATIENCE = 60.0


def replace_file(path: Path, data: bytes, *, private: bool) -> bool:
    """Write `data` to `path` atomically; False if that fails, which a cache ignores.

    With `private`, a missing folder is created for the user only.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        if private:
            private_folder(str(path.parent))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        replace(str(temporary), str(path))
    except OSError:
        with contextlib.suppress(OSError):
            unlink(str(temporary))
        return False
    return True


def read_remembered(path: str) -> bytes:
    """The bytes of the regular file `path`, which are not verified; empty if there is no such file.

    Never blocks on anything else at that path, such as a pipe or a device.
    """
    try:
        descriptor = os.open(path, READ)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return b""
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall()
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def private_folder(path: str) -> None:
    """Create the folder `path` and its missing parents, for the user only."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    if above != path:
        private_folder(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


def write_durably(path: str, data: bytes) -> None:
    """Write `data` to `path` atomically and durably; nothing is left behind if it fails."""
    temporary = f"{path}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NOFOLLOW | NONBLOCK | BINARY
    descriptor = os.open(temporary, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            unlink(temporary)
        raise
    sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Flush the entries of the folder `path` to the disk, where the system supports it."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some network file systems cannot; the next sync recovers from a loss of power.
        pass
    finally:
        os.close(descriptor)


def is_straight(folder: str) -> bool:
    """Whether the path `folder` has no symbolic links."""
    real = os.path.realpath(folder)
    return real == folder or (os.name == "nt" and os.path.normcase(real) == os.path.normcase(folder))


def remove_tree(path: str) -> None:
    """Remove the private folder `path` with its content, without following links; do nothing if it does not exist."""
    if _remove_flat(path):
        return
    import shutil

    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            # Not the folder that was created: opening a pipe would block.
            unlink(path)
            return
        shutil.rmtree(path, onerror=_try_again)


def set_aside(path: str) -> None:
    """Move files that are in use, and so could not be removed, to a subfolder of the private folder `path`.

    Windows can move a running program and a loaded module, but not remove them.
    """
    aside = f"{path}{os.sep}{_IN_USE}"
    os.makedirs(aside, exist_ok=True)
    for above, folders, names in os.walk(path, topdown=False):
        if above == aside:
            continue
        for name in names:
            rename(f"{above}{os.sep}{name}", f"{aside}{os.sep}{os.urandom(8).hex()}")
        for name in folders:
            if above != path or name != _IN_USE:
                rmdir(f"{above}{os.sep}{name}")


def _remove_flat(path: str) -> bool:
    """Remove a folder that only has files and empty folders, as most do; False if it has more."""
    if os.path.islink(path):
        return False
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    rmdir(entry.path)
                else:
                    unlink(entry.path)
        rmdir(path)
    except OSError:
        return not os.path.lexists(path)
    return True


def _try_again(function: object, path: str, error: object) -> None:
    """Retry after making the folder writable; other failures may be temporary."""
    del function, error
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
    with contextlib.suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            rmdir(path)
        else:
            unlink(path)


class LockFile:
    """The lock at `path`, created with `mode`. The holder may remove the file; waiting processes then create a new one.

    The library `filelock` does the same, but importing it takes a fifth of the time of a small sync.
    """

    def __init__(self, path: str, *, mode: int = 0o644) -> None:
        self._path = path
        self._mode = mode
        self._release = _nothing

    def take(self, *, seconds: float) -> bool:
        """Acquire the lock, waiting up to `seconds` for another holder; False if that does not release it.

        Raises:
            OSError: The file cannot be created or locked.
        """
        end = time.monotonic() + seconds
        while not self._try_take():
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE)
        return True

    def release(self) -> None:
        """Release the lock."""
        self._release()
        self._release = _nothing

    def _try_take(self) -> bool:
        if os.name == "nt":
            return self._take_with_library()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | NOFOLLOW, self._mode)
        except FileNotFoundError:
            # Another holder has removed the folder that it had created.
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            return False
        try:
            held = flock(descriptor) and _is_at(descriptor, self._path)
        except OSError:
            os.close(descriptor)
            raise
        if held:
            self._release = lambda: os.close(descriptor)
        else:
            os.close(descriptor)
        return held

    def _take_with_library(self) -> bool:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._release = lock.release
        return True


def use_folder(folder: str) -> int | None:
    """Hold the lock of a cache folder together with others; the file to close at the end, None without a lock.

    Waits for a process that removes entries. If the folder cannot be locked, the run goes on without: an entry that
    vanishes is fetched again.
    """
    try:
        descriptor = os.open(os.path.join(folder, IN_USE), os.O_RDWR | os.O_CREAT | NOFOLLOW | NONBLOCK, 0o600)
    except OSError:
        return None
    end = time.monotonic() + _PATIENCE
    try:
        while not flock(descriptor, shared=True) and time.monotonic() < end:
            time.sleep(_PAUSE)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _nothing() -> None:
    """Do nothing: the lock is not held."""


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still the one at `path`: its last holder may have removed it before releasing it."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
