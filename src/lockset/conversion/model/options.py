"""What the user decided about a conversion."""

from __future__ import annotations

import os.path
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.direct_source import path_from

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

__all__ = ["FileSelection", "ReaderOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelection:
    """Which files of a release are taken where the input names none.

    Attributes:
        wheels_only: No source distributions.
        unhashed: Every file may be taken for a pin without a hash although other pins have hashes.
    """

    wheels_only: bool = False
    unhashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOptions:
    """Choices that readers of foreign formats look at.

    Attributes:
        requires_python: Pythons the lock serves, where the input says nothing.
        files: Which files are taken where the input does not name them by hash.
        members: Names of workspace members whose dependencies are the project's; empty for the one at the top.
        all_members: All of them.
        with_project: Whether an entry is written for the project itself, where the input has one.
        allow_conda: Whether packages of an index may need packages of conda.
        source_folder: Folder of the input, absolute; paths in it are relative to that.
        folder: Folder of the lock file, absolute.
    """

    requires_python: SpecifierSet | None = None
    files: FileSelection = field(default_factory=FileSelection)
    members: tuple[str, ...] = ()
    all_members: bool = False
    with_project: bool = True
    allow_conda: bool = False
    source_folder: Path = Path()
    folder: Path = Path()

    def moved(self, path: str) -> str:
        """A path that the input has, as seen from the folder of the lock file."""
        return path_from(os.path.join(self.source_folder, path), self.folder)  # noqa: PTH118 - text only
