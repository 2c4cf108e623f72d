"""Modes of installed files are those that the user's mask gives at that moment, whatever other targets have."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from lockset.sync.disk.store.link import LINK_MODES
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
MASKS = [0o022, 0o077, 0o002, 0]


@contextmanager
def masked(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("other", MASKS)
def test_files_are_for_whom_the_mask_lets_and_nobody_may_write_them_but_their_owner(
    tmp_path: Path, mask: int, other: int
) -> None:
    wheel = make_wheel("one", files={"one.py": "x = 1\n"}, entry_points={"console_scripts": {"run": "one:x"}})
    with masked(mask):
        World(folder=tmp_path / "first", directory=str(tmp_path / "a"), cache=tmp_path / "cache").sync(wheel)
    with masked(other):
        World(folder=tmp_path / "second", directory=str(tmp_path / "b"), cache=tmp_path / "cache").sync(wheel)
    for target, own in (("a", mask), ("b", other)):
        result = modes(tmp_path / target)
        assert result.pop("run") == 0o755 & ~own
        assert set(result.values()) == {0o644 & ~own}
        assert stat.S_IMODE((tmp_path / target / "one-1.0.dist-info").stat().st_mode) == 0o755 & ~own


@pytest.mark.parametrize("link_mode", LINK_MODES)
@pytest.mark.parametrize("mode", [0, 0o600, 0o666, 0o4755])
def test_a_mode_that_was_changed_in_one_target_is_in_no_later_one(tmp_path: Path, mode: int, link_mode: str) -> None:
    wheel = make_wheel("one", files={"one.py": "x = 1\n"})
    world = World(folder=tmp_path, directory=str(tmp_path / "a"))
    world.sync(wheel)
    (tmp_path / "a" / "one.py").chmod(mode)
    world.directory = str(tmp_path / "b")
    world.sync(wheel, install_options=InstallOptions(link_mode=link_mode))
    assert judge(tmp_path / "b") == {"one": "1.0"}
    assert modes(tmp_path / "b")["one.py"] == 0o644
