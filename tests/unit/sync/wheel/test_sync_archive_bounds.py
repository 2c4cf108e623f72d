"""Archives at their bounds: 64-bit records, sizes after the data, large members, and how much is inflated at most."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from random import Random
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
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
CHUNK = 1 << 18
# Random bytes and bytes that repeat: a piece of packed bytes inflates to less than a piece, or to many.
LARGE = Entry(content=bytes(range(256)) * 3000 + bytes(3 * CHUNK))
INFLATERS = [pytest.param(library, id=library.__name__) for library in dict.fromkeys((zlib, inflate.library))]


def contents(data: bytes) -> dict[str, bytes]:
    return {m.name: read_member(data, m, what="it", limit=1 << 30) for m in members(data, what="it")}


def is_refused(data: bytes) -> bool:
    try:
        contents(data)
    except LocksetError as error:
        return error.diagnostic.code == "archive-refused"
    return False


def extra64(*values: int) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def wide(entry: Entry, *, offset: int = 0, between: bytes = b"") -> Entry:
    """`entry` with its sizes and its offset in 64-bit extra fields, `between` two other fields."""
    packed, size = len(entry.data), len(entry.content)
    full: dict[str, int | bytes] = {"size": FULL32, "packed": FULL32}
    return entry.but(
        local={**full, "extra": between + extra64(size, packed) + between},
        central={**full, "offset": FULL32, "extra": between + extra64(size, packed, offset) + between},
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(forge(A, B, end64={}), id="the same in both records"),
        pytest.param(
            forge(A, B, end64={}, end={"here": FULL16, "total": FULL16, "length": FULL32, "start": FULL32}), id="wide"
        ),
        pytest.param(forge(A, B, end64={}, end={"disk": FULL16, "first": FULL16}), id="no disks"),
        pytest.param(forge(A, B, end64={}, locator={"disks": 0}), id="a count of disks from zero"),
        pytest.param(forge(wide(A), B), id="sizes and offset of a member"),
        pytest.param(forge(A.but(central={"extra": extra64(7, len(A.data))}), B), id="redundant sizes that agree"),
        pytest.param(forge(A.but(extra=extra64(7, len(A.data))), B), id="redundant sizes in both headers"),
        pytest.param(forge(A.but(extra=struct.pack("<HH3s", 0x5455, 3, b"xyz")), B), id="an extra field of others"),
        pytest.param(forge(A.but(extra=struct.pack("<HH", 0x5455, 0)), B), id="an empty extra field"),
        pytest.param(forge(wide(A, between=struct.pack("<HH3s", 0x5455, 3, b"xyz")), B), id="between other fields"),
        *(pytest.param(forge(A.but(extra=bytes(number)), B), id=f"{number} zeros") for number in (1, 2, 3, 4)),
    ],
)
def test_64_bit_fields_that_agree_are_read(data: bytes) -> None:
    assert contents(data) == {"a.txt": b"content", "b/c.txt": B.content}


@pytest.mark.parametrize(
    "data",
    [
        *(
            pytest.param(forge(A, B, end64={}, end={field: 5}), id=f"{field} of the end record differs")
            for field in ("disk", "first", "here", "total", "length", "start")
        ),
        *(
            pytest.param(forge(A, B, end64={field: 1}), id=f"{field} of the 64-bit end record differs")
            for field in ("size", "disk", "first", "here", "total", "length", "start")
        ),
        pytest.param(forge(A, end64={"disk": 1, "first": 1}, end={"disk": 1, "first": 1}), id="on another disk"),
        pytest.param(forge(A, end64={"signature": b"PK\6\5"}), id="no 64-bit end record"),
        pytest.param(forge(A, end64={"size": 45}), id="a longer 64-bit end record"),
        pytest.param(forge(A, end64={}, locator={"disk": 1}), id="a locator of another disk"),
        pytest.param(forge(A, end64={}, locator={"disks": 2}), id="a locator of two disks"),
        pytest.param(forge(A, end64={}, locator={"offset": 0}), id="a locator of other bytes"),
        pytest.param(forge(A, end64={"here": 1_000_001, "total": 1_000_001}, end={"here": FULL16, "total": FULL16}),
                     id="more members than there are"),
        pytest.param(forge(A.but(central={"size": FULL32})), id="an unknown size"),
        pytest.param(forge(A.but(central={"packed": FULL32})), id="an unknown packed size"),
        pytest.param(forge(A.but(central={"offset": FULL32})), id="an unknown offset"),
        pytest.param(forge(A.but(local={"size": FULL32})), id="an unknown size in the local header"),
        pytest.param(forge(wide(A, offset=1)), id="a wrong wide offset"),
        pytest.param(forge(A.but(central={"size": FULL32, "extra": struct.pack("<HHL", 1, 4, 7)})), id="half a size"),
        pytest.param(forge(A.but(extra=extra64(7, len(A.data)) * 2)), id="two wide fields"),
        pytest.param(forge(A.but(central={"extra": extra64(7, 1)})), id="redundant packed sizes that differ"),
        pytest.param(forge(A.but(central={"extra": extra64(1, len(A.data))})), id="redundant sizes that differ"),
        pytest.param(forge(A.but(local={"extra": extra64(1, len(A.data))})), id="redundant local sizes that differ"),
        pytest.param(forge(wide(A).but(local={"size": FULL32, "packed": FULL32, "extra": extra64(8, len(A.data))})),
                     id="wide sizes that differ"),
        *(pytest.param(forge(A.but(extra=b"\1" * number)), id=f"{number} ones") for number in (1, 2, 3)),
        pytest.param(forge(A.but(extra=struct.pack("<HH3s", 0x5455, 4, b"xyz"))), id="a field longer than all fields"),
    ],
)  # fmt: skip
def test_64_bit_fields_that_differ_are_refused(data: bytes) -> None:
    assert is_refused(data)


def patched(data: bytes, mark: bytes, offset: int, value: bytes) -> bytes:
    """`data` with `value` at `offset` from the only `mark`."""
    assert data.count(mark) == 1
    location = data.index(mark) + offset
    return data[:location] + value + data[location + len(value) :]


END, END64, LOCATOR, CENTRAL, LOCAL = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2", b"PK\3\4"


@pytest.mark.parametrize(
    "data",
    [
        *(
            pytest.param(forge(A, B, end={field: value}), id=f"{field} {value}")
            for field in ("disk", "first", "here", "total", "length", "start")
            for value in (1, 3, FULL16)
        ),
        pytest.param(patched(forge(A), CENTRAL, 3, b"\3"), id="no signature of the directory"),
        pytest.param(patched(forge(A), CENTRAL, 34, b"\1"), id="a member on another disk"),
        pytest.param(patched(forge(A), CENTRAL, 32, b"\1"), id="a comment of a member that is not there"),
        pytest.param(patched(forge(A), CENTRAL, 28, b"\xff"), id="a name longer than the directory"),
        pytest.param(patched(forge(A), CENTRAL, 30, b"\1"), id="an extra field that is not there"),
        pytest.param(patched(forge(A), LOCAL, 26, b"\xff\xff"), id="a name longer than the archive"),
        pytest.param(patched(forge(A), LOCAL, 28, b"\1"), id="an extra field that the member begins with"),
        pytest.param(patched(forge(A, end64={}), END64, 12, END), id="an end record in a 64-bit end record"),
        pytest.param(forge(A, end64={}).replace(LOCATOR, b"junk" + LOCATOR), id="bytes after a 64-bit end record"),
        pytest.param(forge(A, end64={}).replace(END, b"junk" + END), id="bytes after a locator"),
    ],
)
def test_records_that_are_not_where_or_what_they_should_be_are_refused(data: bytes) -> None:
    assert is_refused(data)


def test_an_entry_beyond_the_count_is_refused_though_its_bytes_are_those_of_a_member() -> None:
    data = forge(A)
    start, end = data.index(CENTRAL), data.index(END)
    entry = data[start:end]
    doubled = patched(data[:end] + entry + data[end:], END, 12, struct.pack("<L", 2 * len(entry)))
    assert is_refused(doubled)


class _Pipe(io.RawIOBase):
    """A stream without positions, to which zipfile writes sizes after the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=300), max_size=4),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.booleans(),
)
def test_wide_and_streamed_archives_of_zipfile_are_read(files: dict[str, bytes], method: int, wide: bool) -> None:  # noqa: FBT001 - drawn
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        for name, content in files.items():
            with archive.open(name, "w", force_zip64=wide) as member:
                member.write(content)
    assert contents(pipe.data) == files


