"""Read the members of a zip archive strictly: an archive that two readers could read differently is refused.

Works on untrusted bytes (a memory map or `bytes`). The archive must consist of local entries without gaps or overlaps,
the central directory and its end record, and nothing else (ZIP File Format Specification, APPNOTE.TXT).
"""

from __future__ import annotations

import struct
from operator import attrgetter
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.errors import LocksetError
from lockset.files.inflate import INFLATE_ERRORS, crc32, inflater
from lockset.files.system import release_memory

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    Buffer: TypeAlias = bytes | mmap.mmap

__all__ = ["ZipMember", "members", "pieces", "read_member", "release_pages"]

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4sBBHHHHHLLLHHHHHLL")
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_TWO_SIZES = struct.Struct("<QQ")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF

# Flag bits that only describe the deflate level (1, 2), a data descriptor (3), a UTF-8 name (11).
_LEVEL, _DESCRIPTOR, _UTF8 = 0b110, 1 << 3, 1 << 11
_KNOWN_FLAGS = _LEVEL | _DESCRIPTOR | _UTF8
_STORED, _DEFLATED = 0, 8
_UNIX, _KIND, _REGULAR, _FOLDER, _ANY_EXECUTE = 3, 0o170000, 0o100000, 0o040000, 0o111
_ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075

# Limit for the unpacked size: an archive that inflates to more than this factor, and more than the floor, is refused.
_MOST_INFLATION, _INFLATION_FLOOR = 250, 1 << 30
# Limit for the number of members; the largest wheels have about ten thousand.
_MOST_MEMBERS = 1_000_000
# Bytes inflated at once, so that memory use does not depend on the size of a member.
_CHUNK = 1 << 18
# Bytes of a mapped archive that stay in memory while it is read.
_WINDOW = 8 * _CHUNK


