"""The lock file a call is about: by path, from the standard input, the nearest one, or from a git revision."""

from __future__ import annotations

from os import fspath
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.lockfile.load import load
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
    """The lock file at `path`; without one the pylock.toml nearest to the context's folder upwards.

    `-` is what `context.stdin` gives, where it is given.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`.
    """
    check_argument("path", path, "str | PathLike[str] | None")
    if path == STDIN and context.stdin is not None:
        return read(context.stdin(), path="<stdin>")
    if path is not None:
        return load(path if context.folder is None else context.here / path)
    nearest = find_upwards(PLAIN_NAME, context.here)
    if nearest is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no {PLAIN_NAME} in {context.here} or above it",
            hint="`lockset lock` writes one; name its path to read another",
        )
    return load(nearest)


def open_revision(path: str | PathLike[str] | None, context: RunContext) -> Document:
    """As `open_lock`; where no such file is there, `REVISION:PATH` names one in the git repository around the folder.

    Raises:
        LocksetError: those of `open_lock`, and `git-revision` where git does not have it.
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
        raise LocksetError("git-revision", f"git could not be asked for `{named}`: {error}") from error
    if done.returncode != 0:
        output = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LocksetError(
            "git-revision",
            f"There is no file `{named}`, and git has none of that name",
            context=tuple(output[:3]),
            hint="Name the path from the repository's top, or from here: `HEAD~1:pylock.toml`, `HEAD:./pylock.toml`",
        )
    return read(done.stdout, path=named)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
