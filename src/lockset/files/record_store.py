"""Whether an earlier run of the very same command, which left nothing to do, still stands.

A record holds all that such a run depended on: the lock files byte for byte, what was looked for and where, the stamps
of the interpreter, the metadata folders of the target, and size and modification time of every file that was verified.
Comparing them takes one look at each and no parsing at all. A record is a memory, never an authority: anything odd is
a miss, and a miss is the whole sync. It knows nothing that a sync without it would not find out by itself.

Imports next to nothing, since the interpreter's start is most of what is left.
"""

# Paths are strings here, and modules that cost milliseconds (typing, pathlib, hashlib) are not imported.
# ruff: noqa: PTH100, PTH102, PTH109, PTH111, PTH112, PTH116, PTH120
# ruff: noqa: PTH123
from __future__ import annotations

import gc
import marshal
import os
import sys
import zlib

from lockset import __version__
from lockset.files.system import BINARY, READ, fork, is_private, replace, system_facts, unlink, user_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    # Inode, size, times of modification and of change; None where nothing is.
    Stamp: TypeAlias = tuple[int, int, int, int] | None
    # Arguments, working folder, variables that count, versions.
    Key: TypeAlias = tuple[Any, ...]

__all__ = [
    "HINTED",
    "METADATA",
    "cache_folder",
    "content",
    "is_trusted",
    "key_of",
    "know",
    "known",
    "read_record",
    "recall",
    "record_location",
    "save_record",
    "stamp",
    "write_record",
]

# Changes with every change of what a record holds.
_FORMAT = 3
_FOLDER = "recall-v1"
# Bounds the number of records: a further one takes the place of an older one.
_RECORDS = 256
# Bounds a record; the largest targets known have some 100,000 files.
_LARGEST = 64 << 20
# Endings of what tells of a distribution in a folder of modules.
METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")
# Beyond so many files a second process looks at half of them: less than that is quicker alone.
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
# Variables that a hint speaks of, which is a part of what a command says.
HINTED = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def key_of(arguments: Sequence[str], environ: Mapping[str, str]) -> Key:
    """What decides, before any file is looked at, what a command does."""
    names = sorted(name for name in environ if name.startswith("LOCKSET_") or name in _VARIABLES + HINTED)
    return (
        (_FORMAT, __version__, sys.version, system_facts()),
        tuple(arguments),
        os.getcwd(),
        tuple((name, environ[name]) for name in names),
    )


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """The cache's folder where no option names one; the same answer as `platformdirs` gives. None: not known here."""
    chosen = environ.get("LOCKSET_CACHE_DIR")
    if chosen or environ.get("LOCKSET_NO_CACHE"):
        return os.path.abspath(os.path.expanduser(chosen)) if chosen and not environ.get("LOCKSET_NO_CACHE") else None
    home = environ.get("XDG_CACHE_HOME", "").strip()
    if os.name == "nt":
        local = environ.get("LOCALAPPDATA")
        return f"{local}\\lockset\\Cache" if local else None
    if sys.platform == "linux" and (home or environ.get("HOME")):
        found = f"{home or environ['HOME'] + '/.cache'}/lockset"
        return found if is_trusted(found) else None
    return None


def is_trusted(folder: str) -> bool:
    """Whether a `folder` that nobody has chosen is the user's own or the system's, or would be.

    Where it is not (`sudo` may leave HOME as it was), its owner could plant there what is installed for this user.
    """
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    try:
        return os.stat(folder).st_uid in {0, user_id()}
    except OSError:
        return True  # a link to nowhere, or nothing that may be looked at: what is put there tells


