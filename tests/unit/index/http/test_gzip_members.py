"""Compressed bodies of several gzip members."""

from __future__ import annotations

import gzip

import pytest

from lockset.errors import LocksetError
from lockset.index.http.body import Inflater


def _inflated(body: bytes, size: int, *, limit: int = 10_000, encoding: str = "gzip") -> bytes:
    inflater = Inflater(encoding, limit=limit, what="https://example.org/hull/")
    pieces = [piece for at in range(0, len(body), size) for piece in inflater.feed(body[at : at + size])]
    return b"".join((*pieces, *inflater.finish()))


@pytest.mark.parametrize("size", [1, 2, 7, 20, 21, 1000])
@pytest.mark.parametrize("texts", [[b"one"], [b"one", b"two"], [b"one", b"", b"three"], [b"", b"x" * 500, b""]])
def test_all_members_of_a_gzip_body_are_read_however_it_is_split(texts: list[bytes], size: int) -> None:
    assert _inflated(b"".join(map(gzip.compress, texts)), size) == b"".join(texts)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "behind",
    [b"junk", bytes(9), gzip.compress(b"two", mtime=0)[:-4], b"\x1f", b"\x1fjunk"],
    ids=["text", "zeros", "cut", "half-a-mark", "not-a-mark"],
)
def test_trailing_data_that_is_not_a_whole_member_is_refused(behind: bytes, size: int) -> None:
    with pytest.raises(LocksetError):
        _inflated(gzip.compress(b"one") + behind, size)


def test_all_members_together_have_one_limit() -> None:
    with pytest.raises(LocksetError, match="larger than 1000 bytes"):
        _inflated(gzip.compress(b"x" * 600) * 2, 10_000, limit=1000)
