"""Records of earlier runs in the cache, to answer the same command without doing its work again.

The record of a sync with nothing to do has everything that it depended on: the bytes of the lock files, the paths that
were searched, the stamps of the interpreter, the metadata folders of the target, and the size and modification time of
every verified file. Comparing them needs one system call each and no parsing. The files are in parts, which several
processes take in turn. A record only saves time: if it is missing, malformed or outdated, the whole sync runs.

This module imports as little as possible, since the start of the interpreter takes most of the remaining time.
"""

# Paths are strings here, and modules that take milliseconds to import (typing, pathlib, hashlib) are not used.
from __future__ import annotations

import gc
import marshal
import os
import sys
import zlib

from lockset._version import __version__
from lockset.files.system import (
    BINARY,
    READ,
    fork,
    is_private,
    processors,
    read_at,
    replace,
    system_facts,
    unlink,
    user_id,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    # Inode, size, times of modification and of change; None if the path does not exist.
    Stamp: TypeAlias = tuple[int, int, int, int] | None
    # Versions, arguments, working folder, relevant variables.
    Key: TypeAlias = tuple[Any, ...]
    # The start of absolute paths; their ends, each but the first after a NUL character; sizes, `~size` of what is not a
    # regular file; times of modification.
    FileStamps: TypeAlias = tuple[str, str, Sequence[int | None], Sequence[int | None]]
    # Paths, each but the first of an item after a NUL character; sizes; times of modification.
    Columns: TypeAlias = tuple[list[str], list[Any], list[Any]]
    # A part of a record: number of rows, position after the head, size, checksum.
    Part: TypeAlias = tuple[int, int, int, int]

__all__ = [
    "HINTED",
    "METADATA",
    "cache_folder",
    "content",
    "default_folder",
    "get_parts",
    "get_value",
    "is_intact",
    "is_trusted",
    "key_of",
    "put_parts",
    "put_value",
    "read_record",
    "record_location",
    "replay",
    "save_record",
    "stamp",
    "write_record",
]

# Increment with every change of the records.
_FORMAT = 7
_FOLDER = "recall-v1"
# Limit for the number of records; a new one replaces an older one.
_RECORDS = 256
# Limit for a record; the largest known targets have about 100,000 files.
_LARGEST = 64 << 20
# Suffixes of the metadata of distributions in site-packages.
METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")
# For each such number of files, another process checks some of them; and the limit for these.
_MANY, _HELPERS = 3000, 3
# How many files a part has: few enough that the memory for one serves the next. A byte must hold the numbers of parts.
_PART, _PARTS = 256, 256
# The bytes before the head of a record with parts: its checksum and its length.
_CHECKSUM, _START = 4, 12
_KIND, _REGULAR = 0o170000, 0o100000
_VARIABLES = (
    "VIRTUAL_ENV",
    "HOME",
    "USERPROFILE",
    "LOCALAPPDATA",
    "APPDATA",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "PATH",
)
# Variables that hints mention, so that they change the output of a command.
HINTED = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def key_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Key:
    """The key of a command: everything that decides its result, apart from files."""
    names = sorted(name for name in environ if name.startswith("LOCKSET_") or name in _VARIABLES + HINTED)
    return (
        (_FORMAT, __version__, sys.version, system_facts()),
        tuple(arguments),
        os.getcwd(),
        tuple((name, environ[name]) for name in names),
    )


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """The folder of the cache that variables choose, or the default one; None if this function cannot determine it."""
    if environ.get("LOCKSET_NO_CACHE"):
        return None
    if chosen := environ.get("LOCKSET_CACHE_DIR"):
        try:
            return os.path.abspath(os.path.expanduser(chosen))
        except OSError:
            return None  # relative to a working folder that was removed
    if os.name == "nt":
        local = environ.get("LOCALAPPDATA")
        return f"{local}\\lockset\\Cache" if local else None
    folder = default_folder(environ)
    return folder if folder and is_trusted(folder) else None


def default_folder(environ: Mapping[str, str]) -> str | None:
    """The default folder of the cache, as `platformdirs` returns it, which takes 5 ms to import.

    None where that has to decide: on Windows and other systems, for apps of Android, and without a home folder.
    """
    chosen, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
    if sys.platform == "linux" and "ANDROID_DATA" not in environ:
        if chosen.startswith("/"):
            return os.path.join(chosen, "lockset")
        return f"{home.rstrip('/')}/.cache/lockset" if home.startswith("/") else None
    # Whether the variable counts on macOS depends on the version of platformdirs.
    if sys.platform == "darwin" and not chosen and home.startswith("/"):
        return f"{home.rstrip('/')}/Library/Caches/lockset"
    return None


def is_trusted(folder: str) -> bool:
    """Whether a default `folder`, or its nearest existing parent, belongs to the user or the system.

    If it does not (`sudo` may keep HOME), its owner could place files there that are installed for this user.
    """
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        return os.stat(folder).st_uid in {0, user_id()}
    except OSError:
        return True  # a broken link, or not accessible: writing to it will fail if it must


def replay(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """The output of an earlier run of the same command, if nothing has changed since; otherwise None."""
    collecting = gc.isenabled()
    gc.disable()  # thousands of small values that all stay alive until the end
    try:
        folder = cache_folder(environ)
        if folder is None:
            return None
        key = key_of(arguments, environ)
        descriptor = os.open(record_location(folder, key), READ)
        try:
            return _output(descriptor, key)
        finally:
            os.close(descriptor)
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, MemoryError):
        return None
    finally:
        if collecting:
            gc.enable()


def _output(record: int, key: Key) -> str | None:
    """The output that the open file `record` has for `key`, if nothing has changed since it was written."""
    status = os.fstat(record)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    start = os.read(record, _START)
    payload = os.read(record, min(int.from_bytes(start[_CHECKSUM:], "big"), status.st_size))
    if _checksum(payload) != start[:_CHECKSUM]:
        return None
    head = _value(payload)
    if head[0] != key:
        return None
    _, looked, locks, libraries, parts, output = head
    unchanged = (
        all(stamp(path) == expected for path, expected in looked)
        and all(content(path, len(data)) == data for path, data in locks)
        and all(_metadata(library) == names for library, names in libraries)
        and _all_unchanged(record, _START + len(payload), parts)
    )
    return str(output) if unchanged else None


def save_record(
    cache: str,
    key: Key,
    *,
    looked: Iterable[tuple[str, Stamp]],
    locks: Iterable[tuple[str, bytes]],
    libraries: Iterable[str],
    files: Iterable[FileStamps],
    output: str,
) -> None:
    """Store what a run with nothing to do depended on; errors of the disk are ignored.

    Args:
        cache: The result of `cache_folder`.
        key: The key from before the run.
        looked: Paths with their stamps.
        locks: Lock files with the bytes that were read.
        libraries: The site-packages folders.
        files: All verified files; every size and time is known.
        output: The output to repeat.
    """
    folders = tuple((library, _metadata(library)) for library in libraries)
    rows = _by_root(files, dict(folders))
    if len(rows) >= _PARTS:
        return  # more folders than parts: no usual target
    parts = list(_parts(rows))
    head = (key, tuple(looked), tuple(locks), folders, _table(parts), output)
    _write_parts(record_location(cache, key), head, parts)


def _table(parts: Iterable[tuple[int, bytes]]) -> tuple[Part, ...]:
    """Where each of the `parts`, with their numbers of rows, is in a record."""
    table: list[Part] = []
    position = 0
    for number, part in parts:
        table.append((number, position, len(part), zlib.crc32(part)))
        position += len(part)
    return tuple(table)


def _write_parts(path: str, head: tuple[Any, ...], parts: Iterable[tuple[int, bytes]]) -> None:
    """Write a record with `parts`; the item of its `head` with number 4 is their table."""
    payload = marshal.dumps(head)
    start = _checksum(payload) + len(payload).to_bytes(_START - _CHECKSUM, "big")
    _write(path, [start, payload, *(part for _, part in parts)])


def _by_root(files: Iterable[FileStamps], roots: Iterable[str]) -> dict[str, Columns]:
    """By root, or the top of the file system: the paths of the `files` below it, their sizes and their times."""
    starts = [f"{root}{os.sep}" for root in roots]
    rows: dict[str, Columns] = {start: ([], [], []) for start in (*starts, os.sep)}
    for above, ends, sizes, times in files:
        common = next((start for start in starts if above.startswith(start)), None)
        if common is not None and sizes:
            more = above[len(common) :]
            texts, all_sizes, all_times = rows[common]
            texts.append(f"{more}{ends}".replace("\0", f"\0{more}") if more else ends)
            all_sizes.extend(sizes)
            all_times.extend(times)
            continue
        for end, *facts in zip(ends.split("\0"), sizes, times, strict=True) if sizes else ():
            path = above + end
            start = next((start for start in starts if path.startswith(start)), "")
            for column, value in zip(rows[start or os.sep], (path[len(start) :], *facts), strict=True):
                column.append(value)
    return rows


def _parts(rows: Mapping[str, Columns]) -> Iterator[tuple[int, bytes]]:
    """Parts of a record for the `rows` of `_by_root`: how many files each has, and the marshalled groups of these."""
    size = max(_PART, sum(len(sizes) for _, sizes, _ in rows.values()) // (_PARTS - len(rows)) + 1)
    for root, (texts, sizes, times) in rows.items():
        if not sizes:
            continue
        # Cut by length, since splitting the text into names, and joining these, takes most of the time.
        text = os.fsencode("\0".join(texts))
        length = len(text) * size // len(sizes)
        start = first = 0
        while first < len(sizes):
            end = text.find(b"\0", start + length)
            end = len(text) if end < 0 else end
            after = first + text.count(b"\0", start, end) + 1
            # Without references to equal numbers, which take time and are few (version 2).
            folder, names = _within(os.fsencode(root), text[start:end])
            part = marshal.dumps((folder, names, sizes[first:after], times[first:after]), 2)
            yield after - first, part
            start, first = end + 1, after


def _within(root: bytes, names: bytes) -> tuple[bytes, bytes]:
    """The deepest folder below `root` that has all files with these `names`, and their names in it."""
    separator = os.fsencode(os.sep)
    above = names.partition(b"\0")[0]
    while above := above.rpartition(separator)[0]:
        start = above + separator
        if names.count(b"\0" + start) == names.count(b"\0"):
            return root + start, names[len(start) :].replace(b"\0" + start, b"\0")
    return root, names


def stamp(path: str) -> Stamp:
    """The stamp of `path`, with links followed."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def record_location(cache: str, key: Key) -> str:
    """The path of the record for `key` in the cache, which other keys may share."""
    return f"{cache}/{_FOLDER}/{zlib.crc32(repr(key[1:]).encode()) % _RECORDS:02x}"


def read_record(path: str) -> Any:
    """The value that `write_record` wrote; None if it is damaged or not this user's. Raises OSError and ValueError."""
    status = os.stat(path)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    data = memoryview(content(path, status.st_size))
    if len(data) <= _CHECKSUM or _checksum(data[_CHECKSUM:]) != data[:_CHECKSUM]:
        return None
    return _value(data[_CHECKSUM:])


def is_intact(path: str) -> bool:
    """Whether the record of either form at `path` is this user's and has its checksums. Raises OSError."""
    try:
        return read_record(path) is not None or _read_parts(path) is not None
    except (ValueError, TypeError, EOFError, LookupError, OverflowError):
        return False


def _read_parts(path: str) -> tuple[Any, Sequence[memoryview]] | None:
    """The head and the parts of the record at `path`; None if it is damaged or not this user's.

    Raises OSError, ValueError, TypeError, EOFError, LookupError and OverflowError.
    """
    status = os.stat(path)
    if not is_private(status) or status.st_size > _LARGEST:
        return None
    data = memoryview(content(path, status.st_size))
    end = _START + int.from_bytes(data[_CHECKSUM:_START], "big")
    if _checksum(data[_START:end]) != data[:_CHECKSUM]:
        return None
    head = _value(data[_START:end])
    parts = [data[end + at : end + at + size] for _, at, size, _ in head[4]]
    whole = end + sum(map(len, parts)) == len(data) and all(
        len(part) == size and zlib.crc32(part) == crc for part, (_, _, size, crc) in zip(parts, head[4], strict=True)
    )
    return (head, parts) if whole else None


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
        return (record[0][1], record[1]) if record is not None and record[0][0] == key else None
    except (OSError, ValueError, TypeError, EOFError, LookupError, OverflowError):
        return None


def put_parts(path: str | None, key: Any, value: Any, parts: Iterable[bytes]) -> None:
    """Store `value` for `key` (both marshallable) and `parts` at `path`, without a copy of the parts."""
    if path is not None:
        numbered = [(1, part) for part in parts]
        _write_parts(path, (key, value, (), (), _table(numbered), ""), numbered)


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


def _metadata(library: str) -> tuple[str, ...]:
    """The names of distributions' metadata, and of symbolic links, which could replace their folders."""
    try:
        with os.scandir(library) as entries:
            return tuple(
                sorted([one.name for one in entries if one.name.lower().endswith(METADATA) or one.is_symlink()])
            )
    except FileNotFoundError:
        return ()


def _all_unchanged(record: int, start: int, parts: Sequence[Part]) -> bool:
    """Whether every file has its size and time; the `parts` of the open file `record` begin at `start`."""

    def is_unchanged(number: int) -> bool:
        _, position, size, checksum = parts[number]
        part = read_at(record, size, start + position)
        return zlib.crc32(part) == checksum and _unchanged(part)

    here = os.getcwd()
    os.chdir(here)  # OSError, before anything changes, where this user may not return
    helpers = min(processors() - 1, sum(part[0] for part in parts) // _MANY, _HELPERS)
    try:
        return _all_true(len(parts), is_unchanged, helpers=helpers)
    finally:
        os.chdir(here)


def _all_true(count: int, check: Callable[[int], bool], *, helpers: int) -> bool:
    """Whether `check` is true for every number below `count`, at most 256; `helpers` more processes take numbers, too.

    A pipe holds the numbers that are left: each byte is read once, whoever reads it.
    """
    if helpers < 1:
        return all(map(check, range(count)))
    queue, end = os.pipe()
    try:
        os.write(end, bytes(range(count)))
    finally:
        os.close(end)

    def take() -> bool:
        while number := os.read(queue, 1):
            if not check(number[0]):
                os.read(queue, count)  # the numbers that are left: no other process goes on
                return False
        return True

    same = False
    answers: list[Callable[[], bool] | None] = []
    try:
        answers += (fork(take) for _ in range(helpers))
        same = take()
    finally:
        others = [answer() for answer in answers if answer is not None]
        os.close(queue)
    return same and all(others)


def _unchanged(part: bytes) -> bool:
    """Whether the files have their sizes and times; from within their folder, since short paths are faster."""
    folder, names, sizes, times = _value(part)
    try:
        os.chdir(folder)
        # Bytes, since the system gets its paths as bytes.
        for status, size, time in zip(map(os.lstat, names.split(b"\0")), sizes, times, strict=True):
            if status.st_mtime_ns != time:
                return False
            if size != (status.st_size if status.st_mode & _KIND == _REGULAR else ~status.st_size):
                return False
    except OSError:
        return False
    return True


def _value(checked: bytes | memoryview) -> Any:
    """The value of a part of a record, once its checksum has been compared."""
    return marshal.loads(checked)  # noqa: S302 (own bytes, from a private folder)


def _checksum(payload: bytes | memoryview) -> bytes:
    return zlib.crc32(payload).to_bytes(_CHECKSUM, "big")


def write_record(path: str, value: Any) -> None:
    """Write the marshallable `value` to `path` atomically, for the user only; errors of the disk are ignored."""
    payload = marshal.dumps(value)
    _write(path, [_checksum(payload), payload])


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
