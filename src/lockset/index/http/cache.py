"""The cache on disk: pages, metadata, sizes. An entry that is damaged or unexpected counts as missing."""

# Paths are strings here: a cold run writes hundreds of entries, and `Path` takes longer than the system call.
from __future__ import annotations

import marshal
import os
import stat
import struct
import threading
import zlib
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING, Any

from lockset._named_tuple import NamedTuple
from lockset.files.last_use import record_use
from lockset.files.system import BINARY, NONBLOCK, replace, unlink, user_id
from lockset.hashes import quick_sha256
from lockset.index.pages.page_table import MARSHAL_VERSION, TABLE_FORMAT, PageTable, in_memory, is_table
from lockset.index.pages.stored_parts import DamagedPartError, StoredBlobs, StoredBytes, StoredSpans, marks_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["DiskCache", "StoredEntry", "StoredPage", "read_entry"]

# Change it whenever entries of older versions must not be read.
_LAYOUT = "v1"
_MAGIC = b"lockset1"
# Magic, length and checksum of the head, length and checksum of the body.
_FRAME = struct.Struct("<8sIIQI")
_SIZE_RECORD = struct.Struct("<16sQI")
# Bytes of a page entry that are read at first: head and body of most; a longer body takes a second read.
_FIRST_READ = 8 * 1024
# The most bytes of an entry; that of the largest page has some 20 MB.
_LARGEST = 256 * 1024 * 1024


class StoredPage(NamedTuple):
    """The head of a stored page, read before its table.

    Attributes:
        stored_at: Seconds since the epoch.
        absent: The index has no such project.
        fingerprint: Of the page's content.
    """

    url: str
    stored_at: float
    headers: dict[str, str]
    absent: bool
    fingerprint: str


class PageEntry(NamedTuple):
    """The entry of a page, whose table is checked and read on demand.

    Attributes:
        data: The bytes before the tail.
        path: The file.
        size: Its bytes.
    """

    head: StoredPage
    data: bytes
    path: str
    size: int

    def table(self) -> PageTable | None:
        """The table; None if it is damaged or of another format. Not for an absent project, which has none.

        The files of single versions are checked when they are used: see `lockset.index.pages.stored_parts`.
        """
        parts = _open_frame(self.data)
        return None if parts is None else _open_table(parts[1], _Tail(self.path, len(self.data), self.size))


class _Tail(NamedTuple):
    """The part of a file from `start` on, which is read in pieces; the file is opened for each.

    If another process has replaced it meanwhile, the checksum of a piece does not match.
    """

    path: str
    start: int
    end: int

    def read(self, start: int, end: int) -> bytes:
        """The bytes between two positions; none if the file is gone."""
        try:
            with _regular(self.path, uses=False) as file:
                file.seek(self.start + start)
                return file.read(end - start)
        except OSError:
            return b""


