"""No archive has its reader take more memory than is sensible, and no text brings a parser down."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.metadata.bounded_reads import BoundedReads
from lockset.metadata.core import parse_metadata
from lockset.metadata.sdist import sdist_metadata
from lockset.metadata.wheel import wheel_metadata
from support.builders.archives import zip_file
from support.builders.core_metadata import core_metadata
from support.builders.pages import PageFile
from support.fakes.fake_index import detail_of

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile

METADATA = core_metadata("sample", "1.0")


def file_of(filename: str) -> DistributionFile:
    detail = detail_of("sample", [PageFile(filename=filename, url=f"https://x.example.org/{filename}")])
    return detail.files(detail.versions[0])[0]


def header(kind: bytes, size: int) -> bytes:
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def test_more_than_is_sensible_is_not_read_at_once() -> None:
    reads = BoundedReads(io.BytesIO(bytes(20_000_000)))
    assert reads.read(1_000_000) == bytes(1_000_000)
    for size in (20_000_000, -1):
        with pytest.raises(ValueError, match="single read"):
            reads.read(size)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME], ids=["extended header", "long name"])
def test_headers_of_a_tar_archive_are_bounded(kind: bytes) -> None:
    archive = gzip.compress(header(kind, 64_000_000) + bytes(64_000_000), 1)
    with pytest.raises(LocksetError, match="headers of a member have more than 16777216 bytes"):
        sdist_metadata(io.BytesIO(archive), file_of("sample-1.0.tar.gz"))


def test_headers_without_end_in_a_row_are_reported() -> None:
    archive = gzip.compress((header(tarfile.GNUTYPE_LONGNAME, 5) + b"abcd".ljust(512, b"\0")) * 5_000)
    with pytest.raises(LocksetError, match="cannot be read"):
        sdist_metadata(io.BytesIO(archive), file_of("sample-1.0.tar.gz"))


def test_the_directory_of_a_zip_archive_is_bounded() -> None:
    size = 20_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0)
    with pytest.raises(LocksetError, match="single read"):
        wheel_metadata(io.BytesIO(bytes(size) + end), file_of("sample-1.0-py3-none-any.whl"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_wheel_with_two_metadata_files_is_refused() -> None:
    name = "sample-1.0.dist-info/METADATA"
    other = "sample-1.0.dist-info/METADATB"
    archive = zip_file({name: METADATA, other: METADATA}).replace(other.encode(), name.encode())
    with pytest.raises(LocksetError, match="more than one METADATA"):
        wheel_metadata(io.BytesIO(archive), file_of("sample-1.0-py3-none-any.whl"))


@pytest.mark.parametrize(
    "line",
    [
        f"Requires-Dist: b>={'9' * 5_000}",
        f"Requires-Dist: b; {'(' * 3_000}os_name == 'x'{')' * 3_000}",
        f"Requires-Python: >={'9' * 5_000}",
    ],
    ids=["digits", "brackets", "python"],
)
def test_texts_that_no_parser_is_up_to_are_invalid(line: str) -> None:
    with pytest.raises(LocksetError, match="cannot be used"):
        parse_metadata(f"Name: sample\nVersion: 1.0\n{line}\n".encode(), origin="wheel", what="sample")
