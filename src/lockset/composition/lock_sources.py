"""The lock files of a sync, as the bytes that all of the run is based on; they are parsed only where need be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset.errors import LocksetError, UsageError
from lockset.files.record_store import content
from lockset.lockfile.file_name import refuse_wrong_name
from lockset.sync.disk.inspect.targets import find_lock
from lockset.sync.disk.request import LockSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lockset.composition.run_context import RunContext

__all__ = ["lock_sources"]

# Beyond it a lock file is for `load_bytes` to refuse.
_LARGEST = 1 << 25
_STDIN = "-"


def lock_sources(names: Sequence[str], context: RunContext) -> tuple[LockSource, ...]:
    """The named lock files, `-` for the context's standard input; without names the nearest pylock.toml.

    Raises:
        LocksetError: `lock-not-found`, `lock-unreadable`, `lock-invalid` for a source of requirements.
        UsageError: `stdin-twice`, `file-name`.
    """
    here = context.here
    if list(names).count(_STDIN) > 1:
        raise UsageError("stdin-twice", "The standard input is one lock file, not several")
    for name in names:
        if name.endswith(("pyproject.toml", ".py")):
            from shlex import quote

            raise LocksetError(
                "lock-invalid",
                "This says what is asked for, not what is locked",
                location=name,
                hint=f"`lockset lock {quote(name)}` makes a lock file of it",
            )
    paths = [str(here / ("<stdin>" if name == _STDIN else name)) for name in names] or [_nearest(here)]
    sources = tuple(
        LockSource(
            folder=os.path.dirname(path),  # noqa: PTH120 - text only
            data=_stdin(context) if name == _STDIN else _bytes(path),
            path=path,
        )
        for name, path in zip(names or paths, paths, strict=True)
    )
    for name in names or paths:
        if name != _STDIN:
            refuse_wrong_name(name)
    return sources


def _stdin(context: RunContext) -> bytes:
    if context.stdin is None:
        raise LocksetError("lock-not-found", "`-` stands for a standard input, and none is given")
    return context.stdin()


def _nearest(here: Path) -> str:
    nearest = find_lock(here)
    if nearest is None:
        raise LocksetError(
            "lock-not-found",
            f"There is no pylock.toml in {here} or above it",
            hint="`lockset lock` writes one; name its path to use another",
        )
    return str(nearest)


def _bytes(path: str) -> bytes:
    try:
        size = os.stat(path).st_size  # noqa: PTH116 (also where the path is none)
        data = content(path, size) if size <= _LARGEST else b""
    except (OSError, ValueError):
        data = b""
    if 0 < len(data) <= _LARGEST:
        return data
    # Imported here: only what cannot be read needs the words for it.
    from lockset.lockfile.load import load_bytes

    return load_bytes(path)
