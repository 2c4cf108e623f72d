"""The archive of a wheel is not kept once its files are in the cache; everything that needs it fetches it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError, OfflineError
from lockset.hashes import Digest
from lockset.progress import NullListener
from lockset.sync.desired import DesiredDistribution
from lockset.sync.disk.store import archives
from lockset.sync.disk.store.cache import Cache
from lockset.sync.disk.store.wheelhouse import fill_wheelhouse
from support.builders.wheel import make_wheel
from support.worlds.target_world import FILES, FakeDownloads, World, judge, tree

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.index.ports import Sink

WHEEL = make_wheel("one", "1.0", files={"one.py": "good"})
URL = f"{FILES}/{WHEEL.filename}"
VERIFY = InstallOptions(verify_files=True)


@dataclass
class NoNetwork(FakeDownloads):
    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        del sink, limit
        raise OfflineError(
            f"{url} is not in the cache, and the network is disabled", hint="Run again without `--offline`"
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path / "world", directory=str(tmp_path / "a"))


@pytest.fixture
def cache(world: World) -> Path:
    assert world.cache is not None
    return world.cache


@pytest.mark.parametrize("limit", [0, archives._IN_MEMORY])
def test_no_archive_stays_in_the_cache_after_a_sync(
    world: World, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(archives, "_IN_MEMORY", limit)
    world.sync(WHEEL)
    assert judge(tmp_path / "a") == {"one": "1.0"}
    content = WHEEL.content
    assert not [path for path in cache.rglob("*") if path.is_file() and path.read_bytes() == content]
    assert list((cache / "tmp").iterdir()) == []


def test_an_archive_that_an_older_version_kept_is_used(world: World, cache: Path, tmp_path: Path) -> None:
    folder = cache / "archives-v1"
    folder.mkdir()
    (folder / f"sha256-{WHEEL.sha256}").write_bytes(WHEEL.content)
    world.sync(WHEEL)
    assert judge(tmp_path / "a") == {"one": "1.0"}
    assert world.downloads.asked == []


def test_a_changed_file_of_the_cache_is_fetched_again(world: World, cache: Path, tmp_path: Path) -> None:
    world.sync(WHEEL)
    (cache / "wheels-v1" / f"sha256-{WHEEL.sha256}" / "purelib/one.py").write_text("evil code")
    world.directory = str(tmp_path / "b")
    world.sync(WHEEL)
    assert world.downloads.asked == [URL, URL]
    assert (tmp_path / "b/one.py").read_text() == "good"


def test_a_changed_file_of_the_cache_is_refused_without_a_network(world: World, cache: Path, tmp_path: Path) -> None:
    world.sync(WHEEL)
    (cache / "wheels-v1" / f"sha256-{WHEEL.sha256}" / "purelib/one.py").write_text("evil code")
    world.directory, world.downloads = str(tmp_path / "b"), NoNetwork()
    (tmp_path / "b").mkdir()
    with pytest.raises(LocksetError) as caught:
        world.sync(WHEEL)
    assert caught.value.diagnostic.code == "offline"
    assert caught.value.diagnostic.context == ("The files of one in the cache were changed since they were unpacked",)
    assert tree(tmp_path / "b") == {}


def test_files_are_verified_without_a_network_once_they_were_verified_with_one(world: World, tmp_path: Path) -> None:
    world.sync(WHEEL, install_options=VERIFY)
    world.directory, world.downloads = str(tmp_path / "b"), NoNetwork()
    world.sync(WHEEL, install_options=VERIFY)
    assert judge(tmp_path / "b") == {"one": "1.0"}


def test_files_cannot_be_verified_with_neither_archive_nor_network(world: World, tmp_path: Path) -> None:
    world.sync(WHEEL)
    world.directory, world.downloads = str(tmp_path / "b"), NoNetwork()
    with pytest.raises(LocksetError, match="the network is disabled") as caught:
        world.sync(WHEEL, install_options=VERIFY)
    assert caught.value.diagnostic.context == (
        f"The cache has the files of `{WHEEL.filename}`, but not the archive itself",
    )


def fill(folder: Path, world: World) -> tuple[bool, ...]:
    digests = (Digest("sha256", WHEEL.sha256),)
    wanted = DesiredDistribution("one", None, "wheel", WHEEL.filename, URL, digests=digests, size=WHEEL.size)
    listener, downloads = NullListener(), world.downloads
    with Cache(world.cache, listener) as cache:
        return fill_wheelhouse(
            str(folder), [wanted], cache=cache, downloads=lambda: downloads, folders=(), listener=listener
        )


def test_a_wheelhouse_gets_the_archive_after_a_sync_that_kept_none(world: World, tmp_path: Path) -> None:
    world.sync(WHEEL)
    assert fill(tmp_path / "wheels", world) == (True,)
    assert (tmp_path / "wheels" / WHEEL.filename).read_bytes() == WHEEL.content
    assert world.downloads.asked == [URL, URL]


def test_a_second_wheelhouse_needs_no_network(world: World, tmp_path: Path) -> None:
    world.offer(WHEEL)
    fill(tmp_path / "one", world)
    world.downloads = NoNetwork()
    assert fill(tmp_path / "two", world) == (True,)


def test_a_wheelhouse_without_network_says_that_the_cache_has_files_only(world: World, tmp_path: Path) -> None:
    world.sync(WHEEL)
    world.downloads = NoNetwork()
    with pytest.raises(LocksetError, match="the network is disabled") as caught:
        fill(tmp_path / "wheels", world)
    assert "but not the archive itself" in caught.value.diagnostic.context[0]
    assert list((tmp_path / "wheels").iterdir()) == []
