"""`--link-mode symlink`: an environment of links to the cache, which is whole as long as the cache is."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")

FILES = {"one/__init__.py": "good", "one/data/x.txt": "x"}
WHEEL = make_wheel("one", "1.0", files=FILES, entry_points={"console_scripts": {"run": "one:main"}})
SYMLINK = InstallOptions(link_mode="symlink")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


@pytest.fixture
def world(tmp_path: Path, target: Path) -> World:
    world = World(folder=tmp_path / "world", directory=str(target))
    world.sync(WHEEL, install_options=SYMLINK)
    return world


@pytest.fixture
def store(world: World) -> Path:
    assert world.cache is not None
    return world.cache / "wheels-v1"


def in_sync(world: World, options: InstallOptions = SYMLINK) -> bool:
    return not world.sync(WHEEL, check_only=True, install_options=options).plan.changes


def test_files_are_links_to_the_store(target: Path, store: Path) -> None:
    assert judge(target) == {"one": "1.0"}
    link = target / "one/__init__.py"
    assert link.is_symlink()
    assert link.readlink().is_absolute()
    assert link.readlink().is_relative_to(store)


def test_folders_and_files_made_for_the_target_are_not_links(world: World, target: Path) -> None:
    assert world.directory == str(target)
    info = target / "one-1.0.dist-info"
    for path in (target / "one", info, info / "RECORD", info / "INSTALLER", target / "bin/run"):
        assert path.exists()
        assert not path.is_symlink()


@pytest.mark.parametrize("mode", ["symlink", "auto"])
@pytest.mark.parametrize("verify", [False, True])
def test_a_second_sync_has_nothing_to_do(world: World, mode: str, *, verify: bool) -> None:
    assert in_sync(world, InstallOptions(link_mode=mode, verify_files=verify))


def test_a_cache_that_was_removed_is_noticed_and_repaired(world: World, target: Path, store: Path) -> None:
    shutil.rmtree(store)
    assert not in_sync(world)
    world.sync(WHEEL, install_options=SYMLINK)
    assert judge(target) == {"one": "1.0"}
    assert in_sync(world)


@pytest.mark.parametrize("restored", [False, True])
def test_an_edit_through_a_link_is_noticed_and_repaired(world: World, target: Path, *, restored: bool) -> None:
    path = target / "one/__init__.py"
    result = path.stat()
    path.write_text("evil")
    if restored:
        os.utime(path, ns=(result.st_atime_ns, result.st_mtime_ns))
    options = InstallOptions(link_mode="symlink", verify_files=restored)
    assert not in_sync(world, options)
    world.sync(WHEEL, install_options=options)
    assert path.read_text() == "good"


def test_a_link_to_another_place_is_replaced(world: World, target: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    elsewhere.write_text("good")
    path = target / "one/__init__.py"
    os.utime(elsewhere, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    path.unlink()
    path.symlink_to(elsewhere)
    assert not in_sync(world)
    world.sync(WHEEL, install_options=SYMLINK)
    assert path.readlink() != elsewhere
    assert elsewhere.read_text() == "good"


def test_a_link_that_climbs_out_of_the_store_is_replaced(
    world: World, target: Path, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.py").write_text("good")
    path = target / "one/__init__.py"
    path.unlink()
    path.symlink_to(store / ".." / ".." / ".." / "elsewhere.py")
    assert path.read_text() == "good"
    assert not in_sync(world)


def test_an_update_and_a_removal_leave_the_store_alone(world: World, target: Path, store: Path) -> None:
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    newer = make_wheel("one", "2.0", files={"one/__init__.py": "new"})
    world.sync(newer, install_options=SYMLINK)
    assert judge(target) == {"one": "2.0"}
    assert not (target / "one/data").exists()
    world.sync(install_options=SYMLINK)
    assert judge(target) == {}
    assert {path: path.read_bytes() for path in before} == before


def test_without_a_cache_that_lasts_files_are_copied(tmp_path: Path) -> None:
    world = World(folder=tmp_path / "other", directory=str(tmp_path / "plain"))
    (tmp_path / "file").write_text("")
    world.cache = tmp_path / "file" / "cache"
    world.sync(WHEEL, install_options=SYMLINK)
    assert judge(tmp_path / "plain") == {"one": "1.0"}
    assert not [path for path in (tmp_path / "plain").rglob("*") if path.is_symlink()]
    assert any("copying instead" in note for note in world.notes)
