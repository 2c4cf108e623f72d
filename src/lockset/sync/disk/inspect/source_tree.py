"""The digest of a source tree, to detect whether it has changed since it was installed."""

# Paths are strings here: there may be thousands of them.
from __future__ import annotations

import os

from lockset.sync.disk.inspect.metadata_text import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["tree_digest"]

# Folders that builds and tools leave in a tree, and that are not input of a build.
_PASSED_OVER = frozenset({"build", "dist", "__pycache__", "node_modules", "venv"})
_PASSED_ENDINGS = (".pyc", ".egg-info", ".dist-info")
_CHUNK = 1 << 20


def tree_digest(folder: str) -> str:
    """The digest of the names and contents of all regular files below `folder`.

    Excluded are hidden folders, environments, and folders of packages that lockset installed.
    """
    import hashlib  # here, since most lock files have no source trees

    hasher = hashlib.sha256()
    for path in _files(folder):
        hasher.update(os.path.relpath(path, folder).encode(errors="surrogateescape") + b"\0")
        content = hashlib.sha256()
        try:
            with open(path, "rb") as file:
                while chunk := file.read(_CHUNK):
                    content.update(chunk)
        except OSError:
            continue  # removed meanwhile, or not readable: a build could not read it either
        hasher.update(content.digest())
    return hasher.hexdigest()


def _is_target(entries: Sequence[os.DirEntry[str]]) -> bool:
    """Whether a folder with `entries` is an environment, or has packages that lockset installed."""
    for entry in entries:
        if entry.name == "pyvenv.cfg":
            return True
        if entry.name.endswith(".dist-info"):
            return read_text(entry.path, "INSTALLER") == "lockset\n"
    return False


def _files(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    if _is_target(ordered):
        return
    for entry in ordered:
        if entry.name in _PASSED_OVER or entry.name.endswith(_PASSED_ENDINGS):
            continue
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _files(entry.path)
        elif entry.is_file():
            yield entry.path
