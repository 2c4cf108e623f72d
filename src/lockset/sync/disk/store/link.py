"""Clone, link or copy files of the store into a target, depending on the file system."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import contextlib
import errno
import os
import stat

from lockset.errors import LocksetError
from lockset.files.system import BINARY, clone, copy_range, unlink
from lockset.progress import NullListener
from lockset.sync.disk.inspect.installed_scan import has_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lockset.progress import ProgressListener
    from lockset.sync.wheel.file_lists import StoredFile

__all__ = ["LINK_MODES", "DamagedStore", "Linker", "restore_time"]

LINK_MODES = ("auto", "clone", "hardlink", "copy", "symlink")
# Errors of a file system that cannot clone or link, as opposed to a disk that is full or broken.
_CANNOT = frozenset({
    errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EINVAL, errno.EMLINK, errno.EBADF,
    errno.EACCES, errno.ETXTBSY,
})  # fmt: skip
_CHUNK = 1 << 20
# Whether a path may start at an open folder, which saves the system most of the way to each file.
_FROM_FOLDERS = {os.stat, os.link} <= os.supports_dir_fd
# Limit for one copying system call, which signals do not interrupt.
_MOST_AT_ONCE = 64 << 20


class DamagedStore(LocksetError):
    """A stored file was changed since it was unpacked."""

    def __init__(self, path: str) -> None:
        super().__init__("store-damaged", "A file of the cache was changed since it was unpacked", location=path)


class Linker:
    """Puts stored files at new paths. The first strategy that works is kept for the run.

    Args:
        mode: One of `LINK_MODES`.
        listener: Notified once if the requested mode is not supported.
        hashing: Hash stored files before use, instead of comparing size and time only.
    """

    def __init__(self, mode: str, listener: ProgressListener, *, hashing: bool = False) -> None:
        self._requested_mode = mode
        self._hashing = hashing
        self._listener = listener
        strategies: dict[str, tuple[Callable[[str, str, StoredFile], None], ...]] = {
            "auto": (_clone, _link, _copy),
            "clone": (_clone, _copy),
            "hardlink": (_link, _copy),
            "symlink": (_symlink, _copy),
            "copy": (_copy,),
        }
        self._strategies = strategies[mode]
        # No other thread creates files now.
        mask = os.umask(0o022)
        os.umask(mask)
        self._modes = (0o644 & ~mask, 0o755 & ~mask)

    def mute(self) -> None:
        """Stop notifying."""
        self._listener = NullListener()

    def put_all(self, folder: str, files: Iterable[tuple[str, StoredFile]], *, area: str | None) -> None:
        """`put` files of the store's entry `folder`, each at its path; all below the folder `area`, if one is given.

        Raises:
            FileExistsError: One of the paths, its `filename`, is taken.
            FileNotFoundError: `folder` is missing.
            DamagedStore: As `put`.
            OSError: As `put`.
        """
        if area is None or not _FROM_FOLDERS:
            for goal, file in files:
                self._put_new(file.location(folder), goal, file)
            return
        modes = tuple(stat.S_IFREG | mode for mode in self._modes)
        status_of, link, start = os.stat, os.link, len(area) + 1
        with _opened(folder) as old, _opened(area) as new:
            for goal, file in files:
                scheme, path, _, size, mtime, executable, _ = file
                # Nearly every file is linked here; what there is to repair, to copy or to refuse is left to `put`.
                if self._strategies[0] is _link and not self._hashing:
                    source = f"{scheme}/{path}"
                    try:
                        status = status_of(source, dir_fd=old, follow_symlinks=False)
                        if (status.st_mtime_ns, status.st_size, status.st_mode) == (mtime, size, modes[executable]):
                            link(source, goal[start:], src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
                            continue
                    except OSError:
                        pass
                self._put_new(file.location(folder), goal, file)

    def _put_new(self, source: str, goal: str, file: StoredFile) -> None:
        try:
            self.put(source, goal, file)
        except FileExistsError as error:
            raise FileExistsError(error.errno, error.strerror, goal) from None

    def put(self, source: str, goal: str, file: StoredFile) -> None:
        """Create `goal` with the content and time of `source`, and the mode of a new file.

        Raises:
            DamagedStore: `source` differs from its manifest row `file`.
            OSError: `goal` cannot be written.
        """
        mode = self._mode_of(source, file)
        if mode & 0o7777 != self._modes[file.executable] and os.name == "posix":
            # A hard link would share the mode with other targets, whose umask may differ.
            _copy_readable(source, goal, file)
            return
        while True:
            strategy = self._strategies[0]
            try:
                strategy(source, goal, file)
            except OSError as error:
                if strategy is _copy or error.errno not in _CANNOT:
                    raise
                _remove(goal)
                if error.errno == errno.EMLINK:
                    # This file has as many links as the file system allows.
                    _copy(source, goal, file)
                    return
                self._strategies = self._strategies[1:]
                if self._requested_mode != "auto":
                    self._listener.note(
                        f"The file system cannot {self._requested_mode} from the cache: copying instead"
                    )
            else:
                return

    def _mode_of(self, source: str, file: StoredFile) -> int:
        """The mode of `source`, after checking that it is unchanged."""
        try:
            status = os.lstat(source)
        except FileNotFoundError:
            raise DamagedStore(source) from None
        mode = status.st_mode
        if status.st_size != file.size or not stat.S_ISREG(mode):
            raise DamagedStore(source)
        is_touched = status.st_mtime_ns != file.mtime
        if is_touched and not file.hash:
            raise DamagedStore(source)
        if (self._hashing or is_touched) and not has_hash(source, file.hash):
            raise DamagedStore(source)
        if is_touched:
            restore_time(source, file)
        return mode


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def restore_time(source: str, file: StoredFile) -> None:
    """Set the time of a stored file whose content is unchanged: a cache that was restored from an archive has others.

    Raises:
        DamagedStore: The time cannot be set.
    """
    try:
        os.utime(source, ns=(file.mtime, file.mtime))
    except OSError:
        raise DamagedStore(source) from None


def _link(source: str, goal: str, file: StoredFile) -> None:
    del file
    os.link(source, goal, follow_symlinks=False)


def _symlink(source: str, goal: str, file: StoredFile) -> None:
    del file
    os.symlink(os.path.abspath(source), goal)


def _clone(source: str, goal: str, file: StoredFile) -> None:
    with open(source, "rb") as old, os.fdopen(_create(goal, file), "wb") as new:
        if not clone(old.fileno(), new.fileno()):
            raise OSError(errno.EOPNOTSUPP, "no clones here")
    os.utime(goal, ns=(file.mtime, file.mtime))


def _copy(source: str, goal: str, file: StoredFile) -> None:
    with open(source, "rb", buffering=0) as old, open(_create(goal, file), "wb", buffering=0) as new:
        _copy_within(old.fileno(), new.fileno())
        # Copy what the system call did not.
        while chunk := old.read(_CHUNK):
            left = memoryview(chunk)
            while left:
                left = left[new.write(left) :]
    os.utime(goal, ns=(file.mtime, file.mtime))


def _copy_readable(source: str, goal: str, file: StoredFile) -> None:
    """Like `_copy`, from a file that may not be readable."""
    if not os.access(source, os.R_OK):
        raise DamagedStore(source)
    _copy(source, goal, file)


def _copy_within(old: int, new: int) -> None:
    """Copy from `old` to `new` with a system call as far as possible; both positions advance."""
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
