"""Inflate members of archives and bodies of responses: with ISA-L where `isal` is installed, and with zlib elsewhere.

ISA-L takes half the time of zlib, or less. It reads some damaged data for which zlib reports an error: what data are
worth is decided by their checksum, which the caller compares for raw data.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GZIP_OR_ZLIB", "INFLATE_ERRORS", "RAW", "Inflater", "crc32", "inflater"]

RAW, GZIP_OR_ZLIB = -zlib.MAX_WBITS, zlib.MAX_WBITS | 32


class Inflater(Protocol):
    """The interface of `zlib.decompressobj`.

    Attributes:
        eof: Whether the end of the deflate data was read.
        unused_data: What follows that end.
        unconsumed_tail: Input that is left because the output reached its limit.
    """

    eof: bool
    unused_data: bytes
    unconsumed_tail: bytes

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """At most `max_length` bytes of what `data` inflates to (0: no limit); raises one of `INFLATE_ERRORS`."""

    def flush(self) -> bytes:
        """The rest of the input, inflated."""


def _library() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib
    return isal_zlib


library: Any = _library()
INFLATE_ERRORS: tuple[type[Exception], ...] = (zlib.error, library.error)
crc32: Callable[..., int] = library.crc32


def inflater(window: int = RAW) -> Inflater:
    """Inflates one stream: deflate data without a header (`RAW`), or data with one and a checksum (`GZIP_OR_ZLIB`)."""
    inflating: Inflater = library.decompressobj(window)
    return inflating
