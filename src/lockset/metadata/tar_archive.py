"""Read the members of tar archives, with limits on their number and on the memory of their headers."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, BinaryIO

from lockset.metadata.bounded_reads import MOST_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["open_tar", "tar_members"]

# Limit for the bytes of all headers of one member: the header itself, long names, and extended headers, whose sizes the
# archive states. The largest real ones have about 10 MB.
_MOST_OF_HEADERS = 16 * 1024 * 1024


def open_tar(file: BinaryIO) -> tarfile.TarFile:
    """The uncompressed tar archive in `file`, which must be seekable.

    Reading a member raises ValueError if its headers are too large, and `tarfile.ReadError` if one is not valid:
    tarfile alone would take it for the end of the archive, and leave out what follows.

    Raises:
        ValueError, tarfile.TarError, OSError: The first member cannot be read.
    """
    return tarfile.open(fileobj=file, mode="r:", tarinfo=_Member)


def tar_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, in order.

    Raises:
        ValueError: There are too many members, or the offset does not increase: negative sizes would make readers go
            backwards forever.
    """
    for count, member in enumerate(archive):
        if count >= MOST_MEMBERS:
            raise ValueError(f"it has more than {MOST_MEMBERS} members")
        if member.size < 0 or archive.offset <= member.offset:
            raise ValueError("the size of a member is less than zero")
        yield member


class _Member(tarfile.TarInfo):
    """A member whose headers are bounded: from Python 3.14 on, tarfile reads large ones in many small pieces."""

    @classmethod
    def fromtarfile(cls, tarfile: Any) -> _Member:
        """The next member, as the class of the standard library reads it, which also calls this for further headers."""
        file = tarfile.fileobj
        if type(file) is not _Headers:
            tarfile.fileobj = _Headers(file)
        try:
            return super().fromtarfile(tarfile)
        except _INVALID as error:
            raise _UNREADABLE(str(error)) from error
        finally:
            tarfile.fileobj = file


# The parameter of `fromtarfile` has the name of the module. Type checkers do not know the first.
_INVALID: type[Exception] = vars(tarfile)["InvalidHeaderError"]
_UNREADABLE = tarfile.ReadError


class _Headers:
    """A file from which the headers of one member are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MOST_OF_HEADERS
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        """The next bytes; ValueError if they are more than the headers of a member have."""
        if size > self._left:
            raise ValueError(f"the headers of a member have more than {_MOST_OF_HEADERS} bytes")
        data = self._file.read(size)
        self._left -= len(data)
        return data
