"""A lock file that one process at a time holds; the lock ends with the process."""

# Paths are strings here, as in all that a sync imports at its start.
from __future__ import annotations

import os
import time

from lockset.files.system import NOFOLLOW, flock

__all__ = ["LockFile"]

# Seconds between two tries.
_PAUSE = 0.05


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
