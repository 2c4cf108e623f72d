"""What was built from a source once is installed into other targets, if nothing differs that a build depends on."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.sync_pipeline import InstallOptions, RemovalPolicy
from lockset.errors import LocksetError
from lockset.files.record_store import read_record, write_record
from lockset.sync.desired import SourcePolicy
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.worlds.target_world import FakeBuilds, World, entry, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SDIST = make_sdist("sample", "1.0")
PACKAGE = entry(sdist=SDIST)
WHEEL = make_wheel("sample", "1.0", files={"sample/__init__.py": "changed = False\n"})


class Worlds:
    """Targets with one cache and one builder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.builds = FakeBuilds(WHEEL)
        self._count = 0

    def sync(self, package: Any = PACKAGE, **more: Any) -> Path:
        """Sync a new target; its folder."""
        self._count += 1
        folder = self.folder / str(self._count)
        (self.folder / "cache").mkdir(exist_ok=True)
        world = World(folder=folder, directory=str(folder / "target"), cache=self.folder / "cache", builds=self.builds)
        world.offer(SDIST)
        world.sync(packages=[package], **more)
        return folder / "target"


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    return Worlds(tmp_path)


def test_a_source_is_built_once_for_all_targets(worlds: Worlds) -> None:
    first, second = worlds.sync(), worlds.sync()
    assert worlds.builds.count == 1
    assert (first / "sample-1.0.dist-info" / "RECORD").is_file()
    assert tree(first) == tree(second)


def test_a_commit_is_built_once_and_another_one_again(worlds: Worlds) -> None:
    def package(commit: str) -> dict[str, Any]:
        vcs = {"type": "git", "url": "https://user:secret@example.org/x.git", "commit-id": commit * 40}
        return {"name": "sample", "vcs": vcs}

    for commit in "0", "0", "1", "0":
        worlds.sync(package(commit))
    assert worlds.builds.count == 2
    records = [path.read_bytes() for path in (worlds.folder / "cache" / "built-v1").iterdir()]
    assert len(records) == 2
    assert not any(b"secret" in record for record in records)


def test_a_folder_is_built_for_each_target(worlds: Worlds) -> None:
    for name in "1", "2":
        (worlds.folder / name / "source").mkdir(parents=True)
        worlds.sync({"name": "sample", "directory": {"path": "source"}})
    assert worlds.builds.count == 2


def with_another_key(worlds: Worlds) -> None:
    worlds.builds.key = "other"
    worlds.sync()


def without_a_key(worlds: Worlds) -> None:
    worlds.builds.key = None
    worlds.sync()


def with_further_hashes(worlds: Worlds) -> None:
    hashes = {**PACKAGE["sdist"]["hashes"], "sha512": hashlib.sha512(SDIST.content).hexdigest()}
    worlds.sync({**PACKAGE, "sdist": {**PACKAGE["sdist"], "hashes": hashes}})


def with_its_files_verified(worlds: Worlds) -> None:
    worlds.sync(install_options=InstallOptions(verify_files=True))


def reinstalled(worlds: Worlds) -> None:
    worlds.sync(policy=RemovalPolicy(reinstall=frozenset({"sample"})))


def with_all_reinstalled(worlds: Worlds) -> None:
    worlds.sync(policy=RemovalPolicy(reinstall=None))


def without_the_stored_wheel(worlds: Worlds) -> None:
    shutil.rmtree(worlds.folder / "cache" / "wheels-v1")
    worlds.sync()


def with_a_damaged_record(worlds: Worlds) -> None:
    [record] = (worlds.folder / "cache" / "built-v1").iterdir()
    record.write_bytes(record.read_bytes()[:-1])
    worlds.sync()


def with_a_changed_file_in_the_store(worlds: Worlds) -> None:
    [stored] = (worlds.folder / "cache" / "wheels-v1").rglob("__init__.py")
    stored.write_text("changed = True\n")
    target = worlds.sync()
    assert not any(content == b"changed = True\n" for content in tree(target).values())


@pytest.mark.parametrize(
    "sync_again",
    [
        with_another_key,
        without_a_key,
        with_further_hashes,
        with_its_files_verified,
        reinstalled,
        with_all_reinstalled,
        without_the_stored_wheel,
        with_a_damaged_record,
        with_a_changed_file_in_the_store,
    ],
)
def test_a_source_is_built_again(worlds: Worlds, sync_again: Callable[[Worlds], None]) -> None:
    worlds.sync()
    sync_again(worlds)
    assert worlds.builds.count == 2


@pytest.mark.parametrize("value", [("a", "zz/../.."), ("a\0b", "a\0b"), ("a", "A" * 64), ("a", ""), (1, 2), "xy", None])
def test_a_forged_record_leads_to_a_build(worlds: Worlds, value: Any) -> None:
    worlds.sync()
    [record] = (worlds.folder / "cache" / "built-v1").iterdir()
    key, _ = read_record(str(record))
    write_record(str(record), (key, value))
    worlds.sync()
    assert worlds.builds.count == 2


def test_a_weak_hash_identifies_no_source(worlds: Worlds) -> None:
    sdist = {**PACKAGE["sdist"], "hashes": {"md5": hashlib.md5(SDIST.content, usedforsecurity=False).hexdigest()}}
    for _ in range(2):
        worlds.sync({**PACKAGE, "sdist": sdist}, allowed=SourcePolicy(weak_hash=True))
    assert worlds.builds.count == 2


def test_what_was_built_is_no_way_around_builds_that_are_off(worlds: Worlds) -> None:
    worlds.sync()
    folder = worlds.folder / "off"
    world = World(folder=folder, directory=str(folder / "target"), cache=worlds.folder / "cache")
    world.offer(SDIST)
    with pytest.raises(LocksetError) as caught:
        world.sync(packages=[PACKAGE])
    assert caught.value.diagnostic.code == "build-needed"


def test_a_wheel_for_another_python_is_not_used(worlds: Worlds) -> None:
    worlds.builds = FakeBuilds(make_wheel("sample", "1.0", tags="cp27-cp27m-win32"))
    for _ in range(2):
        with pytest.raises(LocksetError) as caught:
            worlds.sync()
        assert caught.value.diagnostic.code == "build-unfit"
    assert worlds.builds.count == 2
