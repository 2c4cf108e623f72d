"""What retrieval of metadata needs from outside, and what it offers to the resolver."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.core import CoreMetadata

__all__ = ["Builder", "BytesStore", "MetadataSource", "Pending", "RemoteFiles", "Tasks"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class MetadataSource(Protocol):
    """Tells the metadata of releases. Implementation: `lockset.metadata.retrieve.Retriever`."""

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """The metadata of this version (all its usable files) will probably be asked for. Returns at once."""

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        """The metadata of the version whose usable files these are; within one run the same for the same version.

        Raises:
            LocksetError: `metadata-invalid`: the release cannot be used and may be stepped over; `build-needed`:
                only a build would tell and builds are off; others: the answer is unknown.
        """

    def unbuilt(self) -> MetadataSource:
        """The same, with what is known already, which builds nothing from now on."""


class Builder(Protocol):
    """Turns a source tree into metadata or a wheel. Implementation: `lockset.build.hooks.HookBuilder`."""

    def metadata(self, source_tree: Path, *, what: str) -> bytes:
        """The METADATA a wheel of this tree would have; `what` names the release in notes and errors."""

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str) -> Path:
        """A wheel of this tree, in `out_dir`."""

    def archive_metadata(self, archive: BinaryIO, filename: str) -> bytes:
        """The METADATA of an sdist archive: unpacks it safely into a tree of its own, then as `metadata`."""

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        """A wheel of an sdist archive, in `out_dir`."""


class RemoteFiles(Protocol):
    """Access to files of an index. Implementation: `lockset.index.http.client.HttpFiles`. Calls block."""

    def metadata_file(self, file: DistributionFile) -> bytes | None:
        """The body of `<url>.metadata`; None where the host has none (or is known not to have such files)."""

    def open(self, file: DistributionFile) -> BinaryIO | None:
        """The file, seekable, read piece by piece over the network; None where the host cannot serve pieces.

        Pieces have no hash; where all bytes came at once, they were verified, and None is the answer if they failed.
        """

    def download(self, file: DistributionFile) -> AbstractContextManager[BinaryIO]:
        """The whole file, all its known hashes verified, seekable; gone when the context ends."""

    def size(self, file: DistributionFile) -> int | None:
        """Size in bytes, where the page told it or a transfer did."""


class BytesStore(Protocol):
    """Remembers bytes by kind and key across runs; loses them whenever it likes."""

    def get(self, kind: str, key: str) -> bytes | None:
        """The bytes last put, whole, or None."""

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Remember; never fails."""


class Pending(Protocol[T_co]):
    """A call that was started elsewhere."""

    @property
    def done(self) -> bool:
        """Whether `result` would return at once."""

    @property
    def under_way(self) -> bool:
        """Whether somebody does it just now."""

    def result(self) -> T_co:
        """Its value, or its exception raised here; waits for it, and has it done before others."""


class Tasks(Protocol):
    """Runs calls beside the caller. Implementation: `lockset.index.http.workers.Workers`."""

    def start(self, call: Callable[[], T], after: Callable[[], object] | None = None) -> Pending[T]:
        """Have `call` run soon, in another thread; `after` is called there once its result can be had."""
