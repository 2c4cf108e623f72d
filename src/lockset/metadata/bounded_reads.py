"""Read archives with limits on memory."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO, cast

__all__ = ["MOST_MEMBERS", "BoundedReads", "archive_errors", "open_compressed"]

# Limit for the members of a source archive; the largest real ones have about 30,000.
MOST_MEMBERS = 100_000

# Limit for one read. The directory of a zip archive is read at once, with the size that the archive states; the largest
# real ones have about 10 MB.
_MOST = 16 * 1024 * 1024

# How a bzip2 file begins.
_BZIP2 = b"BZh"

# Error classes of the archive readers, and of the decompressors that zipfile may use. Not every Python has all of them.
_ERRORS = (
    ("tarfile", "TarError"),
    ("zipfile", "BadZipFile"),
    ("lzma", "LZMAError"),
    ("compression.zstd", "ZstdError"),
)


class BoundedReads(io.RawIOBase):
    """A seekable file for reading; ValueError for a single read that is larger than any real archive needs."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        if size is not None and size > _MOST:
            raise ValueError(f"it requires a single read of {size} bytes")
        data = self._file.read(_MOST + 1 if size is None or size < 0 else size)
        if len(data) > _MOST:
            raise ValueError(f"it requires a single read of more than {_MOST} bytes")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Offset of the next read."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True


def open_compressed(file: BinaryIO) -> BinaryIO:
    """The decompressed content of a gzip or bzip2 file, whatever its name."""
    is_bzip2 = file.read(len(_BZIP2)) == _BZIP2
    file.seek(0)
    # Imported here, since most packages have wheels.
    if is_bzip2:
        import bz2

        return cast("BinaryIO", BoundedReads(cast("BinaryIO", bz2.BZ2File(file))))
    import gzip

    return cast("BinaryIO", BoundedReads(cast("BinaryIO", gzip.GzipFile(fileobj=file, mode="rb"))))


def archive_errors() -> tuple[type[Exception], ...]:
    """The errors that reading a damaged or forged tar or zip archive may raise."""
    # OSError from bz2 and gzip, ValueError for numbers and encodings, RuntimeError for encryption and recursion,
    # ArithmeticError for invalid offsets.
    errors: list[type[Exception]] = [zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError]
    errors += [LookupError, ArithmeticError]
    for module, name in _ERRORS:
        with suppress(ImportError):
            errors.append(getattr(import_module(module), name))
    return tuple(errors)
