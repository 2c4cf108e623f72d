"""The index, and the files by URL or path, that a conversion reads as it runs."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lockset.composition.connections import connected
from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.metadata.retrieve import Retriever

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lockset.composition.connections import Connection
    from lockset.conversion.model.ports import Remote
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import Index
    from lockset.progress import ProgressListener

__all__ = ["LiveRemote", "connected_remote"]

_CHUNK = 1 << 20


@contextmanager
def connected_remote(
    options: IndexOptions, cache: Path | None, listener: ProgressListener
) -> Iterator[tuple[Index, Remote]]:
    """The index and the files of one conversion."""
    with connected(options, cache, listener) as connection:
        yield connection.index, LiveRemote(connection, offline=options.offline)


class LiveRemote:
    """`lockset.conversion.model.ports.Remote` with a run's connection, the disk and git."""

    def __init__(self, connection: Connection, *, offline: bool) -> None:
        self._connection = connection
        self._offline = offline

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        """sha256 and size of the bytes: see the port."""
        sink = self._read(path_or_url, ())
        return sink.hexdigests()["sha256"], sink.seen

    def digests_at(self, path_or_url: str, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the bytes: see the port."""
        return self._read(path_or_url, algorithms).hexdigests()

    def _read(self, path_or_url: str, algorithms: Iterable[str]) -> _Hashing:
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        if "://" in path_or_url:
            self._connection.downloads.fetch(path_or_url, sink)
        else:
            _read(Path(path_or_url), sink)
        return sink

    def digests(self, file: DistributionFile, algorithms: Iterable[str]) -> Mapping[str, str]:
        """Hashes of the file: see the port."""
        sink = _Hashing(dict.fromkeys(("sha256", *algorithms)))
        with self._connection.files.download(file) as held:
            while chunk := held.read(_CHUNK):
                sink.write(chunk)
        return sink.hexdigests()

    def sizes(self, files: Sequence[DistributionFile]) -> Mapping[str, int]:
        """Sizes by URL: see the port."""
        if self._offline:
            return {}
        return self._connection.files.sizes(files)

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Start to fetch the metadata of a release: see the port."""
        if not self._offline:
            self._metadata.hint(files)

    def requires(self, files: Sequence[DistributionFile]) -> Sequence[str] | None:
        """The dependencies of the release: see the port. Nothing is built for them."""
        if self._offline:
            return None
        try:
            return self._metadata.metadata(files).requires_dist
        except LocksetError:
            return None

    @cached_property
    def _metadata(self) -> Retriever:
        connection = self._connection
        return Retriever(connection.files, store=connection.cache, tasks=connection.workers)

    def commit(self, url: str, revision: str | None) -> str:
        """The commit of the revision: see the port."""
        from lockset.build.revision import commit_of  # slow to import, and most lock files record commits

        environ = dict(os.environ)
        return commit_of(url, revision, what=redact(url), environ=environ, offline=self._offline)


class _Hashing:
    """A sink that computes hashes and keeps nothing else."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        self._algorithms = tuple(algorithms)
        self.restart()

    def restart(self) -> None:
        """Discard all bytes so far."""
        import hashlib  # OpenSSL takes milliseconds to load

        self._hashers = {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}
        self.seen = 0

    def write(self, chunk: bytes) -> None:
        """Hash the next bytes."""
        self.seen += len(chunk)
        for hasher in self._hashers.values():
            hasher.update(chunk)

    def hexdigests(self) -> dict[str, str]:
        """The hashes by algorithm."""
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}


def _read(path: Path, sink: _Hashing) -> None:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                sink.write(chunk)
    except OSError as error:
        message = f"The file to lock cannot be read: {error.strerror}"
        hint = "Restore it, or lock again with the tool that wrote the input"
        raise LocksetError("path-missing", message, location=str(path), hint=hint) from error
