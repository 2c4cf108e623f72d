"""A described interpreter is the same whether it was remembered or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.sync.disk.request import DescribedInterpreter, TargetSpec, resolve_target

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sync.target import Target

PLATFORMS = ("manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64", "musllinux_1_2_aarch64")


def target(platform: str, folder: Path, cache: Path | None) -> Target:
    described = DescribedInterpreter(platform=platform, python="3.12")
    return resolve_target(TargetSpec(python=None, directory=str(folder / "out"), described=described), cache=cache)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_cached_target_equals_the_computed_one(platform: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = target(platform, tmp_path, cache)
    again = target(platform, tmp_path, cache)
    assert first == again == target(platform, tmp_path, None)
    assert first.tags == again.tags
    assert len(again.tags) > 10


def test_a_damaged_cache_entry_is_ignored(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = target(PLATFORMS[0], tmp_path, cache)
    (record,) = (cache / "interpreters-v1").iterdir()
    record.write_bytes(b"garbage")
    assert target(PLATFORMS[0], tmp_path, cache) == first
    assert record.read_bytes() != b"garbage"
