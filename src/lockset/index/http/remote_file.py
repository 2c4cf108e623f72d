"""Read a file on a server in pieces with range requests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError, RangeRefusedError
from lockset.index.credentials import redact
from lockset.index.http.transport import Incoming, Request

if TYPE_CHECKING:
    from lockset.index.http.transport import Transport

__all__ = ["RemoteFile", "open_remote"]

# Bytes of the end that are fetched first: they hold the directory of nearly every archive, and usually its metadata.
_TAIL = 32 * 1024
# A piece is at least this large: the next reads are near.
_PIECE = 16 * 1024
# A server that ignores the range sends the whole file, which is accepted up to this size.
_WHOLE = 512 * 1024
# The largest piece fetched at once: the directory of an archive with a hundred thousand members.
_MOST = 16 * 1024 * 1024
_CONTENT_RANGE = lazy_pattern(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})$")
_ACCEPTED = frozenset({200, 206, 416, 501})


def open_remote(transport: Transport, url: str) -> RemoteFile | None:
    """Open the file at `url` and fetch its end; None if the server has no ranges and the file is large.

    Raises:
        LocksetError: As `Transport.exchange`.
    """
    is_partial = False

    def take(incoming: Incoming) -> tuple[int, int, bytes] | None:
        nonlocal is_partial
        is_partial = incoming.status == 206
        if is_partial:
            return _piece(incoming)
        if incoming.status != 200 or not 0 < _length(incoming) <= _WHOLE:
            return None
        data = incoming.body(_WHOLE)
        return 0, len(data), data

    request = Request(url=url, headers={"range": f"bytes=-{_TAIL}"}, accepted=_ACCEPTED)
    piece = transport.exchange(request, take)
    if piece is None:
        return None
    start, size, data = piece
    return RemoteFile(transport, url, size=size, start=start, data=data, is_partial=is_partial)


def _length(incoming: Incoming) -> int:
    text = incoming.headers.get("content-length", "")
    encoded = incoming.headers.get("content-encoding", "identity") != "identity"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 and not encoded else 0


def _piece(incoming: Incoming) -> tuple[int, int, bytes] | None:
    """Offset, total size and bytes of a partial response; None if its Content-Range is missing or invalid."""
    content_range = _CONTENT_RANGE.match(incoming.headers.get("content-range", "").strip().lower())
    if content_range is None:
        return None
    first, last, size = (int(group) for group in content_range.groups())
    if not first <= last < size or last - first >= max(_WHOLE, _TAIL):
        return None
    data = _exactly(incoming, last - first + 1)
    return None if data is None else (first, size, data)


def _exactly(incoming: Incoming, length: int) -> bytes | None:
    """The body; None if it is shorter or longer than `length`."""
    try:
        data = incoming.body(length)
    except LocksetError:
        return None
    return data if len(data) == length else None


class RemoteFile(io.RawIOBase):
    """A read-only, seekable file; fetches missing bytes in few and large pieces.

    Attributes:
        size: Of the whole file.
        is_partial: Whether the server answered the range, and not with the whole file.
    """

    def __init__(
        self, transport: Transport, url: str, *, size: int, start: int, data: bytes, is_partial: bool = True
    ) -> None:
        super().__init__()
        self.size = size
        self.is_partial = is_partial
        self._transport = transport
        self._url = url
        self._position = 0
        self._pieces: list[tuple[int, bytes]] = [(start, data)]

    def whole(self) -> bytes | None:
        """All bytes, if the first response had them."""
        start, data = self._pieces[0]
        return data if start == 0 and len(data) == self.size else None

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Offset of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; never beyond the beginning."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Read the next `size` bytes, or up to the end of the file."""
        start = self._position
        end = self.size if size is None or size < 0 else min(start + size, self.size)
        if start >= end:
            return b""
        data = self._held(start, end) or self._fetch(start, end)
        self._position = start + len(data)
        return data

    def _held(self, start: int, end: int) -> bytes | None:
        for offset, data in self._pieces:
            if offset <= start and end <= offset + len(data):
                return data[start - offset : end - offset]
        return None

    def _fetch(self, start: int, end: int) -> bytes:
        """Fetch the bytes, but only up to the start of a piece that was fetched before."""
        known = next(
            ((offset, data) for offset, data in self._pieces if start < offset < end <= offset + len(data)), None
        )
        stop = known[0] if known is not None else min(max(end, start + _PIECE), self.size)
        if stop - start > _MOST:
            raise self._refused("A piece of the file is too large to be fetched at once")
        headers = {"range": f"bytes={start}-{stop - 1}"}
        request = Request(url=self._url, headers=headers, accepted=frozenset({206}), failure=RangeRefusedError)
        data = self._transport.exchange(request, lambda incoming: self._take(incoming, start, stop))
        if known is not None:
            data += known[1]
        self._pieces.append((start, data))
        return data[: end - start]

    def _take(self, incoming: Incoming, start: int, stop: int) -> bytes:
        content_range = _CONTENT_RANGE.match(incoming.headers.get("content-range", "").strip().lower())
        expected = (start, stop - 1, self.size)
        fits = content_range is not None and tuple(map(int, content_range.groups())) == expected
        data = _exactly(incoming, stop - start) if fits else None
        if data is None:
            raise self._refused("The server returned a different range than requested")
        return data

    def _refused(self, why: str) -> LocksetError:
        return RangeRefusedError(why, location=redact(self._url))
