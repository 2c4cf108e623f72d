"""Files reach a target from the folder of their wheel, in whatever way each of them needs."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from lockset.hashes import hash_text
from lockset.progress import NullListener
from lockset.sync.disk.store import link
from lockset.sync.disk.store.link import DamagedStore, Linker
from lockset.sync.wheel.file_lists import StoredFile, StoredGroup
from support.posix import make_pipe

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("plain.py", "folder/deep.py", "other_mode.py", "touched.py")


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    folder = tmp_path / "entry"
    for name in NAMES:
        path = folder / "purelib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o644)
    return folder


@pytest.fixture
def area(tmp_path: Path) -> Path:
    (tmp_path / "area" / "0").mkdir(parents=True)
    return tmp_path / "area"


def stored(folder: Path, *names: str) -> StoredGroup:
    rows = []
    for name in names:
        path = folder / "purelib" / name
        digest = hash_text("sha256", hashlib.sha256(path.read_bytes()).digest())
        size, time = path.stat().st_size, path.stat().st_mtime_ns
        rows.append(StoredFile("purelib", name, digest, size, time, executable=False, rewrite=False))
    return StoredGroup.of_rows("purelib", "", rows)


@pytest.fixture(params=[True, False])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From folder to folder where the system can, and by whole paths."""
    monkeypatch.setattr(link, "_FROM_FOLDERS", link._FROM_FOLDERS and request.param)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("mode", ["auto", "hardlink", "copy"])
def test_every_file_arrives_with_its_content_and_time(entry: Path, area: Path, mode: str) -> None:
    group = stored(entry, *NAMES)
    if os.name == "posix":
        (entry / "purelib/other_mode.py").chmod(0o600)
    os.utime(entry / "purelib/touched.py", ns=(1, 1))
    Linker(mode, NullListener()).put_group(str(entry), group, str(area / "0"))
    for file in group.rows():
        goal = area / "0" / file.path
        status = goal.stat()
        assert (status.st_size, status.st_mtime_ns, status.st_mode & 0o777) == (file.size, file.mtime, 0o644)
        assert goal.read_text(encoding="utf-8") == file.path


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("mode", ["auto", "copy"])
def test_a_changed_file_is_never_put(entry: Path, area: Path, mode: str) -> None:
    group = stored(entry, "plain.py")
    (entry / "purelib/plain.py").write_text("evil.py!")
    with pytest.raises(DamagedStore):
        Linker(mode, NullListener()).put_group(str(entry), group, str(area / "0"))
    assert list((area / "0").glob("*.py")) == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("mode", ["auto", "hardlink", "copy"])
def test_a_path_that_is_taken_is_named(entry: Path, area: Path, mode: str) -> None:
    (area / "0/folder").mkdir()
    (area / "0/folder/deep.py").write_text("mine")
    with pytest.raises(FileExistsError) as caught:
        Linker(mode, NullListener()).put_group(str(entry), stored(entry, *NAMES), str(area / "0"))
    assert caught.value.filename == str(area / "0" / "folder" / "deep.py")
    assert (area / "0/folder/deep.py").read_text() == "mine"


@pytest.mark.skipif(not link._FROM_FOLDERS, reason="paths start at no open folder here")
def test_nearly_every_file_is_linked_from_folder_to_folder(
    entry: Path, area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    linker = Linker("hardlink", NullListener())
    monkeypatch.setattr(linker, "put", lambda source, goal, file: left.append(file.path))
    group = stored(entry, *NAMES)
    (entry / "purelib/other_mode.py").chmod(0o600)
    linker.put_group(str(entry), group, str(area / "0"))
    assert left == ["other_mode.py"]
    assert (entry / "purelib/plain.py").stat().st_ino == (area / "0/plain.py").stat().st_ino


def test_a_wheel_that_is_gone_is_missing(entry: Path, tmp_path: Path, area: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Linker("auto", NullListener()).put_group(str(tmp_path / "gone"), stored(entry, *NAMES), str(area / "0"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_a_wheel_whose_folder_became_something_else_is_damaged(entry: Path, area: Path) -> None:
    group = stored(entry, "plain.py")
    (entry / "purelib").rename(entry / "elsewhere")
    make_pipe(entry / "purelib")
    with pytest.raises(DamagedStore):
        Linker("auto", NullListener()).put_group(str(entry), group, str(area / "0"))
