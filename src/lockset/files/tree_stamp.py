"""A stamp of everything that a build of a source tree can see, to notice that a build would have another result.

A build runs code of the project, which may read any file of its tree, environment variables, and the state of git. The
stamp covers these, so that it differs if one of them changed. It does not cover files outside of the tree, the network
or the clock.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["build_variables", "tree_stamp"]

# The most files and folders of a tree; a larger one has no stamp.
_MOST = 20_000
# Files up to this size are compared by content, up to so many bytes altogether; the others by size and time.
_READ_SIZE, _READ_BYTES = 128 * 1024, 16 * 1024 * 1024
# Folders with results of tools. A build neither reads nor is expected to read them.
_IGNORED = frozenset(
    {
        *("__pycache__", "node_modules", ".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".eggs", ".direnv", ".pixi"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".cache", ".idea", ".vscode"),
    }
)
# Folders at the top of a tree into which builds write.
_BUILT = frozenset({"build", "dist"})
# Variables that differ between shells, and that no build reads.
_NOISE = frozenset(
    {
        *("_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "TERM", "COLORTERM", "WINDOWID", "STY"),
        *("TMUX", "TMUX_PANE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERM_SESSION_ID", "XDG_SESSION_ID"),
        *("GPG_TTY", "PS1", "PROMPT"),
        *("PYTEST_CURRENT_TEST", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_AUTH_SOCK", "SSH_AGENT_PID"),
    }
)
# Files of git whose change may mean another version: of tags and commits.
_OF_GIT = ("HEAD", "logs/HEAD")
_OF_COMMON_GIT = ("packed-refs", "refs/tags")


def tree_stamp(tree: str, environ: Mapping[str, str]) -> str | None:
    """The stamp of the source tree in the folder `tree` with these variables.

    None if the tree is too large, has a link to a folder, or cannot be read: then a change could be missed.
    """
    digest = hashlib.sha256()
    try:
        for line in _facts(tree):
            digest.update(line + b"\0")
    except (OSError, ValueError, _NoStampError):
        return None
    for line in build_variables(environ):
        digest.update(line + b"\0")
    return digest.hexdigest()


def build_variables(environ: Mapping[str, str]) -> list[bytes]:
    """The variables that a build may read, as lines `NAME=VALUE`, sorted: without those that differ between shells."""
    names = sorted(name for name in environ.keys() - _NOISE if not name.startswith("LOCKSET_"))
    return [f"{name}={environ[name]}".encode("utf-8", "surrogateescape") for name in names]


class _NoStampError(Exception):
    """The tree has no stamp."""


def _facts(tree: str) -> Iterator[bytes]:
    left = _READ_BYTES
    for path in _files(tree):
        yield os.fsencode(os.path.relpath(path, tree))
        status = os.stat(path)
        if status.st_size <= min(_READ_SIZE, left):
            with open(path, "rb") as file:
                yield hashlib.sha256(file.read()).digest()
            left -= status.st_size
        else:
            yield b"%d %d" % (status.st_size, status.st_mtime_ns)
    yield from _git_facts(tree)


def _files(tree: str) -> Iterator[str]:
    """The regular files of the tree, in order."""
    waiting, count = [tree], 0
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
        count += len(entries)
        if count > _MOST:
            raise _NoStampError
        for entry in entries:
            if _is_ignored(entry, at_top=folder == tree):
                continue
            if entry.is_symlink() and entry.is_dir():
                raise _NoStampError
            if entry.is_dir():
                waiting.append(entry.path)
            elif entry.is_file():
                yield entry.path


def _is_ignored(entry: os.DirEntry[str], *, at_top: bool) -> bool:
    name = entry.name
    if not entry.is_dir():
        # Lock files are what a build is made for.
        return name.endswith((".pyc", ".pyo")) or (name.startswith("pylock.") and name.endswith(".toml"))
    is_package = os.path.isfile(os.path.join(entry.path, "__init__.py"))
    is_built = name.endswith(".egg-info") or (at_top and name in _BUILT and not is_package)
    return name in _IGNORED or is_built or os.path.isfile(os.path.join(entry.path, "pyvenv.cfg"))


def _git_facts(tree: str) -> Iterator[bytes]:
    """Stamps of the commit and the tags of the repository that contains the tree."""
    folder = os.path.abspath(tree)
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above
    own = common = os.path.join(folder, ".git")
    if os.path.isfile(own):  # of a worktree or a submodule
        with open(own, encoding="utf-8") as file:
            own = common = os.path.join(folder, file.read(4096).partition("gitdir:")[2].strip())
        if os.path.isfile(os.path.join(own, "commondir")):
            with open(os.path.join(own, "commondir"), encoding="utf-8") as file:
                common = os.path.join(own, file.read(4096).strip())
    for base, names in ((own, _OF_GIT), (common, _OF_COMMON_GIT)):
        for name in names:
            try:
                status = os.stat(os.path.join(base, name))
            except FileNotFoundError:
                yield b"-"
            else:
                yield b"%d %d" % (status.st_size, status.st_mtime_ns)
