"""Inflate members of archives and bodies of responses: with ISA-L where `isal` is installed, with zlib elsewhere.

ISA-L takes half the time of zlib. It reads some damaged data for which zlib reports an error, so the caller compares
the checksum of every member in both cases; those of gzip and zlib data are compared by both libraries.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["INFLATE_ERRORS", "Inflater", "crc32", "inflater"]


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


def inflater(window_bits: int = -zlib.MAX_WBITS) -> Inflater:
    """Inflates one stream of deflate data: without a header, or with the one that zlib's `window_bits` mean."""
    inflating: Inflater = library.decompressobj(window_bits)
    return inflating
