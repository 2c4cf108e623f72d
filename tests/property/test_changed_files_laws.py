"""Laws of what a sync relies on: whatever became of a file of the target or of the cache is noticed, or documented.

In every position: the first and the last file, library folders, scripts, data, and all of the metadata; by one process
and by two; with the size and the time that the file had, where that is possible.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.cli.fast_path import sync as recorded_sync
from lockset.cli.main import main
from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError
from lockset.sync.disk.apply import stage
from lockset.sync.disk.inspect import installed_scan
from lockset.sync.target import STORE_FOLDER
from support.builders.locks import locked_file, write_lock
from support.builders.wheel import make_wheel
from support.posix import make_pipe
from support.worlds.target_world import World, tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and modes")

_EMPTY = {"alpha/__init__.py": "", "alpha/deep/__init__.py": "", "alpha/deep/er/module.py": "deep = True\n"}
_DATA = {"alpha-1.0.data/data/share/alpha/table.csv": "a,b\n", "alpha-1.0.data/headers/alpha.h": "#define A\n"}
WHEELS = (
    make_wheel(
        "alpha",
        files={**_EMPTY, **_DATA, "alpha/zz.so": b"\x7fELF" * 50, "single.py": "x = 1\n"},
        entry_points={"console_scripts": {"alpha": "alpha:main"}},
        scripts={"made-for-python": "#!python\nprint(1)\n", "plain": "#!/bin/sh\n"},
    ),
    make_wheel("beta", files={"beta/first.py": "1\n", "beta/last.py": "22\n"}),
)
LINKED = make_wheel("gamma", files={"gamma/module.py": "x\n"})


class Changed:
    """A file that was replaced; what it was is kept in the folder `aside`, outside the target."""

    def __init__(self, path: Path, aside: Path) -> None:
        self.path = path
        self.status = path.lstat()
        self.content = path.read_bytes()
        self.kept = aside / "kept"

    def edited(self) -> None:
        """Other content of the same size, at another time."""
        self.path.unlink()
        self.path.write_bytes(_other(self.content))
        os.utime(self.path, ns=(1, 1))

    def longer(self) -> None:
        self.path.unlink()
        self.path.write_bytes(self.content + b"more\n")
        self._restore_time()

    def removed(self) -> None:
        self.path.unlink()

    def linked(self) -> None:
        """A link to the same file elsewhere, which has the time of the file, and its size if a link can."""
        shutil.move(self.path, self.kept)
        self.path.symlink_to(_of_length(str(self.kept), len(self.content)))
        self._restore_time()

    def piped(self) -> None:
        """A pipe, as large as an empty file."""
        self.path.unlink()
        make_pipe(self.path)
        self._restore_time()

    def folder(self) -> None:
        self.path.unlink()
        self.path.mkdir()
        self._restore_time()

    def restored(self) -> None:
        """Other content with the size and the time of the file, in place: its folder keeps its time, too."""
        with self.path.open("r+b") as file:
            file.write(_other(self.content))
        self._restore_time()

    def touched(self) -> None:
        os.utime(self.path, ns=(1, 1))

    def unreadable(self) -> None:
        self.path.chmod(0)

    def _restore_time(self) -> None:
        os.utime(self.path, ns=(self.status.st_atime_ns, self.status.st_mtime_ns), follow_symlinks=False)

    def undo(self) -> None:
        """Put a file with the content, the mode and the time that it had."""
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.rmdir()
        self.path.unlink(missing_ok=True)
        self.path.write_bytes(self.content)
        self.path.chmod(self.status.st_mode)
        self._restore_time()

    def is_other(self, change: str) -> bool:
        """Whether the content differs after `change`: an empty file cannot be edited without another size."""
        return bool(self.content) or change != "edited"


NOTICED = {
    "edited": Changed.edited,
    "longer": Changed.longer,
    "removed": Changed.removed,
    "linked": Changed.linked,
    "piped": Changed.piped,
    "folder": Changed.folder,
}
UNNOTICED = {"restored": Changed.restored, "touched": Changed.touched, "unreadable": Changed.unreadable}


def _other(content: bytes) -> bytes:
    """As long as `content`, and different unless that is empty; a RECORD has another hash."""
    at = content.find(b"sha256=") + 7 if b"sha256=" in content else 0
    return content[:at] + bytes(b ^ 1 for b in content[at : at + 1]) + content[at + 1 :]


def _of_length(path: str, size: int) -> str:
    """`path` written with `size` characters, if that is possible."""
    return path if not len(path) < size < 4000 else "/" * (size - len(path)) + path


def install(world: World, **options: Any) -> Any:
    locked = locked_file(LINKED)
    del locked["name"]
    world.offer(LINKED)
    return world.sync(*WHEELS, packages=[{"name": "gamma", "archive": locked}], **options)


def any_file(folder: Path, position: int) -> Path:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return paths[position % len(paths)]


@contextmanager
def processes(number: int) -> Iterator[None]:
    """Few files are many, for this number of processes; threads of other tests do not matter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "active_count", lambda: 1)
        for module in (stage, installed_scan, recorded_sync):
            patch.setattr(module, "_MANY", 1)
            patch.setattr(module, "processors", lambda: number)
        yield


