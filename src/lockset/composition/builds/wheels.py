"""Build wheels of locked sources for a sync, with the build front end (PEP 517)."""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lockset.build.checkout import checkout
from lockset.build.unpack import unpack_sdist
from lockset.errors import LocksetError
from lockset.sync.wheel.safe_path import path_problem
from lockset.sync.wheel.zip_reader import members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lockset.build.hooks import HookBuilder
    from lockset.progress import ProgressListener

__all__ = ["HookWheelBuilds"]


class HookWheelBuilds:
    """`lockset.sync.ports.WheelBuilds` with build hooks.

    Args:
        builder: Calls the hooks.
        environ: Environment variables for version control, which filters them.
        offline: Fetch nothing.
        listener: Receives notes.
        build_key: See the port.
    """

    def __init__(
        self,
        builder: HookBuilder,
        *,
        environ: Mapping[str, str],
        offline: bool,
        listener: ProgressListener,
        build_key: Callable[[str], str | None],
    ) -> None:
        self._builder = builder
        self._build_key = build_key
        self._environ = environ
        self._offline = offline
        self._listener = listener

    def build_key(self, name: str) -> str | None:
        """See the port."""
        return self._build_key(name)

    def of_archive(
        self, archive: BinaryIO, out_dir: Path, *, name: str, filename: str, subdirectory: str | None, what: str
    ) -> Path:
        """See the port."""
        if filename.endswith(".zip"):
            _refuse_ambiguous(archive, filename)
        with tempfile.TemporaryDirectory(prefix="lockset-source-") as folder:
            tree = unpack_sdist(archive, filename, Path(folder))
            return self._wheel(_below(tree, subdirectory, what), out_dir, name, what)

    def of_directory(
        self, directory: Path, out_dir: Path, *, name: str, subdirectory: str | None, editable: bool, what: str
    ) -> Path:
        """See the port."""
        tree = _below(directory, subdirectory, what)
        if editable:
            return self._builder.editable(tree, out_dir, what=what, package=name)
        return self._wheel(tree, out_dir, name, what)

    def of_commit(
        self, *, name: str, kind: str, url: str, commit: str, out_dir: Path, subdirectory: str | None, what: str
    ) -> Path:
        """See the port."""
        with tempfile.TemporaryDirectory(prefix="lockset-source-", ignore_cleanup_errors=True) as folder:
            self._listener.note(f"Fetching {what} by {kind}")
            into, environ = Path(folder) / "tree", self._environ
            tree = checkout(kind, url, commit, into, what=what, environ=environ, offline=self._offline)
            return self._wheel(_below(tree, subdirectory, what), out_dir, name, what)

    def _wheel(self, tree: Path, out_dir: Path, name: str, what: str) -> Path:
        return self._builder.wheel(tree, out_dir, what=what, package=name)


def _refuse_ambiguous(archive: BinaryIO, filename: str) -> None:
    """Refuse a zip archive that two readers could read differently, as for wheels; its position is unchanged."""
    what = f"The source archive `{filename}`"
    if os.fstat(archive.fileno()).st_size == 0:
        members(b"", what=what)
    with mmap.mmap(archive.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        members(buffer, what=what)


def _below(tree: Path, subdirectory: str | None, what: str) -> Path:
    if not subdirectory:
        return tree
    problem = path_problem(subdirectory.rstrip("/"))
    inside = (tree / subdirectory).resolve() if problem is None else tree
    if problem is None and not inside.is_relative_to(tree.resolve()):
        problem = "is outside its tree"
    if problem is not None:
        raise LocksetError("unsafe-path", f"The subdirectory `{subdirectory}` of {what} {problem}")
    return inside
