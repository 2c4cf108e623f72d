"""Unpack source archives safely, with the same rules on every Python: nothing is written outside the tree."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, BinaryIO, cast

from lockset.errors import LocksetError
from lockset.metadata.bounded_reads import MOST_MEMBERS, BoundedReads, archive_errors, open_compressed
from lockset.metadata.tar_archive import open_tar, tar_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["MAX_TOTAL", "member_path", "unpack_sdist"]

# Limit for the unpacked size in bytes; the largest real archives have about 1 GB.
MAX_TOTAL = 4 * 1024**3
_CHUNK = 1024 * 1024
_LONGEST_PART = 255


def unpack_sdist(archive: BinaryIO, filename: str, into: Path) -> Path:
    """Unpack the zip, or compressed tar, archive into the empty folder `into`; return the folder of the source tree.

    Regular files, folders, and links that stay inside the tree are unpacked; an archive with anything else is refused.
    Files are readable, and executable if their owner may execute them in the archive.

    Raises:
        LocksetError: `archive-refused`: damaged, too large, or with a member that is not allowed.
    """
    writer = _Writer(filename, into)
    try:
        if filename.endswith(".zip"):
            writer.add_zip(archive)
        else:
            writer.add_tar(archive)
        writer.make_links()
    except archive_errors() as error:
        raise _refused(filename, f"it cannot be unpacked: {error}") from error
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() and not tops[0].is_symlink() else into


def member_path(name: str, *, archive: str) -> tuple[str, ...]:
    """The components of a member's name, which are safe below the tree; () for the tree itself.

    Raises:
        LocksetError: `archive-refused`: the name is absolute, too long, or has `..`, a drive, a backslash or a control
            character.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    bad = (
        name.startswith("/")
        or "\\" in name
        or ".." in parts
        or any(ord(character) < 32 or ord(character) == 127 for character in name)
        or any(len(part.encode("utf-8", "surrogateescape")) > _LONGEST_PART for part in parts)
        or (parts and len(parts[0]) > 1 and parts[0][1] == ":")
    )
    if bad:
        raise _refused(archive, f"a member's name is not valid or leads out of the tree: {name[:200]!r}")
    return tuple(parts)


