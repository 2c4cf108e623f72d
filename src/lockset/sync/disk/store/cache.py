"""The folder that remembers across runs; where it cannot be written, a folder that goes with the run."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from lockset.files.atomic import private_folder, remove_tree
from lockset.files.system import extended

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from lockset.progress import ProgressListener

__all__ = ["Cache"]


class Cache:
    """Where downloads and unpacked wheels are kept.

    A context: at its end what was only for this run is removed. Safe to use from several threads.

    Attributes:
        folder: The folder that outlives the run, None without.
    """

    def __init__(self, folder: Path | None, listener: ProgressListener) -> None:
        self.folder = folder
        self._listener = listener
        self._lock = threading.Lock()
        self._temporary: str | None = None
        self._gone_without = folder is None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._temporary is not None:
            remove_tree(self._temporary)

    @property
    def readable(self) -> tuple[str, ...]:
        """Folders to look things up in."""
        folders = [extended(str(self.folder))] if self.folder is not None else []
        return (*folders, self._temporary) if self._temporary else tuple(folders)

    def writable(self) -> str:
        """A folder to put things into; made when first asked for, for the user alone."""
        if not self._gone_without and self.folder is not None:
            try:
                private_folder(str(self.folder))
            except OSError as error:
                self.go_without(error)
            else:
                return extended(str(self.folder))
        with self._lock:
            if self._temporary is None:
                import tempfile  # only here, since it costs milliseconds

                self._temporary = extended(tempfile.mkdtemp(prefix="lockset-"))
            return self._temporary

    @property
    def is_gone_without(self) -> bool:
        """Whether what is written goes with the run."""
        return self._gone_without

    def go_without(self, error: OSError) -> None:
        """The cache did not take what it was given: go on in a folder for this run."""
        with self._lock:
            if self._gone_without:
                return
            self._gone_without = True
        self._listener.note(f"The cache {self.folder} cannot be written ({error.strerror}): going on without it")

    def temporary(self, root: str, name: str) -> str:
        """A fresh path for something that will be renamed to its place below `root`."""
        folder = f"{root}{os.sep}tmp"
        private_folder(folder)
        return f"{folder}{os.sep}{name}-{os.urandom(8).hex()}"
