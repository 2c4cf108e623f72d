"""Read advisories from a folder, an archive or a file: JSON of the OSV schema, and YAML of PyPA's database.

Nothing is unpacked. Files are bounded in number and size, and symbolic links are not followed. Only files that mention
one of the packages are parsed.
"""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from lockset.advisories.advisory import mentioned_names, newest_time, read_advisory
from lockset.advisories.database import AdvisoryDatabase, DatabaseState, UnreadableAdvisory
from lockset.conversion.readers.yaml_text import yaml_value
from lockset.errors import AdvisoryInvalidError, LocksetError, YamlSyntaxError
from lockset.metadata.tar_archive import open_tar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from lockset.advisories.advisory import Advisory

__all__ = ["MOST_BYTES", "AdvisoryReader", "read_advisory_files"]

# The largest archive, and the most bytes that one expands to; OSV's data of PyPI has some hundred megabytes.
MOST_BYTES = 1 << 30
_MOST_EXPANDED = 4 << 30
_MOST_FILES = 1_000_000
# The largest advisory; the largest real ones have some hundred kilobytes.
_LARGEST = 4 << 20
# The most bytes that the tar reader may take at once.
_LARGEST_PIECE = 16 << 20
# The largest central directory of a zip: that of 400,000 advisories has 40 MiB.
_LARGEST_DIRECTORY = 64 << 20
# The size of its end record without the comment.
_END_RECORD = 22
_ENDINGS = (".json", ".yaml", ".yml")
_BROKEN = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),
    *(zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)


def read_advisory_files(path: str, *, shown: str, names: Collection[str]) -> AdvisoryDatabase:
    """The advisories about packages of `names` in the folder, archive or file at `path`.

    Args:
        path: The absolute path.
        shown: What messages call it.
        names: Normalized names of packages.

    Raises:
        LocksetError: `advisories-not-found`, `advisories-unreadable`, `advisories-empty`, `advisories-too-large`;
            `library-missing` if an advisory in YAML is needed, and PyYAML is not installed.
    """
    reader = AdvisoryReader(names)
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise OSError("it is neither a folder nor a regular file")
        for name, data in _folder(path) if stat.S_ISDIR(mode) else _file(path, shown):
            reader.take(name, data)
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = "Name a folder or an archive (zip, tar.gz) of advisories: OSV's `all.zip`, or PyPA's database"
        raise LocksetError("advisories-not-found", "There are no advisories here", location=shown, hint=hint) from error
    except _BROKEN as error:
        raise LocksetError(
            "advisories-unreadable", f"The advisories cannot be read: {error}", location=shown
        ) from error
    return reader.database(shown)


