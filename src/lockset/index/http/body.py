"""Decompress response bodies within a size limit."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lockset.errors import DownloadFailedError, DownloadTooLargeError, LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Inflater"]

# The most bytes that one step inflates to, so that a decompression bomb hits the limit before it fills the memory.
_STEP = 1024 * 1024
# The first bytes of each gzip member.
_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Inflater:
    """Inflates a body as it arrives, to at most `limit` bytes in total."""

    def __init__(self, encoding: str, *, limit: int, what: str) -> None:
        coding = encoding.strip().lower()
        self._what = what
        self._left = limit
        self._limit = limit
        self._came = 0
        self._is_gzip = False
        if coding in {"", "identity"}:
            self._inflate = None
        elif coding in {"gzip", "x-gzip", "deflate"}:
            self._is_gzip = coding != "deflate"
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        else:
            raise self._broken(f"its encoding {coding[:20]!r} was not requested")

    @property
    def inflates(self) -> bool:
        """Whether the body is compressed."""
        return self._inflate is not None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Inflated pieces for the next bytes of the body."""
        if self._inflate is None:
            yield self._count(chunk)
            return
        self._came += len(chunk)
        if self._came > self._limit:  # larger before it is inflated than it may be afterwards
            raise self._too_large()
        rest = chunk
        if self._inflate.eof and rest and self._is_gzip and rest.startswith(_GZIP[: len(rest)]):
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        while rest:
            try:
                piece = self._inflate.decompress(rest, _STEP)
            except zlib.error as error:
                raise self._broken(str(error)) from error
            rest = self._inflate.unconsumed_tail
            yield self._count(piece)
            if self._inflate.eof and (behind := self._inflate.unused_data or rest):
                if not (self._is_gzip and behind.startswith(_GZIP[: len(behind)])):
                    raise self._broken("further bytes follow its compressed data")
                # "A gzip file consists of a series of members" (RFC 1952, 2.2): together they are the body.
                self._inflate, rest = zlib.decompressobj(_GZIP_OR_ZLIB), behind

    def finish(self) -> Iterator[bytes]:
        """The last piece, once the body has ended."""
        if self._inflate is None:
            return
        if not self._inflate.eof:
            raise self._broken("its compressed data end too early")
        yield self._count(self._inflate.flush())

    def _count(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise self._too_large()
        return piece

    def _too_large(self) -> LocksetError:
        return DownloadTooLargeError(f"The answer is larger than {self._limit} bytes", location=self._what)

    def _broken(self, why: str) -> LocksetError:
        return DownloadFailedError(f"The answer cannot be read: {why}", location=self._what)
