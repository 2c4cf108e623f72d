"""Core metadata by scan agree with a whole parser, and hostile texts end in one error."""

from __future__ import annotations

import time
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.metadata.core import parse_metadata, scan_fields
from support.builders.core_metadata import core_metadata

lines = st.sampled_from(
    [
        "Requires-Dist: a>=1",
        "requires-dist:b ; extra == 'x'",
        "Requires-Dist:   c\n  >=2",
        "Requires-Python: >=3.8",
        "Provides-Extra: X_y",
        "Dynamic: Requires-Dist",
        "Classifier: Requires-Dist: no",
        "Keywords: a\n\tRequires-Dist: folded",
        "License: text\n        more",
        "X-Odd:",
    ]
)


@given(st.lists(lines, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_the_scan_finds_what_a_mail_parser_finds(listed: list[str], end: str, body: bool) -> None:  # noqa: FBT001
    text = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n" + "".join(f"{line}\n" for line in listed)
    data = (text + ("\nRequires-Dist: body\n" if body else "")).replace("\n", end).encode()
    fields = scan_fields(data)
    message = BytesParser().parsebytes(data)
    for name, result in (
        ("Requires-Dist", fields.requires_dist),
        ("Requires-Python", fields.requires_python),
        ("Provides-Extra", fields.provides_extra),
        ("Dynamic", fields.dynamic),
    ):
        expected = [" ".join(value.split()) for value in message.get_all(name, [])]
        assert [" ".join(value.split()) for value in result] == expected


def test_everything_resolution_needs() -> None:
    text = core_metadata("Sample.Name", "1.0", requires_dist=["a>=1"], requires_python=">=3.8", extras={"X_y": ["b"]})
    result = parse_metadata(text.encode(), origin="wheel", what="sample")
    assert (result.name, result.version, result.requires_python) == ("sample-name", Version("1"), ">=3.8")
    assert result.requires_dist[0] == "a>=1"
    assert len(result.requires_dist) == 2
    assert result.provides_extra == {"x-y"}
    assert result.origin == "wheel"


def test_a_byte_order_mark_and_old_encodings_are_survived() -> None:
    data = b"\xef\xbb\xbfName: sample\nVersion: 1\nAuthor: \xe9\nRequires-Python: UNKNOWN\nRequires-Dist: a\n"
    result = parse_metadata(data, origin="wheel", what="sample")
    assert (result.requires_python, result.requires_dist) == (None, ("a",))


def test_odd_requirements_are_kept_as_they_stand() -> None:
    data = b"Name: sample\nVersion: 1\nRequires-Dist: not a (requirement\nRequires-Python: three\n"
    result = parse_metadata(data, origin="wheel", what="sample")
    assert (result.requires_dist, result.requires_python) == (("not a (requirement",), "three")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Name: sample\n",
        b"Version: 1\n",
        b"\nName: sample\nVersion: 1\n",
        b"Name: sample\nName: other\nVersion: 1\n",
        b"Name: sample\nVersion: one\n",
        b"Name: -sample-\nVersion: 1\n",
        b"Name: ../sample\nVersion: 1\n",
        b"<html><body>Name: sample</body></html>",
        b"X" * 5_000_000,
        bytes(range(256)),
    ],
    ids=range(11),
)
def test_metadata_without_one_sound_name_and_version_are_invalid(data: bytes) -> None:
    with pytest.raises(LocksetError) as caught:
        parse_metadata(data, origin="wheel", what="sample-1.whl")
    assert caught.value.diagnostic.code == "metadata-invalid"


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_lockset_error(data: bytes) -> None:
    try:
        parse_metadata(data, origin="wheel", what="sample")
    except LocksetError as error:
        assert error.diagnostic.code == "metadata-invalid"  # noqa: PT017 (either this, or metadata)


def test_a_large_header_takes_time_in_proportion() -> None:
    data = b"Name: sample\nVersion: 1\nRequires-Dist: a\n" + b" x\n" * 200_000
    begun = time.process_time()
    parse_metadata(data, origin="wheel", what="sample")
    assert time.process_time() - begun < 20
