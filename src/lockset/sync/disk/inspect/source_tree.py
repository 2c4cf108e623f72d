"""The content of a source tree as one digest, to see whether it has changed since it was installed."""

# Paths are strings here: there may be thousands of them.
# ruff: noqa: PTH123
from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tree_digest"]

# What version control, builds and tools leave in a tree; no part of what a build reads.
_PASSED_OVER = frozenset({"build", "dist", "__pycache__", "node_modules", "venv"})
_PASSED_ENDINGS = (".pyc", ".egg-info", ".dist-info")
_CHUNK = 1 << 20


def tree_digest(folder: str) -> str:
    """The digest of names and contents of all regular files below `folder`; hidden folders are passed over."""
    import hashlib  # here, since most locks have no trees

    hasher = hashlib.sha256()
    for path in _files(folder):
        hasher.update(os.path.relpath(path, folder).encode(errors="surrogateescape") + b"\0")
        content = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                while chunk := file.read(_CHUNK):
                    content.update(chunk)
        except OSError:
            continue  # gone meanwhile, or nobody's to read: a build would not find it either
        hasher.update(content.digest())
    return hasher.hexdigest()


def _files(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in ordered:
        if entry.name in _PASSED_OVER or entry.name.endswith(_PASSED_ENDINGS):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _files(entry.path)
        elif entry.is_file():
            yield entry.path
