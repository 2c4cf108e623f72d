"""Unpack one verified wheel with the library `installer`, into one folder per scheme.

`installer` decides which member belongs to which scheme and what a script looks like. The destination here writes the
files, and checks every byte against RECORD while writing. A wheel is interpreted once, when it enters the store;
targets get links to the unpacked files.
"""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH103, PTH116
from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import installer
from installer.destinations import WheelDestination
from installer.records import RecordEntry
from installer.scripts import Script
from installer.sources import WheelSource

from lockset.errors import LocksetError
from lockset.files.system import BINARY
from lockset.sync.wheel.manifest import StoredFile, StoredScript
from lockset.sync.wheel.record import hash_text
from lockset.sync.wheel.scripts import is_placeholder
from lockset.sync.wheel.zip_reader import chunks, release_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from installer.sources import WheelContentElement
    from installer.utils import Scheme

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
    """Write the files of `wheel` below `folder`, one folder for each scheme; `buffer` is its archive.

    Raises:
        LocksetError: `wheel-refused`: a file differs from its hash in RECORD; `archive-refused`: a member is damaged.
    """
    for content in wheel.dropped:
        hasher = _hasher(content)
        for chunk in chunks(buffer, content.member, what=what):
            hasher.update(chunk)
        _check(content, hasher, what)
    destination = _Folders(folder, what=what)
    for script in wheel.scripts:
        destination.write_script(script.name, script.module, script.attribute, script.section)
    installer.install(_VerifiedSource(wheel, buffer, what), destination, {})
    return tuple(destination.files), tuple(destination.scripts)


def launcher(script: StoredScript, executable: str, kind: str) -> tuple[str, bytes]:
    """File name and content of the command `script` on systems that need a launcher."""
    made = Script(script.name, script.module, script.attribute, cast("Any", script.section))
    name, content = made.generate(executable, cast("Any", kind))
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


class _VerifiedSource(WheelSource):
    """A wheel source that only contains the members to install."""

    def __init__(self, wheel: Wheel, buffer: Buffer, what: str) -> None:
        super().__init__(wheel.name, str(wheel.version))
        self._wheel = wheel
        self._buffer = buffer
        self._what = what

    @property
    def dist_info_dir(self) -> str:
        return self._wheel.dist_info

    @property
    def data_dir(self) -> str:
        return self._wheel.data_dir

    @property
    def dist_info_filenames(self) -> list[str]:
        # Commands come from our own strict reader, not from another parser of the same text.
        return [name for name in self._wheel.texts if name != "entry_points.txt"]

    def read_dist_info(self, filename: str) -> str:
        if filename == "WHEEL":
            # The version of the format was checked before; `installer` accepts 1.x only.
            pure = "true" if self._wheel.root_scheme == "purelib" else "false"
            return f"Wheel-Version: 1.0\nRoot-Is-Purelib: {pure}\n"
        return self._wheel.texts[filename]

    def get_contents(self) -> Iterator[WheelContentElement]:
        seen = 0
        for content in self._wheel.contents:
            member = content.member
            seen += member.packed
            if seen > _WINDOW:
                release_pages(self._buffer)
                seen = 0
            row = (member.name, f"{content.algorithm}={content.digest}", str(member.size))
            stream = cast("BinaryIO", _Stream(content, self._buffer, self._what))
            yield row, stream, member.executable


class _Stream:
    """Passes through `installer` from source to destination; it is never read in between."""

    __slots__ = ("buffer", "content", "what")

    def __init__(self, content: Content, buffer: Buffer, what: str) -> None:
        self.content = content
        self.buffer = buffer
        self.what = what

    def __iter__(self) -> Iterator[bytes]:
        return chunks(self.buffer, self.content.member, what=self.what)


class _Folders(WheelDestination):
    """Writes every file below `<folder>/<scheme>/`."""

    def __init__(self, folder: str, *, what: str) -> None:
        self.files: list[StoredFile] = []
        self.scripts: list[StoredScript] = []
        self._folder = folder
        self._what = what
        self._made: set[str] = set()

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        _, text = Script(name, module, attr, section).generate("/", "posix")
        self.scripts.append(StoredScript(name, section, module, attr, text.partition(b"\n")[2]))
        return RecordEntry(name, None, None)

    def write_file(
        self,
        scheme: Scheme,
        path: str | os.PathLike[str],
        stream: BinaryIO,
        is_executable: bool,  # noqa: FBT001 (the library's signature)
    ) -> RecordEntry:
        source = cast("_Stream", stream)
        relative = os.fspath(path)
        assert (scheme, relative) == (source.content.scheme, source.content.path), "both must agree on the path"
        executable = is_executable or scheme == "scripts"
        goal = f"{self._folder}/{scheme}/{relative}".replace("/", os.sep)
        hasher = _hasher(source.content)
        first = b""
        # The folder is private and the name was checked: an existing file belongs to another member.
        try:
            self._make_folder(goal.rpartition(os.sep)[0])
            descriptor = os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o755 if executable else 0o644)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _name_collision(source.content, self._what) from None
        try:
            for chunk in source:
                first = first or chunk[:16]
                hasher.update(chunk)
                _write(descriptor, chunk)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if os.name == "nt":
            status = os.stat(goal)  # Windows sets the time when a file is closed
        _check(source.content, hasher, self._what)
        digest = hash_text(source.content.algorithm, hasher.digest())
        rewrite = scheme == "scripts" and is_placeholder(first)
        self.files.append(StoredFile(scheme, relative, digest, status.st_size, status.st_mtime_ns, executable, rewrite))
        return RecordEntry(relative, None, None)

    def finalize_installation(self, scheme: Scheme, record_file_path: str, records: Any) -> None:
        """Do nothing: RECORD is written for each target."""

    def _make_folder(self, folder: str) -> None:
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)


def _name_collision(content: Content, what: str) -> LocksetError:
    return LocksetError(
        "wheel-refused",
        f"`{content.member.name}` of {what} has the same name as another member on this file system",
        hint="Use a cache on a case-sensitive file system, or lock another version",
    )


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        data = data[written:]
        written = os.write(descriptor, data)


def _hasher(content: Content) -> Any:
    return hashlib.new(content.algorithm, usedforsecurity=False)


def _check(content: Content, hasher: Any, what: str) -> None:
    if hash_text(content.algorithm, hasher.digest()) != f"{content.algorithm}={content.digest.rstrip('=')}":
        raise LocksetError(
            "wheel-refused",
            f"`{content.member.name}` of {what} does not match the wheel's RECORD",
            hint="Report it to the project, or lock another version",
        )