class _Writer:
    """Writes members below one folder; links are created last, so that nothing is written through a link."""

    def __init__(self, archive: str, root: Path) -> None:
        self._archive = archive
        self._root = root
        self._left = MAX_TOTAL
        self._members = 0
        self._folders: dict[tuple[str, ...], str] = {(): str(root)}
        self._links: dict[tuple[str, ...], str] = {}
        self._copies: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def add_tar(self, archive: BinaryIO) -> None:
        with open_tar(open_compressed(archive)) as tar:
            for member in tar_members(tar):
                parts = self._count(member.name)
                if member.isdir():
                    self._folder(parts)
                elif member.isreg():
                    stream = tar.extractfile(member)
                    assert stream is not None, "regular members have contents"
                    self._check_size(max(member.size, tar.offset - member.offset_data))
                    self._file(parts, _chunks(cast("BinaryIO", stream)), mode=member.mode)
                elif member.issym():
                    self._links[parts] = member.linkname
                elif member.islnk():
                    self._copies.append((parts, member_path(member.linkname, archive=self._archive)))
                elif member.type not in {tarfile.XGLTYPE, tarfile.XHDTYPE}:
                    raise _refused(self._archive, f"`{member.name[:200]}` is neither file, folder nor link")

    def add_zip(self, archive: BinaryIO) -> None:
        with zipfile.ZipFile(cast("BinaryIO", BoundedReads(archive))) as opened:
            for member in opened.infolist():
                parts = self._count(member.filename)
                mode = member.external_attr >> 16
                if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
                    raise _refused(self._archive, f"`{member.filename[:200]}` is neither file nor folder")
                if member.is_dir():
                    self._folder(parts)
                else:
                    self._check_size(member.file_size)
                    with opened.open(member) as stream:
                        self._file(parts, _chunks(cast("BinaryIO", stream)), mode=mode)

    def _count(self, name: str) -> tuple[str, ...]:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise _refused(self._archive, f"it has more than {MOST_MEMBERS} members")
        return member_path(name, archive=self._archive)

    def _check_size(self, size: int) -> None:
        """Refuse a stated size that is negative or too large, before anything is written."""
        if size < 0:
            raise _refused(self._archive, "the size of a member is negative")
        if size > self._left:
            raise _refused(self._archive, f"it unpacks to more than {MAX_TOTAL} bytes")

    def _folder(self, parts: tuple[str, ...]) -> str:
        """Create a folder and return its path; it is not below a link, since links are created last."""
        path = self._folders.get(parts)
        if path is None:
            path = str(self._root.joinpath(*parts))
            os.makedirs(path, mode=0o755, exist_ok=True)
            self._folders[parts] = path
        return path

    def _file(self, parts: tuple[str, ...], chunks: Iterable[bytes], *, mode: int) -> None:
        if not parts:
            raise _refused(self._archive, "a file has no name")
        path = f"{self._folder(parts[:-1])}{os.sep}{parts[-1]}"
        # Readers differ on which of two members with the same name counts, so they must be equal.
        exists = os.path.isfile(path)
        with open(path, "rb" if exists else "xb") as file:
            for chunk in chunks:
                self._left -= len(chunk)
                if self._left < 0:
                    raise _refused(self._archive, f"it unpacks to more than {MAX_TOTAL} bytes")
                if not exists:
                    file.write(chunk)
                elif file.read(len(chunk)) != chunk:
                    raise self._duplicate(parts)
            if exists and file.read(1):
                raise self._duplicate(parts)
        os.chmod(path, 0o755 if mode & stat.S_IXUSR else 0o644)

    def _duplicate(self, parts: tuple[str, ...]) -> LocksetError:
        return _refused(self._archive, f"it has `{'/'.join(parts)}` twice, with different content")

    def make_links(self) -> None:
        """Copy the files of hard links, then create symbolic links and check that they stay inside the tree."""
        for parts, target in self._copies:
            source = self._root.joinpath(*target)
            if not target or not source.is_file() or source.is_symlink():
                raise _refused(
                    self._archive, f"the hard link `{'/'.join(parts)}` does not lead to a file of the archive"
                )
            with source.open("rb") as file:
                self._file(parts, _chunks(file), mode=source.stat().st_mode)
        for parts, text in self._links.items():
            self._make_link(parts, text)
        root = os.path.realpath(self._root)
        for parts in self._links:
            end = os.path.realpath(self._root.joinpath(*parts))
            if end != root and not end.startswith(root + os.sep):
                shutil.rmtree(self._root, ignore_errors=True)
                raise _refused(self._archive, f"the link `{'/'.join(parts)}` leads out of the tree")

    def _make_link(self, parts: tuple[str, ...], text: str) -> None:
        if not parts or not text or text.startswith(("/", "\\")) or "\0" in text or text[1:2] == ":":
            raise _refused(self._archive, f"the link `{'/'.join(parts)}` leads out of the tree")
        folder = self._root
        for part in parts[:-1]:
            folder /= part
            if folder.is_symlink():
                raise _refused(self._archive, f"the link `{'/'.join(parts)}` is below another link")
            folder.mkdir(mode=0o755, exist_ok=True)
        path = folder / parts[-1]
        if os.path.lexists(path):
            raise _refused(self._archive, f"`{'/'.join(parts)}` is both a link and something else")
        path.symlink_to(text)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _refused(archive: str, why: str) -> LocksetError:
    return LocksetError(
        "archive-refused",
        f"The source archive `{archive}` is refused: {why}",
        hint="Use another release; this archive is damaged or malicious",
    )