CRC = zlib.crc32(A.content)


def streamed(after: bytes, **changes: Any) -> bytes:
    return forge(A.but(flags=8, after=after, local={"crc": 0, "packed": 0, "size": 0}, **changes), B)


@pytest.mark.parametrize("signature", [b"", b"PK\7\x08"], ids=["bare", "signed"])
@pytest.mark.parametrize("form", ["<3L", "<L2Q"], ids=["short", "wide"])
def test_sizes_after_the_data_have_four_forms_and_must_agree(signature: bytes, form: str) -> None:
    honest = (CRC, len(A.data), len(A.content))
    assert contents(streamed(signature + struct.pack(form, *honest))) == {"a.txt": b"content", "b/c.txt": B.content}
    for position in range(3):
        values = [value + (number == position) for number, value in enumerate(honest)]
        assert is_refused(streamed(signature + struct.pack(form, *values)))
    for wrong in (b"PK\7\x09", b"x", b"\0" * 8):
        assert is_refused(streamed(wrong + struct.pack(form, *honest)))
        assert is_refused(streamed(signature + struct.pack(form, *honest) + wrong))
    assert is_refused(forge(A.but(after=signature + struct.pack(form, *honest)), B))


def test_sizes_before_and_after_the_data_must_agree_with_the_directory() -> None:
    after = struct.pack("<3L", CRC, len(A.data), len(A.content))
    assert not is_refused(forge(A.but(flags=8, after=after), B))
    for field in ("crc", "packed", "size"):
        assert is_refused(forge(A.but(flags=8, after=after, local={field: 1}), B))
        assert is_refused(forge(A.but(flags=8, after=after, local={"crc": 0, "packed": 0, "size": 0, field: 1}), B))


