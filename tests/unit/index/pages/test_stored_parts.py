"""The parts of a stored page are read as the sequences that were stored, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.index.pages.stored_parts import DamagedPartError, StoredBlobs, StoredBytes, StoredSpans, marks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOBS = st.lists(st.binary(max_size=6), max_size=6)
INDEX = st.none() | st.integers(-8, 8)
SLICES = st.builds(slice, INDEX, INDEX, INDEX.filter(lambda step: step != 0))


def stored(blobs: Sequence[bytes], data: bytes | None = None) -> StoredBlobs:
    """The `blobs` as they are read from `data`, or from what was stored."""
    whole = b"".join(blobs) if data is None else data
    return StoredBlobs(lambda start, end: whole[start:end], marks_of(blobs))


@given(blobs=BLOBS, part=SLICES)
def test_blobs_are_the_sequence_that_was_stored(blobs: list[bytes], part: slice) -> None:
    kept = stored(blobs)
    assert list(kept) == blobs
    assert kept[part] == tuple(blobs[part])
    assert [kept[-1 - at] for at in range(len(blobs))] == blobs[::-1]
    for beyond in (len(blobs), -1 - len(blobs)):
        with pytest.raises(IndexError):
            kept[beyond]


@given(spans=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99))), part=SLICES)
def test_spans_are_the_sequence_that_was_stored(spans: list[tuple[int, int]], part: slice) -> None:
    kept = StoredSpans(StoredSpans.dump(spans, 2), len(spans))
    assert len(kept) == len(spans)
    assert list(kept) == spans
    assert kept[part] == tuple(spans[part])


@given(blobs=st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=6), data=st.data())
def test_a_damaged_blob_is_refused_and_the_others_are_read(blobs: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(blobs) - 1))
    changed = bytearray(b"".join(blobs))
    changed[len(b"".join(blobs[:at]))] ^= data.draw(st.integers(1, 255))
    kept = stored(blobs, bytes(changed))
    with pytest.raises(DamagedPartError):
        kept[at]
    assert [kept[other] for other in range(len(blobs)) if other != at] == [*blobs[:at], *blobs[at + 1 :]]


@pytest.mark.parametrize("read", [b"", b"pag", b"pagE", b"pages"])
def test_bytes_that_are_not_those_that_were_stored_are_refused(read: bytes) -> None:
    total = 0x140AB620  # of b"page"
    assert bytes(StoredBytes(lambda start, end: b"page"[start:end], 0, 4, total)) == b"page"
    with pytest.raises(DamagedPartError):
        bytes(StoredBytes(lambda _start, _end: read, 0, 4, total))