def recall(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What that run said, where all is as it was then; None where it has to be looked into."""
    collecting = gc.isenabled()
    gc.disable()  # thousands of small values, none of which is garbage before the end
    try:
        folder = cache_folder(environ)
        if folder is None:
            return None
        key = key_of(arguments, environ)
        record = read_record(record_location(folder, key))
        if record is None or record[0] != key:
            return None
        _, looked, locks, libraries, shares, told = record
        stands = (
            all(stamp(path) == expected for path, expected in looked)
            and all(content(path, len(data)) == data for path, data in locks)
            and all(_metadata(library) == names for library, names in libraries)
            and _stand(shares)
        )
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, MemoryError):
        return None
    else:
        return str(told) if stands else None
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
    files: Iterable[tuple[str, int, int]],
    told: str,
) -> None:
    """Keep what a run with nothing left to do depended on, where the disk lets us.

    Args:
        cache: The folder that `cache_folder` gives.
        key: From before the run.
        looked: Paths with their stamps.
        locks: Lock files with the bytes that were read.
        libraries: Folders of modules.
        files: Absolute path, size and time in nanoseconds of everything that was found whole.
        told: What to say the next time.
    """
    folders = tuple((library, _metadata(library)) for library in libraries)
    found = list(files)
    half = len(found) // 2
    shares = tuple(_share(part, dict(folders)) for part in ((found[:half], found[half:]) if half else (found,)))
    write_record(record_location(cache, key), (key, tuple(looked), tuple(locks), folders, shares, told))


def _share(files: list[tuple[str, int, int]], roots: Iterable[str]) -> tuple[int, bytes]:
    """How many `files` there are, and what `_same` compares of them: still packed, for who looks at it to unpack."""
    rows = []
    left = files
    for root in roots:
        inside = root + os.sep
        rows.append(_row(root, [file for file in left if file[0].startswith(inside)], len(inside)))
        left = [file for file in left if not file[0].startswith(inside)]
    rows.append(_row(os.sep, left, 0))
    return len(files), marshal.dumps([row for row in rows if row[1]])


def _row(root: str, files: list[tuple[str, int, int]], start: int) -> tuple[str, str, list[int]]:
    """The `files` below `root`, whose paths within it begin at `start`."""
    facts = [fact for _, size, time in files for fact in (size, time)]
    return root, "\0".join([path[start:] for path, _, _ in files]), facts


def stamp(path: str) -> Stamp:
    """The stamp of what is at `path`, links followed."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def record_location(cache: str, key: Key) -> str:
    """Where in the cache the record of `key` lies; another one may lie there."""
    return f"{cache}/{_FOLDER}/{zlib.crc32(repr(key[1:]).encode()) % _RECORDS:02x}"


def read_record(path: str) -> Any:
    """The value that `write_record` put there; None where it is damaged or not this user's own; OSError, ValueError."""
    found = os.stat(path)
    if not is_private(found) or found.st_size > _LARGEST:
        return None
    data = memoryview(content(path, found.st_size))
    if len(data) <= 4 or zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:  # noqa: PLR2004 (those of the checksum)
        return None
    return marshal.loads(data[4:])  # noqa: S302 (own bytes, whole by their checksum, from a private folder)


def known(path: str | None, key: Any) -> Any:
    """What `know` put at `path` for `key`; None where another key's is there, nothing, or anything odd."""
    try:
        record = read_record(path) if path is not None else None
        return record[1] if record is not None and record[0] == key else None
    except (OSError, ValueError, TypeError, EOFError, LookupError):
        return None


def know(path: str | None, key: Any, value: Any) -> None:
    """Keep `value` for `key` (both of what marshal takes) at `path`, in place of another key's."""
    if path is not None:
        write_record(path, (key, value))


def content(path: str, size: int) -> bytes:
    """The bytes of the regular file `path`, which should have `size` of them; empty for anything else."""
    descriptor = os.open(path, READ)
    try:
        found = os.fstat(descriptor)
        if found.st_mode & _KIND != _REGULAR or found.st_size != size:
            return b""
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.readall()
    finally:
        os.close(descriptor)


def _metadata(library: str) -> tuple[str, ...]:
    """What tells of distributions, and links, which could stand in place of their folders."""
    try:
        with os.scandir(library) as entries:
            return tuple(
                sorted([one.name for one in entries if one.name.lower().endswith(METADATA) or one.is_symlink()])
            )
    except FileNotFoundError:
        return ()


def _stand(shares: Sequence[tuple[int, bytes]]) -> bool:
    """Whether every file has its size and time; a second process looks at half of many."""
    here = os.getcwd()
    try:
        if sum(count for count, _ in shares) < _MANY or (os.cpu_count() or 1) < 2:  # noqa: PLR2004 (one for each)
            return all(_same(share) for _, share in shares)
        return _both_same(*(share for _, share in shares))
    finally:
        os.chdir(here)


def _both_same(mine: bytes, other: bytes) -> bool:
    answer = fork(lambda: _same(other))
    if answer is None:
        return _same(mine) and _same(other)
    same = False
    try:
        same = _same(mine)
    finally:
        other_same = answer()
    return same and other_same


def _same(share: bytes) -> bool:
    """Whether the files have their sizes and times; from within their roots, since short paths are found sooner."""
    try:
        for root, names, facts in marshal.loads(share):  # noqa: S302 (a part of the record, which is whole)
            os.chdir(root)
            found = map(os.lstat, names.split("\0"))
            if [fact for one in found for fact in (one.st_size, one.st_mtime_ns)] != facts:
                return False
    except OSError:
        return False
    return True


def write_record(path: str, value: Any) -> None:
    """Put `value` (of what marshal takes) at `path` by rename, for the user alone; nothing where the disk refuses."""
    payload = marshal.dumps(value)
    data = zlib.crc32(payload).to_bytes(4, "big") + payload
    temporary = f"{path}.{os.getpid()}"
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
    """Make `path` and what is missing above it, for the user alone; as `disk.atomic` does, whose imports cost."""
    if os.path.isdir(path):
        return
    if os.path.dirname(path) != path:
        _make_folder(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return