@pytest.mark.parametrize(
    ("changes", "executable"),
    [
        ({"mode": 0o100644}, False),
        ({"mode": 0o100755}, True),
        *(({"mode": 0o100000 | bit}, True) for bit in (0o1, 0o10, 0o100)),
        *(({"mode": 0o100000 | bit}, False) for bit in (0o2, 0o4, 0o20, 0o40, 0o200, 0o400, 0o4000)),
        ({"mode": 0}, False),
        ({"mode": 0o755}, True),
        ({"central": {"system": 0, "mode": 0o100755}}, False),
        ({"central": {"system": 0, "mode": 0o120777}}, False),
        ({"name": b"d/", "content": b"", "mode": 0o040755}, True),
        ({"name": b"d/", "content": b"", "mode": 0}, False),
    ],
)
def test_modes_count_on_unix_alone(changes: dict[str, Any], executable: bool) -> None:  # noqa: FBT001 - a parameter
    (member,) = members(forge(A.but(**changes)), what="it")
    assert member.executable is executable


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param((A.but(name=b"d/", content=b"", mode=0o100644),), id="a folder with the mode of a file"),
        pytest.param((A.but(name=b"d/", mode=0o040755),), id="a folder with content"),
        pytest.param((A.but(name=b"d/", mode=0),), id="a folder with content and without a mode"),
        pytest.param((A.but(name="ż".encode()),), id="a UTF-8 name that is not marked as one"),
        pytest.param((A.but(name=b"\xff", flags=1 << 11),), id="a name that is marked as UTF-8 and is not"),
        pytest.param((A.but(name=b"d", mode=0o040755),), id="a file with the mode of a folder"),
        pytest.param((A.but(name=b"d"), A.but(name=b"d/", content=b"", mode=0)), id="a file and a folder"),
        pytest.param((A.but(name=b"d/e/f"), A.but(name=b"d")), id="a folder above a folder and a file"),
        pytest.param((A.but(name=b"d/e/f"), A.but(name=b"d/e")), id="a folder and a file"),
        *(pytest.param((A.but(flags=1 << bit),), id=f"flag {bit}") for bit in (0, 4, 5, 6, 7, 8, 12, 13, 15)),
        pytest.param((A.but(method=0, central={"size": 6}, local={"size": 6}),), id="stored with two sizes"),
        *(pytest.param((A.but(method=method, packed=A.content),), id=f"method {method}") for method in (1, 7, 9)),
    ],
)
def test_members_that_are_not_what_they_seem_are_refused(entries: tuple[Entry, ...]) -> None:
    assert is_refused(forge(*entries))


@pytest.mark.parametrize("flags", [1 << 1, 1 << 2, 0b110, 1 << 11])
def test_flags_that_only_describe_are_read(flags: int) -> None:
    assert contents(forge(A.but(flags=flags))) == {"a.txt": A.content}
    name = "ż.txt"
    assert contents(forge(A.but(name=name.encode(), flags=flags | 1 << 11))) == {name: A.content}


def claimed(size: int, *others: Entry) -> bytes:
    return forge(A.but(central={"size": size}, local={"size": size}), *others)


def test_the_unpacked_size_is_bounded_before_anything_is_inflated() -> None:
    assert members(claimed(1 << 30), what="it")[0].size == 1 << 30
    stored = Entry(name=b"s", content=bytes(5 << 20), method=0)
    most = 250 * len(claimed(0, stored)) - (5 << 20)
    assert members(claimed(most, stored), what="it")
    for data in (claimed((1 << 30) + 1), claimed(most + 1, stored)):
        with pytest.raises(LocksetError, match="unpacked size is too large"):
            members(data, what="it")


