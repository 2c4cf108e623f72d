"""Files that are there whole or not at all, and folders that are the user's alone."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH101, PTH102, PTH103, PTH112, PTH114, PTH120
from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from lockset.files.system import BINARY, NOFOLLOW, NONBLOCK, READ, rename, replace, rmdir, unlink

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "is_straight",
    "private_folder",
    "read_remembered",
    "remove_tree",
    "replace_file",
    "set_aside",
    "sync_folder",
    "write_durably",
]


# Bounds what is read of a memory; the largest targets known need some ten megabytes.
_LARGEST = 256 << 20
# Folder for what could not be removed since it was in use.
_IN_USE = "in-use"


def replace_file(path: Path, data: bytes, *, private: bool) -> bool:
    """Put `data` at `path` by rename; False where the disk does not let us (a cache goes without).

    With `private` the folder is made for the user alone.
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
    """The bytes of the regular file `path`, which need not be what was put there; none where there is no such file.

    Anything else at that place (a pipe, a device, a folder) is not waited for.
    """
    try:
        descriptor = os.open(path, READ)
    except OSError:
        return b""
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            return b""
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall()
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def private_folder(path: str) -> None:
    """Make the folder `path` where it is missing, and every missing one above it, for the user alone."""
    if os.path.isdir(path):
        return
    above = os.path.dirname(path)
    if above != path:
        private_folder(above)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


def write_durably(path: str, data: bytes) -> None:
    """Put `data` at `path` by rename, safe from a loss of power when this returns; where it fails, nothing is left."""
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
    """Make the names in the folder `path` safe from a loss of power, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        # Some network file systems cannot; the next sync heals what a loss of power leaves.
        pass
    finally:
        os.close(descriptor)


def is_straight(folder: str) -> bool:
    """Whether no link leads to `folder`."""
    real = os.path.realpath(folder)
    return real == folder or (os.name == "nt" and os.path.normcase(real) == os.path.normcase(folder))


def remove_tree(path: str) -> None:
    """Remove the private folder `path` with all in it, links not followed; nothing when it is not there."""
    if _removed_flat(path):
        return
    import shutil

    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            # Not what was put there: to open a pipe would be to wait for it.
            unlink(path)
            return
        shutil.rmtree(path, onerror=_try_again)


def set_aside(path: str) -> None:
    """Move what is left in the private folder `path`, since it is in use, out of the way of names to come.

    Windows lets a program that runs, and a module that is loaded, be moved, but not removed.
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


def _removed_flat(path: str) -> bool:
    """Remove a folder of files and empty folders, as most are; False where there is more to it."""
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
    """A read-only folder is what an installed package had; anything else may have been a passing fault."""
    del function, error
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
    with contextlib.suppress(OSError):
        if os.path.isdir(path) and not os.path.islink(path):
            rmdir(path)
        else:
            unlink(path)
