"""The libraries of lockset are its own: neither PYTHONPATH nor the working folder puts others in their place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex

LIBRARIES = ("packaging", "tomli", "httpx", "installer", "filelock", "platformdirs")
PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n'


def write_libraries(folder: Path) -> str:
    """Modules in `folder` that have the names of lockset's libraries, and end whoever imports them."""
    for name in LIBRARIES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit(f'{__name__} of somebody else')\n")
    return str(folder)


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> Path:
    local_index.world.add("a", "1.0")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return tmp_path


def test_modules_of_the_project_are_not_taken_for_libraries(cli: Command, project: Path) -> None:
    write_libraries(project)
    cli.ok("lock")
    cli.ok("sync", "--target", "out")
    assert (project / "out/a").is_dir()


def test_libraries_on_pythonpath_are_for_other_programs(cli: Command, project: Path) -> None:
    others = {"PYTHONPATH": write_libraries(project / "others")}
    cli.ok("lock", env=others)
    cli.ok("sync", "--target", "out", env=others)
    assert (project / "out/a").is_dir()


@pytest.mark.parametrize("start", ["-m", "-c"])
def test_where_pythonpath_has_lockset_itself_its_libraries_come_from_there(tmp_path: Path, start: str) -> None:
    shutil.copytree(Path(lockset.__file__).parent, tmp_path / "lockset", ignore=shutil.ignore_patterns("__pycache__"))
    write_libraries(tmp_path)
    (tmp_path / "pylock.toml").write_text("")
    run = {"-m": "lockset", "-c": "from lockset.cli.main import main; main()"}[start]
    command = [sys.executable, start, run, "validate", str(tmp_path / "pylock.toml")]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 1, done
    assert b"of somebody else" in done.stderr
