"""What Windows does to files that are open, loaded, read-only or badly named, as far as Wine does it too."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.sync.target import STATE_FOLDER
from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.builders.archives import Artifact
    from support.command import Command
    from support.venvs import VenvMaker

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="only Windows treats files so")

OLD = [make_wheel("one", "1.0", files={"one/__init__.py": "v = 1\n", "one/data.txt": "old"}), make_wheel("two", "1.0")]
NEW = [
    make_wheel("one", "2.0", files={"one/__init__.py": "v = 2\n", "one/data.txt": "new"}),
    make_wheel("three", "1.0"),
]
# Read here: tests themselves run without variables of lockset.
KILLS = int(os.environ.get("LOCKSET_TEST_KILLS", "4"))
_HOLD = "import sys, time; file = open(sys.argv[1]); print('held', flush=True); time.sleep(float(sys.argv[2]))"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    made.sync(*OLD)
    return made


def hold(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    child = subprocess.Popen([sys.executable, "-c", _HOLD, str(path), str(seconds)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == b"held"
    return child


def test_a_file_that_another_process_holds_leaves_the_target_as_it_was(world: World, tmp_path: Path) -> None:
    target = tmp_path / "target"
    before = tree(target)
    with hold(target / "one" / "data.txt", 60) as child:
        try:
            with pytest.raises(OSError, match=r"data\.txt"):
                world.sync(*NEW)
        finally:
            child.kill()
    assert tree(target) == before
    world.sync(*NEW)
    assert judge(target) == {"one": "2.0", "three": "1.0"}


def test_a_file_that_is_held_for_a_moment_is_waited_for(world: World, tmp_path: Path) -> None:
    with hold(tmp_path / "target" / "one" / "data.txt", 0.3):
        world.sync(*NEW)
    assert judge(tmp_path / "target") == {"one": "2.0", "three": "1.0"}


def test_read_only_files_are_replaced_and_removed(world: World, tmp_path: Path) -> None:
    for path in (tmp_path / "target").rglob("*.*"):
        if path.is_file():
            path.chmod(0o444)
    world.sync(*NEW)
    assert judge(tmp_path / "target") == {"one": "2.0", "three": "1.0"}
    assert not (tmp_path / "target" / STATE_FOLDER).exists()


def test_a_program_that_runs_is_replaced_and_goes_with_a_later_run(tmp_path: Path) -> None:
    body = Path(sys.executable).read_bytes()
    old, new = (
        make_wheel("tool", version, files={f"tool-{version}.data/scripts/tool.exe": content})
        for version, content in (("1.0", body), ("2.0", b"MZ new"))
    )
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.sync(old)
    program = tmp_path / "target" / "bin" / "tool.exe"
    base = Path(sys.base_prefix)
    env = {**os.environ, "PYTHONHOME": str(base), "PATH": f"{base};{os.environ['PATH']}"}
    with subprocess.Popen(
        [program, "-c", "import time; print('up', flush=True); time.sleep(60)"], env=env, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"up"
        try:
            world.sync(new)
            assert program.read_bytes() == b"MZ new"
            world.sync(old)
            world.sync(new)
        finally:
            child.kill()
    world.sync(new)
    assert not (tmp_path / "target" / STATE_FOLDER).exists()


def test_a_kill_at_a_random_moment_is_healed_by_the_next_sync(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    make_venv("env")
    chance = random.Random(7)
    for number in range(KILLS):
        wheels = (OLD, NEW)[number % 2]
        for wheel in wheels:
            (tmp_path / wheel.filename).write_bytes(wheel.content)
        (tmp_path / "pylock.toml").write_text(_lock(wheels))
        command = [sys.executable, "-m", "lockset", "sync", "--python", "env"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            time.sleep(chance.uniform(0.5, 2.5))
            child.kill()
        cli.ok("sync", "--python", "env")
        cli.ok("check-env", "--python", "env")
        assert not (tmp_path / "env" / STATE_FOLDER).exists()


def _lock(wheels: Sequence[Artifact]) -> str:
    packages = []
    for wheel in wheels:
        file = locked_file(wheel)
        del file["url"]
        name, version = file["name"].split("-")[:2]
        packages.append({"name": name, "version": version, "wheels": [{**file, "path": file["name"]}]})
    return make_lock(packages)


BAD = ["con.py", "pkg/aux.py", "pkg/name.txt:stream", "pkg/a.", "pkg/b ", "pkg\\c.py", "pkg/what?.txt", "C:/x.py"]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_windows_does_not_take_is_refused_before_anything_changes(
    world: World, tmp_path: Path, name: str
) -> None:
    before = tree(tmp_path / "target")
    with pytest.raises((LocksetError, OSError)):
        world.sync(*OLD, make_wheel("bad", files={name: "x"}))
    assert tree(tmp_path / "target") == before


@pytest.mark.parametrize("name", ["ONE/Data.TXT", "two/" + "/".join(["long-folder-name"] * 16) + "/x.py"])
def test_another_case_of_a_kept_file_and_a_path_that_is_too_long_are_refused(
    world: World, tmp_path: Path, name: str
) -> None:
    before = tree(tmp_path / "target")
    with pytest.raises(LocksetError) as caught:
        world.sync(*OLD, make_wheel("bad", files={name: "x"}))
    assert caught.value.diagnostic.code in {"path-conflict", "path-too-long"}
    assert tree(tmp_path / "target") == before
