"""Source archives to a source tree. The rules are enforced here, on every Python: nothing leaves the tree."""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, BinaryIO, cast

from lockset.errors import LocksetError
from lockset.metadata.bounded_reads import MOST_MEMBERS, BoundedReads, archive_errors, open_gzip, tar_members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["MAX_TOTAL", "member_path", "unpack_sdist"]

# Bytes of one archive once unpacked; beyond it the archive is refused. The largest honest ones have some 1 GB.
MAX_TOTAL = 4 * 1024**3
_CHUNK = 1024 * 1024
_LONGEST_PART = 255


def unpack_sdist(archive: BinaryIO, filename: str, into: Path) -> Path:
    """Unpack the `.tar.gz` or `.zip` archive into the empty folder `into`; gives the folder of the source tree.

    Regular files, folders, and links that stay inside the tree come out; anything else refuses the archive. Files
    are readable, and executable only where their owner may execute them in the archive.

    Raises:
        LocksetError: `archive-refused`: damaged, too large, or with a member that is not allowed.
    """
    writer = _Writer(filename, into)
    try:
        if filename.endswith(".zip"):
            writer.take_zip(archive)
        else:
            writer.take_tar(archive)
        writer.make_links()
    except archive_errors() as error:
        raise _refused(filename, f"it cannot be unpacked: {error}") from error
    tops = list(into.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() and not tops[0].is_symlink() else into


def member_path(name: str, *, archive: str) -> tuple[str, ...]:
    """The parts of a member's name, each one safe name below the tree; () for the tree itself.

    Raises:
        LocksetError: `archive-refused`: absolute, climbing, with a drive, a backslash or a control character, or
            too long.
    """
    parts = [part for part in name.split("/") if part not in {"", "."}]
    bad = (
        name.startswith("/")
        or "\\" in name
        or ".." in parts
        or any(ord(character) < 32 or ord(character) == 127 for character in name)  # noqa: PLR2004 (control characters)
        or any(len(part.encode("utf-8", "surrogateescape")) > _LONGEST_PART for part in parts)
        or (parts and len(parts[0]) > 1 and parts[0][1] == ":")
    )
    if bad:
        raise _refused(archive, f"a member's name leads out of the tree or is no name: {name[:200]!r}")
    return tuple(parts)


class _Writer:
    """Writes members below one folder; links are made at the end, so that nothing is ever written through one."""

    def __init__(self, archive: str, root: Path) -> None:
        self._archive = archive
        self._root = root
        self._left = MAX_TOTAL
        self._members = 0
        self._folders: dict[tuple[str, ...], str] = {(): str(root)}
        self._links: dict[tuple[str, ...], str] = {}
        self._copies: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def take_tar(self, archive: BinaryIO) -> None:
        with tarfile.open(fileobj=open_gzip(archive), mode="r:") as tar:
            for member in tar_members(tar):
                parts = self._count(member.name)
                if member.isdir():
                    self._folder(parts)
                elif member.isreg():
                    stream = tar.extractfile(member)
                    assert stream is not None, "regular members have contents"
                    self._announced(max(member.size, tar.offset - member.offset_data))
                    self._file(parts, _chunks(cast("BinaryIO", stream)), mode=member.mode)
                elif member.issym():
                    self._links[parts] = member.linkname
                elif member.islnk():
                    self._copies.append((parts, member_path(member.linkname, archive=self._archive)))
                elif member.type not in {tarfile.XGLTYPE, tarfile.XHDTYPE}:
                    raise _refused(self._archive, f"`{member.name[:200]}` is neither file, folder nor link")

    def take_zip(self, archive: BinaryIO) -> None:
        with zipfile.ZipFile(cast("BinaryIO", BoundedReads(archive))) as opened:
            for member in opened.infolist():
                parts = self._count(member.filename)
                mode = member.external_attr >> 16
                if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
                    raise _refused(self._archive, f"`{member.filename[:200]}` is neither file nor folder")
                if member.is_dir():
                    self._folder(parts)
                else:
                    self._announced(member.file_size)
                    with opened.open(member) as stream:
                        self._file(parts, _chunks(cast("BinaryIO", stream)), mode=mode)

    def _count(self, name: str) -> tuple[str, ...]:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise _refused(self._archive, f"it has more than {MOST_MEMBERS} members")
        return member_path(name, archive=self._archive)

    def _announced(self, size: int) -> None:
        """Refuse what says itself that it is too large, or less than nothing, before any of it is written."""
        if size < 0:
            raise _refused(self._archive, "a member has less than no bytes")
        if size > self._left:
            raise _refused(self._archive, f"it unpacks to more than {MAX_TOTAL} bytes")

    def _folder(self, parts: tuple[str, ...]) -> str:
        """The path of a folder, which is made; no link is on the way, since links are made when all else is there."""
        found = self._folders.get(parts)
        if found is None:
            found = str(self._root.joinpath(*parts))
            os.makedirs(found, mode=0o755, exist_ok=True)  # noqa: PTH103 (an archive may have 100,000 members)
            self._folders[parts] = found
        return found

    def _file(self, parts: tuple[str, ...], chunks: Iterable[bytes], *, mode: int) -> None:
        if not parts:
            raise _refused(self._archive, "a file has no name")
        path = f"{self._folder(parts[:-1])}{os.sep}{parts[-1]}"
        # Readers differ on which of two members with one name counts: they must be the same.
        doubled = os.path.isfile(path)  # noqa: PTH113 (as above)
        with open(path, "rb" if doubled else "xb") as file:  # noqa: PTH123 (as above)
            for chunk in chunks:
                self._left -= len(chunk)
                if self._left < 0:
                    raise _refused(self._archive, f"it unpacks to more than {MAX_TOTAL} bytes")
                if not doubled:
                    file.write(chunk)
                elif file.read(len(chunk)) != chunk:
                    raise self._doubled(parts)
            if doubled and file.read(1):
                raise self._doubled(parts)
        os.chmod(path, 0o755 if mode & stat.S_IXUSR else 0o644)  # noqa: PTH101 (as above)

    def _doubled(self, parts: tuple[str, ...]) -> LocksetError:
        return _refused(self._archive, f"it has `{'/'.join(parts)}` twice, with different content")

    def make_links(self) -> None:
        """Hard links become copies of files in the tree; symbolic links are made, then judged by where they end."""
        for parts, target in self._copies:
            source = self._root.joinpath(*target)
            if not target or not source.is_file() or source.is_symlink():
                raise _refused(self._archive, f"the hard link `{'/'.join(parts)}` leads to no file of the archive")
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
                raise _refused(self._archive, f"the link `{'/'.join(parts)}` lies behind another link")
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
        hint="Use another release; this archive is damaged or was made to do harm",
    )
