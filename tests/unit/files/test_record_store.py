"""Small records that are kept between runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.files import record_store, system
from lockset.files.record_store import get_value, put_value

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
