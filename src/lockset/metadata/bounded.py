"""Archives whose readers cannot be made to take more memory than is sensible."""

from __future__ import annotations

import gzip
import io
from typing import BinaryIO, cast

__all__ = ["MOST_MEMBERS", "BoundedReads", "inflated"]

# Members of a source archive; beyond it the archive is refused. The largest honest ones have some 30,000.
MOST_MEMBERS = 100_000

# Bytes given at once. The directory of a zip archive and the extended headers of a tar archive are read so, as long as
# the archive says they are; the largest honest ones have some 10 MB.
_MOST = 16 * 1024 * 1024


class BoundedReads(io.RawIOBase):
    """A seekable file for reading; ValueError where more is wanted at once than any honest archive needs."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        if size is not None and size > _MOST:
            raise ValueError(f"{size} bytes of it would have to be read at once")
        data = self._file.read(_MOST + 1 if size is None or size < 0 else size)
        if len(data) > _MOST:
            raise ValueError(f"more than {_MOST} bytes of it would have to be read at once")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Offset of the next read."""
        return self._file.tell()

    def seekable(self) -> bool:
        """It is."""
        return True

    def readable(self) -> bool:
        """It is."""
        return True


def inflated(file: BinaryIO) -> BinaryIO:
    """What is in the gzip file."""
    return cast("BinaryIO", BoundedReads(cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))))
