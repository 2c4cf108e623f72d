"""Options of a conversion."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.conversion.model.direct_source import path_from

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

__all__ = ["FileSelection", "ReaderOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelection:
    """Which files of a release to lock if the input names none.

    Attributes:
        wheels_only: Leave out source distributions.
        unhashed: Lock every file of a pin without a hash, although other pins have hashes.
    """

    wheels_only: bool = False
    unhashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOptions:
    """Options of the readers.

    Attributes:
        requires_python: Pythons that the lock supports, in addition to the bounds of the input.
        files: Which files to lock if the input does not name them by hash.
        members: Names of the workspace members to convert; empty for the one at the root.
        all_members: Convert all workspace members.
        with_project: Whether to write an entry for the project itself.
        allow_conda: Whether packages from an index may depend on conda packages.
        source_folder: Absolute path of the input's folder, to which its paths are relative.
        folder: Absolute path of the lock file's folder.
    """

    requires_python: SpecifierSet | None = None
    files: FileSelection = field(default_factory=FileSelection)
    members: tuple[str, ...] = ()
    all_members: bool = False
    with_project: bool = True
    allow_conda: bool = False
    source_folder: Path = Path()
    folder: Path = Path()

    def relative_path(self, path: str) -> str:
        """A path of the input, relative to the folder of the lock file."""
        return path_from(os.path.join(self.source_folder, path), self.folder)
