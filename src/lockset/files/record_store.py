"""Records of earlier runs in the cache, to answer the same command without doing its work again.

The record of a sync with nothing to do has everything that it depended on: the bytes of the lock files, the paths that
were searched, the stamps of the interpreter, the metadata folders of the target, and the size and modification time of
every verified file. Comparing them needs one system call each and no parsing. A record only saves time: if it is
missing, malformed or outdated, the whole sync runs.

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
from lockset.files.system import BINARY, READ, fork, is_private, processors, replace, system_facts, unlink, user_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    # Inode, size, times of modification and of change; None if the path does not exist.
    Stamp: TypeAlias = tuple[int, int, int, int] | None
    # Versions, arguments, working folder, relevant variables.
    Key: TypeAlias = tuple[Any, ...]
    # The start of absolute paths; their ends, each but the first after a NUL character; sizes; times of modification.
    FileStamps: TypeAlias = tuple[str, str, Sequence[int | None], Sequence[int | None]]

__all__ = [
    "HINTED",
    "METADATA",
    "cache_folder",
    "content",
    "default_folder",
    "get_value",
    "is_trusted",
    "key_of",
    "put_value",
    "read_record",
    "record_location",
    "replay",
    "save_record",
    "stamp",
    "write_record",
]

# Increment with every change of the records.
_FORMAT = 4
_FOLDER = "recall-v1"
# Limit for the number of records; a new one replaces an older one.
_RECORDS = 256
# Limit for a record; the largest known targets have about 100,000 files.
_LARGEST = 64 << 20
# Suffixes of the metadata of distributions in site-packages.
METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")
# From this number of files on, a second process checks half of them.
_MANY = 3000
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
        record = read_record(record_location(folder, key))
        if record is None or record[0] != key:
            return None
        _, looked, locks, libraries, shares, output = record
        unchanged = (
            all(stamp(path) == expected for path, expected in looked)
            and all(content(path, len(data)) == data for path, data in locks)
            and all(_metadata(library) == names for library, names in libraries)
            and _all_unchanged(shares)
        )
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, MemoryError):
        return None
    else:
        return str(output) if unchanged else None
    finally:
        if collecting:
            gc.enable()


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
    shares = _shares(_by_root(files, dict(folders)))
    write_record(record_location(cache, key), (key, tuple(looked), tuple(locks), folders, shares, output))


def _by_root(files: Iterable[FileStamps], roots: Iterable[str]) -> dict[str, tuple[list[str], list[int | None]]]:
    """By root, or the top of the file system: the paths of the `files` below it, and their sizes and times in turn."""
    starts = [f"{root}{os.sep}" for root in roots]
    rows: dict[str, tuple[list[str], list[int | None]]] = {start: ([], []) for start in (*starts, os.sep)}
    for above, ends, sizes, times in files:
        start = next((one for one in starts if above.startswith(one)), "")
        if start:
            names, facts = rows[start]
            more = above[len(start) :]
            names += [more + end for end in ends.split("\0")] if more else ends.split("\0")
            facts += [fact for both in zip(sizes, times, strict=True) for fact in both]
            continue
        for end, *both in zip(ends.split("\0"), sizes, times, strict=True):
            path = above + end
            start = next((one for one in starts if path.startswith(one)), "")
            names, facts = rows[start or os.sep]
            names.append(path[len(start) :])
            facts += both
    return rows


def _shares(rows: Mapping[str, tuple[list[str], list[int | None]]]) -> tuple[tuple[int, bytes], ...]:
    """Two halves of the files: their number, and their rows, marshalled so that another process can load its half."""
    left = sum(len(names) for names, _ in rows.values()) // 2
    halves: tuple[list[Any], list[Any]] = [], []
    counts = [0, 0]
    for root, (names, facts) in rows.items():
        first = min(left, len(names))
        left -= first
        for number, (start, end) in enumerate(((0, first), (first, len(names)))):
            if start < end:
                counts[number] += end - start
                halves[number].append((root, os.fsencode("\0".join(names[start:end])), facts[2 * start : 2 * end]))
    return tuple(zip(counts, map(marshal.dumps, halves), strict=True))


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
    if len(data) <= 4 or zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
        return None
    return marshal.loads(data[4:])  # noqa: S302 (own bytes, whole by their checksum, from a private folder)


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


def _all_unchanged(shares: Sequence[tuple[int, bytes]]) -> bool:
    """Whether every file has its size and time; for many files, a second process checks half of them."""
    here = os.getcwd()
    try:
        if sum(count for count, _ in shares) < _MANY or processors() < 2:
            return all(_unchanged(share) for _, share in shares)
        return _both_unchanged(*(share for _, share in shares))
    finally:
        os.chdir(here)


def _both_unchanged(mine: bytes, other: bytes) -> bool:
    answer = fork(lambda: _unchanged(other))
    if answer is None:
        return _unchanged(mine) and _unchanged(other)
    same = False
    try:
        same = _unchanged(mine)
    finally:
        other_same = answer()
    return same and other_same


def _unchanged(share: bytes) -> bool:
    """Whether the files have their sizes and times; from within their roots, since short paths are faster."""
    try:
        for root, names, facts in marshal.loads(share):  # noqa: S302 (a part of the record, which is whole)
            os.chdir(root)
            # Bytes, since the system gets its paths as bytes.
            statuses, expected = map(os.lstat, names.split(b"\0")), iter(facts)
            for status, size, time in zip(statuses, expected, expected, strict=True):
                if status.st_size != size or status.st_mtime_ns != time:
                    return False
    except OSError:
        return False
    return True


def write_record(path: str, value: Any) -> None:
    """Write the marshallable `value` to `path` atomically, for the user only; errors of the disk are ignored."""
    payload = marshal.dumps(value)
    data = zlib.crc32(payload).to_bytes(4, "big") + payload
    temporary = f"{path}.{os.urandom(8).hex()}"
    try:
        _make_folder(os.path.dirname(path))
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
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
