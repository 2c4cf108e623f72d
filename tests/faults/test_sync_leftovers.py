"""What others have left in a target or in the cache stops no sync, and is not waited for."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.posix import make_pipe
from support.worlds.target_world import judge, tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes with names are POSIX's")

FILES = {"one/__init__.py": "x = 1\n", "one/data/deep.txt": "deep"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one", files=FILES)])
    return tmp_path


def put(path: Path, kind: str | bytes) -> None:
    """`kind` at `path` instead of what is there."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(kind, bytes):
        path.write_bytes(kind)
    elif kind == "pipe":
        make_pipe(path)
    else:
        path.mkdir()


KINDS = [b"\0garbage\xff", b"[" * 100_000, "pipe", "folder"]


@pytest.mark.parametrize("kind", KINDS, ids=["garbage", "deep", "pipe", "folder"])
def test_whatever_stands_where_state_belongs_a_sync_ends_exact(cli: Command, folder: Path, kind: str | bytes) -> None:
    target = folder / "out"
    info = target / "one-1.0.dist-info"
    cli.ok("sync", "--target", "out")
    wanted = tree(target)
    for name in ("RECORD", "METADATA", "provenance_url.json", "INSTALLER"):
        put(info / name, kind)
        cli.ok("sync", "--target", "out")
        assert tree(target) == wanted, name
    put(target / ".lockset/journal", kind)
    cli.ok("sync", "--target", "out")
    assert tree(target) == wanted
    if kind != "folder":
        put(target / ".lockset", kind)
        cli.ok("sync", "--target", "out")
        assert tree(target) == wanted
    put(target / ".lockset.lock", kind)
    cli.ok("sync", "--target", "out")
    assert tree(target) == wanted


def test_a_link_where_the_lock_of_a_target_belongs_is_removed_and_not_followed(cli: Command, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/.lockset.lock").symlink_to(folder / "elsewhere")
    cli.ok("sync", "--target", "out")
    assert not (folder / "elsewhere").exists()
    assert not list((folder / "out").glob(".lockset*"))


@pytest.mark.parametrize("version", ["9" * 5000, "none", ""])
def test_a_version_that_is_none_is_another_one(cli: Command, folder: Path, version: str) -> None:
    cli.ok("sync", "--target", "out")
    wanted = tree(folder / "out")
    put(folder / "out/one-1.0.dist-info/METADATA", f"Name: one\nVersion: {version}\n".encode())
    cli.ok("sync", "--target", "out")
    assert tree(folder / "out") == wanted


@pytest.mark.parametrize("kind", KINDS, ids=["garbage", "deep", "pipe", "folder"])
def test_whatever_stands_in_the_cache_a_sync_ends_exact(cli: Command, folder: Path, kind: str | bytes) -> None:
    cache = folder / "cache"
    env = {"LOCKSET_CACHE_DIR": str(cache)}
    for _ in range(2):
        cli.ok("sync", "--target", "out", env=env)
    wanted = tree(folder / "out")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (cache, *cache.iterdir()) if path.is_dir()} == {0o700}
    locations = [path for path in cache.rglob("*") if path.is_file() and "purelib" not in path.parts]
    assert len(locations) >= 5
    for location in locations:
        put(location, kind)
        cli.ok("sync", "--target", "out", "--reinstall", env=env)
        assert tree(folder / "out") == wanted, location


def test_a_record_that_lost_its_end_is_repaired(cli: Command, folder: Path) -> None:
    cli.ok("sync", "--target", "out")
    wanted = tree(folder / "out")
    record = folder / "out/one-1.0.dist-info/RECORD"
    lines = record.read_text().splitlines(keepends=True)
    for count in range(len(lines)):
        record.unlink()
        record.write_text("".join(lines[:count]))
        cli.ok("sync", "--target", "out")
        assert tree(folder / "out") == wanted


@pytest.mark.parametrize("row", ["{target}/mine.py", "one/data", ".", "", "../canary", "mine\0.py"])
def test_no_row_of_a_record_removes_what_is_not_the_distribution_s(cli: Command, folder: Path, row: str) -> None:
    (folder / "canary").write_text("alive")
    target = folder / "out"
    cli.ok("sync", "--target", "out")
    (target / "mine.py").write_text("mine")
    (target / "one/data/mine.txt").write_text("mine")
    record = target / "one-1.0.dist-info/RECORD"
    text = record.read_text()
    record.unlink()
    record.write_text(f"{row.format(target=target)},,\n{text}")
    (folder / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "t"\npackages = []\n')
    cli.ok("sync", "--target", "out")
    assert judge(target) == {}
    assert (target / "mine.py").read_text() == (target / "one/data/mine.txt").read_text() == "mine"
    assert (folder / "canary").read_text() == "alive"


@pytest.mark.parametrize(
    "steps",
    [
        [["retire", "link/canary", ".lockset/old/0"]],
        [["place", ".lockset/new/0", "link/canary"]],
        [["place", ".lockset/new/0", "pyvenv.cfg"]],
        [["retire", "../canary", ".lockset/old/0"]],
    ],
)
def test_a_journal_that_somebody_else_wrote_reaches_nothing(cli: Command, folder: Path, steps: list[list[str]]) -> None:
    (folder / "elsewhere").mkdir()
    for canary in (folder / "canary", folder / "elsewhere/canary"):
        canary.write_text("alive")
    area = folder / "out/.lockset"
    (area / "old").mkdir(parents=True)
    (area / "old/0").write_text("evil")
    (folder / "out/link").symlink_to(folder / "elsewhere")
    (folder / "out/pyvenv.cfg").write_text("own")
    (area / "journal").write_text(json.dumps({"format": 1, "areas": [".lockset"], "steps": steps}))
    assert "outside the target" in cli.refused("sync", "--target", "out")
    assert (folder / "canary").read_text() == (folder / "elsewhere/canary").read_text() == "alive"
    assert (folder / "out/pyvenv.cfg").read_text() == "own"


def test_a_file_may_come_where_a_folder_was_and_the_other_way_round(cli: Command, folder: Path) -> None:
    cli.ok("sync", "--target", "out")
    wanted = tree(folder / "out")
    write_lock(folder / "pylock.later.toml", [make_wheel("one", "2.0", files={"one/data": "a file"})])
    for _ in range(2):
        cli.ok("sync", "pylock.later.toml", "--target", "out")
        assert (folder / "out/one/data").read_text() == "a file"
        cli.ok("sync", "--target", "out")
        assert tree(folder / "out") == wanted


def test_addresses_with_credentials_are_not_stored(cli: Command, folder: Path) -> None:
    lock = (folder / "pylock.toml").read_text()
    wheel = next(folder.glob("*.whl"))
    path = f'path = "{wheel.name}"'
    url = f'url = "https://user:S3CRET@example.org/{wheel.name}?t=T0KEN"'
    assert path in lock
    (folder / "pylock.toml").write_text(lock.replace(path, f"{path}\n{url}"))
    env = {"LOCKSET_CACHE_DIR": str(folder / "cache")}
    for _ in range(2):
        cli.ok("sync", "--target", "out", env=env)
    kept = [path for path in (folder / "cache").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"S3CRET" in path.read_bytes() or b"T0KEN" in path.read_bytes()]
