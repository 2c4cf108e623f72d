"""Small records in the cache: a value for a key, with or without parts that are read on their own, and checksums.

A record only saves time: if it is missing, damaged or for another key, there is none. The start of a command reads some
of them, so that this module imports as little as possible.
"""

# Paths are strings here, and modules that take milliseconds to import (typing, pathlib, hashlib) are not used.
from __future__ import annotations

import marshal
import os
import zlib

from lockset.files.system import BINARY, READ, is_private, read_at, replace, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeAlias

    # A part of a record: its position after the head, its size, its checksum.
    Part: TypeAlias = tuple[int, int, int]

__all__ = [
    "content",
    "get_parts",
    "get_value",
    "is_intact",
    "put_parts",
    "put_value",
    "read_head",
    "read_part",
    "read_record",
    "write_record",
]

# Limit for a record; the largest known targets have about 100,000 files.
_LARGEST = 64 << 20
# The bytes before the head of a record with parts: its checksum and its length.
_CHECKSUM, _START = 4, 12
_KIND, _REGULAR = 0o170000, 0o100000


def read_record(path: str) -> Any:
    """The value that `write_record` wrote; None if it is damaged or not this user's. Raises OSError and ValueError."""
    status = os.stat(path)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    data = memoryview(content(path, status.st_size))
    if len(data) <= _CHECKSUM or _checksum(data[_CHECKSUM:]) != data[:_CHECKSUM]:
        return None
    return _value(data[_CHECKSUM:])


def write_record(path: str, value: Any) -> None:
    """Write the marshallable `value` to `path` atomically, for the user only; errors of the disk are ignored."""
    payload = marshal.dumps(value)
    _write(path, [_checksum(payload), payload])


def get_value(path: str | None, key: Any) -> Any:
    """The value that `put_value` stored at `path` for `key`; None if there is none, or it is malformed."""
    try:
        record = read_record(path) if path is not None else None
        return record[1] if record is not None and record[0] == key else None
    except (OSError, ValueError, TypeError, EOFError, LookupError):
        return None


def put_value(path: str | None, key: Any, value: Any) -> None:
    """Store `value` for `key` (both marshallable) at `path`, replacing the value of another key."""
    if path is not None:
        write_record(path, (key, value))


def get_parts(path: str | None, key: Any) -> tuple[Any, Sequence[memoryview]] | None:
    """The value and the parts that `put_parts` stored at `path` for `key`; None if there are none or any is damaged."""
    try:
        record = _read_parts(path) if path is not None else None
        return record[1:] if record is not None and record[0] == key else None
    except (OSError, ValueError, TypeError, EOFError, LookupError, OverflowError):
        return None


def put_parts(path: str | None, key: Any, value: Any, parts: Sequence[bytes]) -> None:
    """Store `value` for `key` (both marshallable) and `parts` at `path`, without a copy of the parts."""
    if path is None:
        return
    table: list[Part] = []
    position = 0
    for part in parts:
        table.append((position, len(part), zlib.crc32(part)))
        position += len(part)
    payload = marshal.dumps((key, value, tuple(table)))
    start = _checksum(payload) + len(payload).to_bytes(_START - _CHECKSUM, "big")
    _write(path, [start, payload, *parts])


def read_head(record: int) -> tuple[Any, Any, Sequence[Part]] | None:
    """The key, the value and the parts, for `read_part`, of the open file `record`; None as for `read_record`.

    Raises OSError, ValueError, TypeError, EOFError and LookupError.
    """
    status = os.fstat(record)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    start = os.read(record, _START)
    payload = os.read(record, min(int.from_bytes(start[_CHECKSUM:], "big"), status.st_size))
    if _checksum(payload) != start[:_CHECKSUM]:
        return None
    key, value, table = _value(payload)
    end = _START + len(payload)
    return key, value, [(end + position, size, checksum) for position, size, checksum in table]


def read_part(record: int, part: Part) -> bytes | None:
    """The bytes of a `part` of the open file `record`; None if they are damaged. Several processes may read it."""
    position, size, checksum = part
    data = read_at(record, size, position)
    return data if zlib.crc32(data) == checksum else None


def _read_parts(path: str) -> tuple[Any, Any, Sequence[memoryview]] | None:
    """The key, the value and the parts of the record at `path`; None as for `read_record`.

    Raises OSError, ValueError, TypeError, EOFError, LookupError and OverflowError.
    """
    status = os.stat(path)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    data = memoryview(content(path, status.st_size))
    end = _START + int.from_bytes(data[_CHECKSUM:_START], "big")
    if _checksum(data[_START:end]) != data[:_CHECKSUM]:
        return None
    key, value, table = _value(data[_START:end])
    parts = [data[end + position : end + position + size] for position, size, _ in table]
    whole = end + sum(map(len, parts)) == len(data) and all(
        len(part) == size and zlib.crc32(part) == checksum
        for part, (_, size, checksum) in zip(parts, table, strict=True)
    )
    return (key, value, parts) if whole else None


def is_intact(path: str) -> bool:
    """Whether the record of either form at `path` is this user's and has its checksums. Raises OSError."""
    try:
        return read_record(path) is not None or _read_parts(path) is not None
    except (ValueError, TypeError, EOFError, LookupError, OverflowError):
        return False


def content(path: str, size: int) -> bytes:
    """The bytes of the regular file `path` with the expected `size`; empty for anything else."""
    descriptor = os.open(path, READ)
    try:
        status = os.fstat(descriptor)
        if status.st_mode & _KIND != _REGULAR or status.st_size != size:
            return b""
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall()
    finally:
        os.close(descriptor)


def _value(checked: bytes | memoryview) -> Any:
    """The value of bytes whose checksum has been compared."""
    return marshal.loads(checked)  # noqa: S302 (own bytes, from a private folder)


def _checksum(payload: bytes | memoryview) -> bytes:
    return zlib.crc32(payload).to_bytes(_CHECKSUM, "big")


def _write(path: str, pieces: Iterable[bytes]) -> None:
    temporary = f"{path}.{os.urandom(8).hex()}"
    try:
        _make_folder(os.path.dirname(path))
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.writelines(pieces)
            replace(temporary, path)
        except OSError:
            unlink(temporary)
    except OSError:
        return


def _make_folder(path: str) -> None:
    """Create `path` and its missing parents, for the user only; like `files.atomic`, whose imports take time."""
    if os.path.isdir(path):
        return
    if os.path.dirname(path) != path:
        _make_folder(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
