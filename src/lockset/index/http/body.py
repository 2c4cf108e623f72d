"""Bodies of responses, decompressed within a size limit."""

from __future__ import annotations

from lockset._dataclass import dataclass
from lockset.errors import DownloadFailedError, DownloadTooLargeError, LocksetError

__all__ = ["Body", "too_large"]

# The most bytes that one step inflates to, so that a decompression bomb hits the limit before it fills the memory.
_STEP = 1024 * 1024
# The first bytes of each gzip member.
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A whole body as it was received, which takes a fraction of the memory of its content.

    Attributes:
        data: At most `limit` bytes.
        encoding: The header `Content-Encoding`, "" if there is none.
        limit: Limit for the content in bytes.
        what: Where it comes from, for messages.
    """

    data: bytes
    encoding: str
    limit: int
    what: str

    @property
    def packed(self) -> bytes:
        """The body if it is compressed, else b""."""
        return b"" if self._coding in {"", "identity"} else self.data

    def content(self) -> bytes:
        """The decompressed body.

        Raises:
            LocksetError: `download-failed`: damaged, or in an encoding that was not requested; `download-too-large`.
        """
        if self._coding in {"", "identity"}:
            return self.data
        if self._coding not in {"gzip", "x-gzip", "deflate"}:
            raise self._broken(f"its encoding {self._coding[:20]!r} was not requested")
        # Imported here: few bodies of a sync are compressed.
        from lockset.inflate import GZIP_OR_ZLIB, INFLATE_ERRORS, inflater

        parts: list[bytes] = []
        left, rest = self.limit, self.data
        while True:
            inflate = inflater(GZIP_OR_ZLIB)
            part = b"-"
            # Without input there may be output that the last step had no space for.
            while (rest or part) and not inflate.eof:
                try:
                    part = inflate.decompress(rest, _STEP)
                except INFLATE_ERRORS as error:
                    raise self._broken(str(error)) from error
                left -= len(part)
                if left < 0:
                    raise too_large(self.limit, self.what)
                parts.append(part)
                rest = inflate.unconsumed_tail
            if not inflate.eof:
                raise self._broken("its compressed data end too early")
            rest = inflate.unused_data
            if not rest:
                return b"".join(parts)
            # "A gzip file consists of a series of members" (RFC 1952, 2.2): together they are the body.
            if self._coding == "deflate" or not rest.startswith(_GZIP):
                raise self._broken("further bytes follow its compressed data")

    @property
    def _coding(self) -> str:
        return self.encoding.strip().lower()

    def _broken(self, why: str) -> LocksetError:
        return DownloadFailedError(f"The response cannot be read: {why}", location=self.what)


def too_large(limit: int, what: str) -> LocksetError:
    """The error for a body of more than `limit` bytes."""
    return DownloadTooLargeError(f"The response is larger than {limit} bytes", location=what)
