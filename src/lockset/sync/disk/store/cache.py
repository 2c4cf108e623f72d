"""The cache folder; if it cannot be written, a temporary folder for the run."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from lockset.files.atomic import private_folder, remove_tree
from lockset.files.lock_file import use_folder
from lockset.files.system import extended

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from lockset.progress import ProgressListener

__all__ = ["Cache"]


class Cache:
    """Where downloads and unpacked wheels are stored.

    A context manager: the temporary folder is removed at its end. Safe to use from several threads.

    Attributes:
        folder: The persistent folder, or None.
    """

    def __init__(self, folder: Path | None, listener: ProgressListener) -> None:
        self.folder = folder
        self._listener = listener
        self._lock = threading.Lock()
        self._temporary: str | None = None
        self._gone_without = folder is None
        self._in_use: int | None = None

    def __enter__(self) -> Self:
        self._use()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._temporary is not None:
            remove_tree(self._temporary)
        if self._in_use is not None:
            os.close(self._in_use)
            self._in_use = None

    def _use(self) -> None:
        """Hold the lock of the folder together with other runs, so that `lockset cache` waits before it removes."""
        if self._in_use is None and self.folder is not None and self.folder.is_dir():
            self._in_use = use_folder(str(self.folder))

    @property
    def readable(self) -> tuple[str, ...]:
        """Folders to look things up in."""
        folders = [extended(str(self.folder))] if self.folder is not None else []
        return (*folders, self._temporary) if self._temporary else tuple(folders)

    def writable(self) -> str:
        """A folder to write to, created on first use, private to the user."""
        if not self._gone_without and self.folder is not None:
            try:
                private_folder(str(self.folder))
            except OSError as error:
                self.go_without(error)
            else:
                with self._lock:
                    self._use()
                return extended(str(self.folder))
        with self._lock:
            if self._temporary is None:
                import tempfile  # only here, since it costs milliseconds

                self._temporary = extended(tempfile.mkdtemp(prefix="lockset-"))
            return self._temporary

    @property
    def is_gone_without(self) -> bool:
        """Whether the persistent folder is not used."""
        return self._gone_without

    def go_without(self, error: OSError) -> None:
        """Continue with a temporary folder, because the cache cannot be written."""
        with self._lock:
            if self._gone_without:
                return
            self._gone_without = True
        self._listener.note(f"The cache {self.folder} cannot be written ({error.strerror}): continuing without it")

    def temporary(self, root: str, name: str) -> str:
        """A new path for a file or folder that will be renamed into place below `root`."""
        folder = f"{root}{os.sep}tmp"
        private_folder(folder)
        return f"{folder}{os.sep}{name}-{os.urandom(8).hex()}"
