"""Differences between operating systems: but for `copies`, the only module with functions which some of them lack.

It tests `sys.platform`, which type checkers understand: mypy checks this file for Windows, macOS and Linux. It imports
as little as possible, since the fast paths use it.
"""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "BINARY",
    "NOFOLLOW",
    "NONBLOCK",
    "READ",
    "REMOVED_WHEN_CLOSED",
    "clone",
    "copy_range",
    "extended",
    "flock",
    "fork",
    "is_fixed",
    "is_private",
    "is_read_only",
    "keep_freed_memory",
    "keep_mode",
    "long_paths",
    "processors",
    "raise_again",
    "read_at",
    "registered_pythons",
    "release_memory",
    "rename",
    "replace",
    "rmdir",
    "system_facts",
    "unlink",
    "user_id",
]

# Without O_BINARY, Windows changes line ends.
BINARY: int = getattr(os, "O_BINARY", 0)
# Opening a pipe blocks until a process writes to it; where this is 0, folders cannot have pipes.
NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
# Windows removes no open file, but one that is opened with this flag when it is closed; 0 elsewhere.
REMOVED_WHEN_CLOSED: int = getattr(os, "O_TEMPORARY", 0)
# Flags for reading any file that others may have replaced.
READ: int = os.O_RDONLY | NONBLOCK | BINARY

_WRITABLE_BY_OTHERS = 0o022
# Linux: ioctl for the flags of a file, and the flags that forbid removing it.
_GET_FLAGS, _FIXED = 0x80086601, 0x10 | 0x20
# Linux: ioctl that makes one file share the extents of another (copy on write).
_FICLONE = 0x40049409
# Below 32 MB, the limit of glibc for this.
_LARGE_BLOCK = 16 << 20
# Windows: the attribute of a read-only file; access denied, sharing violation, lock violation, folder not empty (its
# content is being removed); and the pauses between tries in seconds. Virus scanners hold new files briefly.
_READ_ONLY = 1
_BUSY = frozenset({5, 32, 33, 145})
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
# Limit for all pauses of a process in seconds: files that a running program has loaded are held longer than that.
_PATIENCE = [6.0]


