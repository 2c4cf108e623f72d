"""The record of a sync with nothing to do, so that the next such command ends at once.

It has everything that the sync depended on: the bytes of the lock files, the paths that were searched, the stamps of
the interpreter, the metadata folders of the target, and the size and modification time of every verified file.
Comparing them needs one system call each and no parsing. The files are in parts, which several processes take in turn.
If the record is missing, malformed or outdated, the whole sync runs.

This module imports as little as possible, since the start of the interpreter takes most of the remaining time.
"""

# Paths are strings here, and modules that take milliseconds to import (typing, pathlib, hashlib) are not used.
from __future__ import annotations

import gc
import marshal
import os
from stat import S_ISREG

from lockset.cli.fast_path.command_key import key_of, record_location, stamp
from lockset.files.cache_folder import cache_folder
from lockset.files.record_store import content, put_parts, read_head, read_part
from lockset.files.system import READ, fork, processors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from lockset.cli.fast_path.command_key import Key, Stamp
    from lockset.files.record_store import Part
    from lockset.sync.disk.inspect.snapshot import FileStamps

    # Paths, each but the first of an item after a NUL character; sizes; times of modification.
    Columns: TypeAlias = tuple[list[str], list[Any], list[Any]]

__all__ = ["replay_sync", "save_sync_record"]

# Suffixes of the metadata of distributions in site-packages.
_METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")
# For each such number of files, another process checks some of them; and the limit for these.
_MANY, _HELPERS = 3000, 3
# How many files a part has: few enough that the memory for one serves the next. A byte must hold the numbers of parts.
_PART, _PARTS = 256, 256


def replay_sync(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
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
    head = read_head(record)
    if head is None or head[0] != key:
        return None
    _, (looked, locks, libraries, files, output), parts = head
    unchanged = (
        all(stamp(path) == expected for path, expected in looked)
        and all(content(path, len(data)) == data for path, data in locks)
        and all(_metadata(library) == names for library, names in libraries)
        and _all_unchanged(record, parts, files)
    )
    return str(output) if unchanged else None


def save_sync_record(
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
        cache: The folder of the cache.
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
    number = sum(len(sizes) for _, sizes, _ in rows.values())
    value = (tuple(looked), tuple(locks), folders, number, output)
    put_parts(record_location(cache, key), key, value, list(_parts(rows, number)))


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


def _parts(rows: Mapping[str, Columns], number: int) -> Iterator[bytes]:
    """Parts of a record for the `rows` of `_by_root`, a `number` of files: each a marshalled group of these."""
    size = max(_PART, number // (_PARTS - len(rows)) + 1)
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
            yield marshal.dumps((folder, names, sizes[first:after], times[first:after]), 2)
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


def _metadata(library: str) -> tuple[str, ...]:
    """The names of distributions' metadata, and of symbolic links, which could replace their folders."""
    try:
        with os.scandir(library) as entries:
            return tuple(
                sorted([one.name for one in entries if one.name.lower().endswith(_METADATA) or one.is_symlink()])
            )
    except FileNotFoundError:
        return ()


def _all_unchanged(record: int, parts: Sequence[Part], files: int) -> bool:
    """Whether all `files`, a number, in the `parts` of the open file `record` have their sizes and times."""

    def is_unchanged(number: int) -> bool:
        part = read_part(record, parts[number])
        return part is not None and _unchanged(part)

    here = os.getcwd()
    os.chdir(here)  # OSError, before anything changes, where this user may not return
    helpers = min(processors() - 1, files // _MANY, _HELPERS)
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
    folder, names, sizes, times = marshal.loads(part)  # noqa: S302 (own bytes, whose checksum has been compared)
    try:
        os.chdir(folder)
        # Bytes, since the system gets its paths as bytes.
        for status, size, time in zip(map(os.lstat, names.split(b"\0")), sizes, times, strict=True):
            if status.st_mtime_ns != time:
                return False
            if size != (status.st_size if S_ISREG(status.st_mode) else ~status.st_size):
                return False
    except OSError:
        return False
    return True
