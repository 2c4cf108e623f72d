"""merge_lock_versions(): merge two versions of a lock file, as git's merge driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.maintenance.lock_merge import LockMerge, merge_lock_files, text_with_markers
from lockset.composition.maintenance.merge_setup import install_driver, uninstall_driver
from lockset.composition.run_context import context_of
from lockset.errors import LocksetError
from lockset.files.output_file import write_output
from lockset.files.read_file import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = [
    "LockMerge",
    "merge_lock_versions",
    "read_merge_version",
    "setup_merge_driver",
    "text_with_markers",
    "write_merge_version",
]


def merge_lock_versions(
    merge: LockMerge,
    *,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> LockResult:
    """Lock the project as a merge that is under way makes it, with the pins of both sides; nothing is written.

    Raises:
        LocksetError: `merge-conflict` if the project file has a conflict, too; `merge-sides-unknown`, `merge-settings`,
            `merge-other-tool`, and as `lock`.
    """
    return merge_lock_files(merge, indexes, context_of(context))


def setup_merge_driver(
    *, remove: bool = False, for_user: bool = False, context: RunContext | None = None
) -> tuple[Path, bool]:
    """Make lockset git's merge driver for lock files, or undo that; the file of attributes, and whether it changed.

    Raises:
        LocksetError: `git-failed`, `output-not-writable`.
    """
    context = context_of(context)
    act = uninstall_driver if remove else install_driver
    return act(context.here, for_user=for_user, environ=context.process_variables)


def read_merge_version(path: Path) -> bytes:
    """The content of a version of a lock file that git passes to its merge driver.

    Raises:
        LocksetError: `source-missing`; `source-unreadable`, also for a pipe, a device, or more than 16 MiB.
    """
    return read_file(path, location=str(path))


def write_merge_version(path: Path, data: bytes) -> None:
    """Write what git takes as the merged file, whole or not at all.

    Raises:
        LocksetError: `output-not-writable`.
    """
    try:
        write_output(str(path), data)
    except OSError as error:
        raise LocksetError("output-not-writable", f"Cannot write {path}: {error.strerror}") from error
