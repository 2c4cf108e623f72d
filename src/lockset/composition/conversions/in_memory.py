"""Convert requirements files and lock files of other tools in memory, for commands that take lock files."""

from __future__ import annotations

import zlib
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset._version import __version__
from lockset.composition.connections import SourceFetcher
from lockset.composition.conversions.conversion import ConvertOptions
from lockset.composition.conversions.foreign import convert_imported, static_naming, with_own_indexes
from lockset.composition.conversions.foreign_input import read_input
from lockset.composition.conversions.live_remote import connected_remote
from lockset.composition.indexes import resolve_indexes
from lockset.errors import LocksetError
from lockset.files.record_store import get_value, put_value
from lockset.hashes import quick_sha256
from lockset.sources.discover import STDIN
from lockset.sources.requirements.requirement_line import is_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.index.options import IndexOptions

__all__ = ["InMemoryLock", "convert_in_memory"]

# Increase it with every change of what is stored.
_FORMAT = 1
_FOLDER = "conversions-v1"
# The most stored conversions: a further one replaces an older one.
_MOST = 256
# The most packages that a message lists.
_SHOWN = 8
# The most bytes of an included file that are compared: larger ones are refused.
_LARGEST = 1 << 26


class InMemoryLock(NamedTuple):
    """The lock file of a file that was converted; it is not written.

    Attributes:
        text: The text of the lock file, whose paths are relative to the folder of the file.
        inputs: The absolute paths of other local files that the text depends on; some may not exist.
        indexes: Returns the indexes of the file and of the run, with their credentials.
    """

    text: str
    inputs: tuple[str, ...]
    indexes: Callable[[], IndexOptions]


class _Reading(NamedTuple):
    imported: ImportedLock
    indexes: IndexOptions
    inputs: tuple[str, ...]
    is_repeatable: bool


def convert_in_memory(
    data: bytes,
    path: str,
    *,
    location: str,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
    require_hashes: bool = False,
    with_project: bool = True,
) -> InMemoryLock:
    """Convert `data`, the content of the file at the absolute `path`, to a lock file.

    If every file is fixed by a hash, the result is stored in the cache, and used again while the file, the files
    that it includes, and the indexes are the same.

    Args:
        data: The content.
        path: Its folder is that of relative paths; the file itself is not read.
        location: The name of the file in messages.
        indexes: As for `convert`.
        context: Cache, variables, listener and so on.
        require_hashes: Refuse packages of an index without a hash.
        with_project: Include the project that a lock file of another tool is for.

    Raises:
        LocksetError: As `convert`; `hashes-required`.
    """

    def read() -> _Reading:
        return _read(data, path, location, indexes, context, with_project=with_project)

    cache = context.cache_folder
    key = (_FORMAT, __version__, path, quick_sha256(data), with_project, quick_sha256(repr(indexes).encode()))
    record = str(cache / _FOLDER / f"{zlib.crc32(repr(key).encode()) % _MOST:02x}") if cache is not None else None
    stored = None if _refreshes(indexes) else get_value(record, key)
    if stored is not None and all(_content_hash(name) == expected for name, expected in stored[0]):
        return InMemoryLock(stored[1], tuple(name for name, _ in stored[0]), lambda: read().indexes)
    reading = read()
    _check_hashes(reading.imported, location, context, required=require_hashes)
    with connected_remote(reading.indexes, cache, context.heard) as (index, remote):
        done = convert_imported(
            reading.imported,
            index,
            remote,
            output=Path(path).parent / "pylock.toml",
            listener=context.heard,
            find_missing=False,
        )
    if reading.is_repeatable and not any(loss.kind == "trusted-on-first-use" for loss in done.losses):
        inputs = tuple((name, _content_hash(name)) for name in reading.inputs)
        put_value(record, key, (inputs, done.text))
    return InMemoryLock(done.text, reading.inputs, lambda: reading.indexes)


def _read(
    data: bytes,
    path: str,
    location: str,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
    *,
    with_project: bool,
) -> _Reading:
    folder = Path(path).parent
    fetch = SourceFetcher(lambda: resolve_indexes(indexes, None, context))
    imported, project = read_input(
        path,
        ConvertOptions(with_project=with_project),
        output=folder / "pylock.toml",
        content=data,
        environ=context.variables,
        fetch=fetch,
        location=location,
        named=static_naming(indexes, context, folder=folder),
    )
    inputs = tuple(project.sources[1:]) if project is not None else (str(folder / "pyproject.toml"),)
    options = with_own_indexes(resolve_indexes(indexes, project, context), imported)
    return _Reading(
        imported,
        options,
        tuple(name for name in inputs if not is_url(name)),
        is_repeatable=not (_unhashed(imported) or fetch.count or options.find_links or b"${" in data),
    )


def _check_hashes(imported: ImportedLock, location: str, context: RunContext, *, required: bool) -> None:
    """Note that packages have no hashes.

    Raises:
        LocksetError: `hashes-required` if they are required.
    """
    unhashed = _unhashed(imported)
    if not unhashed:
        return
    count = f"{len(unhashed)} of {len(imported.packages)} packages" if imported.packages[1:] else "The package"
    has = "have" if len(unhashed) > 1 else "has"
    command = f"`lockset convert {quote(location)}`" if location not in {STDIN, "<stdin>"} else "`lockset convert`"
    if required:
        raise LocksetError(
            "hashes-required",
            f"{count} {has} no hash, and hashes are required",
            location=location,
            context=tuple(unhashed[:_SHOWN]),
            hint=f"Run {command} once to record the hashes that the index has now, and sync the pylock.toml",
        )
    context.heard.note(
        f"{location}: {count} {has} no hash, so the files now on the index are trusted; {command} locks them"
    )


def _unhashed(imported: ImportedLock) -> list[str]:
    """The packages of an index for which the input has no hash."""
    return [
        package.shown
        for package in imported.packages
        if package.source is None and not package.bare_hashes and not any(file.hashes for file in package.files)
    ]


def _refreshes(indexes: IndexOptions | IndexOverrides | None) -> bool:
    return indexes is not None and bool(indexes.refresh or indexes.refresh_packages)


def _content_hash(path: str) -> bytes | None:
    """A hash of the file's bytes; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return quick_sha256(file.read(_LARGEST))
    except (OSError, ValueError):
        return None