@contextmanager
def new_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lockset-law-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def world_in(folder: Path, target: str) -> World:
    return World(folder=folder / "one" / "world", directory=str(folder / target), cache=folder / "cache")


positions = st.integers(0, 1000)
modes = st.sampled_from(["hardlink", "copy"])
numbers = st.sampled_from([1, 2])


@settings(max_examples=40)
@given(positions, st.sampled_from(sorted(NOTICED)), numbers, modes)
def test_whatever_became_of_a_file_of_the_target_is_noticed_and_repaired(
    position: int, change: str, number: int, mode: str
) -> None:
    with new_folder() as folder, processes(number):
        world, target = world_in(folder, "target"), folder / "target"
        options = InstallOptions(link_mode=mode)
        install(world, install_options=options)
        before = tree(target)
        one = Changed(any_file(target, position), folder)
        NOTICED[change](one)
        assert bool(install(world, check_only=True).plan.changes) == one.is_other(change)
        if change in {"piped", "folder"} and not one.path.parent.name.endswith(".dist-info"):
            # Whatever they hold belongs to no distribution. (A dist-info folder is replaced as a whole.)
            with pytest.raises(LocksetError, match="that belongs to no distribution is at the path"):
                install(world, install_options=options)
            one.path.unlink() if change == "piped" else one.path.rmdir()
        install(world, install_options=options)
        assert tree(target) == before
        assert change != "linked" or one.kept.read_bytes() == one.content


@settings(max_examples=25)
@given(positions, st.sampled_from(sorted(UNNOTICED)), numbers)
def test_only_verifying_notices_what_keeps_its_size_and_its_time(position: int, change: str, number: int) -> None:
    with new_folder() as folder, processes(number):
        world, target = world_in(folder, "target"), folder / "target"
        options = InstallOptions(link_mode="copy")
        install(world, install_options=options)
        before = tree(target)
        one = Changed(any_file(target, position), folder)
        UNNOTICED[change](one)
        assert not install(world, check_only=True).plan.changes
        if change == "restored" and one.content:
            install(world, install_options=options._replace(verify_files=True))
            assert tree(target) == before


@settings(max_examples=40)
@given(positions, st.sampled_from(sorted(NOTICED)), numbers, modes)
def test_whatever_became_of_a_file_of_the_cache_is_not_what_is_installed(
    position: int, change: str, number: int, mode: str
) -> None:
    with new_folder() as folder, processes(number):
        options = InstallOptions(link_mode=mode)
        install(world_in(folder, "first"), install_options=options)
        store = folder / "cache" / STORE_FOLDER
        path = any_file(store, position)
        NOTICED[change](Changed(path, folder))
        install(world_in(folder, "second"), install_options=options)
        assert tree(folder / "second") == tree(folder / "first")


