"""A large sync fills the cache, and the target, from two processes; nobody notices but for the time it takes."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError
from lockset.files import copies
from lockset.sync.disk import workers
from lockset.sync.disk.apply import installer, prepare, stage
from lockset.sync.disk.store.link import Linker
from lockset.sync.disk.workers import assisted, in_turn, meanwhile, with_copy
from lockset.sync.placement import check_locations
from support.builders.wheel import make_wheel
from support.worlds.target_world import FakeDownloads, World, entry, judge, tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.index.ports import Sink

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only there is a copy of a process safe"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

WHEELS = [make_wheel(f"package-{number}", files={f"module_{number}.py": "x" * number}) for number in range(6)]
SECONDS = 60.0
_NUMBERS = 10


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of other tests do not matter."""
    monkeypatch.setattr(copies, "_is_alone", lambda: True)


@pytest.fixture(params=[2, 3, 8])
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few small wheels are worth as many processes as there are processors."""
    processes: int = request.param
    monkeypatch.setattr(prepare, "_MUCH", 1)
    monkeypatch.setattr(prepare, "processors", lambda: processes)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@dataclass
class Late(FakeDownloads):
    """Lets this process wait until another one has stored a wheel."""

    cache: Path | None = None
    process: int = 0

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        if os.getpid() == self.process and self.cache is not None:
            stored = self.cache / "wheels-v1"
            until(lambda: stored.is_dir() and any(stored.iterdir()))
        super().fetch(url, sink, limit=limit)


@pytest.fixture
def world(tmp_path: Path) -> World:
    result = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    result.downloads = Late(cache=result.cache, process=os.getpid())
    return result


@pytest.mark.usefixtures("small")
def test_two_processes_install_what_one_does(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.sync(*WHEELS)
    assert len(judge(tmp_path / "target")) == len(WHEELS)
    # The other process fetched at least one of them.
    assert len(world.downloads.asked) < len(WHEELS)
    monkeypatch.setattr(prepare, "_MUCH", 1 << 40)
    one = World(folder=tmp_path / "one", directory=str(tmp_path / "other"))
    one.sync(*WHEELS)
    assert len(one.downloads.asked) == len(WHEELS)
    assert tree(tmp_path / "target") == tree(tmp_path / "other")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("number", range(4))
def test_a_wrong_file_is_refused_whichever_process_gets_it(world: World, tmp_path: Path, number: int) -> None:
    world.downloads = FakeDownloads()
    world.offer(*WHEELS)
    wrong = make_wheel(f"package-{number}", files={"evil.py": "x"})
    packages = [entry(wheel) for wheel in WHEELS]
    world.offer(wrong)
    with pytest.raises(LocksetError) as caught:
        world.sync(packages=packages)
    assert caught.value.diagnostic.code == "hash-mismatch"
    assert not (tmp_path / "target").exists()


@pytest.mark.usefixtures("small")
def test_what_the_user_should_know_of_a_wheel_is_noted_whichever_process_gets_it(world: World) -> None:
    world.downloads = FakeDownloads()
    world.sync(*[make_wheel(f"package-{number}", wheel_version="1.9") for number in range(6)])
    assert sum("Wheel-Version 1.9" in note for note in world.notes) == len(WHEELS)


@pytest.mark.parametrize("copies", [1, 3])
def test_all_processes_together_take_every_number_once(
    tmp_path: Path, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(mmap.mmap):
        """Leaves the others time between a look and what follows from it."""

        def __getitem__(self, index: Any) -> Any:
            taken = super().__getitem__(index)
            time.sleep(0.05)
            return taken

    monkeypatch.setattr(mmap, "mmap", Slow)

    def take_all(take: Callable[[int], bool], who: str) -> None:
        (tmp_path / f"begun-{who}").touch()
        until(lambda: len(list(tmp_path.glob("begun-*"))) > copies)
        taken = [number for number in range(_NUMBERS) if take(number)]
        (tmp_path / f"taken-{who}").write_text(" ".join(map(str, taken)), encoding="utf-8")

    with assisted(_NUMBERS, lambda number, take: take_all(take, f"copy{number}"), copies=copies) as take:
        take_all(take, "this")
    taken = [int(number) for path in tmp_path.glob("taken-*") for number in path.read_text(encoding="utf-8").split()]
    assert sorted(taken) == list(range(_NUMBERS))


def test_a_process_that_is_killed_while_it_takes_a_number_keeps_no_other_one_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = os.getpid()

    class Fatal(mmap.mmap):
        """Kills the copy that looks at a number, while it has the lock."""

        def __getitem__(self, index: Any) -> Any:
            if os.getpid() != process:
                (tmp_path / "begun").touch()
                time.sleep(0.2)
                os.kill(os.getpid(), 9)
            return super().__getitem__(index)

    monkeypatch.setattr(mmap, "mmap", Fatal)
    with assisted(2, lambda _number, take: take(1)) as take:
        until((tmp_path / "begun").exists)
        assert [take(0), take(0), take(1)] == [True, False, True]


def test_a_process_that_is_slow_while_it_takes_a_number_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = os.getpid()

    class Slow(mmap.mmap):
        """Lets the copy stop after it looked at a number, as on a machine with too much to do."""

        def __getitem__(self, index: Any) -> Any:
            taken = super().__getitem__(index)
            if os.getpid() != process:
                (tmp_path / "begun").touch()
                time.sleep(1.5)
            return taken

    def assist(_: int, take: Callable[[int], bool]) -> None:
        assert take(0)

    monkeypatch.setattr(mmap, "mmap", Slow)
    with assisted(1, assist) as take:
        until((tmp_path / "begun").exists)
        assert not take(0)


def test_the_copy_ends_at_once_when_the_work_fails(tmp_path: Path) -> None:
    def sleep(number: int, _: object) -> None:
        (tmp_path / f"begun{number}").touch()
        time.sleep(SECONDS * 10)

    def interrupted() -> None:
        with assisted(1, sleep, copies=2):
            until((tmp_path / "begun1").exists)
            until((tmp_path / "begun2").exists)
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begun < SECONDS
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, getattr(os, "WNOHANG", 0))


_KILLED = """
import os, sys, time
from lockset.sync.disk.workers import assisted

