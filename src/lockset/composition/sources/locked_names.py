"""The names that a lock file has for projects that are required by URL or path alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.resolve.problem.direct_source import leads_to, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lockset.lockfile.model import Pylock
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["names_in_lock"]


def names_in_lock(
    lines: Iterable[RequirementLine], lock: Pylock | None, base: Path, folder: Path, *, local: bool = False
) -> dict[RequirementLine, str]:
    """The names of the packages of `lock` that come from the repositories and archives of `lines`.

    The names of local folders and archives may change, and show in them: they are only given for `local`.
    """
    names: dict[RequirementLine, str] = {}
    direct = () if lock is None else [package for package in lock.packages if package.is_direct]
    for line in lines if direct else ():
        source = source_of(line, base=base, folder=folder)
        if local or source.path is None or source.kind == "vcs":
            names.update((line, str(package.name)) for package in direct if leads_to(package, source, folder))
    return names
