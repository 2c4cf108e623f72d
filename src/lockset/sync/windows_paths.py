"""Refuse paths that Windows does not allow, before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.placement import PlacedDistribution
    from lockset.sync.target import Layout

__all__ = ["refuse_windows_paths"]

# Characters that names cannot have on Windows; the colon of a drive is above every root.
_NEVER = frozenset('<>"|?*:')
# The limit for a path, and by how much a staged file's path may exceed its final path.
_LONGEST, _STAGED = 259, 24


def refuse_windows_paths(
    placed: Sequence[PlacedDistribution], kept: Sequence[InstalledDistribution], *, layout: Layout, long_paths: bool
) -> None:
    """Refuse files that cannot be written, or that would overwrite another one.

    Raises:
        LocksetError: `unsafe-path`, `path-too-long`, `path-conflict`.
    """
    spellings = {path.casefold(): (path, str(one)) for one in kept for path, *_ in one.files}
    for one in placed:
        for path, *_ in one.files:
            root = next((root for root in layout.roots if path.startswith(root + "\\")), "")
            if not _NEVER.isdisjoint(path[len(root) :]):
                raise LocksetError(
                    "unsafe-path",
                    f"{one} has a file `{path}`, whose name Windows does not allow",
                    hint="Report it to the project, or lock another version",
                )
            if not long_paths and len(path) + _STAGED > _LONGEST:
                raise _too_long(one, path)
            spelling, owner = spellings.setdefault(path.casefold(), (path, str(one)))
            if spelling != path:
                raise LocksetError(
                    "path-conflict",
                    f"`{path}` of {one} and `{spelling}` of {owner} are the same file on Windows",
                    hint="Leave one of them out, or lock other versions",
                )


def _too_long(one: PlacedDistribution, path: str) -> LocksetError:
    return LocksetError(
        "path-too-long",
        f"{one} has a file whose path is longer than {_LONGEST} characters, the limit of this Windows: `{path}`",
        hint="Sync to a folder with a shorter path, or set LongPathsEnabled to 1 in the registry, below "
        r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\FileSystem",
    )
