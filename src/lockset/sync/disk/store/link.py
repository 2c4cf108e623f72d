"""Files of the store into a target: cloned, hard linked or copied, whichever the file system can."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH123
from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.system import BINARY, clone, copy_range, unlink
from lockset.sync.disk.inspect.installed_scan import has_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.progress import ProgressListener
    from lockset.sync.wheel.manifest import StoredFile

__all__ = ["LINK_MODES", "DamagedStore", "Linker"]

LINK_MODES = ("auto", "clone", "hardlink", "copy")
# Answers of a file system that cannot clone or link, as against a disk that is full or broken.
_CANNOT = frozenset({
    errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EINVAL, errno.EMLINK, errno.EBADF,
    errno.EACCES, errno.ETXTBSY,
})  # fmt: skip
_CHUNK = 1 << 20
# Bounds one call that copies, which no signal interrupts.
_MOST_AT_ONCE = 64 << 20


class DamagedStore(LocksetError):  # noqa: N818 (names what was found)
    """A stored file is not as it was unpacked."""

    def __init__(self, path: str) -> None:
        super().__init__("store-damaged", "A file of the cache was changed since it was unpacked", location=path)


class Linker:
    """Puts stored files at new places, from any thread. The first way that works is kept for the run.

    Args:
        mode: One of `LINK_MODES`.
        listener: Told once when the mode asked for cannot be had.
        hashing: Stored files are hashed before they are used, not only compared by size and time.
    """

    def __init__(self, mode: str, listener: ProgressListener, *, hashing: bool = False) -> None:
        self._requested_mode = mode
        self._hashing = hashing
        self._listener = listener
        strategies: dict[str, tuple[Callable[[str, str, StoredFile], None], ...]] = {
            "auto": (_clone, _link, _copy),
            "clone": (_clone, _copy),
            "hardlink": (_link, _copy),
            "copy": (_copy,),
        }
        self._strategies = strategies[mode]
        # Nobody else makes files at this moment: a run's threads begin when its linker is there.
        mask = os.umask(0o022)
        os.umask(mask)
        self._modes = (0o644 & ~mask, 0o755 & ~mask)

    def put(self, source: str, goal: str, file: StoredFile) -> None:
        """Make `goal`, where nothing is, have the content and time of `source`, and the mode that a new file has here.

        Raises:
            DamagedStore: `source` differs from `file`, which the store knows of it.
            OSError: The disk did not let us.
        """
        mode = self._mode_of(source, file)
        if mode != self._modes[file.executable] and os.name == "posix":
            # One inode has one mode: another target's mask, or who changed it there, must not decide for this one.
            _copy_readable(source, goal, file)
            return
        while True:
            # Several threads may find out at once that a way does not work.
            strategies = self._strategies
            strategy = strategies[0]
            try:
                strategy(source, goal, file)
            except OSError as error:
                if strategy is _copy or error.errno not in _CANNOT:
                    raise
                _remove(goal)
                if error.errno == errno.EMLINK:
                    # This one file has as many names as the file system allows.
                    _copy(source, goal, file)
                    return
                self._strategies = strategies[1:]
                if self._requested_mode != "auto":
                    self._listener.note(
                        f"The file system cannot {self._requested_mode} from the cache: copying instead"
                    )
            else:
                return

    def _mode_of(self, source: str, file: StoredFile) -> int:
        """The mode of `source`, once it is known to be as it was unpacked."""
        try:
            status = os.lstat(source)
        except FileNotFoundError:
            raise DamagedStore(source) from None
        if status.st_size != file.size or status.st_mtime_ns != file.mtime or not stat.S_ISREG(status.st_mode):
            raise DamagedStore(source)
        if self._hashing and not has_hash(source, file.hash):
            raise DamagedStore(source)
        return stat.S_IMODE(status.st_mode)


def _link(source: str, goal: str, file: StoredFile) -> None:
    del file
    os.link(source, goal, follow_symlinks=False)


def _clone(source: str, goal: str, file: StoredFile) -> None:
    with open(source, "rb") as old, os.fdopen(_create(goal, file), "wb") as new:
        if not clone(old.fileno(), new.fileno()):
            raise OSError(errno.EOPNOTSUPP, "no clones here")
    os.utime(goal, ns=(file.mtime, file.mtime))


def _copy(source: str, goal: str, file: StoredFile) -> None:
    with open(source, "rb", buffering=0) as old, open(_create(goal, file), "wb", buffering=0) as new:
        _copy_within(old.fileno(), new.fileno())
        # What the system did not copy by itself: all of it elsewhere.
        while chunk := old.read(_CHUNK):
            left = memoryview(chunk)
            while left:
                left = left[new.write(left) :]
    os.utime(goal, ns=(file.mtime, file.mtime))


def _copy_readable(source: str, goal: str, file: StoredFile) -> None:
    """As `_copy`, from a file that perhaps nobody may read any more."""
    if not os.access(source, os.R_OK):
        raise DamagedStore(source)
    _copy(source, goal, file)


def _copy_within(old: int, new: int) -> None:
    """Have the system copy from `old` to `new`, as far as it can; both stand where it ended."""
    try:
        while copy_range(old, new, _MOST_AT_ONCE):
            pass
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def _create(goal: str, file: StoredFile) -> int:
    mode = 0o755 if file.executable else 0o644
    return os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, mode)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        unlink(path)
