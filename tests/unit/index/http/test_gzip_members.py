"""Compressed bodies of several gzip members."""

from __future__ import annotations

import gzip
import random
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.files import inflate
from lockset.index.http import incoming
from lockset.index.http.incoming import Body

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(params=dict.fromkeys((zlib, inflate.library)), ids=lambda library: library.__name__, autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    library: ModuleType = request.param
    monkeypatch.setattr(inflate, "library", library)


def _content(body: bytes, *, limit: int = 10_000, encoding: str = "gzip") -> bytes:
    return Body(data=body, encoding=encoding, limit=limit, what="https://example.org/hull/").content()


@pytest.mark.parametrize("texts", [[b"one"], [b"one", b"two"], [b"one", b"", b"three"], [b"", b"x" * 500, b""]])
def test_all_members_of_a_gzip_body_are_read(texts: list[bytes]) -> None:
    assert _content(b"".join(map(gzip.compress, texts))) == b"".join(texts)


@pytest.mark.parametrize(
    "behind",
    [b"junk", bytes(9), gzip.compress(b"two", mtime=0)[:-4], b"\x1f", b"\x1fjunk"],
    ids=["text", "zeros", "cut", "half-a-mark", "not-a-mark"],
)
def test_trailing_data_that_is_not_a_whole_member_is_refused(behind: bytes) -> None:
    with pytest.raises(LocksetError):
        _content(gzip.compress(b"one") + behind)


def test_all_members_together_have_one_limit() -> None:
    with pytest.raises(LocksetError, match="larger than 1000 bytes"):
        _content(gzip.compress(b"x" * 600) * 2, limit=1000)


def test_a_member_of_several_steps_is_read() -> None:
    text = bytes(3_000_000)
    assert _content(gzip.compress(text), limit=3_000_000) == text


def test_a_body_without_compression_is_its_content() -> None:
    assert _content(b"\x1f\x8b", encoding="") == b"\x1f\x8b"


@given(
    st.binary(max_size=400),
    st.sampled_from(["gzip", "deflate"]),
    st.lists(st.tuples(st.integers(min_value=0), st.integers(min_value=0, max_value=255)), max_size=4),
    st.integers(min_value=0, max_value=30),
)
def test_a_damaged_body_is_refused_or_has_the_same_content(
    content: bytes, encoding: str, damage: list[tuple[int, int]], cut: int
) -> None:
    # Whichever library inflates it: ISA-L ignores flags that zlib refuses.
    packed = bytearray(zlib.compress(content) if encoding == "deflate" else gzip.compress(content, mtime=0))
    assert _content(bytes(packed), encoding=encoding) == content
    for location, value in damage:
        packed[location % len(packed)] = value
    with suppress(LocksetError):
        assert _content(bytes(packed[: len(packed) - cut]), encoding=encoding) == content


@pytest.mark.parametrize("step", [1, 100, 4096, 50_000])
def test_no_output_is_lost_however_small_the_steps_are(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "_STEP", step)
    chosen = random.Random(step)
    for length in (0, 1, step - 1, step, step + 1, 3 * step, 9_999):
        text = bytes(chosen.choices(b"abcdefgh", k=length))
        for compress in (gzip.compress, zlib.compress):
            assert _content(compress(text), limit=1 << 20) == text


def test_a_wrong_checksum_is_refused() -> None:
    for compress in (gzip.compress, zlib.compress):
        body = bytearray(compress(b"some text"))
        body[-1 if compress is zlib.compress else -5] ^= 1
        with pytest.raises(LocksetError, match="cannot be read"):
            _content(bytes(body))
