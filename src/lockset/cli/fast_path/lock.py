"""Cached results of `lockset lock`, used while sources, existing lock, options and index pages are unchanged.

A lock is a function of these. While they are the same, byte for byte, and all index pages are fresh, the result is
reused without a search. A record that is unexpected in any way is a miss, and the whole of `lock` runs. This module
imports next to nothing.
"""

# Paths are strings here, and modules that take milliseconds to import are not used.
from __future__ import annotations

import os
import time

from lockset.cli.fast_path.command_key import key_of, record_location, stamp
from lockset.files.cache_folder import cache_folder
from lockset.files.record_store import content, read_record, write_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["needs_network", "replay_lock", "save_lock_record"]

# Options with which no request is made, or with another folder or cache.
_ELSEWHERE = frozenset({"-h", "--help", "--offline", "--check", "--directory", "--cache-dir", "--no-index"})
# Options with which all pages are requested, however new those of the cache are.
_REQUESTING = frozenset({"-U", "--upgrade", "--refresh"})
# Seconds for which most indexes let pages be used.
_USUAL_LIFE = 600
# Where `lockset.index.http.cache` has pages: in folders that change with each page that is stored.
_PAGES = ("v1", "pages")


def replay_lock(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Restore the cached lock file and return the command's message; None if `lock` has to run."""
    folder = cache_folder(environ)
    if folder is None:
        return None
    try:
        key = ("lock", key_of(arguments, environ))
        record = read_record(record_location(folder, key))
        if record is None or record[0] != key or not _is_unchanged(*record[1:5]):
            return None
        target, answers = record[5:]
        current = _content(target)
        for old, text, output in answers:
            if current == old:
                if current != text:
                    _replace(target, text)
                return str(output)
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, MemoryError):
        pass
    return None


def needs_network(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether a run of `lock` will probably make requests: no page was stored lately, or an option asks for new ones.

    A guess, before the options are read: it decides when something starts, not what is done.
    """
    if not _ELSEWHERE.isdisjoint(argument.partition("=")[0] for argument in arguments):
        return False
    folder = cache_folder(environ)
    if folder is None:
        return False
    if not _REQUESTING.isdisjoint(arguments):
        return True
    recent = time.time() - _USUAL_LIFE
    try:
        with os.scandir(os.path.join(folder, *_PAGES)) as folders:
            return all(entry.stat().st_mtime < recent for entry in folders)
    except OSError:
        return True


def _is_unchanged(
    since: float,
    until: float,
    looked: Iterable[tuple[str, tuple[int, int, int, int] | None]],
    sources: Iterable[tuple[str, bytes]],
) -> bool:
    now = time.time()
    return (
        since <= now < until
        and all(stamp(path) == expected for path, expected in looked)
        and all(content(path, len(data)) == data for path, data in sources)
    )


def save_lock_record(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    since: float,
    until: float,
    looked: Iterable[str],
    sources: Iterable[tuple[str, bytes]],
    target: str,
    answers: Sequence[tuple[bytes | None, bytes, str]],
) -> None:
    """Store the result of a run of `lock`.

    Args:
        arguments: The command line.
        environ: Variables of the process.
        since: When the run began, in seconds since the epoch.
        until: When the first of its index pages expires.
        looked: Files whose presence or content affects the result.
        sources: Files that were read, with their bytes.
        target: The absolute path of the lock file.
        answers: The content of `target` before (None for no file), its content after, and the message.
    """
    folder = cache_folder(environ)
    if folder is None:
        return
    key = ("lock", key_of(arguments, environ))
    stamps = tuple((path, stamp(path)) for path in looked)
    write_record(record_location(folder, key), (key, since, until, stamps, tuple(sources), target, tuple(answers)))


def _content(path: str) -> bytes | None:
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return None
    return content(path, size)


def _replace(path: str, data: bytes) -> None:
    """As `lockset.files.output_file.write_output`, whose imports take longer than the rest."""
    from lockset.files.output_file import write_output

    write_output(path, data)
