"""open_lock(): the lock file a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.lockfile.load import load
from lockset.lockfile.read import read
from lockset.sources.discover import STDIN, find_upwards

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.lockfile.read import Document

__all__ = ["open_lock", "open_revision"]


def open_lock(named: str | None, *, folder: Path, stdin: Callable[[], bytes] | None = None) -> Document:
    """The named file, relative to the process's folder; without a name the pylock.toml nearest to `folder` upwards.

    `-` is what `stdin` gives, where it is given.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable` or `toml-syntax`.
    """
    if named == STDIN and stdin is not None:
        return read(stdin(), path="<stdin>")
    if named is not None:
        return load(named)
    found = find_upwards(PLAIN_NAME, folder)
    if found is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no {PLAIN_NAME} in {folder} or above it",
            hint="`lockset lock` writes one; name its path to read another",
        )
    return load(found)


def open_revision(named: str | None, *, folder: Path, stdin: Callable[[], bytes] | None = None) -> Document:
    """As `open_lock`; where no such file is there, `REVISION:PATH` names one in the git repository around `folder`.

    Raises:
        LocksetError: those of `open_lock`, and `git-revision` where git does not have it.
    """
    if named is None or ":" not in named or _is_there(named):
        return open_lock(named, folder=folder, stdin=stdin)
    revision = named.partition(":")[0]
    # A name that begins with a dash would be an option to git, and is no revision.
    if not revision or revision.startswith("-"):
        return load(named)
    import subprocess  # slow to import, and most locks are files

    from lockset.build.git import stored_file

    try:
        done = stored_file(named, folder=folder)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LocksetError("git-revision", f"git could not be asked for `{named}`: {error}") from error
    if done.returncode != 0:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise LocksetError(
            "git-revision",
            f"There is no file `{named}`, and git has none of that name",
            context=tuple(told[:3]),
            hint="Name the path from the repository's top, or from here: `HEAD~1:pylock.toml`, `HEAD:./pylock.toml`",
        )
    return read(done.stdout, path=named)


def _is_there(named: str) -> bool:
    try:
        return Path(named).exists()
    except (OSError, ValueError):
        return False
