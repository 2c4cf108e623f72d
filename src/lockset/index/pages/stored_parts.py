"""The parts of a stored page, each with a checksum that is compared when the part is used.

A page lists the files of hundreds of versions, of which a run uses one or two. To read and compare the others would
take longer than all the rest.
"""

from __future__ import annotations

import marshal
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # The bytes between two positions, fewer at the end of what is stored, and none if it cannot be read.
    ReadPart: TypeAlias = Callable[[int, int], bytes]

__all__ = ["DamagedPartError", "StoredBlobs", "StoredBytes", "StoredSpans", "marks_of", "value_of"]

# Where a blob ends, and its checksum.
_MARK = struct.Struct("<II")


class DamagedPartError(Exception):
    """A part of a stored page does not match its checksum: the page must be fetched again."""


def _checked(part: bytes, total: int) -> bytes:
    if zlib.crc32(part) != total:
        raise DamagedPartError
    return part


class StoredBytes:
    """One part; `bytes` compares its checksum.

    Raises:
        DamagedPartError: It does not match.
    """

    __slots__ = ("_end", "_read", "_start", "_total")

    def __init__(self, read: ReadPart, start: int, end: int, total: int) -> None:
        self._read = read
        self._start = start
        self._end = end
        self._total = total

    def __bytes__(self) -> bytes:
        return _checked(self._read(self._start, self._end), self._total)


def value_of(part: bytes) -> Any:
    """The value of a part that this program has stored or made, and whose checksum matched."""
    return marshal.loads(part)  # noqa: S302 (own bytes)


def marks_of(blobs: Iterable[bytes]) -> bytes:
    """What `StoredBlobs` needs to find and to check each of `blobs`, which are stored one after another."""
    marks, end = [], 0
    for blob in blobs:
        end += len(blob)
        marks.append(_MARK.pack(end, zlib.crc32(blob)))
    return b"".join(marks)


class StoredBlobs(Sequence[bytes]):
    """Blobs by their marks; an item raises DamagedPartError where its checksum does not match."""

    __slots__ = ("_marks", "_read")

    def __init__(self, read: ReadPart, marks: bytes) -> None:
        self._read = read
        self._marks = marks

    def end(self, count: int) -> int:
        """The position after the first `count` blobs."""
        end: int = _MARK.unpack_from(self._marks, _MARK.size * (count - 1))[0] if count else 0
        return end

    def __len__(self) -> int:
        return len(self._marks) // _MARK.size

    @overload
    def __getitem__(self, at: SupportsIndex) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[bytes, ...]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> bytes | tuple[bytes, ...]:
        """The blob at a position, or those of a slice."""
        if isinstance(at, slice):
            return tuple([self[position] for position in range(*at.indices(len(self)))])
        position = range(len(self))[at]
        end, total = _MARK.unpack_from(self._marks, _MARK.size * position)
        return _checked(self._read(self.end(position), end), total)


class StoredSpans(Sequence[tuple[int, ...]]):
    """Spans in the form of `dump`, read on first use."""

    __slots__ = ("_count", "_data", "_spans")

    def __init__(self, data: bytes, count: int) -> None:
        self._data = data
        self._count = count
        self._spans: tuple[tuple[int, ...], ...] | None = None

    @staticmethod
    def dump(spans: Sequence[tuple[int, ...]], version: int) -> bytes:
        """The spans as bytes, in a version of marshal."""
        return marshal.dumps(tuple(spans), version)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: SupportsIndex) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[int, ...], ...]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> tuple[int, ...] | tuple[tuple[int, ...], ...]:
        """The spans at a position, or those of a slice."""
        if self._spans is None:
            self._spans = value_of(self._data)
        return self._spans[at]
