"""A lock file that one process at a time holds; the lock ends with the process."""

# Paths are strings here, as in all that a sync imports at its start.
from __future__ import annotations

import os
import time

from lockset.files.system import NOFOLLOW, NONBLOCK, flock

__all__ = ["IN_USE", "LockFile", "use_folder"]

# Seconds between two tries.
_PAUSE = 0.05
# The lock of a cache folder: runs hold it together, and a run that removes entries holds it alone.
IN_USE = ".lock"
# Seconds to wait for a run that removes entries.
_PATIENCE = 60.0


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