if sys.platform == "win32":

    def rename(old: str, new: str) -> None:
        """Rename `old` to the free path `new`, waiting for a process that holds the file briefly."""
        _patiently(lambda: os.rename(old, new))

    def replace(old: str, new: str) -> None:
        """Move the file `old` to `new`, which is replaced if it exists."""
        _patiently(lambda: os.replace(old, new), new)

    def unlink(path: str) -> None:
        """Remove the file or link `path`, also where it is read-only."""
        _patiently(lambda: os.unlink(path), path)

    def rmdir(path: str) -> None:
        """Remove the empty folder `path`."""
        _patiently(lambda: os.rmdir(path), path)

    def _patiently(act: Callable[[], None], path: str | None = None) -> None:
        """Call `act` again while another process holds a file; clear a read-only attribute of `path` first."""
        import time

        for pause in _PAUSES:
            try:
                act()
            except OSError as error:
                if path is not None and is_read_only(path):
                    os.chmod(path, 0o200)
                elif error.winerror not in _BUSY or _is_folder(path) or _PATIENCE[0] <= 0:
                    raise
                else:
                    _PATIENCE[0] -= pause
                    time.sleep(pause)
            else:
                return
        act()

    def _is_folder(path: str | None) -> bool:
        """Whether waiting does not help: `path` is a folder where a file should be removed or replaced."""
        return path is not None and os.path.isdir(path) and not os.path.islink(path)

    def is_read_only(path: str) -> bool:
        """Whether the file has the read-only attribute, which prevents its removal."""
        try:
            return bool(os.lstat(path).st_file_attributes & _READ_ONLY)
        except OSError:
            return False

    def user_id() -> int:
        """The owner of this user's files in `os.stat`: always 0 on Windows."""
        return 0

    def is_private(status: os.stat_result) -> bool:
        """Whether the file belongs to the user: on Windows, access control lists protect the user's profile."""
        return status.st_uid == 0

    def system_facts() -> tuple[str, ...]:
        """Facts that identify the operating system and its version."""
        return ("Windows", *map(str, sys.getwindowsversion()))

    def fork(work: Callable[[], bool]) -> Callable[[], bool] | None:
        """None: Windows has no fork."""
        del work
        return None

    def read_at(descriptor: int, size: int, position: int) -> bytes:
        """Up to `size` bytes of the open file from `position` on."""
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.read(descriptor, size)

    def flock(descriptor: int, *, shared: bool = False) -> bool:
        """True only if `shared`: Windows has no such locks, but it does not remove files that are in use."""
        del descriptor
        return shared

    def keep_mode(descriptor: int, mode: int) -> None:
        """Do nothing: modes do not affect permissions on Windows."""
        del descriptor, mode

    def clone(source: int, goal: int) -> bool:
        """False: cloning is not implemented on Windows."""
        del source, goal
        return False

    def raise_again(handler: Callable[..., object], seconds: float) -> None:
        """Do nothing: Windows has no such timer."""
        del handler, seconds

    def is_fixed(path: str) -> bool:
        """False: read-only files can be removed on Windows."""
        del path
        return False

    def extended(path: str) -> str:
        """The absolute `path` in the form that allows 260 characters and more."""
        if path.startswith("\\\\"):
            return path if path.startswith("\\\\?\\") else "\\\\?\\UNC" + path[1:]
        return "\\\\?\\" + os.path.normpath(path)

    def long_paths() -> bool:
        """Whether this system takes paths of 260 characters and more."""
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
                return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
        except OSError:
            return False

    def registered_pythons() -> Iterator[tuple[str, str]]:
        """Version ("3.11", or "" if it is not registered) and path of the Pythons in the registry (PEP 514).

        The user's own go first, then those of python.org, then other companies'.
        """
        import winreg

        roots = (
            (winreg.HKEY_CURRENT_USER, 0),
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_64KEY),
            (winreg.HKEY_LOCAL_MACHINE, winreg.KEY_WOW64_32KEY),
        )
        for hive, view in roots:
            companies = _subkeys(hive, "Software\\Python", view)
            for company in sorted(companies, key=lambda name: name != "PythonCore"):
                # "PyLauncher" is reserved: it has no environments.
                tags = _subkeys(hive, f"Software\\Python\\{company}", view) if company != "PyLauncher" else ()
                for tag in tags:
                    key_path = f"Software\\Python\\{company}\\{tag}"
                    version = _registered(hive, key_path, "SysVersion", view)
                    if not version and company == "PythonCore":
                        version = tag.partition("-")[0]
                    folder = _registered(hive, f"{key_path}\\InstallPath", "", view)
                    path = _registered(hive, f"{key_path}\\InstallPath", "ExecutablePath", view)
                    if path or folder:
                        yield version, path or os.path.join(folder, "python.exe")

    def _subkeys(hive: int, key_path: str, view: int) -> list[str]:
        import winreg

        try:
            with winreg.OpenKey(hive, key_path, 0, winreg.KEY_READ | view) as key:
                return [winreg.EnumKey(key, number) for number in range(winreg.QueryInfoKey(key)[0])]
        except OSError:
            return []

    def _registered(hive: int, key_path: str, name: str, view: int) -> str:
        """The text of a value in the registry; "" if there is none."""
        import winreg

        try:
            with winreg.OpenKey(hive, key_path, 0, winreg.KEY_READ | view) as key:
                value = winreg.QueryValueEx(key, name)[0]
        except OSError:
            return ""
        return value if isinstance(value, str) else ""

