"""The answer of an earlier `lockset lock`, while all it was made of stands: sources, old lock, options, fresh pages.

A lock is a function of these. While they are the same, byte for byte, and no page of an index has to be asked for
again, the answer stands without a search. A record is a memory in the user's own cache, never an authority: anything
odd is a miss, and a miss is the whole of `lock`. Imports next to nothing, as `lockset.files.record_store` does.
"""

# Paths are strings here, and modules that cost milliseconds are not imported.
from __future__ import annotations

import os
import time

from lockset.files.record_store import cache_folder, content, key_of, read_record, record_location, stamp, write_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["keep_answer", "recall_answer"]


def recall_answer(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What the command said, after its lock is written where it was; None if it has to be made anew."""
    folder = cache_folder(environ)
    if folder is None:
        return None
    try:
        key = ("lock", key_of(arguments, environ))
        record = read_record(record_location(folder, key))
        if record is None or record[0] != key or not _stands(*record[1:5]):
            return None
        target, answers = record[5:]
        there = _there(target)
        for old, text, output in answers:
            if there == old:
                if there != text:
                    _replace(target, text)
                return str(output)
    except (OSError, ValueError, TypeError, EOFError, KeyError, IndexError, MemoryError):
        pass
    return None


def _stands(
    since: float,
    until: float,
    looked: Iterable[tuple[str, tuple[int, int, int, int] | None]],
    sources: Iterable[tuple[str, bytes]],
) -> bool:
    now = time.time()  # noqa: TID251 - how old pages are is what this is about
    return (
        since <= now < until
        and all(stamp(path) == expected for path, expected in looked)
        and all(content(path, len(data)) == data for path, data in sources)
    )


def keep_answer(
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
    """Keep what a run of `lock` answered.

    Args:
        arguments: Of the command line.
        environ: Variables of the process.
        since: When it was made, in seconds since the epoch.
        until: When the first page it was made of has to be asked for again.
        looked: Files that decide by being there or not, or by changing.
        sources: Files that were read, with their bytes.
        target: The lock file, absolute.
        answers: For each content of `target` before (None: no file): its content after, and what to say.
    """
    folder = cache_folder(environ)
    if folder is None:
        return
    key = ("lock", key_of(arguments, environ))
    stamps = tuple((path, stamp(path)) for path in looked)
    write_record(record_location(folder, key), (key, since, until, stamps, tuple(sources), target, tuple(answers)))


def _there(path: str) -> bytes | None:
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - see above
    except FileNotFoundError:
        return None
    return content(path, size)


def _replace(path: str, data: bytes) -> None:
    """As `lockset.files.output_file.write_output`, whose imports take longer than all of this."""
    from lockset.files.output_file import write_output

    write_output(path, data)