class DiskCache:
    """Entries in one private folder; if the folder is None, nothing is stored.

    Entries are written whole and renamed into position. A folder that cannot be written is only read, and a folder
    that belongs to another user is not used.
    """

    def __init__(self, root: Path | None) -> None:
        self._root = None if root is None or not _is_ours(root) else os.path.join(root, _LAYOUT)
        self._writable = self._root is not None
        self._lock = threading.Lock()
        self._sizes: dict[bytes, int] | None = None
        self._lacks: dict[str, bool] = {}

    @property
    def is_writable(self) -> bool:
        """Whether everything so far was stored."""
        return self._writable

    def expect_pages(self) -> None:
        """Look for pages from now on even if there was none: another process has stored some."""
        self._lacks["pages"] = False

    # Entries of bytes: `lockset.metadata.ports.BytesStore`.

    def get(self, kind: str, key: str) -> bytes | None:
        """The bytes last put under this key, or None."""
        data = self._read(self._path_of_stored(kind, key))
        parts = None if data is None else _open_frame(data)
        if parts is None or parts[0] != key.encode() or parts[2]:
            return None
        return bytes(parts[1])

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Store the bytes, if the cache can be written."""
        self._lacks[kind] = False
        self._write(self._path(kind, key), _frame(key.encode(), data))

    # Pages.

    def page(self, url: str) -> PageEntry | None:
        """The page stored for this URL."""
        path = self._path_of_stored("pages", url)
        if path is None:
            return None
        try:
            with _regular(path) as file:
                size = os.fstat(file.fileno()).st_size
                data = file.read(_FIRST_READ)
                end = _tail_start(data)
                data = data[:end] if end <= len(data) else data + file.read(end - len(data))
        except OSError:
            return None
        head = _open_head(data, url)
        return None if head is None else PageEntry(head, data, path, size)

    def put_page(self, url: str, table: PageTable | None, *, headers: Mapping[str, str], now: float) -> StoredPage:
        """Store a page that was received now, whose table is in memory. Returns its head, even if it is not stored."""
        body, tail, packed = (b"", b"", b"") if table is None else _table_parts(table)
        # Of the page as it was received, if that is kept, since everything else follows from it.
        from hashlib import sha256  # for large data; names of entries are hashed without OpenSSL

        fingerprint = sha256(packed or body + tail).hexdigest()
        head = StoredPage(url, now, dict(headers), table is None, fingerprint)
        if self._writable:
            entry = _frame(marshal.dumps(tuple(head), MARSHAL_VERSION), body)
            self._lacks["pages"] = False
            self._write(self._path("pages", url), entry, tail, packed)
        return head

    # Sizes: small records in one file, read once.

    def known_size(self, key: str) -> int | None:
        """The size stored under this key."""
        return self._all_sizes().get(_size_key(key))

    def remember_sizes(self, sizes: Mapping[str, int]) -> None:
        """Store sizes by key."""
        known = self._all_sizes()
        new = {_size_key(key): size for key, size in sizes.items() if known.get(_size_key(key)) != size}
        if not new:
            return
        known.update(new)
        path = self._sizes_path()
        if path is None or not self._writable:
            return
        data = b"".join(_SIZE_RECORD.pack(key, size, zlib.crc32(key, size & 0xFFFFFFFF)) for key, size in new.items())
        try:
            handle = self._opened(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                torn = os.fstat(handle).st_size % _SIZE_RECORD.size
                _write_all(handle, (b"\0" * (_SIZE_RECORD.size - torn) if torn else b"") + data)
            finally:
                os.close(handle)
        except OSError:
            self._writable = False

    def _all_sizes(self) -> dict[bytes, int]:
        with self._lock:
            if self._sizes is None:
                data = self._read(self._sizes_path()) or b""
                whole = data[: len(data) - len(data) % _SIZE_RECORD.size]
                self._sizes = {
                    key: size
                    for key, size, total in _SIZE_RECORD.iter_unpack(whole)
                    if zlib.crc32(key, size & 0xFFFFFFFF) == total
                }
            return self._sizes

    def _sizes_path(self) -> str | None:
        return None if self._root is None else os.path.join(self._root, "sizes")

    # Files.

    def _path_of_stored(self, kind: str, key: str) -> str | None:
        """The path of an entry; None if nothing of this kind was stored when the first entry of it was looked for.

        A cold run looks for hundreds of entries. Those that other processes have stored since are not needed.
        """
        lacks = self._lacks.get(kind)
        if lacks is None:
            lacks = self._lacks[kind] = self._root is None or not os.path.isdir(os.path.join(self._root, kind))
        return None if lacks else self._path(kind, key)

    def _path(self, kind: str, key: str) -> str | None:
        if self._root is None:
            return None
        name = quick_sha256(key.encode()).hex()
        return os.path.join(self._root, kind, name[:1], name[1:40])

    def _read(self, path: str | None) -> bytes | None:
        if path is None:
            return None
        try:
            with _regular(path) as file:
                return file.read()
        except OSError:
            return None

    def _write(self, path: str | None, *parts: bytes | memoryview) -> None:
        if path is None or not self._writable:
            return
        folder, name = os.path.split(path)
        # Not the number of the process: containers that share a cache have the same ones.
        temporary = os.path.join(folder, f".{name}.{os.urandom(8).hex()}")
        try:
            handle = self._opened(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                for part in parts:
                    _write_all(handle, part)
            finally:
                os.close(handle)
            replace(temporary, path)
        except OSError:
            self._writable = False  # full, read-only or gone: the run goes on without writing
            _remove(temporary)

    @staticmethod
    def _opened(path: str, flags: int) -> int:
        """Open the file; create missing folders."""
        flags |= BINARY | NONBLOCK
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            _make_folder(os.path.dirname(path))
            return os.open(path, flags, 0o600)


class StoredEntry(NamedTuple):
    """An entry of the cache as it is on disk.

    Attributes:
        key: The URL of a page, or the key of other bytes; None if the entry is damaged.
        data: The bytes of an entry that is not a page.
    """

    key: str | None
    data: bytes = b""


def read_entry(path: str, *, is_page: bool) -> StoredEntry:
    """Read the entry at `path` without knowing its key, with all its checksums."""
    try:
        with _regular(path, uses=False) as file:
            data = file.read()
    except OSError:
        return StoredEntry(key=None)
    parts = _open_frame(data)
    if parts is None:
        return StoredEntry(key=None)
    if not is_page:
        key = parts[0].decode("utf-8", "replace") if not parts[2] else None
        return StoredEntry(key=key, data=bytes(parts[1]))
    fields = _load(parts[0])
    url = fields[0] if isinstance(fields, tuple) and fields and isinstance(fields[0], str) else None
    head = None if url is None else _open_head(data, url)
    tail = _Tail(path, _tail_start(data), len(data))
    return StoredEntry(key=url if head is not None and (head.absent or _is_whole(parts[1], tail)) else None)


def _is_whole(body: memoryview, tail: _Tail) -> bool:
    """Whether nothing of a table is damaged; one of another format is not."""
    values = _load(body)
    if not (isinstance(values, tuple) and values and isinstance(values[0], tuple) and values[0][:1] == (TABLE_FORMAT,)):
        return True
    table = _open_table(body, tail)
    try:
        return table is not None and bool(in_memory(table))
    except DamagedPartError:
        return False


def _make_folder(folder: str) -> None:
    """Create the folder and its missing parents, accessible to the user alone."""
    above = os.path.dirname(folder)
    if os.path.isdir(folder) or above == folder:
        return
    _make_folder(above)
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)


def _write_all(handle: int, data: bytes | memoryview) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]


def _regular(path: str, *, uses: bool = True) -> FileIO:
    """Open a regular file for reading. OSError for pipes, devices and files that are too large.

    With `O_NONBLOCK`, since opening a pipe waits for its writer.
    """
    file = FileIO(path, opener=_open_at_once)
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
        file.close()
        raise OSError("not a cache entry")
    if uses:
        record_use(path, status.st_mtime)
    return file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | NONBLOCK)


def _is_ours(root: Path) -> bool:
    """Whether the folder is missing or belongs to the current user."""
    try:
        return root.stat().st_uid == user_id()
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _remove(path: str) -> None:
    with suppress(OSError):
        unlink(path)


def _frame(head: bytes, body: bytes) -> bytes:
    """The bytes of an entry. A tail may follow, whose length and checksum are in the body; readers may skip it."""
    return b"".join((_FRAME.pack(_MAGIC, len(head), zlib.crc32(head), len(body), zlib.crc32(body)), head, body))


def _tail_start(data: bytes) -> int:
    """The length of frame, head and body together, as the frame says."""
    if len(data) < _FRAME.size:
        return len(data)
    _, head, _, body, _ = _FRAME.unpack_from(data)
    return min(_FRAME.size + int(head) + int(body), _LARGEST)


def _open_frame(data: bytes | memoryview) -> tuple[bytes, memoryview, memoryview] | None:
    """Head, body and tail of an entry whose checksums of head and body match. Views, as some have megabytes."""
    if len(data) < _FRAME.size:
        return None
    magic, head_length, head_sum, body_length, body_sum = _FRAME.unpack_from(data)
    start = _FRAME.size + head_length
    if magic != _MAGIC or len(data) < start + body_length:
        return None
    view = memoryview(data)
    head, body, tail = bytes(view[_FRAME.size : start]), view[start : start + body_length], view[start + body_length :]
    return (head, body, tail) if zlib.crc32(head) == head_sum and zlib.crc32(body) == body_sum else None


def _table_parts(table: PageTable) -> tuple[bytes, bytes, bytes | memoryview]:
    """The table as bytes without its files, the blobs of its files, and the packed page."""
    packed = table.packed
    assert not isinstance(packed, StoredBytes), "a table is stored once it is in memory"
    spans = StoredSpans.dump(table.spans, MARSHAL_VERSION)
    fields: Any = tuple(table._replace(blobs=(), spans=(), packed=b""))
    values = (fields, marks_of(table.blobs), len(table.spans), spans, len(packed), zlib.crc32(packed))
    return marshal.dumps(values, MARSHAL_VERSION), b"".join(table.blobs), packed


def _open_table(body: memoryview, tail: _Tail) -> PageTable | None:
    values = _load(body)
    if not (isinstance(values, tuple) and len(values) == 6 and isinstance(values[0], tuple)):
        return None
    fields, marks, count, spans, length, total = values
    blobs = StoredBlobs(tail.read, marks)
    end = blobs.end(len(blobs))
    if len(fields) != len(PageTable._fields) or tail.start + end + length != tail.end:
        return None
    packed = StoredBytes(tail.read, end, end + length, total) if length else b""
    table = PageTable(*fields)._replace(blobs=blobs, spans=StoredSpans(spans, count), packed=packed)
    return table if is_table(table) else None


def _open_head(data: bytes | memoryview, url: str) -> StoredPage | None:
    """The head of a page entry, if its checksum matches and it is for this URL."""
    if len(data) < _FRAME.size:
        return None
    magic, length, total, _, _ = _FRAME.unpack_from(data)
    head = data[_FRAME.size : _FRAME.size + length]
    if magic != _MAGIC or len(head) != length or zlib.crc32(head) != total:
        return None
    fields = _load(head)
    if not isinstance(fields, tuple) or len(fields) != len(StoredPage._fields) or fields[0] != url:
        return None
    return StoredPage(*fields)


def _load(data: bytes | memoryview) -> object:
    try:
        return marshal.loads(data)  # noqa: S302 (bytes from our own folder, whose checksum matched)
    except (ValueError, EOFError, TypeError):
        return None


def _size_key(key: str) -> bytes:
    return quick_sha256(key.encode())[:16]
