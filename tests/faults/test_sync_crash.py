"""Whatever ends a sync, at whichever step: the target is as before or as planned, and the next sync ends the matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from lockset.errors import LocksetError
from support.builders.locks import make_lock
from support.builders.wheel import make_wheel
from support.posix import fork_and_wait, kill_this_process
from support.worlds.target_world import World, entry, judge, tree
from support.worlds.two_locks import BEFORE, NEW, OLD, PLANNED

if TYPE_CHECKING:
    from lockset.sync.disk.apply.transaction import JournalStep
    from support.builders.archives import Artifact


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(*OLD)
    cached = tmp_path / "target/goes/__pycache__"
    cached.mkdir()
    (cached / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    return world


class Fault:
    """Acts before the step with a number, and counts the steps."""

    def __init__(self, number: int, error: BaseException | None = None) -> None:
        self.number = number
        self.error = error
        self.steps = 0

    def __call__(self, step: JournalStep) -> None:
        self.steps += 1
        if self.steps == self.number:
            if self.error is not None:
                raise self.error
            kill_this_process()


def count_steps(world: World) -> int:
    counter = Fault(-1)
    target = world.directory
    world.directory = str(Path(str(target)).with_name("counted"))
    world.sync(*OLD)
    world.sync(*NEW, install_options=InstallOptions(on_step=counter))
    world.directory = target
    return counter.steps


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
def test_an_error_at_any_step_restores_the_target_to_the_byte(
    world: World, tmp_path: Path, error: BaseException
) -> None:
    before = tree(tmp_path / "target")
    steps = count_steps(world)
    assert steps > 10
    for number in range(1, steps + 1):
        with pytest.raises(type(error)):
            world.sync(*NEW, install_options=InstallOptions(on_step=Fault(number, error)))
        assert tree(tmp_path / "target") == before
    world.sync(*NEW)
    assert judge(tmp_path / "target") == PLANNED


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_kill_at_any_step_is_healed_by_the_next_sync(world: World, tmp_path: Path) -> None:
    target = tmp_path / "target"
    wanted = tree_of(world, tmp_path / "wanted")
    steps = count_steps(world)
    for number in range(1, steps + 1):
        assert fork_and_wait(partial(world.sync, *NEW, install_options=InstallOptions(on_step=Fault(number)))), number
        # Nothing that is not whole calls itself installed, even now.
        halfway = judge(target)
        assert all(BEFORE.get(name) == version or PLANNED.get(name) == version for name, version in halfway.items())
        if number % 2:
            world.sync(*NEW)
            assert tree(target) == wanted
        world.sync(*OLD)
        assert judge(target) == BEFORE
        assert not (target / ".lockset").exists()


def tree_of(world: World, folder: Path) -> dict[str, bytes | str]:
    target = world.directory
    world.directory = str(folder)
    world.sync(*NEW)
    world.directory = target
    return tree(folder)


def test_leftovers_of_a_crash_before_or_after_the_steps_are_removed(world: World, tmp_path: Path) -> None:
    target = tmp_path / "target"
    before = tree(target)
    for leftover in ("new/0/sample.py", "old/3", "info/x.dist-info/RECORD", "done"):
        path = target / ".lockset" / leftover
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left")
    (target / ".lockset.lock").write_text("")
    assert not world.sync(*OLD).changed
    assert tree(target) == before
    (target / ".lockset.lock").write_text("")
    assert not world.sync(*OLD).changed
    assert tree(target) == before


def test_a_journal_that_names_places_outside_is_not_followed(world: World, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("alive")
    area = tmp_path / "target/.lockset"
    (area / "old").mkdir(parents=True)
    (area / "old/0").write_text("evil")
    canary.unlink()
    steps = '[["retire", "../canary", ".lockset/old/0"]]'
    (area / "journal").write_text(f'{{"format": 1, "areas": [".lockset"], "steps": {steps}}}')
    with pytest.raises(LocksetError, match="outside the target"):
        world.sync(*OLD)
    assert not canary.exists()


def test_two_syncs_at_once_end_as_one_of_them(world: World, tmp_path: Path) -> None:
    world.offer(*OLD, *NEW)
    failures: list[Exception] = []

    def run(wheels: list[Artifact]) -> None:
        try:
            world.sync(*wheels)
        except Exception as error:  # noqa: BLE001 (told by the test's own thread)
            failures.append(error)

    for _ in range(3):
        threads = [threading.Thread(target=run, args=(wheels,)) for wheels in (OLD, NEW, OLD, NEW)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert judge(tmp_path / "target") in (BEFORE, PLANNED)
        assert not {".lockset", ".lockset.lock"} & {path.name for path in (tmp_path / "target").iterdir()}


def test_a_waiting_sync_says_so(world: World, tmp_path: Path) -> None:
    hold, go_on = threading.Event(), threading.Event()

    def pause(step: JournalStep) -> None:
        hold.set()
        go_on.wait(60)

    other = threading.Thread(target=lambda: world.sync(*NEW, install_options=InstallOptions(on_step=pause)))
    other.start()
    assert hold.wait(60)
    threading.Timer(0.3, go_on.set).start()
    world.sync(*NEW)
    other.join()
    assert any("Waiting for another sync" in note for note in world.notes)
    assert judge(tmp_path / "target") == PLANNED


SLOW = """
import os, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from time import sleep
from support.worlds.target_world import World
from support.worlds.two_locks import NEW
folder = Path(sys.argv[1])
world = World(folder=folder / "world", directory=str(folder / "target"))
def fetch(url, sink, *, limit=None):
    os.write(1, b"fetching\\n")  # not print: a thread that ends inside of it makes the interpreter's end wait
    sleep(60)
world.downloads.fetch = fetch
world.sync(*NEW)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_an_interrupt_waits_for_no_download(world: World, tmp_path: Path) -> None:
    before = tree(tmp_path / "target")
    command = [sys.executable, "-c", SLOW, str(tmp_path), str(Path(__file__).parents[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.wait(timeout=40)  # less than the file takes
    assert tree(tmp_path / "target") == before


LIMITED = """
import os, resource, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from support.builders.wheel import make_wheel
from support.worlds.target_world import World
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
folder = Path(sys.argv[1])
big = make_wheel("big", "1.0", files={"big.bin": os.urandom(300_000)})
World(folder=folder / "world", directory=str(folder / "target")).sync(big)
"""


@pytest.mark.skipif(os.name == "nt", reason="limits are POSIX's")
def test_a_file_that_cannot_be_written_leaves_the_target_as_it_was(world: World, tmp_path: Path) -> None:
    before = tree(tmp_path / "target")
    command = [sys.executable, "-c", LIMITED, str(tmp_path), str(Path(__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "could not be stored" in done.stderr
    assert tree(tmp_path / "target") == before


def test_a_wrong_digest_among_many_leaves_the_target_as_it_was(world: World, tmp_path: Path) -> None:
    before = tree(tmp_path / "target")
    many = [make_wheel(f"many-{number}", "1.0") for number in range(12)]
    world.offer(*many)
    bad = make_wheel("many-7", "1.0", files={"other.py": ""})
    world.downloads.files[f"https://files.example.org/{bad.filename}"] = bad.content
    with pytest.raises(LocksetError) as caught:
        world.sync(lock=lock_of(many))
    assert caught.value.diagnostic.code == "hash-mismatch"
    assert "many-7" in caught.value.diagnostic.message
    assert tree(tmp_path / "target") == before


def lock_of(wheels: list[Artifact]) -> str:
    return make_lock([entry(wheel) for wheel in wheels])