def assist(number, take):
    with open(sys.argv[1], "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)

with assisted(1, assist):
    while not os.path.exists(sys.argv[1]) or not os.path.getsize(sys.argv[1]):
        time.sleep(0.01)
    os.kill(os.getpid(), 9)
"""


def test_the_copy_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    location = tmp_path / "process"
    assert subprocess.run([sys.executable, "-c", _KILLED, str(location)], check=False).returncode == -9
    copy = Path("/proc", location.read_text(), "cmdline")
    until(lambda: not copy.exists() or not copy.read_bytes())


@pytest.mark.usefixtures("small")
def test_no_copy_is_made_once_there_may_be_connections(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes on a connection that two processes use would go to either of them."""
    copies: list[int] = []
    assisted, prepared = workers.assisted, prepare.Preparer.prepare

    def counted(count: int, *args: Any, **options: Any) -> Any:
        copies.append(count)
        return assisted(count, *args, **options)

    def in_two_steps(preparer: prepare.Preparer, distributions: Any) -> Any:
        return {**prepared(preparer, distributions[:4]), **prepared(preparer, distributions[4:])}

    monkeypatch.setattr(workers, "assisted", counted)
    monkeypatch.setattr(prepare.Preparer, "prepare", in_two_steps)
    wheels = [make_wheel(f"package-{number}") for number in range(10)]
    world.downloads = FakeDownloads()
    world.sync(*wheels)
    assert copies == [4]
    assert len(judge(Path(world.directory or ""))) == len(wheels)


def test_a_task_is_done_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[str] = []
    with meanwhile(lambda: done.append("task")):
        done.append("body")
    assert sorted(done) == ["body", "task"]


def test_an_error_of_a_task_is_raised_after_the_body() -> None:
    done: list[str] = []

    def fail() -> None:
        raise OSError("why")

    def body() -> None:
        with meanwhile(fail):
            done.append("body")

    with pytest.raises(OSError, match="why"):
        body()
    assert done == ["body"]


def test_a_copy_that_fails_is_as_none() -> None:
    def fail(*_: object) -> None:
        raise LocksetError("x", "y")

    with assisted(1, fail) as take:
        assert take(0)


_WITH_THREADS = """
import sys, threading
from _thread import allocate_lock, start_new_thread
from lockset.files.copies import assistant
gate = allocate_lock()
gate.acquire()
if "unlisted" in sys.argv:
    start_new_thread(gate.acquire, ())
if "ended" in sys.argv:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
print(assistant(lambda: None) is None, threading.active_count())
"""


@pytest.mark.parametrize(("kind", "refused"), [("none", "False 1"), ("ended", "False 1"), ("unlisted", "True 1")])
def test_a_thread_that_only_the_system_knows_counts(kind: str, refused: str) -> None:
    done = subprocess.run([sys.executable, "-c", _WITH_THREADS, kind], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == refused


def test_there_is_no_copy_of_a_process_with_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_is_alone", lambda: False)
    with assisted(1, lambda *_: (tmp_path / "begun").touch()) as take:
        assert take(0)
    assert not (tmp_path / "begun").exists()


@given(st.integers(0, 200), st.integers(1, 5))
def test_processes_take_every_wheel_and_their_own_shares_weigh_about_the_same(count: int, processes: int) -> None:
    orders = prepare._orders(count, processes)
    assert all(sorted(order) == list(range(count)) for order in orders)
    own = [order[: count // processes] for order in orders]
    weights = [sum(count - number for number in share) for share in own]  # the largest first
    assert max(weights) - min(weights) <= processes


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are worth a second process."""
    monkeypatch.setattr(stage, "_MANY", 1)
    monkeypatch.setattr(stage, "processors", lambda: 2)


def put_by(monkeypatch: pytest.MonkeyPatch, note: Callable[[str], object]) -> None:
    """Call `note` in the process that puts a wheel, with the folder of the wheel in the store."""
    put_group = Linker.put_group

    def noted(linker: Linker, folder: str, *args: Any, **options: Any) -> None:
        note(folder)
        put_group(linker, folder, *args, **options)

    monkeypatch.setattr(Linker, "put_group", noted)


def both_take_part(folder: Path) -> None:
    """Return once another process that is still running has called this, too."""
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    until(lambda: any(is_running(int(one.name)) for one in folder.iterdir() if one.name != str(os.getpid())))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.usefixtures("halved")
@pytest.mark.parametrize("mode", ["auto", "copy", "symlink"])
def test_a_target_filled_by_two_processes_is_as_one_filled_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    shared = make_wheel(
        "package-9", files={"module_0.py": "", "space/one/module.py": "x"}, scripts={"run": "module_0:x"}
    )
    shares = make_wheel("package-8", files={"module_0.py": "", "space/one/other.py": "y"})
    wheels = (*WHEELS[1:], shared, shares)
    options = InstallOptions(link_mode=mode)
    two = World(folder=tmp_path / "world", directory=str(tmp_path / "two"))
    here: list[str] = []

    def note(folder: str) -> None:
        here.append(folder)
        both_take_part(tmp_path / "processes")

    with monkeypatch.context() as patch:
        put_by(patch, note)
        two.sync(*wheels, install_options=options)
    assert 0 < len(set(here)) < len(wheels)
    assert not two.sync(*wheels, install_options=options).changed
    monkeypatch.setattr(stage, "_MANY", 1000)
    one = World(folder=tmp_path / "world", directory=str(tmp_path / "one"))
    one.sync(*wheels, install_options=options)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


@pytest.mark.usefixtures("halved")
@pytest.mark.parametrize("number", range(1, 6))
def test_a_damaged_wheel_is_replaced_whichever_process_notices(tmp_path: Path, number: int) -> None:
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "first"))
    world.sync(*WHEELS)
    for path in (world.folder / "cache/wheels-v1").glob(f"*/purelib/module_{number}.py"):
        path.chmod(0o644)
        path.write_text("evil")
    other = World(folder=tmp_path / "world", directory=str(tmp_path / "second"))
    other.sync(*WHEELS)
    assert (tmp_path / "second" / f"module_{number}.py").read_text() == "x" * number
    assert len(judge(tmp_path / "second")) == len(WHEELS)


@pytest.mark.usefixtures("halved")
def test_a_process_that_fails_leaves_its_part_to_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = os.getpid()

    failed = tmp_path / "failed"

    def fail_elsewhere(folder: str) -> None:
        if os.getpid() != process:
            failed.touch()
            raise OSError(folder)
        until(failed.exists)

    put_by(monkeypatch, fail_elsewhere)
    World(folder=tmp_path / "world", directory=str(tmp_path / "target")).sync(*WHEELS)
    assert len(judge(tmp_path / "target")) == len(WHEELS)


@pytest.mark.usefixtures("halved")
def test_a_target_is_filled_by_one_process_where_no_copy_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_is_alone", lambda: False)
    here: list[str] = []
    put_by(monkeypatch, here.append)
    World(folder=tmp_path / "world", directory=str(tmp_path / "target")).sync(*WHEELS)
    assert len(set(here)) == len(judge(tmp_path / "target")) == len(WHEELS)


@pytest.mark.usefixtures("halved")
def test_a_failure_while_two_processes_fill_a_target_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = os.getpid()

    def fail_here(folder: str) -> None:
        if os.getpid() == process:
            raise PermissionError(13, "no", folder)
        time.sleep(SECONDS * 10)

    put_by(monkeypatch, fail_here)
    begun = time.monotonic()
    with pytest.raises(PermissionError):
        World(folder=tmp_path / "world", directory=str(tmp_path / "target")).sync(*WHEELS)
    assert time.monotonic() - begun < SECONDS
    assert not (tmp_path / "target").exists()


@pytest.mark.usefixtures("halved")
@pytest.mark.parametrize("content", ["x", "y"])
def test_paths_of_two_wheels_are_noticed_while_a_copy_fills_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    shares = make_wheel("package-8", files={"module_1.py": content})
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    begun = tmp_path / "begun"
    put_by(monkeypatch, lambda _: begun.touch())

    def check(*arguments: Any, **options: Any) -> Any:
        until(begun.exists)
        return check_locations(*arguments, **options)

    monkeypatch.setattr(installer, "check_locations", check)
    if content == "x":
        world.sync(*WHEELS, shares)
        assert len(judge(tmp_path / "target")) == len(WHEELS) + 1
        return
    with pytest.raises(LocksetError) as caught:
        world.sync(*WHEELS, shares)
    assert caught.value.diagnostic.code == "path-conflict"
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("count", [0, 1, 9, workers._TURNS, 2 * workers._TURNS + 1])
def test_each_item_goes_to_one_of_two_processes(tmp_path: Path, count: int) -> None:
    taken = tmp_path / "taken"
    descriptor = os.open(taken, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    items = [f"{number:08}" for number in range(count)]
    with in_turn(items) as turns:

        def take() -> None:
            for item in turns:
                os.write(descriptor, item.encode())

        assert with_copy(take, take)
    os.close(descriptor)
    text = taken.read_text()
    assert sorted(text[place : place + 8] for place in range(0, len(text), 8)) == items


def test_the_copy_reports_whether_its_work_is_done() -> None:
    def fail() -> None:
        raise OSError

    assert with_copy(lambda: None, lambda: None)
    assert not with_copy(lambda: None, fail)


def test_memory_is_kept_for_unpacking_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    monkeypatch.setattr(prepare, "keep_freed_memory", lambda: calls.append(None))
    World(folder=tmp_path / "world", directory=str(tmp_path / "first")).sync(*WHEELS)
    assert len(calls) == 1
    World(folder=tmp_path / "world", directory=str(tmp_path / "second")).sync(*WHEELS)
    assert len(calls) == 1, "the second target is filled from the cache"


@dataclass
class Watched(World):
    """Keeps the phases with their totals and steps."""

    phases: list[tuple[str, int | None, list[str]]] = field(default_factory=list)

    def phase(self, name: str, *, total: int | None = None) -> None:
        self.phases.append((name, total, []))

    def step(self, what: str, *, done: int = 1) -> None:
        self.phases[-1][2].extend([what] * done)


@pytest.mark.parametrize("many", [1, 1000], ids=["two stages", "one stage"])
@pytest.mark.parametrize("much", [1, 1 << 40], ids=["two downloads", "one download"])
@pytest.mark.parametrize("copies", [True, False], ids=["with copies", "without copies"])
def test_each_distribution_is_one_step_of_each_phase_however_the_work_is_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int, much: int, *, copies: bool
) -> None:
    monkeypatch.setattr(stage, "_MANY", many)
    monkeypatch.setattr(stage, "processors", lambda: 2)
    monkeypatch.setattr(prepare, "_MUCH", much)
    monkeypatch.setattr(prepare, "processors", lambda: 2)
    if not copies:
        monkeypatch.setattr(workers, "assistant", lambda work: None)
    world = Watched(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(*WHEELS)
    names = [f"package-{number}" for number in range(6)]
    steps = {name: (total, sorted(steps)) for name, total, steps in world.phases if total is not None}
    assert steps["Downloading"] == (6, [f"{name} 1.0" for name in names])
    assert steps["Installing"] == (6, names)
    assert len(judge(tmp_path / "target")) == 6
