"""Files that commands are asked to write: whole or not at all, for whom they were meant, never through something."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.files.output_file import replacing, write_lock_files, write_output
from support.posix import make_pipe

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes as POSIX has them")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0, 0o666)])
def test_a_new_file_is_for_whom_the_mask_of_the_user_lets(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_output(str(tmp_path / "pylock.toml"), b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "pylock.toml").stat().st_mode) == mode
    assert names(tmp_path) == ["pylock.toml"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    goal = tmp_path / "pylock.toml"
    goal.write_bytes(b"old")
    goal.chmod(mode)
    write_output(str(goal), b"new")
    assert (goal.read_bytes(), stat.S_IMODE(goal.stat().st_mode)) == (b"new", mode)


def _pipe(path: Path) -> None:
    make_pipe(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _device(path: Path) -> None:
    path.symlink_to("/dev/null")


def _pipe_behind_a_link(path: Path) -> None:
    make_pipe(path.with_name("pipe"))
    path.symlink_to("pipe")


@pytest.mark.parametrize("stand", [_pipe, _folder, _device, _pipe_behind_a_link])
@pytest.mark.parametrize("name", ["pylock.toml", ".pylock.toml.new"])
def test_only_regular_files_are_replaced_and_pipes_never_block(tmp_path: Path, stand: object, name: str) -> None:
    stand(tmp_path / name)  # type: ignore[operator]
    before = {path.name: path.lstat() for path in tmp_path.iterdir()}
    with pytest.raises(OSError, match=r"regular|directory|levels"):
        write_output(str(tmp_path / "pylock.toml"), b"new")
    assert {path.name: path.lstat().st_mode for path in tmp_path.iterdir() if path.name != name} == {
        other: result.st_mode for other, result in before.items() if other != name
    }
    if name == "pylock.toml":
        assert (tmp_path / name).lstat().st_ino == before[name].st_ino


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_replaced_and_what_it_points_to_left_alone(tmp_path: Path, *, there: bool) -> None:
    elsewhere, goal = tmp_path / "elsewhere", tmp_path / "project" / "pylock.toml"
    goal.parent.mkdir()
    goal.symlink_to(elsewhere)
    if there:
        elsewhere.write_bytes(b"canary")
    write_output(str(goal), b"new")
    assert (goal.is_symlink(), goal.read_bytes()) == (False, b"new")
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == (b"canary" if there else None)


def test_of_many_that_write_at_once_one_is_there_whole(tmp_path: Path) -> None:
    contents = [bytes([number]) * (1 << 18) for number in range(8)]
    goal = str(tmp_path / "pylock.toml")
    with ThreadPoolExecutor(len(contents)) as pool:
        list(pool.map(lambda content: write_output(goal, content), contents))
    assert (tmp_path / "pylock.toml").read_bytes() in contents
    assert names(tmp_path) == ["pylock.toml"]


def test_leftovers_of_a_killed_run_are_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".pylock.toml.new").write_bytes(b"half of it, and longer than what is written now")
    write_output(str(tmp_path / "pylock.toml"), b"new")
    assert names(tmp_path) == ["pylock.toml"]
    assert (tmp_path / "pylock.toml").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "p.toml"])
def test_the_name_may_be_as_long_as_any(tmp_path: Path, name: str) -> None:
    if not name.isascii() and sys.getfilesystemencoding() == "ascii":
        pytest.skip("this locale has ASCII names alone")
    write_output(str(tmp_path / name), b"new")
    assert names(tmp_path) == [name]


def _interrupted(path: str) -> None:
    with replacing(path, seconds=1) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_what_ends_by_an_exception_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(str(tmp_path / "x"))
    assert (names(tmp_path), (tmp_path / "x").read_bytes()) == (["x"], b"old")


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_output(str(tmp_path / "missing" / "pylock.toml"), b"new")
    assert names(tmp_path) == []


def test_several_lock_files_are_written_and_those_that_are_the_same_are_left_alone(tmp_path: Path) -> None:
    same, changed = tmp_path / "pylock.toml", tmp_path / "pylock.a.toml"
    same.write_text("same")
    changed.write_text("old")
    os.utime(same, ns=(1, 1))
    write_lock_files([(same, "same"), (changed, "new"), (tmp_path / "pylock.b.toml", "first"), (None, "no file")])
    assert same.stat().st_mtime_ns == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "pylock.toml": "same", "pylock.a.toml": "new", "pylock.b.toml": "first"
    }  # fmt: skip


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_full_disk_leaves_all_of_several_lock_files_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    files = [tmp_path / f"pylock.{name}.toml" for name in "abc"]
    for file in files[:2]:
        file.write_text("old")
    calls = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("lockset.files.output_file.os.fsync", fsync)
    with pytest.raises(LocksetError) as caught:
        write_lock_files([(file, "new") for file in files])
    assert caught.value.diagnostic.code == "output-not-writable"
    assert f"pylock.{'abc'[failing - 1]}.toml" in caught.value.diagnostic.message
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        ["pylock.a.toml", "pylock.b.toml"], "old"
    )
