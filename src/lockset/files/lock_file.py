"""A file that one process at a time holds; the hold ends with the process, whatever ends that."""

# Paths are strings here, as in all that a sync imports at its start.
# ruff: noqa: PTH103, PTH120
from __future__ import annotations

import os
import time

from lockset.files.system import NOFOLLOW, flock

__all__ = ["LockFile"]

# Seconds between two tries.
_PAUSE = 0.05


class LockFile:
    """The lock at `path`, made with `mode`. Who holds it may remove the file; those who wait take a new one then.

    (The library `filelock` does the same everywhere; to import it would take a fifth of a small sync.)
    """

    def __init__(self, path: str, *, mode: int = 0o644) -> None:
        self._path = path
        self._mode = mode
        self._release = _nothing

    def take(self, *, seconds: float) -> bool:
        """Take it, waiting so long for another holder; False where that one does not let it go.

        Raises:
            OSError: The disk or the system did not let us.
        """
        end = time.monotonic() + seconds
        while not self._taken():
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE)
        return True

    def release(self) -> None:
        """Let it go."""
        self._release()
        self._release = _nothing

    def _taken(self) -> bool:
        if os.name == "nt":
            return self._taken_by_library()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | NOFOLLOW, self._mode)
        except FileNotFoundError:
            # The folder has gone with a holder that had made it in vain.
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

    def _taken_by_library(self) -> bool:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._release = lock.release
        return True


def _nothing() -> None:
    """Nothing is held."""


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still the one at `path`: its last holder may have removed it before letting it go."""
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    ours = os.fstat(descriptor)
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
