"""Two processes look at the files of a large target; what they report is what one process reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.sync_pipeline import InstallOptions
from lockset.files import copies
from lockset.sync.disk import workers
from lockset.sync.disk.inspect import installed_scan
from support.builders.wheel import make_wheel
from support.worlds.target_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only there is a copy of a process safe"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

NAMES = [f"package-{number}" for number in range(4)]
WHEELS = [
    make_wheel(name, files={f"folder_{number}/module.py": "text" * number, f"module_{number}.py": "x"})
    for number, name in enumerate(NAMES)
]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Few files are many, and threads of other tests do not matter."""
    monkeypatch.setattr(copies, "_is_alone", lambda: True)
    monkeypatch.setattr(installed_scan, "_MANY", 1)
    monkeypatch.setattr(installed_scan, "processors", lambda: 2)
    result = World(folder=tmp_path, directory=str(tmp_path / "target"))
    result.sync(*WHEELS)
    return result


def steps(world: World) -> dict[str, tuple[str, str]]:
    plan = world.sync(*WHEELS, check_only=True).plan
    return {step.name: (step.action, step.reason) for step in plan.steps}


def write_as_before(path: Path) -> None:
    """Other content, with the same size and another time."""
    path.write_text("z" * path.stat().st_size)
    os.utime(path, ns=(1, 1))


def link(path: Path) -> None:
    moved = path.rename(path.with_name("moved"))
    path.symlink_to(moved)


CHANGES: dict[str, Callable[[Path, int], Any]] = {
    "a file is missing": lambda target, number: (target / f"module_{number}.py").unlink(),
    "a file is longer": lambda target, number: (target / f"module_{number}.py").write_text("longer"),
    "a file has other content": lambda target, number: write_as_before(target / f"module_{number}.py"),
    "a file is a link": lambda target, number: link(target / f"module_{number}.py"),
    "a folder is a link": lambda target, number: link(target / f"folder_{number}"),
}


@pytest.mark.parametrize("number", range(len(NAMES)))
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_two_processes_report_what_one_reports(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, int], Any], number: int
) -> None:
    change(world.folder / "target", number)
    together = steps(world)
    monkeypatch.setattr(installed_scan, "processors", lambda: 1)
    assert together == steps(world)
    assert [name for name, (action, _) in together.items() if action != "keep"] == [NAMES[number]]


def test_a_file_whose_time_alone_changed_is_still_the_same(world: World) -> None:
    os.utime(world.folder / "target/module_0.py", ns=(1, 1))
    assert {action for action, _ in steps(world).values()} == {"keep"}


def test_unchanged_files_are_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by one of the two processes; none is looked at again."""
    done: list[bool] = []
    with_copy = workers.with_copy

    def counting(own: Callable[[], object], other: Callable[[], object]) -> bool:
        done.append(with_copy(own, other))
        return done[-1]

    monkeypatch.setattr(workers, "with_copy", counting)
    monkeypatch.setattr(installed_scan, "_problems", lambda *_, **__: pytest.fail("looked at again"))
    assert {action for action, _ in steps(world).values()} == {"keep"}
    assert done == [True]


def test_without_a_copy_one_process_looks_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "assistant", lambda _: None)
    (world.folder / "target/module_1.py").unlink()
    assert [name for name, (action, _) in steps(world).items() if action != "keep"] == [NAMES[1]]


def test_with_verify_files_every_file_is_hashed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    has_hash = installed_scan.has_hash

    def noting(path: str, digest: str) -> bool:
        hashed.append(path)
        return has_hash(path, digest)

    monkeypatch.setattr(installed_scan, "has_hash", noting)
    world.sync(*WHEELS, install_options=InstallOptions(verify_files=True), check_only=True)
    names = {Path(path).name for path in hashed}
    assert names >= {f"module_{number}.py" for number in range(len(NAMES))}
