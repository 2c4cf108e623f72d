"""Interfaces that the retrieval of metadata needs, and the one that it provides to the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import RemoteCall
    from lockset.metadata.core import CoreMetadata

__all__ = ["Builder", "BytesStore", "MetadataSource", "Pending", "RemoteFiles", "Tasks"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class MetadataSource(Protocol):
    """Provides the metadata of releases. Implementation: `lockset.metadata.retrieve.Retriever`."""

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Start to retrieve metadata that will probably be needed, of the version with these files. Returns at once."""

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        """The metadata of the version with these usable files; the same for every call within one run.

        Raises:
            LocksetError: `metadata-invalid`: the release cannot be used and may be skipped; `build-needed`: a build is
                required, but builds are off; others: the metadata is not known.
        """

    def unbuilt(self) -> MetadataSource:
        """A source with the same cached metadata that never builds."""


class Builder(Protocol):
    """Builds metadata or a wheel from a source tree. Implementation: `lockset.build.hooks.HookBuilder`.

    `package` is the normalized name of the package, which decides how it is built; None if it is not known.
    """

    def metadata(self, source_tree: Path, *, what: str, package: str | None = None) -> bytes:
        """The METADATA that a wheel of this tree would have; `what` names the release in notes and errors."""

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str, package: str | None = None) -> Path:
        """A wheel of this tree, in `out_dir`."""

    def archive_metadata(self, archive: BinaryIO, filename: str, *, package: str | None = None) -> bytes:
        """The METADATA of an sdist archive, which is unpacked safely first."""

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        """A wheel of an sdist archive, in `out_dir`."""


class RemoteFiles(Protocol):
    """Access to files of an index. Implementation: `lockset.index.http.files.HttpFiles`. Calls block."""

    def metadata_file(self, file: DistributionFile) -> bytes | None:
        """The content of `<url>.metadata`; None if the host has no such file."""

    def open(self, file: DistributionFile) -> BinaryIO | None:
        """The file, seekable, read with range requests; None if the host does not support them.

        Ranges cannot be verified. If the host sends the whole file, it is verified, and None is returned if that fails.
        """

    def has_pieces_alone(self, file: DistributionFile) -> bool:
        """Whether earlier calls show that `open` works for files of its index, and that `metadata_file` has none."""

    def download(self, file: DistributionFile) -> AbstractContextManager[BinaryIO]:
        """The whole file, seekable, with all known hashes verified; removed at the end of the context."""

    def size(self, file: DistributionFile) -> int | None:
        """Size in bytes, if the page or a transfer has revealed it."""


class BytesStore(Protocol):
    """Stores bytes by kind and key across runs; entries may be lost at any time."""

    def get(self, kind: str, key: str) -> bytes | None:
        """The stored bytes, or None."""

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Store `data`; never fails."""


class Pending(Protocol[T_co]):
    """A call in another thread."""

    @property
    def done(self) -> bool:
        """Whether `result` would return at once."""

    @property
    def under_way(self) -> bool:
        """Whether it is running."""

    def result(self) -> T_co:
        """Wait for the call, with priority over others, and return its value or raise its exception."""


class Tasks(Protocol):
    """Runs calls in other threads. Implementation: `lockset.index.http.workers.Workers`."""

    def start(
        self, call: Callable[[], T], after: Callable[[], object] | None = None, remote: RemoteCall[T] | None = None
    ) -> Pending[T]:
        """Run `call` in another thread; `after` is called there when its result is available.

        Another process may make the call as `remote` instead.
        """

    @property
    def is_shared(self) -> bool:
        """Whether another process makes the calls that it can make."""

    def offer(self, kind: str, function: Callable[[Any], Any]) -> None:
        """Name the function for remote calls of this kind: from plain values to plain values."""
