"""Distributions of before RECORD: those that list their files go as others do, others are refused and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.venvs import VenvMaker

LISTED = "../old/__init__.py\n../old/more.py\nPKG-INFO\ninstalled-files.txt\n"


def egg(library: Path, listed: str | None) -> None:
    info = library / "old-1.0-py3.8.egg-info"
    info.mkdir(parents=True)
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: Old\nVersion: 1.0\n")
    (library / "old").mkdir()
    for name in ("__init__", "more"):
        (library / "old" / f"{name}.py").write_text("x = 1\n")
    if listed is not None:
        (info / "installed-files.txt").write_text(listed)


def test_an_egg_info_with_a_file_list_is_replaced_completely(tmp_path: Path) -> None:
    egg(tmp_path / "target", LISTED)
    done = World(folder=tmp_path / "world", directory=str(tmp_path / "target")).sync(make_wheel("old", "1.0"))
    assert [(step.action, step.old_version) for step in done.plan.steps] == [("change", "1.0")]
    assert judge(tmp_path / "target") == {"old": "1.0"}
    assert not (tmp_path / "target/old/more.py").exists()
    assert not (tmp_path / "target/old-1.0-py3.8.egg-info").exists()


def test_an_egg_info_with_a_file_list_is_removed_when_not_locked(tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    before = tree(venv.site_packages)
    egg(venv.site_packages, LISTED)
    done = World(folder=tmp_path / "world", python=str(venv.path)).sync()
    assert [(step.action, step.name) for step in done.plan.changes] == [("remove", "old")]
    assert tree(venv.site_packages) == before


@pytest.mark.parametrize(
    "row", ["../../canary", "/{canary}", "../../target/../canary", "..", ".", "", "../other.py/.."]
)
def test_no_row_removes_anything_else(tmp_path: Path, row: str) -> None:
    egg(tmp_path / "target", LISTED + row.format(canary=tmp_path / "canary") + "\n")
    (tmp_path / "canary").write_text("alive")
    (tmp_path / "target/user.py").write_text("user")
    World(folder=tmp_path / "world", directory=str(tmp_path / "target")).sync(make_wheel("old", "2.0"))
    assert (tmp_path / "canary").read_text() == "alive"
    assert (tmp_path / "target/user.py").read_text() == "user"
    assert judge(tmp_path / "target") == {"old": "2.0"}


def test_an_egg_info_without_a_file_list_is_refused(tmp_path: Path, make_venv: VenvMaker) -> None:
    venv = make_venv("env")
    egg(venv.site_packages, None)
    before = tree(venv.site_packages)
    world = World(folder=tmp_path / "world", python=str(venv.path))
    (step,) = world.sync(check_only=True).plan.steps
    assert (step.action, step.reason) == ("remove", "not in the lock file")
    assert "__init__.py` and 1 more may belong to it" in step.blocked
    for wheels in ([], [make_wheel("old", "2.0")]):
        with pytest.raises(LocksetError, match="without leaving files behind"):
            world.sync(*wheels)
    assert tree(venv.site_packages) == before


def test_the_name_comes_from_the_metadata(tmp_path: Path) -> None:
    """As `importlib.metadata` has it: else one project would be there twice."""
    egg(tmp_path / "target", LISTED)
    (tmp_path / "target/old-1.0-py3.8.egg-info").rename(tmp_path / "target/other.egg-info")
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(make_wheel("old", "2.0"))
    assert judge(tmp_path / "target") == {"old": "2.0"}
    assert not (tmp_path / "target/other.egg-info").exists()
