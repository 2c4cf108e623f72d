"""Archives whose readers cannot be made to take more memory than is sensible."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator

__all__ = ["MOST_MEMBERS", "BoundedReads", "archive_errors", "inflated", "tar_members"]

# Members of a source archive; beyond it the archive is refused. The largest honest ones have some 30,000.
MOST_MEMBERS = 100_000

# Bytes given at once. The directory of a zip archive and the extended headers of a tar archive are read so, as long as
# the archive says they are; the largest honest ones have some 10 MB.
_MOST = 16 * 1024 * 1024

# Where each reader of archives, and each decompressor that zipfile may call, names its own error. Not every build of
# Python has all of them.
_ERRORS = (
    ("tarfile", "TarError"),
    ("zipfile", "BadZipFile"),
    ("lzma", "LZMAError"),
    ("compression.zstd", "ZstdError"),
)


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


def archive_errors() -> tuple[type[Exception], ...]:
    """Every error in which reading a damaged or forged tar or zip archive may end."""
    # OSError of bz2 and gzip, ValueError of numbers and encodings, RuntimeError of encryption and recursion,
    # ArithmeticError of numbers that are no offsets.
    errors: list[type[Exception]] = [zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError]
    errors += [LookupError, ArithmeticError]
    for module, name in _ERRORS:
        with suppress(ImportError):
            errors.append(getattr(import_module(module), name))
    return tuple(errors)


def tar_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive in their order.

    Raises:
        ValueError: There are too many members, or one is not followed by a later place: sizes below zero lead
            readers backwards, for ever.
    """
    for count, member in enumerate(archive):
        if count >= MOST_MEMBERS:
            raise ValueError(f"it has more than {MOST_MEMBERS} members")
        if member.size < 0 or archive.offset <= member.offset:
            raise ValueError("the size of a member is less than zero")
        yield member
