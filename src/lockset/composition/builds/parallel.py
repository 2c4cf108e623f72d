"""Builds of metadata in threads, so that several run at the same time."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from lockset.files.system import processors
from lockset.index.http.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lockset.metadata.ports import Builder

__all__ = ["BuilderOnUse", "running_builds"]

# The most builds at the same time. Each may run compilers in several processes of its own.
_MOST = 4


# Seconds that a failed or interrupted run waits for a download of git to end.
_PATIENCE = 5.0


class BuilderOnUse:
    """A builder that is created (and its modules imported) for the first build: most runs build nothing."""

    def __init__(self, make: Callable[[], Builder]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Builder | None = None

    def _builder(self) -> Builder:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def read_fingerprint(self) -> str:
        """A hash of what its builds depend on besides the source tree; "" if that is not known."""
        fingerprint: str = getattr(self._builder(), "fingerprint", "")
        return fingerprint

    def end(self) -> None:
        """End the builds that run in other threads, which are no longer needed."""
        end = getattr(self._made, "end", None)
        if end is not None:
            end()

    def metadata(self, source_tree: Path, *, what: str, package: str | None = None) -> bytes:
        """See `Builder`."""
        return self._builder().metadata(source_tree, what=what, package=package)

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str, package: str | None = None) -> Path:
        """See `Builder`."""
        return self._builder().wheel(source_tree, out_dir, what=what, package=package)

    def archive_metadata(self, archive: BinaryIO, filename: str, *, package: str | None = None) -> bytes:
        """See `Builder`."""
        return self._builder().archive_metadata(archive, filename, package=package)

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        """See `Builder`."""
        return self._builder().archive_wheel(archive, filename, out_dir)


@contextmanager
def running_builds(builder: BuilderOnUse | None) -> Iterator[Workers]:
    """Threads for builds: as many as there are processors, within a limit. Builds that run at the end are ended."""
    workers = Workers(min(processors(), _MOST))
    wait = _PATIENCE
    try:
        yield workers
        wait = math.inf
    finally:
        workers.drop()
        if builder is not None:
            builder.end()
        workers.close()
        workers.join(wait)
