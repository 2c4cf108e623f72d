"""A command compiles its regular expressions once, and not again in later runs: counted, not timed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython has such programs")

# Every process of the run writes its line when it ends: how many patterns it has parsed since it began with lockset.
_RUN = """
import os, re, sys
parser = sys.modules["sre_parse" if sys.version_info < (3, 11) else "re._parser"]
whole, end, parsed = parser.parse, os._exit, []
counts, sys.argv = sys.argv[1], ["lockset", *sys.argv[2:]]
def parse(text, *more):
    parsed.append(text)
    return whole(text, *more)
def leave(code):
    with open(counts, "a", encoding="utf-8") as file:
        print(len(parsed), *map(repr, parsed[:3]), file=file)
    end(code)
parser.parse, os._exit = parse, leave
from lockset.cli.main import main
raise SystemExit(main())
"""


def compiled(folder: Path, *arguments: object, code: int = 0, **environ: str) -> int:
    """How many patterns a run in `folder` compiles, in all its processes."""
    counts = folder / "counts"
    counts.unlink(missing_ok=True)
    command = [sys.executable, "-c", _RUN, str(counts), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    return sum(int(line.split()[0]) for line in counts.read_text("utf-8").splitlines())


def cache() -> str:
    return os.environ["LOCKSET_CACHE_DIR"]


def forget_results() -> None:
    """Remove the pages, and the records with which a repeated command ends at once."""
    for name in os.listdir(cache()):
        if not name.startswith("patterns"):
            shutil.rmtree(os.path.join(cache(), name), ignore_errors=True)


def test_a_repeated_lock_compiles_nothing_in_any_of_its_processes(tmp_path: Path, local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0", requires=["b>=1; python_version < '4'"]).add("b", "1.0")
    (tmp_path / "requirements.in").write_text("a\n")
    lock = ("lock", "requirements.in", "--index-url", local_index.url, "--python", ">=3.10")
    assert compiled(tmp_path, *lock) > 30
    first = (tmp_path / "pylock.toml").read_bytes()
    counts = []
    for _ in range(2):
        forget_results()
        (tmp_path / "pylock.toml").unlink()
        counts.append(compiled(tmp_path, *lock))
        assert (tmp_path / "pylock.toml").read_bytes() == first
    assert counts[-1] == 0


def test_the_second_sync_and_the_second_validate_compile_nothing(tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    assert compiled(tmp_path, "sync", "--target", "first") > 0
    assert compiled(tmp_path, "sync", "--target", "second") == 0
    assert compiled(tmp_path, "validate", "pylock.toml") > 0
    assert compiled(tmp_path, "validate", "pylock.toml") == 0


def test_a_run_that_fails_stores_its_patterns_too(tmp_path: Path) -> None:
    os.mkdir(cache())
    (tmp_path / "pylock.toml").write_text('lock-version = "7.0"\n')
    assert compiled(tmp_path, "validate", "pylock.toml", code=1) > 0
    assert compiled(tmp_path, "validate", "pylock.toml", code=1) == 0
    assert compiled(tmp_path, "validate", "--unknown", code=2) > 0
    assert compiled(tmp_path, "validate", "--unknown", code=2) == 0


def test_a_run_without_a_cache_stores_nothing(tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    os.mkdir(cache())
    assert compiled(tmp_path, "validate", "pylock.toml", LOCKSET_NO_CACHE="1") > 0
    assert compiled(tmp_path, "sync", "--target", "out", "--no-cache") > 0
    assert os.listdir(cache()) == []


def test_a_command_that_needs_no_cache_creates_none(tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    assert compiled(tmp_path, "validate", "pylock.toml") > 0
    assert not os.path.lexists(cache())


@pytest.mark.parametrize("damage", ["not a folder", "empty", "no record", "a folder", "a link that leads nowhere"])
def test_a_damaged_cache_changes_nothing_that_a_user_sees(tmp_path: Path, cli: Command, damage: str) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    os.mkdir(cache())
    before = cli.ok("validate", "pylock.toml", cwd=tmp_path)
    folder = os.path.join(cache(), "patterns-v1")
    (record,) = (os.path.join(folder, name) for name in os.listdir(folder))
    os.unlink(record)
    if damage == "not a folder":
        os.rmdir(folder)
        open(folder, "wb").close()
    elif damage == "a folder":
        os.mkdir(record)
    elif damage == "a link that leads nowhere":
        os.symlink("nowhere", record)
    else:
        with open(record, "wb") as file:
            file.write(b"" if damage == "empty" else b"\x00" * 1000)
    after = cli.ok("validate", "pylock.toml", cwd=tmp_path)
    assert (after.stdout, after.stderr) == (before.stdout, before.stderr)


def test_the_cache_command_shows_verifies_and_removes_the_records(tmp_path: Path, cli: Command) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    os.mkdir(cache())
    cli.ok("validate", "pylock.toml", cwd=tmp_path)
    assert re.search(r"^records of earlier runs +1 ", cli.ok("cache", "size").stdout, re.MULTILINE)
    assert "no damage" in cli.ok("cache", "verify").stderr
    (record,) = os.listdir(os.path.join(cache(), "patterns-v1"))
    with open(os.path.join(cache(), "patterns-v1", record), "r+b") as file:
        file.write(b"damaged")
    assert "1 damaged" in cli.refused("cache", "verify")
    cli.ok("cache", "clean")
    assert cli.ok("cache", "size", "--json").json()["entries"] == 0


def test_runs_at_the_same_time_do_not_disturb_one_another(tmp_path: Path) -> None:
    write_lock(tmp_path / "pylock.toml", [make_wheel("one")])
    os.mkdir(cache())
    command = [sys.executable, "-m", "lockset", "validate", "pylock.toml"]
    runs = [subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(4)]
    outputs = {run.communicate()[1] for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    assert len(outputs) == 1
    assert compiled(tmp_path, "validate", "pylock.toml") == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no folder that a process works in")
@pytest.mark.parametrize("command", ["lock", "validate"])
def test_a_removed_working_folder_is_named_although_that_of_the_cache_is_relative(tmp_path: Path, command: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    run = f"rmdir ../gone && {sys.executable} -m lockset {command} some.toml"
    environ = {**os.environ, "LOCKSET_CACHE_DIR": "cache"}
    done = subprocess.run(["sh", "-c", run], cwd=gone, env=environ, capture_output=True, encoding="utf-8", check=False)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.returncode == 1
