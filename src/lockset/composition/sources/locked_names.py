"""The names that a lock file has for projects that are required by URL or path alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.resolve.problem.direct_source import leads_to, source_of
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lockset.lockfile.model import Pylock
    from lockset.sources.project import RootProject
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["named_by_lock", "names_in_lock", "unlocked_text"]


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


def named_by_lock(project: RootProject, lock: Pylock, folder: Path) -> tuple[RootProject, tuple[str, ...]]:
    """`project` with the names that `lock`, in `folder`, has for requirements without a name.

    Those that it does not have are left out of the project, and returned as sentences.
    """
    nameless = [line for line in project.dependencies if not line.is_named]
    if not nameless:
        return project, ()
    names = names_in_lock(nameless, lock, project.base, folder, local=True)
    known = [line for line in project.dependencies if line.is_named or line in names]
    lines = tuple(line if line.is_named else line.with_name(names[line]) for line in known)
    unknown = tuple(unlocked_text(line) for line in nameless if line not in names)
    return replace(project, dependencies=lines), unknown


def unlocked_text(line: RequirementLine) -> str:
    """The sentence that says that a requirement without a name is not locked."""
    return f"`{without_secrets(line.text)}` is required, but not locked"
