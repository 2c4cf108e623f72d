"""outdated(): compare a lock file with the indexes."""

from __future__ import annotations

from os import PathLike, fspath
from typing import TYPE_CHECKING

from lockset.composition.maintenance.newer_versions import (
    HeldBack,
    OutdatedPackage,
    OutdatedReport,
    compare_with_indexes,
)
from lockset.composition.open_lock import open_lock
from lockset.composition.run_context import context_of
from lockset.option_values import check_argument
from lockset.resolve.problem.options import LockOptions

if TYPE_CHECKING:
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = ["HeldBack", "OutdatedPackage", "OutdatedReport", "outdated"]


def outdated(
    lock: str | PathLike[str] | None = None,
    *,
    source: str | PathLike[str] | None = None,
    options: LockOptions | None = None,
    indexes: IndexOptions | IndexOverrides | None = None,
    context: RunContext | None = None,
) -> OutdatedReport:
    """Compare the versions of a lock file with the releases of the indexes; nothing is written.

    With a project file, a newer version fits if `lock` with `upgrade` would choose it. Without one, it fits if it
    matches the requirements that the lock file records and those of the other locked releases.

    Args:
        lock: The path of the lock file, `-` for `context.stdin`; None for the nearest pylock.toml. It may be a lock
            file of any tool.
        source: The project file; None for the pyproject.toml next to the lock file, or the script `NAME.py` next to
            `pylock.NAME.toml`, if there is one.
        options: Options on versions, as for `lock`.
        indexes: As for `lock`.
        context: Folder, cache, variables, listener and so on.

    Raises:
        LocksetError: As `read`; `index-unreachable`; `nothing-compared` if no index has any of the packages.
    """
    context = context_of(context)
    check_argument("options", options, "LockOptions | None")
    check_argument("source", source, "str | PathLike[str] | None")
    document = open_lock(lock, context)
    named = None if source is None else fspath(source)
    return compare_with_indexes(document, named, indexes, options or LockOptions(), context)
