"""Records are read as they were written, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lockset.files import record_store, system
from lockset.files.record_store import get_parts, get_value, is_intact, put_parts, put_value

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_processes_with_the_same_number_may_write_a_record_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of two containers that share a cache."""
    path, replace, values = str(tmp_path / "record"), system.replace, ["other"]

    def replace_later(old: str, new: str) -> None:
        if values:
            put_value(path, "key", values.pop())
            assert get_value(path, "key") == "other"
        replace(old, new)

    monkeypatch.setattr(record_store, "replace", replace_later)
    put_value(path, "key", "own")
    assert get_value(path, "key") == "own"
    assert [one.name for one in tmp_path.iterdir()] == ["record"]


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_parts_are_read_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    path = str(tmp_path_factory.mktemp("record") / "record")
    put_parts(path, ("key", 1), [("value", None)], parts)
    stored = get_parts(path, ("key", 1))
    assert stored is not None
    assert (stored[0], [bytes(part) for part in stored[1]]) == ([("value", None)], parts)
    assert is_intact(path)
    assert get_parts(path, ("key", 2)) is None


def test_of_a_record_with_a_damaged_byte_no_part_is_read(tmp_path: Path) -> None:
    path = tmp_path / "record"
    put_parts(str(path), "key", "value", [b"first", b"second"])
    whole = path.read_bytes()
    for number, byte in enumerate(whole):
        path.write_bytes(whole[:number] + bytes([byte ^ 1]) + whole[number + 1 :])
        assert get_parts(str(path), "key") is None
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert get_parts(str(path), "key") is None


def test_without_a_location_no_parts_are_kept() -> None:
    put_parts(None, "key", "value", [b"part"])
    assert get_parts(None, "key") is None


def test_a_record_of_either_form_is_whole_until_one_of_its_bytes_changes(tmp_path: Path) -> None:
    put_value(str(tmp_path / "plain"), "key", ["value"])
    put_parts(str(tmp_path / "parts"), "key", ["value"], [bytes(300), b"second"])
    records = [tmp_path / "plain", tmp_path / "parts"]
    for record in records:
        assert is_intact(str(record))
        data = record.read_bytes()
        for at in range(0, len(data), 7):
            record.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert not is_intact(str(record)), at
        record.write_bytes(data[:-1])
        assert not is_intact(str(record))
        record.write_bytes(data + b"0")
        assert not is_intact(str(record))
