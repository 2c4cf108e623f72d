"""No byte is used before it is known to be one of those that were locked, and no other byte is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS, Digest
from lockset.progress import NullListener
from lockset.sync.desired import DesiredDistribution
from lockset.sync.disk.store.archives import Archives
from lockset.sync.disk.store.cache import Cache
from support.builders.locks import locked_file
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.worlds.target_world import FILES, FakeDownloads, World, entry, judge

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.index.ports import Sink

WHEEL = make_wheel("one", "1.0")


def hashed(algorithm: str, content: bytes = WHEEL.content) -> str:
    return hashlib.new(algorithm, content).hexdigest()


@pytest.fixture
def world(tmp_path: Path) -> World:
    result = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    result.offer(WHEEL)
    return result


def locked(**change: Any) -> dict[str, Any]:
    return {"name": "one", "version": "1.0", "wheels": [locked_file(WHEEL) | change]}


@pytest.mark.parametrize("algorithm", STRONG_ALGORITHMS)
@pytest.mark.parametrize("upper", [False, True])
def test_one_strong_hash_is_enough(world: World, tmp_path: Path, algorithm: str, *, upper: bool) -> None:
    value = hashed(algorithm)
    hashes = {algorithm.upper(): value.upper()} if upper else {algorithm: value}
    world.sync(packages=[locked(hashes=hashes)])
    assert judge(tmp_path / "target") == {"one": "1.0"}


@pytest.mark.parametrize(
    "hashes",
    [
        {},
        {"md5": hashed("md5")},
        {"sha1": hashed("sha1")},
        {"md5": hashed("md5"), "sha1": hashed("sha1"), "sha224": hashed("sha224")},
        {"sha256 ": hashed("sha256")},
        {"blake3": "0" * 64},
        {"sha256": hashed("sha256")[:-1]},
        {"sha256": hashed("sha256") + "00"},
        {"sha256": hashed("sha512")},
        {"sha256": ""},
        {"sha256": hashed("sha256"), "md5": "0" * 32},
        {"sha256": hashed("sha256"), "blake2b": "0" * 128},
        {"sha256": hashed("sha256"), "SHA256": "0" * 64},
    ],
    ids=str,
)
def test_weak_hashes_alone_and_wrong_hashes_next_to_strong_ones_are_refused(
    world: World, tmp_path: Path, hashes: dict[str, str]
) -> None:
    with pytest.raises(LocksetError):
        world.sync(packages=[locked(hashes=hashes)])
    assert not (tmp_path / "target").exists()


@dataclass(kw_only=True)
class Endless:
    """A server that never stops."""

    sent: int = 0
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        del limit
        self.asked.append(url)
        while self.sent < 1 << 24:
            self.sent += 100
            sink.write(b"x" * 100)


def test_a_download_ends_at_the_first_piece_beyond_the_locked_size(world: World, tmp_path: Path) -> None:
    endless = Endless()
    world.downloads = endless  # type: ignore[assignment]
    with pytest.raises(LocksetError, match="not the file that was locked"):
        world.sync(packages=[locked()])
    assert WHEEL.size < endless.sent <= WHEEL.size + 100
    assert not (tmp_path / "target").exists()


def kept(cache: Path) -> list[str]:
    """What a cache holds of archives and wheels."""
    return [
        str(path)
        for path in cache.rglob("*")
        if path.is_file() and "interpreters" not in str(path) and path.name != ".lock"
    ]


@pytest.mark.parametrize("change", [{"hashes": {"sha256": "0" * 64}}, {"size": 1}, {"size": WHEEL.size + 1}], ids=str)
def test_refused_bytes_are_not_kept(world: World, change: dict[str, Any]) -> None:
    with pytest.raises(LocksetError):
        world.sync(packages=[locked(**change)])
    assert world.cache is not None
    assert kept(world.cache) == []


def test_a_wheel_that_is_refused_for_its_content_is_not_kept(world: World) -> None:
    other = make_wheel("two", "1.0")
    named = {"name": WHEEL.filename, "url": f"{FILES}/{other.filename}"}
    world.offer(other)
    with pytest.raises(LocksetError, match="two"):
        world.sync(packages=[{"name": "one", "version": "1.0", "wheels": [locked_file(other) | named]}])
    assert world.cache is not None
    assert kept(world.cache) == []


def test_a_url_is_not_a_key(world: World, tmp_path: Path) -> None:
    """The same address gives other bytes now, and these are locked."""
    world.sync(packages=[locked()])
    other = make_wheel("one", "1.0", files={"one/new.py": ""})
    world.offer(other)
    world.sync(packages=[entry(other)])
    assert (tmp_path / "target/one/new.py").exists()
    assert len(world.downloads.asked) == 2


def test_a_source_whose_hash_is_wrong_is_never_built(world: World) -> None:
    class Builds:
        def build_key(self, name: str) -> str:
            return name

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    sdist = make_sdist("one", "1.0")
    world.offer(sdist)
    world.builds = Builds()
    wrong = {"name": "one", "version": "1.0", "sdist": locked_file(sdist) | {"hashes": {"sha256": "0" * 64}}}
    with pytest.raises(LocksetError, match="not the file that was locked"):
        world.sync(packages=[wrong])


def test_what_was_verified_is_what_is_read_whatever_takes_its_place_meanwhile(tmp_path: Path) -> None:
    wanted = DesiredDistribution(
        name="one",
        version_text=None,
        kind="wheel",
        digests=(Digest("sha256", WHEEL.sha256),),
        size=WHEEL.size,
        filename=WHEEL.filename,
        url=f"{FILES}/{WHEEL.filename}",
    )
    downloads = FakeDownloads(files={f"{FILES}/{WHEEL.filename}": WHEEL.content})
    with Cache(tmp_path, NullListener()) as cache:
        for _ in ("fetched", "remembered"):
            archives = Archives(cache, lambda: downloads, stopped=lambda: False)
            with archives.open(wanted, keep=True) as file:
                (stored,) = tmp_path.glob("archives-v1/*")
                stored.rename(tmp_path / "aside")
                stored.write_bytes(b"evil")
                assert file.read() == WHEEL.content
                (tmp_path / "aside").rename(stored)
    assert len(downloads.asked) == 1
