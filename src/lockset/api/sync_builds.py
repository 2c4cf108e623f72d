"""Wheels of locked sources for sync, made by the build front end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lockset.build.unpack import unpack
from lockset.errors import LocksetError
from lockset.sync.safe_path import path_problem

if TYPE_CHECKING:
    from lockset.build.hooks import HookBuilder

__all__ = ["HookWheelBuilds"]


class HookWheelBuilds:
    """`lockset.sync.ports.WheelBuilds` over build hooks."""

    def __init__(self, builder: HookBuilder) -> None:
        self._builder = builder

    def of_archive(
        self, archive: BinaryIO, out_dir: Path, *, filename: str, subdirectory: str | None, what: str
    ) -> Path:
        """See the port."""
        with tempfile.TemporaryDirectory(prefix="lockset-source-") as folder:
            tree = unpack(archive, filename, Path(folder))
            return self._builder.wheel(_below(tree, subdirectory, what), out_dir, what=what)

    def of_directory(
        self, directory: Path, out_dir: Path, *, subdirectory: str | None, editable: bool, what: str
    ) -> Path:
        """See the port."""
        if editable:
            raise LocksetError(
                "source-not-supported",
                f"{what} is locked as an editable directory, which lockset cannot install yet",
                hint="Lock it as a plain directory",
            )
        return self._builder.wheel(_below(directory, subdirectory, what), out_dir, what=what)


def _below(tree: Path, subdirectory: str | None, what: str) -> Path:
    if not subdirectory:
        return tree
    problem = path_problem(subdirectory.rstrip("/"))
    inside = (tree / subdirectory).resolve()
    if problem is not None or not inside.is_relative_to(tree.resolve()):
        raise LocksetError("unsafe-path", f"The subdirectory `{subdirectory}` of {what} {problem or 'leaves its tree'}")
    return inside