def test_the_number_of_members_is_bounded_before_any_is_read() -> None:
    more: dict[str, int | bytes] = {"here": 1_000_001, "total": 1_000_001}
    data = forge(A, end64=more, end={"here": FULL16, "total": FULL16})
    with pytest.raises(LocksetError, match="too many members"):
        members(data, what="it")


def test_comments_of_members_are_passed_over() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, comment in (("a", b"of the first"), ("b", b""), ("c", b"of the last")):
            member = zipfile.ZipInfo(name)
            member.comment = comment
            archive.writestr(member, name)
    assert contents(out.getvalue()) == {"a": b"a", "b": b"b", "c": b"c"}


def test_the_longest_comment_is_read_and_nothing_is_hidden_where_there_is_no_member() -> None:
    assert contents(forge(A, comment=b"c" * FULL16)) == {"a.txt": A.content}
    assert contents(forge()) == {}
    assert is_refused(forge(between=b"hidden"))


def test_a_member_is_read_up_to_the_limit() -> None:
    (member,) = members(forge(A), what="it")
    assert read_member(forge(A), member, what="it", limit=7) == A.content
    with pytest.raises(LocksetError, match="larger than 6 bytes"):
        read_member(forge(A), member, what="it", limit=6)


def said(entry: Entry, **values: int) -> Entry:
    return entry.but(central=values, local=values)


@pytest.mark.parametrize("library", INFLATERS)
@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 9 * CHUNK])
@pytest.mark.parametrize("method", [0, 8])
def test_members_around_the_size_of_a_piece_are_read_whole(
    method: int, size: int, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflate, "library", library)
    for content in ((bytes(range(251)) * (size // 251 + 1))[:size], bytes(size)):
        data = forge(Entry(content=content, method=method))
        (member,) = members(data, what="it")
        parts = list(pieces(data, member, what="it"))
        assert b"".join(parts) == content
        assert max(map(len, parts)) <= CHUNK


@pytest.mark.parametrize("library", INFLATERS)
@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(said(LARGE, crc=1), id="wrong checksum"),
        pytest.param(said(LARGE, size=len(LARGE.content) - 1), id="longer than it says"),
        pytest.param(said(LARGE, size=CHUNK + 1), id="much longer than it says"),
        pytest.param(said(LARGE, size=len(LARGE.content) + 1), id="shorter than it says"),
        pytest.param(LARGE.but(packed=LARGE.data + b"tail"), id="packed bytes after the end"),
        pytest.param(LARGE.but(packed=LARGE.data[:-1]), id="packed bytes cut"),
        pytest.param(LARGE.but(packed=LARGE.data[:-1000] + bytes(1000)), id="packed bytes damaged"),
        pytest.param(LARGE.but(packed=b"\xff" * 400_000), id="no deflate at all"),
        pytest.param(said(LARGE.but(method=0), crc=1), id="stored with a wrong checksum"),
        pytest.param(said(LARGE.but(packed=b""), packed=0), id="nothing"),
    ],
)
def test_a_large_member_must_be_what_the_directory_says(
    entry: Entry, library: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflate, "library", library)
    data = forge(entry)
    (member,) = members(data, what="it")
    with pytest.raises(LocksetError) as caught:
        list(pieces(data, member, what="it"))
    assert caught.value.diagnostic.code == "archive-refused"
    assert "is damaged" in caught.value.diagnostic.message


class _Counted:
    """An inflater that adds up what it inflates, and accepts neither large pieces nor calls without a limit."""

    def __init__(self, real: Any, sizes: list[int]) -> None:
        self._real, self._sizes = real, sizes

    def decompress(self, data: bytes, limit: int) -> bytes:
        assert limit > 0
        assert len(data) <= CHUNK
        result: bytes = self._real.decompress(data, limit)
        self._sizes.append(len(result))
        return result

    def flush(self) -> bytes:
        result: bytes = self._real.flush()
        self._sizes.append(len(result))
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.mark.parametrize("stated", [0, 1, 1000, CHUNK, CHUNK + 1, 2 * CHUNK])
@pytest.mark.parametrize("content", [bytes(16 * CHUNK), Random(1).randbytes(4 * CHUNK)], ids=["zeros", "random"])
def test_no_more_is_inflated_than_stated_and_one_piece(
    content: bytes, stated: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = inflate.inflater
    monkeypatch.setattr("lockset.sync.wheel.zip_reader.inflater", lambda: _Counted(real(), sizes))
    data = forge(said(Entry(content=content), size=stated))
    (member,) = members(data, what="it")
    with pytest.raises(LocksetError, match="is damaged"):
        list(pieces(data, member, what="it"))
    assert sum(sizes) <= stated + CHUNK
    if stated <= CHUNK and member.packed <= CHUNK:
        assert sum(sizes) <= stated + 1
