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
    from lockset.sync.wheel.file_lists import StoredFile, StoredGroup

__all__ = ["LINK_MODES", "DamagedStore", "Linker", "restore_time"]

LINK_MODES = ("auto", "clone", "hardlink", "copy", "symlink")
# Errors of a file system that cannot clone or link, as opposed to a disk that is full or broken.
_CANNOT = frozenset({
    errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EINVAL, errno.EMLINK, errno.EBADF,
    errno.EACCES, errno.ETXTBSY,
})  # fmt: skip
_CHUNK = 1 << 20
# Whether a path may start at an open folder, which saves the system most of the way to each file.
_FROM_FOLDERS = {os.stat, os.link, os.mkdir} <= os.supports_dir_fd
# Opening anything but a folder fails with this flag, instead of waiting for the other end of a pipe.
_FOLDER: int = getattr(os, "O_DIRECTORY", 0)
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

    def put_group(self, entry: str, group: StoredGroup, goal: str) -> None:
        """Create the folders of `group`, and `put` its files, below the folder `goal`; `entry` is that of the store.

        Raises:
            FileExistsError: One of the paths, its `filename`, is taken.
            FileNotFoundError: The folder of the store is missing.
            DamagedStore: As `put`.
            OSError: As `put`.
        """
        source = _below(entry, f"{group.scheme}/{group.inside}" if group.inside else group.scheme)
        if _FROM_FOLDERS:
            with _opened(source) as old, _opened(goal) as new:
                _make_folders(group, goal, new)
                self._put_files(source, group, goal, self._link_unchanged(group, old, new))
        else:
            _make_folders(group, goal, None)
            self._put_files(source, group, goal, range(len(group.sizes)))

    def _put_files(self, source: str, group: StoredGroup, goal: str, numbers: Iterable[int]) -> None:
        """`put` the files of `group` that have these `numbers`."""
        rows: list[StoredFile] = []
        start = len(group.inside) + 1 if group.inside else 0
        for number in numbers:
            rows = rows or group.rows()
            name = rows[number].path[start:]
            new = _below(goal, name)
            try:
                self.put(_below(source, name), new, rows[number])
            except FileExistsError as error:
                raise FileExistsError(error.errno, error.strerror, new) from None

    def _link_unchanged(self, group: StoredGroup, old: int, new: int) -> Iterator[int]:
        """Link what is unchanged since it was unpacked from the open folder `old` to `new`.

        Yields the numbers of the other files: what there is to repair, to copy or to refuse is left to `put`.
        """
        status_of, link, mode = os.stat, os.link, stat.S_IFREG | self._modes[group.executable]
        rows = zip(group.names.split("\0"), group.sizes, group.times, strict=True)
        for number, (name, size, time) in enumerate(rows):
            if self._strategies[0] is _link and not self._hashing:
                try:
                    status = status_of(name, dir_fd=old, follow_symlinks=False)
                    if status.st_mtime_ns == time and status.st_size == size and status.st_mode == mode:
                        link(name, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
                        continue
                except OSError:
                    pass
            yield number

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
        except (FileNotFoundError, NotADirectoryError):
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


def _below(folder: str, relative: str) -> str:
    """The path of `relative`, which has `/` between components, below `folder`."""
    return f"{folder}{os.sep}{relative if os.sep == '/' else relative.replace('/', os.sep)}"


def _make_folders(group: StoredGroup, goal: str, above: int | None) -> None:
    """Create the folders of `group` below the folder `goal`, which is open as `above` if that is not None."""
    make = os.mkdir
    for folder in group.folders.split("\0") if group.folders else ():
        try:
            if above is None:
                make(_below(goal, folder), 0o755)
            else:
                make(folder, 0o755, dir_fd=above)
        except FileExistsError:  # of another distribution, or a file system without case takes its name for another
            continue


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[int]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | _FOLDER)
    except NotADirectoryError:
        raise DamagedStore(folder) from None
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
