"""Load a lock file from disk: regular files only, with a size limit, without blocking on pipes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lockset.errors import LocksetError
from lockset.files.system import READ
from lockset.lockfile.read import MAX_BYTES, Document, read_document

__all__ = ["load", "load_bytes"]

_FOLDER = "it is a folder"


def load(path: str | os.PathLike[str]) -> Document:
    """Read the lock file `path`.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`.
    """
    return read_document(load_bytes(path), path=os.fspath(path))


def load_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the regular file `path`, at most MAX_BYTES of them.

    Raises:
        LocksetError: `lock-not-found` or `lock-unreadable`.
    """
    shown = os.fspath(path)
    try:
        descriptor = os.open(path, READ)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LocksetError(
            "lock-not-found", f"There is no file `{shown}`", location=shown, hint=_missing_hint(shown)
        ) from error
    except ValueError as error:  # a NUL in the path
        raise LocksetError("lock-not-found", f"`{shown}` is not a valid path", location=shown) from error
    except OSError as error:
        reason = _FOLDER if Path(path).is_dir() else error.strerror or "unknown reason"
        raise _unreadable(shown, reason) from error
    try:
        return _read_bounded(descriptor, shown)
    except OSError as error:
        raise _unreadable(shown, error.strerror or "unknown reason") from error
    finally:
        os.close(descriptor)


def _read_bounded(descriptor: int, shown: str) -> bytes:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise _unreadable(shown, _FOLDER if stat.S_ISDIR(facts.st_mode) else "it is not a regular file")
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _unreadable(shown, f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return data


def _unreadable(shown: str, reason: str) -> LocksetError:
    hint = "Name the file in it, or run in it with `--directory`" if reason == _FOLDER else None
    return LocksetError("lock-unreadable", f"`{shown}` cannot be read: {reason}", location=shown, hint=hint)


def _missing_hint(path: str) -> str:
    name = os.path.basename(path)
    if name.isidentifier() or name.replace("-", "_").isidentifier():
        return (
            f"The argument is the path of a lock file. If `{name}` is a package: `lockset tree --package {name}` shows "
            "it; to add it, edit pyproject.toml and run `lockset lock`"
        )
    return "Run `lockset lock` to create a lock file, or give the path of another one"
