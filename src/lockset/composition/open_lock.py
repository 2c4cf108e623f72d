"""Open the lock file of a call: by path, from the standard input, the nearest one, or from a git revision."""

from __future__ import annotations

from os import fspath
from os.path import basename
from typing import TYPE_CHECKING

from lockset.composition.project_locks import lock_of_project, no_lock_error
from lockset.conversion.model.formats import is_foreign
from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME, is_lock_file_name
from lockset.lockfile.load import load, load_bytes
from lockset.lockfile.read import read
from lockset.option_values import check_argument
from lockset.sources.discover import STDIN, find_upwards

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.read import Document

__all__ = ["open_lock", "open_revision"]


def open_lock(path: str | PathLike[str] | None, context: RunContext) -> Document:
    """Read the lock file at `path`; without a path, the nearest pylock.toml from the context's folder upwards.

    `-` reads `context.stdin`, if that is set. A pyproject.toml or script stands for the lock file next to it.
    Requirements files and lock files of other tools are converted, with the indexes of the context.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`; as `convert_in_memory`.
    """
    check_argument("path", path, "str | PathLike[str] | None")
    if path == STDIN and context.stdin is not None:
        return _read(context.stdin(), "<stdin>", context)
    if path is not None:
        named = fspath(path)
        if named.endswith(("pyproject.toml", ".py", ".pyw")):
            return load(lock_of_project(named, context.here))
        located = named if context.folder is None else str(context.here / named)
        return load(located) if is_lock_file_name(basename(named)) else _read(load_bytes(located), located, context)
    nearest = find_upwards(PLAIN_NAME, context.here)
    if nearest is None:
        raise no_lock_error(context.here)
    return load(nearest)


def _read(data: bytes, location: str, context: RunContext) -> Document:
    """Read a lock file of any format; `location` is its path."""
    if not is_foreign(data, location):
        return read(data, path=location)
    # Imported here: it is slow to import, and most files are lock files.
    from lockset.composition.conversions.in_memory import convert_in_memory

    path = str(context.here / location)
    done = convert_in_memory(data, path, location=location, indexes=context.indexes, context=context)
    return read(done.text, path=location)


def open_revision(path: str | PathLike[str] | None, context: RunContext) -> Document:
    """As `open_lock`; if there is no such file, `REVISION:PATH` names one in the folder's git repository.

    Raises:
        LocksetError: As `open_lock`, and `git-revision` if git does not have the file.
    """
    named = None if path is None else fspath(path)
    if named is None or ":" not in named or _exists(context.here / named):
        return open_lock(path, context)
    revision = named.partition(":")[0]
    # A name that begins with a dash would be an option to git, not a revision.
    if not revision or revision.startswith("-"):
        return open_lock(path, context)
    import subprocess  # slow to import, and most locks are files

    from lockset.build.git import stored_file

    try:
        done = stored_file(named, folder=context.here)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LocksetError("git-revision", f"git could not read `{named}`: {error}") from error
    if done.returncode != 0:
        output = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LocksetError(
            "git-revision",
            f"There is no file `{named}`, and git has no such revision or file",
            context=tuple(output[:3]),
            hint="Use a path relative to the repository's root (`HEAD~1:pylock.toml`) or to the working folder "
            "(`HEAD:./pylock.toml`)",
        )
    return _read(done.stdout, named, context)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