class AdvisoryReader:
    """Reads files one by one, and counts those that cannot be read."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._advisories: list[Advisory] = []
        self._unreadable: list[UnreadableAdvisory] = []
        self._newest: datetime | None = None
        self._files = 0

    def take(self, name: str, data: bytes | str) -> None:
        """Read one file; a string is the reason why it has no bytes."""
        self._files += 1
        if isinstance(data, str):
            self._unreadable.append(UnreadableAdvisory(path=name, reason=data))
            return
        mentioned = mentioned_names(data)
        modified = newest_time(data)
        if mentioned and modified is not None and self._names.isdisjoint(mentioned):
            self._note_time(modified)
            return
        try:
            advisory = read_advisory(_parsed(name, data), names=self._names)
        except (AdvisoryInvalidError, YamlSyntaxError) as error:
            self._unreadable.append(UnreadableAdvisory(path=name, reason=error.diagnostic.message))
            return
        self._note_time(advisory.modified)
        self._advisories.append(advisory)

    def _note_time(self, modified: datetime | None) -> None:
        if modified is not None and (self._newest is None or modified > self._newest):
            self._newest = modified

    def database(self, source: str) -> AdvisoryDatabase:
        """The advisories that were read from `source`.

        Raises:
            LocksetError: `advisories-empty` if none could be read.
        """
        if self._files == len(self._unreadable):
            context = tuple(f"{one.path}: {one.reason}" for one in self._unreadable[:3])
            hint = "An advisory is a file `*.json` of the OSV schema, or `*.yaml` of PyPA's database"
            raise LocksetError(
                "advisories-empty",
                "There are no advisories in this file or folder",
                location=source,
                context=context,
                hint=hint,
            )
        state = DatabaseState(source=source, files=self._files, newest=self._newest, unreadable=tuple(self._unreadable))
        return AdvisoryDatabase(self._advisories, (state,))


def _parsed(name: str, data: bytes) -> object:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AdvisoryInvalidError("It is not text in UTF-8") from error
    if name.lower().endswith(".json"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AdvisoryInvalidError(f"It is not valid JSON: {error}") from error
    return yaml_value(text, location=None, what="advisory in YAML", extra="audit", as_strings=True)


def _is_advisory(name: str) -> bool:
    """Whether a file is read, according to its path: not those of hidden folders, such as `.github`."""
    *folders, base = name.split("/")
    hidden = (part for part in (*folders, base) if part.startswith(".") and part not in {".", ".."})
    return base.lower().endswith(_ENDINGS) and not any(hidden)


def _folder(path: str) -> Iterator[tuple[str, bytes | str]]:
    files = 0
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            whole = os.path.join(folder, name)
            shown = os.path.relpath(whole, path).replace(os.sep, "/")
            if not _is_advisory(shown):
                continue
            files += 1
            if files > _MOST_FILES:
                raise _too_large(path)
            yield shown, _content(whole)


def _content(path: str) -> bytes | str:
    """The bytes of a regular file, or why it has none."""
    try:
        facts = os.lstat(path)
        if not stat.S_ISREG(facts.st_mode):
            return "It is not a regular file"
        if facts.st_size > _LARGEST:
            return f"It is larger than {_LARGEST >> 20} MiB"
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except OSError as error:
        return f"It cannot be read: {error.strerror or error}"


def _file(path: str, shown: str) -> Iterator[tuple[str, bytes | str]]:
    """The files of an archive, which its first bytes identify; any other file is one advisory."""
    if os.path.getsize(path) > MOST_BYTES:
        raise _too_large(shown)
    with open(path, "rb") as file:
        head = file.read(512)
        file.seek(0)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _zip(file, shown)
        elif head.startswith(b"\x1f\x8b"):
            with gzip.open(file) as inflated:
                yield from _tar(cast("BinaryIO", inflated), shown)
        elif head.startswith(b"\xfd7zXZ"):
            with lzma.open(file) as inflated:
                yield from _tar(cast("BinaryIO", inflated), shown)
        elif head[257:262] == b"ustar":
            yield from _tar(file, shown)
        else:
            yield os.path.basename(path), _content(os.path.realpath(path))


def _zip(file: BinaryIO, shown: str) -> Iterator[tuple[str, bytes | str]]:
    _refuse_large_directory(file, shown)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_FILES:
            raise _too_large(shown)
        expanded = 0
        for entry in entries:
            if entry.is_dir() or not _is_advisory(entry.filename):
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                yield entry.filename, "It is a symbolic link"
                continue
            data = _inflated(archive, entry)
            expanded += len(data)
            if expanded > _MOST_EXPANDED:
                raise _too_large(shown)
            yield entry.filename, data


def _refuse_large_directory(file: BinaryIO, shown: str) -> None:
    """Refuse an archive whose central directory is large: zipfile reads all of it before anything can be counted.

    Its size is in the end record (APPNOTE 4.3.16), which is the last thing in the file but for a comment.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_RECORD - 0xFFFF))
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    if start >= 0 and len(tail) - start >= _END_RECORD:
        directory = int.from_bytes(tail[start + 12 : start + 16], "little")
        if directory > _LARGEST_DIRECTORY:  # also the mark of ZIP64, whose directories are larger still
            raise _too_large(shown)
    file.seek(0)


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | str:
    try:
        with archive.open(entry) as file:
            data = file.read(_LARGEST + 1)
    except _BROKEN as error:
        return f"It cannot be read: {error}"
    return data if len(data) <= _LARGEST else f"It is larger than {_LARGEST >> 20} MiB"


def _tar(file: BinaryIO, shown: str) -> Iterator[tuple[str, bytes | str]]:
    bounded = _Bounded(file, shown)
    with open_tar(cast("BinaryIO", bounded)) as archive:
        for number, member in enumerate(archive):
            archive.members = []  # type: ignore[attr-defined]  # else all headers stay in memory
            if number > _MOST_FILES:
                raise _too_large(shown)
            if not _is_advisory(member.name) or member.isdir():
                continue
            if not member.isreg():
                yield member.name, "It is a link or a device"
            elif member.size > _LARGEST:
                yield member.name, f"It is larger than {_LARGEST >> 20} MiB"
            else:
                opened = archive.extractfile(member)
                yield member.name, opened.read() if opened is not None else "It has no content"


class _Bounded(io.RawIOBase):
    """A file that refuses to be read in large pieces, and beyond a total size."""

    def __init__(self, file: BinaryIO, shown: str) -> None:
        self._file = file
        self._shown = shown

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _LARGEST_PIECE:
            raise _too_large(self._shown)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > _MOST_EXPANDED:
            raise _too_large(self._shown)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _too_large(shown: str) -> LocksetError:
    return LocksetError(
        "advisories-too-large",
        "These advisories are too large to read",
        location=shown,
        hint="Name the advisories of PyPI alone, such as OSV's archive for PyPI",
    )
