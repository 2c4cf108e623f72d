"""Archives are read strictly: what two readers could read differently is refused."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.files import inflate
from lockset.sync.wheel.zip_reader import members, pieces, read_member
from support.builders.forged_zip import Entry, forge

if TYPE_CHECKING:
    from types import ModuleType

A = Entry()
B = Entry(name=b"b/c.txt", content=b"other" * 100)
# zlib, and ISA-L where it is installed.
INFLATERS = [pytest.param(library, id=library.__name__) for library in dict.fromkeys((zlib, inflate.library))]
DESCRIBED = struct.pack("<4s3L", b"PK\7\x08", zlib.crc32(A.content), len(A.data), len(A.content))


def contents(data: bytes) -> dict[str, bytes]:
    return {m.name: read_member(data, m, what="it", limit=1 << 30) for m in members(data, what="it")}


def test_an_honest_archive_is_read() -> None:
    assert contents(forge(A, B)) == {"a.txt": b"content", "b/c.txt": B.content}


def test_sizes_after_the_data_and_a_comment_are_honest_too() -> None:
    streamed = A.but(flags=8, after=DESCRIBED, local={"crc": 0, "packed": 0, "size": 0})
    assert contents(forge(streamed, B, comment=b"made by hand")) == {"a.txt": b"content", "b/c.txt": B.content}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=3000)), st.sampled_from([0, 8]))
def test_what_zipfile_writes_is_read_as_zipfile_reads_it(files: dict[str, bytes], method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert contents(out.getvalue()) == files


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no archive at all", id="no archive"),
        pytest.param(forge(A)[:-1], id="cut"),
        pytest.param(forge(A, before=b"#!/bin/sh\n"), id="bytes before, offsets right"),
        pytest.param(b"x" + forge(A), id="bytes before, offsets wrong"),
        pytest.param(forge(A, after=b"x"), id="bytes after"),
        pytest.param(forge(A, between=b"hidden"), id="bytes before the directory"),
        pytest.param(forge(A.but(after=b"gap"), B), id="bytes between members"),
        pytest.param(forge(A, A), id="doubled name"),
        pytest.param(forge(A, B, skip_central=(1,)), id="member not in the directory"),
        pytest.param(forge(A, B, skip_central=(0,)), id="first member not in the directory"),
        pytest.param(forge(A, B.but(central={"offset": 0})), id="two members over the same bytes"),
        pytest.param(forge(A.but(local={"name": b"z.txt"})), id="local name differs"),
        pytest.param(forge(A.but(local={"size": 3})), id="local size differs"),
        pytest.param(forge(A.but(local={"crc": 3})), id="local checksum differs"),
        pytest.param(forge(A.but(local={"method": 0})), id="local method differs"),
        pytest.param(forge(A.but(local={"flags": 2048})), id="local flags differ"),
        pytest.param(forge(A.but(local={"signature": b"PK\3\5"})), id="no local header"),
        pytest.param(forge(A.but(flags=1)), id="encrypted"),
        pytest.param(forge(A.but(flags=1 << 6)), id="strongly encrypted"),
        pytest.param(forge(A.but(method=12, packed=b"x")), id="bzip2"),
        pytest.param(forge(A.but(name=b"a\0.txt")), id="NUL in a name"),
        pytest.param(forge(A.but(name=b"a\x1b[31m")), id="terminal sequence in a name"),
        pytest.param(forge(A.but(name=b"\xff.txt")), id="name in an unknown encoding"),
        pytest.param(forge(A.but(name=b"")), id="empty name"),
        pytest.param(forge(A.but(mode=0o120777)), id="symbolic link"),
        pytest.param(forge(A.but(mode=0o020666)), id="device"),
        pytest.param(forge(A.but(name=b"d/", content=b"x")), id="folder with content"),
        pytest.param(forge(A, A.but(name=b"a.txt/b")), id="file and folder of one name"),
        pytest.param(forge(A.but(flags=8, after=DESCRIBED[:-1] + b"\1")), id="sizes after the data differ"),
        pytest.param(forge(A.but(extra=struct.pack("<HH5s", 0x7075, 5, b"\1zzzz"))), id="second name"),
        pytest.param(forge(A.but(extra=b"\1\0\xff\0")), id="malformed extra field"),
        pytest.param(
            forge(A.but(central={"extra": struct.pack("<HHQQ", 1, 16, 9, 9)})), id="redundant sizes that differ"
        ),
        pytest.param(forge(A, end={"here": 2}), id="counts that differ"),
        pytest.param(forge(A, end={"here": 2, "total": 2}), id="too many counted"),
        pytest.param(forge(A, B, end={"here": 1, "total": 1}), id="too few counted"),
        pytest.param(forge(A, end={"disk": 1}), id="several parts"),
        pytest.param(forge(A, end={"start": 0}), id="directory elsewhere"),
        pytest.param(forge(A, comment=forge(B)), id="a second end record in the comment"),
        pytest.param(forge(A.but(central={"size": 0xFFFFFFFE}, local={"size": 0xFFFFFFFE})), id="bomb"),
    ],
)
def test_anything_with_two_readings_is_refused(data: bytes) -> None:
    with pytest.raises(LocksetError) as caught:
        contents(data)
    assert caught.value.diagnostic.code == "archive-refused"


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(A.but(central={"crc": 1}, local={"crc": 1}), id="wrong checksum"),
        pytest.param(A.but(central={"size": 6}, local={"size": 6}), id="longer than it says"),
        pytest.param(A.but(central={"size": 8}, local={"size": 8}), id="shorter than it says"),
        pytest.param(A.but(packed=A.data + b"tail"), id="packed bytes after the end"),
        pytest.param(A.but(packed=A.data[:-1]), id="packed bytes cut"),
        pytest.param(A.but(packed=b"\xff\xff\xff"), id="no deflate at all"),
    ],
)
@pytest.mark.parametrize("library", INFLATERS)
def test_content_must_be_what_the_directory_says(
    entry: Entry, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflate, "library", library)
    data = forge(entry)
    (member,) = members(data, what="it")
    with pytest.raises(LocksetError) as caught:
        list(pieces(data, member, what="it"))
    assert caught.value.diagnostic.code == "archive-refused"


@pytest.mark.parametrize("library", INFLATERS)
def test_a_large_member_comes_in_pieces(library: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "library", library)
    content = bytes(range(256)) * 20_000
    data = forge(Entry(content=content), Entry(name=b"s", content=content, method=0))
    for member in members(data, what="it"):
        parts = list(pieces(data, member, what="it"))
        assert b"".join(parts) == content
        assert max(map(len, parts)) <= 1 << 20


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_any_changed_byte_is_refused_or_changes_nothing_that_is_read(content: bytes, location: int, value: int) -> None:
    honest = forge(Entry(content=content), B)
    changed = bytearray(honest)
    changed[location % len(changed)] = value
    try:
        result = contents(bytes(changed))
    except LocksetError:
        return
    # Only times, versions and modes may differ: nothing that decides on content.
    assert sorted(result.values()) == sorted(contents(honest).values())


def read_with(library: Any, data: bytes) -> dict[str, bytes] | str:
    """The contents as `library` inflates them, or the code of the refusal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inflate, "library", library)
        try:
            return contents(data)
        except LocksetError as error:
            return error.diagnostic.code


@given(
    st.binary(max_size=40).map(lambda seed: seed * (len(seed) ** 2)),
    st.sampled_from([1, 6, 9]),
    st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE]),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=2),
)
def test_isal_and_zlib_read_the_same(content: bytes, level: int, strategy: int, damage: list[tuple[int, int]]) -> None:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
    packed = bytearray(deflate.compress(content) + deflate.flush())
    for location, value in damage:
        packed[location % len(packed)] = value
    data = forge(Entry(content=content, packed=bytes(packed)))
    with_zlib, with_isal = read_with(zlib, data), read_with(inflate.library, data)
    # ISA-L may read what zlib calls damaged, but never something else.
    assert with_isal == with_zlib or (with_zlib == "archive-refused" and with_isal == {"a.txt": content})
    assert damage or with_zlib == {"a.txt": content}


def test_without_isal_archives_are_read_with_zlib() -> None:
    data = forge(A, B)
    code = f"""import sys
sys.modules["isal"] = None
from lockset.files import inflate
from lockset.sync.wheel.zip_reader import members, read_member
data = {data!r}
print(inflate.library.__name__, *(len(read_member(data, m, what="it", limit=999)) for m in members(data, what="it")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["zlib", str(len(A.content)), str(len(B.content))]
