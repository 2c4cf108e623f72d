"""The record of a sync with nothing to do holds only while every file is as it was, whoever looks at it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.cli.fast_path import sync
from lockset.cli.fast_path.command_key import key_of, record_location
from lockset.cli.fast_path.sync import replay_sync, save_sync_record
from lockset.files import system
from lockset.files.record_store import read_head

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.sync.disk.inspect.snapshot import FileStamps

# The process of a command has one thread here; that of the tests may have more.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="one process alone looks at the files")
ARGUMENTS = ["sync", "pylock.toml"]
KILL = 9  # the signal, which Windows lacks
# More than two parts, of which the last one is not full.
COUNT = 2 * sync._PART + 9


@pytest.fixture(params=[0, 1, 3], ids=["alone", "one more process", "three more processes"])
def helpers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many further processes there are."""
    number: int = request.param
    monkeypatch.setattr(sync, "processors", lambda: number + 1)
    monkeypatch.setattr(sync, "_MANY", 1)
    return number


class World:
    """Files in a library and elsewhere, with the record of a sync that verified them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOCKSET_CACHE_DIR", str(root / "cache"))
        self.library, self.scripts = root / "library", root / "bin"
        self.files = [self.library / f"deep/more/m{number}.py" for number in range(COUNT)]
        self.files += [self.library / "a b \u00e9.dist-info/RECORD", self.scripts / "tool"]
        for number, path in enumerate(self.files):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x" * (number % 7 + 2))
        self.record()

    def record(self) -> None:
        """Record the files, in each of the forms: below a folder, of one distribution, some of them elsewhere."""
        modules, info, script = self.files[:COUNT], self.files[COUNT], self.files[COUNT + 1]
        half, deep = COUNT // 2, self.library / "deep"
        save_sync_record(
            os.environ["LOCKSET_CACHE_DIR"],
            key_of(ARGUMENTS, os.environ),
            looked=[],
            locks=[],
            libraries=[str(self.library)],
            files=[
                self.stamps(modules[:half], f"{deep}{os.sep}"),
                self.stamps([info], str(info.parent)),
                ("", "", (), ()),
                self.stamps([*modules[half:], script], ""),
            ],
            output="Nothing to do\n",
        )

    def stamps(self, paths: list[Path], above: str) -> FileStamps:
        """The files `paths`, whose texts all start with `above`."""
        statuses = [path.stat() for path in paths]
        ends = "\0".join(str(path)[len(above) :] for path in paths)
        return above, ends, [one.st_size for one in statuses], [one.st_mtime_ns for one in statuses]

    def stands(self) -> bool:
        return replay_sync(ARGUMENTS, os.environ) == "Nothing to do\n"

    def record_file(self) -> Path:
        return next((self.library.parent / "cache/recall-v1").iterdir())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def cut(path: Path) -> None:
    time = path.stat().st_mtime_ns
    path.write_text("")
    os.utime(path, ns=(time, time))


def touch(path: Path) -> None:
    time = path.stat().st_mtime_ns + 1000
    os.utime(path, ns=(time, time))


def link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to(path.with_name("other"))


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


HARM: dict[str, Callable[[Path], object]] = {
    "its size": cut,
    "its time": touch,
    "it is gone": os.unlink,
    "it is a link": link,
    "it is a folder": replace_by_folder,
}


@pytest.mark.usefixtures("helpers")
def test_unchanged_files_need_no_sync_wherever_they_are(world: World) -> None:
    here = os.getcwd()
    assert world.stands()
    assert os.getcwd() == here


def test_a_working_folder_to_which_nobody_may_return_is_not_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here, change = os.getcwd(), os.chdir

    def changed(path: str) -> None:
        if path == here:
            raise PermissionError(path)
        change(path)

    monkeypatch.setattr(os, "chdir", changed)
    assert not world.stands()
    monkeypatch.undo()
    there = os.getcwd()
    os.chdir(here)
    assert there == here


@pytest.mark.usefixtures("helpers")
@pytest.mark.parametrize("harm", HARM.values(), ids=HARM)
@pytest.mark.parametrize(
    "number", [0, sync._PART, COUNT - 1, COUNT, COUNT + 1], ids=["first", "middle", "last", "info", "script"]
)
def test_a_change_of_any_file_is_seen(world: World, harm: Callable[[Path], object], number: int) -> None:
    harm(world.files[number])
    assert not world.stands()


@pytest.mark.usefixtures("helpers")
def test_a_changed_byte_anywhere_in_the_record_is_seen(world: World) -> None:
    path = world.record_file()
    data = path.read_bytes()
    for place in {*range(0, len(data), 997), *range(24), len(data) - 1}:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :])
        assert not world.stands(), place
    for size in (0, 3, 11, 12, 40, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        assert not world.stands(), size
    path.write_bytes(data)
    assert world.stands()


@pytest.mark.parametrize("number", [1, 255, 256, 300])
def test_a_target_of_any_number_of_folders_is_recorded_or_not_without_an_error(tmp_path: Path, number: int) -> None:
    key = key_of(ARGUMENTS, os.environ)
    libraries = [str(tmp_path / f"library{count}") for count in range(number)]
    save_sync_record(str(tmp_path), key, looked=[], locks=[], libraries=libraries, files=[], output="done")
    assert Path(record_location(str(tmp_path), key)).exists() == (number < 255)


def test_a_part_that_another_part_has_overwritten_is_seen(world: World) -> None:
    """As a disk that lost power may leave it: its files would be looked at twice, and the others not at all."""
    path = world.record_file()
    data = path.read_bytes()
    with path.open("rb") as file:
        head = read_head(file.fileno())
    assert head is not None
    (first, size, _), (second, room, _) = sorted(head[2][:2], key=lambda part: part[1])
    assert size <= room
    path.write_bytes(data[:second] + data[first : first + size] + data[second + size :])
    assert not world.stands()


@POSIX
@given(count=st.integers(0, 256), wrong=st.sets(st.integers(0, 255), max_size=3), helpers=st.integers(0, 3))
def test_the_answer_is_the_same_however_many_processes_look(count: int, wrong: set[int], helpers: int) -> None:
    same = sync._all_true(count, lambda number: number not in wrong, helpers=helpers)
    assert same == all(number not in wrong for number in range(count))


@POSIX
def test_every_number_is_checked_once(tmp_path: Path) -> None:
    checked = tmp_path / "checked"
    descriptor = os.open(checked, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    assert sync._all_true(256, lambda number: os.write(descriptor, bytes([number])) == 1, helpers=2)
    os.close(descriptor)
    assert sorted(checked.read_bytes()) == list(range(256))


@POSIX
@pytest.mark.parametrize("how", ["killed", "an error"])
def test_a_process_that_does_not_finish_has_checked_nothing(how: str) -> None:
    own = os.getpid()
    reader, writer = os.pipe()

    def check(_: int) -> bool:
        if os.getpid() == own:
            return os.read(reader, 1) == b"x"  # once the other one has a number
        os.write(writer, b"x")
        if how == "killed":
            os.kill(os.getpid(), KILL)
        raise ValueError("malformed")

    with open(os.devnull, "w") as null:
        saved = os.dup(2)
        os.dup2(null.fileno(), 2)  # the traceback of the error
        try:
            assert not sync._all_true(2, check, helpers=1)
        finally:
            os.dup2(saved, 2)
            for descriptor in (saved, reader, writer):
                os.close(descriptor)


@POSIX
@pytest.mark.parametrize("started", [0, 1])
def test_where_no_process_can_be_started_nothing_is_left_running(monkeypatch: pytest.MonkeyPatch, started: int) -> None:
    left = [started]

    def fork(work: Callable[[], bool]) -> Any:
        if not left[0]:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        left[0] -= 1
        return system.fork(work)

    monkeypatch.setattr(sync, "fork", fork)
    with pytest.raises(BlockingIOError):
        sync._all_true(9, lambda _: True, helpers=2)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, 0)


def test_systems_without_fork_look_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "fork", lambda _: None)
    monkeypatch.setattr(sync, "processors", lambda: 4)
    monkeypatch.setattr(sync, "_MANY", 1)
    assert world.stands()
    touch(world.files[-1])
    assert not world.stands()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_text_are_looked_at(world: World) -> None:
    path = world.library / os.fsdecode(b"deep/\xff.py")
    path.write_text("x")
    world.files[0] = path
    world.record()
    assert world.stands()
    touch(path)
    assert not world.stands()
