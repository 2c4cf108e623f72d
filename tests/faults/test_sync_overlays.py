"""Folders of a lower layer of an overlay cannot be renamed (EXDEV): a sync that moves their content instead."""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import pytest

from lockset.sync.disk.apply import transaction
from support.builders.wheel import make_wheel
from support.posix import fork_and_wait, kill_this_process
from support.worlds.target_world import World, judge, tree
from support.worlds.two_locks import BEFORE, NEW, OLD, PLANNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no overlays")


class Overlay:
    """`rename`, for folders that were there when it was made as an overlay's lower layer; acts at call `number`.

    The folders are held open: the number of one that is removed would be given to a new one, which is no lower layer.
    """

    held: ClassVar[dict[tuple[int, int], int]] = {}

    def __init__(self, target: Path, number: int = -1, act: Callable[[], None] = kill_this_process) -> None:
        folders = {_identity(path): path for path in target.rglob("*") if path.is_dir()}
        self.lower = folders.keys()
        for identity in self.lower - self.held.keys():
            self.held[identity] = os.open(folders[identity], os.O_RDONLY)
        self.number = number
        self.act = act
        self.calls = 0

    def __call__(self, old: str, new: str) -> None:
        self.calls += 1
        if self.calls == self.number:
            self.act()
        if stat.S_ISDIR(os.lstat(old).st_mode) and _identity(old) in self.lower:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        os.rename(old, new)


def _identity(path: Path | str) -> tuple[int, int]:
    status = os.lstat(path)
    return status.st_dev, status.st_ino


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    # An older lockset.json-like folder in dist-info, as licences are.
    world.sync(*OLD, make_wheel("licensed", "1.0", files={"licensed-1.0.dist-info/licenses/a/LICENSE": "x"}))
    return world


@pytest.fixture(autouse=True)
def folders_are_released() -> Iterator[None]:
    yield
    for descriptor in Overlay.held.values():
        os.close(descriptor)
    Overlay.held.clear()


def _steps(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    counter = Overlay(tmp_path / "target")
    monkeypatch.setattr(transaction, "rename", counter)
    world.sync(*NEW)
    return counter.calls


def test_packages_of_a_lower_layer_are_changed_and_removed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _steps(world, tmp_path, monkeypatch) > 10
    assert judge(tmp_path / "target") == PLANNED
    assert not list((tmp_path / "target").glob("licensed*"))
    assert not (tmp_path / "target/.lockset").exists()


def test_an_error_at_any_rename_restores_the_target_to_the_byte(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(tmp_path / "target")
    restored = 0
    while _fails_at(restored + 1, world, tmp_path, monkeypatch):
        assert tree(tmp_path / "target") == before
        restored += 1
    assert restored > 10
    assert judge(tmp_path / "target") == PLANNED


def _fails_at(number: int, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(transaction, "rename", Overlay(tmp_path / "target", number, act=_no_space))
    try:
        world.sync(*NEW)
    except OSError as error:
        return error.errno == errno.ENOSPC
    return False


def _no_space() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_kill_at_any_rename_is_healed_by_the_next_sync(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    before = judge(target)
    killed = True
    number = 0
    while killed:
        number += 1
        monkeypatch.setattr(transaction, "rename", Overlay(target, number))
        killed = fork_and_wait(partial(world.sync, *NEW))
        # The next sync is in the same layers: what is left of the folders is still in the lower one.
        monkeypatch.setattr(transaction, "rename", Overlay(target) if number % 2 else os.rename)
        world.sync(*NEW)
        assert judge(target) == PLANNED
        assert not (target / ".lockset").exists()
        monkeypatch.setattr(transaction, "rename", os.rename)
        world.sync(*OLD, make_wheel("licensed", "1.0", files={"licensed-1.0.dist-info/licenses/a/LICENSE": "x"}))
        assert judge(target) == before
    assert number > 10
    assert BEFORE.items() <= before.items()


def test_a_folder_that_another_program_has_created_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept", tmp_path / "x.dist-info"
    for folder, content in ((kept, "ours"), (path, "theirs")):
        folder.mkdir()
        (folder / "METADATA").write_text(content)
    (kept / "RECORD").write_text("ours")
    transaction._move_back(str(kept), str(path))
    assert [one.name for one in path.iterdir()] == ["METADATA"]
    assert (path / "METADATA").read_text() == "theirs"