class ZipMember(NamedTuple):
    """One file or folder (`name` ends in `/`) of an archive; `start` is where its packed bytes begin."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    start: int
    executable: bool


def members(buffer: Buffer, *, what: str) -> tuple[ZipMember, ...]:
    """All members, in the order of their bytes. `what` names the archive in errors.

    Raises:
        LocksetError: `archive-refused`: not a zip archive, or an ambiguous one.
    """
    try:
        return _members(buffer)
    except (_RefusedArchive, struct.error) as error:
        reason = str(error) if isinstance(error, _RefusedArchive) else "it is truncated"
        raise LocksetError(
            "archive-refused",
            f"{what} is not a valid archive: {reason}",
            hint="Report it to the project; lockset refuses archives that two tools could read differently",
        ) from None


class _RefusedArchive(Exception):
    pass


_DAMAGED: tuple[type[Exception], ...] = (*INFLATE_ERRORS, _RefusedArchive)


class _Central(NamedTuple):
    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


def _members(buffer: Buffer) -> tuple[ZipMember, ...]:
    start, end, count = _directory(buffer)
    central = sorted(_central_entries(buffer, start, end, count), key=attrgetter("offset"))
    if sum(entry.size for entry in central) > max(_INFLATION_FLOOR, _MOST_INFLATION * len(buffer)):
        raise _RefusedArchive("its unpacked size is too large for an archive of this size")
    checked: list[ZipMember] = []
    position = 0
    for entry, following in zip(central, [*(entry.offset for entry in central[1:]), start], strict=False):
        if entry.offset != position:
            raise _RefusedArchive("it has bytes outside its members, or members that overlap")
        checked.append(_member(buffer, entry, following))
        position = following
    if position != start:
        raise _RefusedArchive("it has bytes outside its members")
    _refuse_collisions(checked)
    return tuple(checked)


def _directory(buffer: Buffer) -> tuple[int, int, int]:
    """Where the central directory starts and ends, and how many entries it has."""
    size = len(buffer)
    location = buffer.rfind(b"PK\x05\x06", max(0, size - _END.size - _FULL16))
    if location < 0:
        raise _RefusedArchive("it has no end record")
    _, disk, first_disk, here, total, length, start, comment = _END.unpack_from(buffer, location)
    if location + _END.size + comment != size:
        raise _RefusedArchive("it has bytes after its end record")
    end = location
    if (
        location >= _LOCATOR64.size
        and buffer[location - _LOCATOR64.size : location - _LOCATOR64.size + 4] == b"PK\x06\x07"
    ):
        end, values = _end64(buffer, location)
        for short, full, bound in (
            (disk, 0, _FULL16),
            (first_disk, 0, _FULL16),
            (here, values[0], _FULL16),
            (total, values[0], _FULL16),
            (length, values[1], _FULL32),
            (start, values[2], _FULL32),
        ):
            if short not in {full, bound}:
                raise _RefusedArchive("its two end records differ")
        total, length, start = values
    elif disk or first_disk or here != total:
        raise _RefusedArchive("it has several parts")
    if start + length != end:
        raise _RefusedArchive("its directory is not where its end record says")
    if buffer.find(b"PK\x05\x06", end) != location:
        raise _RefusedArchive("it has more than one end record")
    if total > _MOST_MEMBERS:
        raise _RefusedArchive("it has too many members")
    return start, end, total


def _end64(buffer: Buffer, location: int) -> tuple[int, tuple[int, int, int]]:
    locator = location - _LOCATOR64.size
    _, disk, offset, disks = _LOCATOR64.unpack_from(buffer, locator)
    if disk or disks > 1 or offset + _END64.size != locator:
        raise _RefusedArchive("its 64-bit end record is not where its locator says")
    signature, length, _, _, disk, first_disk, here, total, size, start = _END64.unpack_from(buffer, offset)
    if signature != b"PK\x06\x06" or length != _END64.size - 12 or disk or first_disk or here != total:
        raise _RefusedArchive("its 64-bit end record is malformed")
    return offset, (total, size, start)


def _central_entries(buffer: Buffer, start: int, end: int, count: int) -> Iterator[_Central]:
    data = bytes(buffer[start:end])
    position = 0
    for _ in range(count):
        fields = _CENTRAL.unpack_from(data, position)
        signature, _, system, _, flags, method, _, _, crc, packed, size, name_length, extra_length, *rest = fields
        comment_length, disk, _, attributes, offset = rest
        if signature != b"PK\x01\x02" or disk:
            raise _RefusedArchive("its directory is malformed")
        position += _CENTRAL.size
        name = data[position : position + name_length]
        extra = data[position + name_length : position + name_length + extra_length]
        position += name_length + extra_length + comment_length
        if position > len(data) or len(extra) != extra_length:
            raise _RefusedArchive("its directory is truncated")
        sizes = _extra64(extra) if extra else None
        if sizes is not None or _FULL32 in {size, packed, offset}:
            size, packed, offset = _widen(sizes, size, packed, offset)
        mode = attributes >> 16 if system == _UNIX else 0
        yield _Central(name, flags, method, crc, packed, size, offset, mode)
    if position != len(data):
        raise _RefusedArchive("its directory has more entries than its end record says")


def _extra64(extra: bytes) -> bytes | None:
    """The data of the 64-bit extra field, if there is one."""
    sizes: bytes | None = None
    position = 0
    while position < len(extra):
        if position + 4 > len(extra):
            # Some writers pad with zeros; anything else is malformed.
            if extra[position:].strip(b"\0"):
                raise _RefusedArchive("it has a malformed extra field")
            break
        kind, length = struct.unpack_from("<HH", extra, position)
        field = extra[position + 4 : position + 4 + length]
        if len(field) != length:
            raise _RefusedArchive("it has a malformed extra field")
        if kind == _UNICODE_PATH_EXTRA:
            raise _RefusedArchive("a member has a second name in an extra field")
        if kind == _ZIP64_EXTRA:
            if sizes is not None:
                raise _RefusedArchive("a member has two 64-bit sizes")
            sizes = field
        position += 4 + length
    return sizes


def _widen(extra: bytes | None, *values: int) -> tuple[int, ...]:
    """`values`, where each 0xFFFFFFFF is replaced by the next 64-bit value of `extra`."""
    if extra is None:
        if _FULL32 in values:
            raise _RefusedArchive("a member's size is unknown")
        return values
    position = 0
    wide: list[int] = []
    for value in values:
        if value == _FULL32:
            (value,) = struct.unpack_from("<Q", extra, position)  # noqa: PLW2901 (the wide form of the same value)
            position += 8
        wide.append(value)
    # Readers differ on which of two redundant sizes counts, so they must agree.
    if position == 0 and len(extra) >= _TWO_SIZES.size and _TWO_SIZES.unpack_from(extra) != values[:2]:
        raise _RefusedArchive("a member has two sizes")
    return tuple(wide)


def _member(buffer: Buffer, entry: _Central, following: int) -> ZipMember:
    name = _decode_name(entry)
    if entry.flags & ~_KNOWN_FLAGS:
        raise _RefusedArchive(f"member `{name}` is encrypted or uses an unknown feature")
    if entry.method not in {_STORED, _DEFLATED}:
        raise _RefusedArchive(f"member `{name}` is compressed with a method other than stored and deflate")
    if entry.method == _STORED and entry.packed != entry.size:
        raise _RefusedArchive(f"member `{name}` is stored with two sizes")
    start = _check_local_header(buffer, entry, name)
    end = start + entry.packed
    if entry.flags & _DESCRIPTOR:
        if not _descriptor_fits(bytes(buffer[end : min(following, end + 24)]), following - end, entry):
            raise _RefusedArchive(f"the sizes after member `{name}` differ from those in the directory")
    elif end != following:
        raise _RefusedArchive(f"it has bytes after member `{name}` that are not part of a member")
    kind = entry.mode & _KIND
    if name.endswith("/"):
        if entry.size or kind not in {0, _FOLDER}:
            raise _RefusedArchive(f"`{name}` is named like a folder, but is not one")
    elif kind not in {0, _REGULAR}:
        raise _RefusedArchive(f"member `{name}` is not a regular file")
    executable = bool(entry.mode & _ANY_EXECUTE)
    return ZipMember(name, entry.method, entry.crc, entry.packed, entry.size, start, executable)


def _decode_name(entry: _Central) -> str:
    try:
        name = entry.name.decode("utf-8" if entry.flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise _RefusedArchive("a member's name is not ASCII and not marked as UTF-8") from None
    if not name.isprintable() or not name:
        raise _RefusedArchive("a member's name is empty or has control characters")
    return name


def _check_local_header(buffer: Buffer, entry: _Central, name: str) -> int:
    """Where the packed bytes start; the local header must agree with the directory."""
    local = _LOCAL.unpack_from(buffer, entry.offset)
    signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = local
    location = entry.offset + _LOCAL.size
    wide = None
    if extra_length:
        wide = _extra64(bytes(buffer[location + name_length : location + name_length + extra_length]))
    unknown = bool(flags & _DESCRIPTOR) and (crc, packed % _FULL32, size % _FULL32) == (0, 0, 0)
    if not unknown and (wide is not None or _FULL32 in {size, packed}):
        size, packed = _widen(wide, size, packed)
    if (
        signature != b"PK\x03\x04"
        or (flags ^ entry.flags) & ~_LEVEL
        or method != entry.method
        or buffer[location : location + name_length] != entry.name
        or (not unknown and (crc, packed, size) != (entry.crc, entry.packed, entry.size))
    ):
        raise _RefusedArchive(f"the two headers of member `{name}` differ")
    return int(location + name_length + extra_length)


def _descriptor_fits(data: bytes, length: int, entry: _Central) -> bool:
    short = struct.pack("<L2Q", entry.crc, entry.packed, entry.size)
    forms = [short, b"PK\x07\x08" + short]
    if entry.packed <= _FULL32 and entry.size <= _FULL32:
        short = struct.pack("<3L", entry.crc, entry.packed, entry.size)
        forms += [short, b"PK\x07\x08" + short]
    return len(data) == length and data in forms


def _refuse_collisions(entries: list[ZipMember]) -> None:
    names: set[str] = set()
    for member in entries:
        if member.name in names:
            raise _RefusedArchive(f"two members have the same name, `{member.name}`")
        names.add(member.name)
    folders: set[str] = set()
    for name in {name.rpartition("/")[0] for name in names}:
        folder = name
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    # The name of a folder ends in "/".
    if not folders.isdisjoint(names):
        raise _RefusedArchive(f"`{min(folders & names)}` is both file and folder")


def pieces(buffer: Buffer, member: ZipMember, *, what: str) -> Iterable[bytes]:
    """The content of `member`: one piece if it is small, and otherwise pieces that are verified after the last one.

    Size and checksum are verified.

    Raises:
        LocksetError: `archive-refused`: the content does not match the directory.
    """
    if member.packed <= _CHUNK and member.size <= _CHUNK:
        return (_whole(buffer, member, what),)
    return _chunks(buffer, member, what)


def _whole(buffer: Buffer, member: ZipMember, what: str) -> bytes:
    """The verified content of a small member."""
    data = buffer[member.start : member.start + member.packed]
    if member.method == _DEFLATED:
        inflate = inflater()
        try:
            # One byte more than the stated size reveals a longer member, and bounds what is inflated.
            data = inflate.decompress(data, member.size + 1)
        except INFLATE_ERRORS:
            raise _damaged(member, what) from None
        if not inflate.eof or inflate.unused_data:
            raise _damaged(member, what)
    if len(data) != member.size or crc32(data) != member.crc:
        raise _damaged(member, what)
    return data


def _chunks(buffer: Buffer, member: ZipMember, what: str) -> Iterator[bytes]:
    crc, seen = 0, 0
    packed = _read_packed(buffer, member)
    try:
        for piece in packed if member.method == _STORED else _inflate(packed):
            crc = crc32(piece, crc)
            seen += len(piece)
            if seen > member.size:
                break
            yield piece
    except _DAMAGED:
        seen = -1
    if seen != member.size or crc != member.crc:
        raise _damaged(member, what)


def _damaged(member: ZipMember, what: str) -> LocksetError:
    return LocksetError("archive-refused", f"Member `{member.name}` of {what} is damaged")


def release_pages(buffer: Buffer) -> None:
    """Let the system free the pages of `buffer` that were read; they are read again when needed."""
    release_memory(buffer)


def _read_packed(buffer: Buffer, member: ZipMember) -> Iterator[bytes]:
    """The packed bytes of `member` in pieces."""
    end = member.start + member.packed
    for location in range(member.start, end, _CHUNK):
        yield bytes(buffer[location : min(location + _CHUNK, end)])
        if (location - member.start) % _WINDOW == _WINDOW - _CHUNK:
            release_pages(buffer)


def _inflate(pieces: Iterable[bytes]) -> Iterator[bytes]:
    inflate = inflater()
    for packed in pieces:
        data = inflate.decompress(packed, _CHUNK)
        while data:
            yield data
            data = inflate.decompress(inflate.unconsumed_tail, _CHUNK) if inflate.unconsumed_tail else b""
    # Checked before the flush, which would inflate the rest without a limit.
    if inflate.unconsumed_tail:
        raise _RefusedArchive("it is larger than stated")
    if rest := inflate.flush():
        yield rest
    if not inflate.eof or inflate.unused_data:
        raise _RefusedArchive("its compressed bytes do not end where they should")


def read_member(buffer: Buffer, member: ZipMember, *, what: str, limit: int) -> bytes:
    """The whole content of `member`, for files that are always small.

    Raises:
        LocksetError: `archive-refused`: larger than `limit`, or damaged.
    """
    if member.size > limit:
        raise LocksetError("archive-refused", f"Member `{member.name}` of {what} is larger than {limit} bytes")
    return b"".join(pieces(buffer, member, what=what))
