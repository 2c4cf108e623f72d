"""Source archives made to keep a reader busy for ever, or to break it: one refusal, soon."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from lockset.build.unpack import unpack_sdist
from lockset.errors import LocksetError
from lockset.index.pages.project_page import DistributionFile, unlisted_file
from lockset.metadata.sdist import sdist_metadata
from lockset.metadata.wheel import wheel_metadata
from support.builders.core_metadata import core_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

METADATA = core_metadata("hull", "1.0").encode()
Member = tuple[str, int, bytes, bytes]
REGULAR = tarfile.REGTYPE


def file_of(filename: str) -> DistributionFile:
    url = f"https://files.example.org/{filename}"
    version = Version("1.0")
    return unlisted_file(filename=filename, project="hull", version=version, url=url, hashes={})


def tar_of(members: Iterable[Member]) -> bytes:
    """A gzipped tar archive whose members say the sizes given, whatever they hold."""
    buffer = io.BytesIO()
    for name, size, data, kind in members:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        head = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
        field = bytearray(size.to_bytes(12, "big", signed=True))
        field[0] = 0xFF if size < 0 else 0x80
        head[124:136] = field
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        buffer.write(bytes(head) + data + b"\0" * (-len(data) % 512))
    buffer.write(b"\0" * 1024)
    return gzip.compress(buffer.getvalue())


def ends_of(data: bytes, filename: str, into: Path) -> list[str | None]:
    """How unpacking and reading the metadata end: the code of a refusal, None for an answer. No other error is one."""
    readers: list[Callable[[], object]] = []
    if filename.endswith(".whl"):
        readers.append(lambda: wheel_metadata(io.BytesIO(data), file_of(filename)))
    else:
        readers.append(lambda: unpack_sdist(io.BytesIO(data), filename, into))
        readers.append(lambda: sdist_metadata(io.BytesIO(data), file_of(filename)))
    return [end_of(read) for read in readers]


def end_of(read: Callable[[], object]) -> str | None:
    try:
        read()
    except LocksetError as error:
        return error.diagnostic.code
    return None


def pax_record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


@pytest.mark.parametrize("size", [-1, -512, -513, -1024, -(10**6), -(10**20), 2**70])
@pytest.mark.parametrize("kind", [REGULAR, tarfile.SYMTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, b"S", b"Z"])
def test_a_member_with_a_size_that_no_file_has_ends_no_reader_in_a_loop(kind: bytes, size: int, tmp_path: Path) -> None:
    members = [
        ("hull-1.0/a", 0, b"", REGULAR),
        ("hull-1.0/b", size, b"", kind),
        ("hull-1.0/PKG-INFO", len(METADATA), METADATA, REGULAR),
    ]
    data = tar_of(members)
    before = time.process_time()
    codes = ends_of(data, "hull-1.0.tar.gz", tmp_path)
    # Older versions of tarfile read an extended header of less than no bytes as an empty one, and a sparse file, too.
    is_empty = size < 0 if kind == tarfile.XHDTYPE else (kind, size) == (b"S", -1)
    assert codes[0] == "archive-refused" or is_empty
    assert time.process_time() - before < 30


def test_a_header_that_is_not_valid_is_not_taken_for_the_end(tmp_path: Path) -> None:
    members = [("hull-1.0/a", 0, b"", REGULAR), ("hull-1.0/PKG-INFO", len(METADATA), METADATA, REGULAR)]
    data = gzip.decompress(tar_of(members)).replace(b"hull-1.0/PKG-INFO", b"hull-1.0/PKG-INFA")
    assert ends_of(gzip.compress(data), "hull-1.0.tar.gz", tmp_path) == ["archive-refused", "metadata-invalid"]


@pytest.mark.parametrize("size", ["-5", "-512000", "9" * 5000, "x"])
def test_a_size_in_an_extended_header_is_bounded_too(size: str, tmp_path: Path) -> None:
    record = pax_record("size", size)
    members = [("pax", len(record), record, tarfile.XHDTYPE), ("hull-1.0/a", 0, b"", REGULAR)]
    data = tar_of([*members, ("hull-1.0/PKG-INFO", len(METADATA), METADATA, REGULAR)])
    before = time.process_time()
    assert len(ends_of(data, "hull-1.0.tar.gz", tmp_path)) == 2
    assert time.process_time() - before < 30


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["zip", "bz2", "lzma"]
)
@pytest.mark.parametrize("filename", ["hull-1.0.zip", "hull-1.0-py3-none-any.whl"])
def test_a_broken_member_of_any_compression_is_refused(filename: str, method: int, tmp_path: Path) -> None:
    folder = "hull-1.0.dist-info/METADATA" if filename.endswith(".whl") else "hull-1.0/PKG-INFO"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(folder, METADATA + bytes(range(256)) * 20)
    whole = buffer.getvalue()
    start = whole.index(folder.encode()) + len(folder)
    codes: set[str | None] = set()
    for offset in range(9 if method == zipfile.ZIP_LZMA else 0, 60):
        data = bytearray(whole)
        data[start + offset : start + offset + 8] = b"\xff" * 8
        into = tmp_path / str(offset)
        into.mkdir()
        codes |= set(ends_of(bytes(data), filename, into))
    assert "metadata-invalid" in codes


@pytest.mark.parametrize("field", ["Version", "Metadata-Version", "Requires-Python", "Requires-Dist"])
def test_many_digits_in_the_metadata_of_an_sdist_are_refused_or_left_to_a_build(field: str) -> None:
    values = {"Metadata-Version": "2.2", "Name": "hull", "Version": "1.0", "Requires-Dist": "keel"}
    values |= {
        field: ("keel>=" if field == "Requires-Dist" else ">=" if field == "Requires-Python" else "") + "9" * 5000
    }
    text = "".join(f"{name}: {value}\n" for name, value in values.items()).encode() + b"\n"
    data = tar_of([("hull-1.0/PKG-INFO", len(text), text, REGULAR)])
    if field == "Metadata-Version":
        assert sdist_metadata(io.BytesIO(data), file_of("hull-1.0.tar.gz")) is None
    else:
        with pytest.raises(LocksetError, match="cannot be used"):
            sdist_metadata(io.BytesIO(data), file_of("hull-1.0.tar.gz"))