@settings(max_examples=25)
@given(positions, numbers)
def test_a_file_of_the_cache_that_keeps_its_size_and_its_time_is_noticed_by_verifying_alone(
    position: int, number: int
) -> None:
    with new_folder() as folder, processes(number):
        install(world_in(folder, "first"), install_options=InstallOptions(link_mode="copy"))
        one = Changed(any_file(folder / "cache" / STORE_FOLDER, position), folder)
        one.restored()
        verified = InstallOptions(link_mode="copy", verify_files=True)
        install(world_in(folder, "second"), install_options=verified)
        assert tree(folder / "second") == tree(folder / "first")


def without(folder: Path, aside: Path) -> None:
    shutil.rmtree(folder)
    assert aside.is_dir()


def linked(folder: Path, aside: Path) -> None:
    shutil.move(folder, aside / "kept")
    folder.symlink_to(aside / "kept", target_is_directory=True)


def a_file(folder: Path, aside: Path) -> None:
    without(folder, aside)
    folder.write_text("")


FOLDERS = {"removed": without, "linked": linked, "a file": a_file}


def any_folder(folder: Path, position: int) -> Path:
    paths = sorted({path.parent for path in folder.rglob("*") if path.is_file()} - {folder})
    return paths[position % len(paths)]


@settings(max_examples=25)
@given(positions, st.sampled_from(sorted(FOLDERS)), numbers)
def test_whatever_became_of_a_folder_of_the_target_is_noticed_and_repaired(
    position: int, change: str, number: int
) -> None:
    with new_folder() as folder, processes(number):
        world, target = world_in(folder, "target"), folder / "target"
        install(world)
        before = tree(target)
        FOLDERS[change](any_folder(target, position), folder)
        assert install(world).changed
        assert tree(target) == before


@settings(max_examples=25)
@given(positions, st.sampled_from(sorted(FOLDERS)), numbers, modes)
def test_whatever_became_of_a_folder_of_the_cache_what_is_installed_is_right(
    position: int, change: str, number: int, mode: str
) -> None:
    with new_folder() as folder, processes(number):
        options = InstallOptions(link_mode=mode)
        install(world_in(folder, "first"), install_options=options)
        FOLDERS[change](any_folder(folder / "cache" / STORE_FOLDER, position), folder)
        install(world_in(folder, "second"), install_options=options)
        assert tree(folder / "second") == tree(folder / "first")


SYNC = ("sync", "--target", "target", "--link-mode", "copy")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A target that is as locked, which the cache has a record of."""
    folder = tmp_path_factory.mktemp("recorded")
    write_lock(folder / "pylock.toml", (*WHEELS, LINKED))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LOCKSET_CACHE_DIR", str(folder / "cache"))
        assert main([*SYNC]) == 0
        return Recorded(folder / "target", dict(os.environ))


class Recorded:
    """A target, and the variables for which the cache has a record of it."""

    def __init__(self, target: Path, environ: dict[str, str]) -> None:
        self.target = target
        self._environ = environ

    def is_recalled(self) -> bool:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.target.parent)
            return recorded_sync.replay_sync(SYNC, self._environ) is not None


@settings(max_examples=200)
@given(positions, st.sampled_from(sorted(NOTICED)), numbers)
def test_whatever_became_of_a_file_is_noticed_by_the_record_of_the_last_sync(
    recorded: Recorded, position: int, change: str, number: int
) -> None:
    """Also where the folders have the times that they had."""
    with new_folder() as aside, processes(number):
        assert recorded.is_recalled()
        one = Changed(any_file(recorded.target, position), aside)
        folders = [(path, path.stat()) for path in (one.path.parent, one.path.parent.parent)]
        NOTICED[change](one)
        set_times(folders)
        noticed = not recorded.is_recalled()
        one.undo()
        set_times(folders)
        assert noticed
        assert recorded.is_recalled()


def set_times(statuses: Iterable[tuple[Path, os.stat_result]]) -> None:
    for path, status in statuses:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
