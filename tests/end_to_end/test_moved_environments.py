"""Environments that were moved or copied, or may be: their commands run their own Python after a sync."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.venvs import Venv, VenvMaker

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands of Windows are launchers")
CODE = "import sys\ndef main() -> None:\n    print(sys.prefix)\n"
TOOL = make_wheel("tool", files={"tool.py": CODE}, entry_points={"console_scripts": {"run-tool": "tool:main"}})
OTHER = make_wheel(
    "other",
    files={"other.py": "x = 1\n"},
    scripts={"old-script": "#!/usr/bin/python2.4\n", "own-script": f"#!python\n{CODE}main()\n"},
)


@pytest.fixture
def venv(tmp_path: Path, make_venv: VenvMaker) -> Venv:
    packages = []
    for wheel in (OTHER, TOOL):
        (tmp_path / wheel.filename).write_bytes(wheel.content)
        locked = locked_file(wheel) | {"path": wheel.filename}
        del locked["url"]
        packages.append({"name": wheel.filename.split("-")[0], "version": "1.0", "wheels": [locked]})
    (tmp_path / "pylock.toml").write_text(make_lock(packages))
    return make_venv("env")


def prefix_of(command: Path) -> str:
    """The environment whose packages a command has."""
    return subprocess.run([command], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("folder", ["moved", "a space", "quote'd", "long" * 40])
def test_a_moved_environment_gets_commands_that_run(cli: Command, venv: Venv, tmp_path: Path, folder: str) -> None:
    cli.ok("sync", "--python", venv.path)
    moved = venv.path.rename(tmp_path / folder)
    assert "its command `run-tool` runs another Python" in cli.refused("check-env", "--python", moved)
    assert "Repaired 1 package" in cli.ok("sync", "--python", moved).stderr
    assert prefix_of(moved / "bin/run-tool") == str(moved)
    assert "All 2 packages match" in cli.ok("sync", "--python", moved, "--no-cache").stderr


def test_a_copy_of_an_environment_does_not_run_that_one(cli: Command, venv: Venv, tmp_path: Path) -> None:
    cli.ok("sync", "--python", venv.path)
    shutil.copytree(venv.path, tmp_path / "copy", symlinks=True)
    assert prefix_of(tmp_path / "copy/bin/run-tool") == str(venv.path)
    cli.ok("sync", "--python", tmp_path / "copy")
    assert prefix_of(tmp_path / "copy/bin/run-tool") == str(tmp_path / "copy")


def test_an_environment_behind_a_link_is_where_it_was(cli: Command, venv: Venv, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(venv.path)
    cli.ok("sync", "--python", tmp_path / "current")
    assert "All 2 packages match" in cli.ok("sync", "--python", venv.path, "--no-cache").stderr


def test_commands_of_a_relocatable_environment_run_wherever_it_is(cli: Command, venv: Venv, tmp_path: Path) -> None:
    with (venv.path / "pyvenv.cfg").open("a") as file:
        file.write("relocatable = true\n")
    cli.ok("sync", "--python", venv.path)
    moved = venv.path.rename(tmp_path / "a new place")
    (tmp_path / "link").symlink_to(moved / "bin/run-tool")
    for command in (moved / "bin/run-tool", moved / "bin/own-script", tmp_path / "link"):
        assert prefix_of(command) == str(moved)
    assert "All 2 packages match" in cli.ok("sync", "--python", moved).stderr
    cli.ok("sync", "--python", moved, "--target", "out")
    assert (tmp_path / "out/bin/run-tool").read_text().startswith(f"#!/bin/sh\n'''exec' '{moved}/bin/python'")


def test_an_environment_of_an_old_virtualenv_is_one(cli: Command, venv: Venv) -> None:
    # What those before version 20 set: they had no base prefix.
    (venv.site_packages / "sitecustomize.py").write_text(
        "import sys\nsys.real_prefix = sys.base_prefix\nsys.base_prefix = sys.prefix\n"
    )
    foreign = venv.site_packages / "foreign-1.0.dist-info"
    foreign.mkdir()
    (foreign / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (foreign / "RECORD").write_text("foreign-1.0.dist-info/METADATA,,\nforeign-1.0.dist-info/RECORD,,\n")
    assert "- foreign 1.0" in cli.ok("sync", "--python", venv.path).stderr
