"""Unpack one verified wheel into one folder per scheme, and check every byte against RECORD while writing.

The files are written here in one pass: read, inflate, hash, write. `lockset.sync.wheel.contents` decides which member
belongs to which scheme and path. A wheel is interpreted once, when it enters the store; targets get links to the
unpacked files.
"""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.files.system import BINARY
from lockset.hashes import hash_text
from lockset.sync.wheel.file_lists import StoredFile, StoredScript
from lockset.sync.wheel.scripts import command_text, is_placeholder
from lockset.sync.wheel.zip_reader import pieces, release_pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.sync.wheel.contents import Content, Wheel
    from lockset.sync.wheel.zip_reader import Buffer

__all__ = ["launcher", "unpack_wheel"]

# Bytes of an archive that stay in memory while it is read.
_WINDOW = 8 << 20
# The earliest timestamp of an archive member, and the code of the system that wrote it.
_NO_TIME, _POSIX = b"\0\0\x21\0", 3


def unpack_wheel(
    buffer: Buffer, wheel: Wheel, folder: str, *, what: str
) -> tuple[tuple[StoredFile, ...], tuple[StoredScript, ...]]:
    """Write the files of `wheel` below the empty folder `folder`, one folder for each scheme; `buffer` is its archive.

    Raises:
        LocksetError: `wheel-refused`: a file differs from its hash in RECORD; `archive-refused`: a member is damaged.
        OSError: A file cannot be written.
    """
    for content in wheel.dropped:
        hasher = _hasher(content.algorithm)
        for piece in pieces(buffer, content.member, what=what):
            hasher.update(piece)
        _verified_hash(content, hasher, what)
    scripts = tuple(StoredScript(*script, command_text(script.module, script.attribute)) for script in wheel.scripts)
    folders = _Folders(folder)
    files: list[StoredFile] = []
    read = 0
    for content in wheel.contents:
        read += content.member.packed
        if read > _WINDOW:
            release_pages(buffer)
            read = 0
        # The folder is private and the name was checked: an existing file belongs to another member.
        try:
            goal = folders.location(content.scheme, content.path)
            executable = content.member.executable or content.scheme == "scripts"
            descriptor = os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o755 if executable else 0o644)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _name_collision(content, what) from None
        files.append(_write_file(descriptor, goal, content, pieces(buffer, content.member, what=what), what))
    return tuple(files), scripts


def _write_file(descriptor: int, goal: str, content: Content, data: Iterable[bytes], what: str) -> StoredFile:
    """Write `data` to the new file `goal`, open as `descriptor`, and close it; the manifest row of the file."""
    scheme, path, member, algorithm, _ = content
    hasher = _hasher(algorithm)
    first = b""
    try:
        for piece in data:
            first = first or piece[:16]
            hasher.update(piece)
            written = os.write(descriptor, piece)
            while written < len(piece):
                written += os.write(descriptor, piece[written:])
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if os.name == "nt":
        status = os.stat(goal)  # Windows sets the time when a file is closed
    return StoredFile(
        scheme,
        path,
        _verified_hash(content, hasher, what),
        status.st_size,
        status.st_mtime_ns,
        member.executable or scheme == "scripts",
        scheme == "scripts" and is_placeholder(first),
    )


class _Folders:
    """The folders of one unpacked wheel, each created when its first file is."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._created: dict[str, str] = {"": root}

    def location(self, scheme: str, path: str) -> str:
        """Where the file `path` of `scheme` is written; its folder exists.

        Raises:
            FileExistsError: A file has the name of the folder.
            NotADirectoryError: A file has the name of a folder above it.
        """
        parent, _, name = f"{scheme}/{path}".rpartition("/")
        return f"{self._created.get(parent) or self._create(parent)}{os.sep}{name}"

    def _create(self, relative: str) -> str:
        parent, _, name = relative.rpartition("/")
        folder = f"{self._created.get(parent) or self._create(parent)}{os.sep}{name}"
        try:
            os.mkdir(folder)
        except FileExistsError:
            # On a file system without case, another folder may have this name.
            if not os.path.isdir(folder):
                raise
        self._created[relative] = folder
        return folder


def launcher(script: StoredScript, executable: str, kind: str) -> tuple[str, bytes]:
    """File name and content of the command `script` on systems that need a launcher."""
    # Imported here: it takes longer than unpacking a wheel, and only Windows needs launchers.
    from installer.scripts import Script

    section: Any = script.section
    posix_or_windows: Any = kind
    made = Script(script.name, script.module, script.attribute, section)
    name, content = made.generate(executable, posix_or_windows)
    return name, _without_date(content)


def _without_date(launcher: bytes) -> bytes:
    """`launcher` without the time and system in the small archive at its end, so that it is reproducible."""
    central = launcher.rfind(b"PK\x01\x02")
    local = launcher.rfind(b"PK\x03\x04", 0, max(central, 0))
    if local < 0:
        return launcher
    content = bytearray(launcher)
    content[local + 10 : local + 14] = content[central + 12 : central + 16] = _NO_TIME
    content[central + 5] = _POSIX
    return bytes(content)


def _name_collision(content: Content, what: str) -> LocksetError:
    return LocksetError(
        "wheel-refused",
        f"`{content.member.name}` of {what} has the same name as another member on this file system",
        hint="Use a cache on a case-sensitive file system, or lock another version",
    )


def _hasher(algorithm: str) -> Any:
    # The functions of `hashlib` are quicker than `hashlib.new`.
    return getattr(hashlib, algorithm)(usedforsecurity=False)


def _verified_hash(content: Content, hasher: Any, what: str) -> str:
    """The hash of `content` as RECORD has it, which is the one of `hasher`."""
    actual = hash_text(content.algorithm, hasher.digest())
    if actual != f"{content.algorithm}={content.digest.rstrip('=')}":
        raise LocksetError(
            "wheel-refused",
            f"`{content.member.name}` of {what} does not match the wheel's RECORD",
            hint="Report it to the project, or lock another version",
        )
    return actual
