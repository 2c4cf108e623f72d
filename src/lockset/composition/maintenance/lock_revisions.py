"""The two lock files of a comparison: files, or versions that git has."""

from __future__ import annotations

import os
from os import fspath
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.build.git import read_revision
from lockset.composition.open_lock import nearest_lock, open_lock, open_revision
from lockset.errors import LocksetError
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.lockfile.read import read_document
from lockset.sources.discover import STDIN

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.read import Document

__all__ = ["open_pair"]

_HEAD = "HEAD"


class _Range(NamedTuple):
    """`OLD..NEW`, or `OLD...NEW` from their common ancestor on, as `git diff` means them."""

    old: str
    new: str
    from_ancestor: bool


def open_pair(
    old: str | PathLike[str] | None, new: str | PathLike[str] | None, context: RunContext
) -> tuple[Document, Document]:
    """The old and the new lock file.

    Each is a path, `-`, `REVISION:PATH`, or a revision, which means the lock file at that revision: that of the other
    side, else the nearest pylock.toml. Without `new`, it is the nearest pylock.toml, and `old` may be a range of
    revisions, `OLD..NEW` or `OLD...NEW`. Without `old`, that is the revision `HEAD`.

    Raises:
        LocksetError: As `open_revision`.
    """
    first = _HEAD if old is None else fspath(old)
    second = None if new is None else fspath(new)
    limits = _range(first, context) if second is None else None
    if limits is not None:
        path = _nearest(context)
        start = _ancestor(limits, context) if limits.from_ancestor else limits.old
        return _at_revision(start, path, context), _at_revision(limits.new, path, context)
    new_is_revision = second is not None and _is_revision(second, context)
    old_is_revision = _is_revision(first, context)
    if not old_is_revision and not new_is_revision:
        return open_revision(first, context), open_revision(second, context)
    if old_is_revision and (second is None or not new_is_revision):
        named = second is not None and second != STDIN and ":" not in second
        path = context.here / second if named and second is not None else _nearest(context)
        if second is None:
            right = open_lock(None, context)
        else:
            right = open_lock(path, context) if named else open_revision(second, context)
        return _at_revision(first, path, context), right
    assert second is not None
    named = not old_is_revision and first != STDIN and ":" not in first
    path = context.here / first if named else _nearest(context)
    left = _at_revision(first, path, context) if old_is_revision else open_revision(first, context)
    return left, _at_revision(second, path, context)


def _range(text: str, context: RunContext) -> _Range | None:
    if ".." not in text or not _is_revision(text, context):
        return None
    dots = "..." if "..." in text else ".."
    before, _, after = text.partition(dots)
    return _Range(before or _HEAD, after or _HEAD, from_ancestor=dots == "...")


def _is_revision(text: str, context: RunContext) -> bool:
    """Whether the text can only be a revision: it is neither a file nor looks like one."""
    if text == STDIN or ":" in text or not text or text.startswith("-") or text.endswith(".toml"):
        return False
    try:
        return not (context.here / text).exists()
    except (OSError, ValueError):
        return False


def _nearest(context: RunContext) -> Path:
    path = nearest_lock(context.here)
    # Without one, git looks for the usual one, and reports what is missing.
    return context.here / PLAIN_NAME if path is None else path


def _at_revision(revision: str, path: Path, context: RunContext) -> Document:
    _refuse_option(revision)
    relative = os.path.relpath(path, context.here).replace(os.sep, "/")
    # For git, a path that starts with a dot is relative to the working folder.
    name = f"{revision}:{relative if relative.startswith('../') else f'./{relative}'}"
    data, reported = read_revision("cat-file blob", name, folder=context.here, shown=name)
    if data is None:
        raise LocksetError(
            "git-revision",
            f"There is neither a file `{revision}` nor a `{relative}` in that revision of git"
            if revision != _HEAD
            else f"git has no `{relative}` in the last commit",
            context=reported,
            hint="Name the lock files or revisions to compare: `lockset diff OLD NEW`",
        )
    return read_document(data, path=f"{revision}:{relative}")


def _ancestor(limits: _Range, context: RunContext) -> str:
    name = f"{limits.old}...{limits.new}"
    _refuse_option(limits.old)
    _refuse_option(limits.new)
    ancestor, reported = read_revision("merge-base", limits.old, limits.new, folder=context.here, shown=name)
    if ancestor is None:
        raise LocksetError("git-revision", f"git finds no common ancestor for `{name}`", context=reported)
    return ancestor.decode("ascii", "replace").strip()


def _refuse_option(revision: str) -> None:
    """A name that begins with a dash would be an option of git."""
    if revision.startswith("-"):
        raise LocksetError("git-revision", f"`{revision}` is not a revision")
