"""What retrieval of metadata needs, in memory."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import RemoteCall

__all__ = ["FakeBuilder", "FakeFiles", "InlineTasks", "MemoryStore"]

T = TypeVar("T")


@dataclass(slots=True)
class FakeFiles:
    """Files by name; `metadata` by file name too; writes down which way was taken."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    pieces_alone: bool = False
    asked: list[str] = field(default_factory=list)

    def metadata_file(self, file: DistributionFile) -> bytes | None:
        self.asked.append(f"metadata-file {file.filename}")
        return self.metadata.get(file.filename)

    def open(self, file: DistributionFile) -> BinaryIO | None:
        self.asked.append(f"pieces {file.filename}")
        return io.BytesIO(self.contents[file.filename]) if self.ranges else None

    def has_pieces_alone(self, file: DistributionFile) -> bool:
        return self.pieces_alone and not file.metadata

    @contextmanager
    def download(self, file: DistributionFile) -> Iterator[BinaryIO]:
        self.asked.append(f"whole {file.filename}")
        yield io.BytesIO(self.contents[file.filename])

    def size(self, file: DistributionFile) -> int | None:
        return file.size


@dataclass(slots=True)
class MemoryStore:
    """A store that forgets nothing."""

    entries: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def get(self, kind: str, key: str) -> bytes | None:
        return self.entries.get((kind, key))

    def put(self, kind: str, key: str, data: bytes) -> None:
        self.entries[kind, key] = data


@dataclass(slots=True)
class _Done(Generic[T]):
    call: Callable[[], T]
    done = True
    under_way = False

    def result(self) -> T:
        return self.call()


@dataclass(slots=True)
class InlineTasks:
    """Does every call when its result is asked for."""

    started: int = 0
    is_shared: bool = False

    def start(
        self, call: Callable[[], T], after: Callable[[], object] | None = None, remote: RemoteCall[T] | None = None
    ) -> _Done[T]:
        self.started += 1
        if after is not None:
            after()
        return _Done(call)

    def offer(self, kind: str, function: Callable[[Any], Any]) -> None:
        """Nothing is called by another process here."""


@dataclass(slots=True)
class FakeBuilder:
    """Builds nothing: gives the METADATA it was made with."""

    answer: bytes
    built: list[str] = field(default_factory=list)

    def metadata(self, source_tree: Path, *, what: str) -> bytes:
        self.built.append(what)
        return self.answer

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str) -> Path:
        raise AssertionError(what)

    def archive_metadata(self, archive: BinaryIO, filename: str, *, package: str | None = None) -> bytes:
        self.built.append(filename)
        return self.answer

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        raise AssertionError(filename)
