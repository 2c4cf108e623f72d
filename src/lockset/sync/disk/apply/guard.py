"""Guard a target: one sync at a time, and none in an externally managed environment (PEP 668)."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import contextlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.files.lock_file import LockFile
from lockset.files.system import rmdir, unlink
from lockset.sync.layout import LOCK_FILE, STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.progress import ProgressListener
    from lockset.sync.layout import Layout
    from lockset.sync.target import Target

__all__ = ["locked", "refuse_managed", "refuse_not_writable"]

# Timeout for another sync; one that takes longer has hung.
_SECONDS = 600.0


def refuse_managed(target: Target) -> None:
    """Refuse an interpreter whose environment is externally managed (PEP 668).

    Raises:
        LocksetError: `externally-managed`.
    """
    managed = target.interpreter.managed
    if target.kind not in {"directory", "prefix"} and managed is not None:
        # An INI file whose `Error` tells users of that system what to do; the first paragraph is enough.
        first = managed.partition("Error=")[2].strip() or managed
        lines = [line.strip() for line in first.splitlines()]
        paragraph = lines[: lines.index("")] if "" in lines else lines
        raise LocksetError(
            "externally-managed",
            "The packages of this Python are managed by the system",
            location=target.interpreter.executable,
            context=tuple(paragraph[:8]),
            hint="Sync into a virtual environment (`python -m venv .venv`), or use `--break-system-packages`",
        )


def refuse_not_writable(layout: Layout) -> None:
    """Refuse a target that this user cannot change, before anything is downloaded for it.

    Raises:
        LocksetError: `target-not-writable`.
    """
    for folder in dict.fromkeys((layout.base, *layout.libraries)):
        existing = folder
        while not os.path.lexists(existing):
            existing = os.path.dirname(existing)
        if os.path.isdir(existing) and not os.access(existing, os.W_OK | os.X_OK):
            try:
                os.mkdir(probe := f"{existing}{os.sep}{STATE_FOLDER}.{os.urandom(8).hex()}")
            except OSError as error:
                raise _not_writable(folder, "changed" if existing == folder else "created", error.strerror) from error
            rmdir(probe)


def _not_writable(path: str, what: str, reason: str | None) -> LocksetError:
    return LocksetError(
        "target-not-writable",
        f"The target cannot be {what}: {reason}",
        location=path,
        hint="Sync as a user who can write to it, or into a virtual environment or a `--target` folder of your own",
    )


@contextmanager
def locked(layout: Layout, listener: ProgressListener) -> Iterator[None]:
    """Hold the target's lock, which ends with the process. The target's folder is created if it is missing.

    Raises:
        LocksetError: `target-busy`, `target-not-writable`.
    """
    path = f"{layout.base}{os.sep}{LOCK_FILE}"
    made = _make_folder(layout.base)
    lock = LockFile(path)
    _clear(path)
    try:
        if not lock.take(seconds=0):
            listener.note(f"Waiting for another sync of {layout.base} to finish")
            if not lock.take(seconds=_SECONDS):
                raise LocksetError("target-busy", "Another sync of the target does not finish", location=layout.base)
    except OSError as error:
        raise _not_writable(layout.base, "changed", error.strerror) from error
    try:
        yield
    finally:
        _release(lock, path)
        for folder in made:
            with contextlib.suppress(OSError):
                rmdir(folder)


def _release(lock: LockFile, path: str) -> None:
    """Remove the lock file at `path` and release the lock. If this fails, the lock still ends with the process."""
    if os.name == "nt":
        # Windows does not remove an open file, so release first.
        with contextlib.suppress(OSError):
            lock.release()
    # Elsewhere remove it while it is held: a waiting process notices that the file is gone, and creates a new one.
    # Try twice, since a failure may be temporary.
    for _ in range(2):
        with contextlib.suppress(OSError):
            unlink(path)
    with contextlib.suppress(OSError):
        lock.release()


def _clear(path: str) -> None:
    """Remove anything at `path` that cannot be a lock file: a symbolic link or a folder."""
    with contextlib.suppress(OSError):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            unlink(path)
        elif stat.S_ISDIR(mode):
            rmdir(path)


def _make_folder(base: str) -> list[str]:
    """Create the folder `base`, and return the folders that were missing, deepest first."""
    missing: list[str] = []
    folder = base
    while not os.path.isdir(folder):
        if os.path.lexists(folder):
            raise LocksetError("target-not-folder", "The target is not a folder", location=folder)
        missing.append(folder)
        folder = os.path.dirname(folder)
    try:
        os.makedirs(base, exist_ok=True)
    except OSError as error:
        raise _not_writable(base, "created", error.strerror) from error
    return missing