else:
    rename, replace, unlink, rmdir = os.rename, os.replace, os.unlink, os.rmdir

    def is_read_only(path: str) -> bool:
        """False: a file's mode does not prevent its removal."""
        del path
        return False

    user_id = os.geteuid

    def is_private(status: os.stat_result) -> bool:
        """Whether the file belongs to this user, and no other user may write it."""
        return status.st_uid == os.geteuid() and not status.st_mode & _WRITABLE_BY_OTHERS

    def system_facts() -> tuple[str, ...]:
        """Facts that identify the operating system and its version."""
        return tuple(os.uname())

    def fork(work: Callable[[], bool]) -> Callable[[], bool] | None:
        """Run `work` in a child process; the returned function waits for its result. None if not supported."""
        child = os.fork()
        if child == 0:
            # The child must not run the exit handlers of this process.
            same = False
            try:
                same = work()
            finally:
                os._exit(0 if same else 1)
        return lambda: os.waitpid(child, 0)[1] == 0

    read_at = os.pread

    def flock(descriptor: int, *, shared: bool = False) -> bool:
        """Lock the open file, alone or `shared` with others; False if another process holds the lock.

        Raises:
            OSError: The file system does not support locks.
        """
        import fcntl

        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def keep_mode(descriptor: int, mode: int) -> None:
        """Set the mode of the open file."""
        os.fchmod(descriptor, mode)

    def clone(source: int, goal: int) -> bool:
        """Make `goal` share its blocks with `source`; False if the system does not support it.

        Raises:
            OSError: The file system cannot.
        """
        if sys.platform == "linux":
            import fcntl

            fcntl.ioctl(goal, _FICLONE, source)
            return True
        else:  # noqa: RET505 - for the type checker
            return False

    def raise_again(handler: Callable[..., object], seconds: float) -> None:
        """Call the signal handler `handler` after `seconds`."""
        import signal

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def is_fixed(path: str) -> bool:
        """Whether the regular file `path` is immutable, so that not even its owner can remove it."""
        try:
            return _is_fixed(path)
        except OSError:
            return False  # not there, or the file system has no such flags

    def _is_fixed(path: str) -> bool:
        if sys.platform == "linux":
            import fcntl

            descriptor = os.open(path, READ | NOFOLLOW)
            try:
                flags = int.from_bytes(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(8))[:4], sys.byteorder)
            finally:
                os.close(descriptor)
            return bool(flags & _FIXED)
        else:  # noqa: RET505 - type checkers see one of both
            # macOS and the BSDs: what `chflags` sets, for the owner or for all.
            import stat

            fixed = stat.UF_IMMUTABLE | stat.UF_APPEND | stat.SF_IMMUTABLE | stat.SF_APPEND
            return bool(getattr(os.lstat(path), "st_flags", 0) & fixed)

    def extended(path: str) -> str:
        """The absolute `path` itself, which may be as long as the system allows."""
        return path

    def long_paths() -> bool:
        """Whether this system takes paths of 260 characters and more."""
        return True

    def registered_pythons() -> Iterator[tuple[str, str]]:
        """Version and path of the Pythons that the system has a list of: of Windows' registry alone."""
        return iter(())


def copy_range(source: int, goal: int, count: int) -> int:
    """Copy up to `count` bytes between open files with a system call; 0 at the end, or if it is not supported.

    Raises:
        OSError: The file system cannot.
    """
    if sys.platform == "linux" and hasattr(os, "copy_file_range"):  # PyPy has none
        return os.copy_file_range(source, goal, count)
    else:  # noqa: RET505 - type checkers see one of both
        return 0


def release_memory(mapped: object) -> None:
    """Let the system free the pages of a mapped file that were read; they are read again when needed."""
    if sys.platform != "win32":
        import mmap

        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)


def keep_freed_memory() -> None:
    """Let the C library keep freed memory, for work that often allocates and frees blocks of some hundred kilobytes.

    Otherwise glibc returns it to the system, and gets it back page by page. After a large block was freed it does so
    only for more than twice its size (mallopt(3), M_MMAP_THRESHOLD). The block takes no memory: it is never written.
    """
    if sys.platform == "linux":
        bytes(_LARGE_BLOCK)


def processors() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    else:  # noqa: RET505 - type checkers see one of both
        return os.cpu_count() or 1
