"""A pipe that nobody writes to, where a file is expected: it is refused at once, and never waited for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.command import Command
from support.posix import make_pipe

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes in the file system are POSIX's")


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """The command line, which fails the test where it waits."""
    return Command(cwd=tmp_path, timeout=120.0)


@pytest.fixture
def tree(cli: Command) -> Path:
    """The pyproject.toml of a folder that a locked project requires."""
    folder = cli.cwd / "dep"
    folder.mkdir()
    pyproject = folder / "pyproject.toml"
    pyproject.write_text('[project]\nname = "dep"\nversion = "1"\n')
    (cli.cwd / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\n'
        f'dependencies = ["dep @ {folder.as_uri()}"]\n'
    )
    cli.ok("lock", "--offline")
    pyproject.unlink()
    make_pipe(pyproject)
    return pyproject


def test_the_project_file_of_a_locked_folder(cli: Command, tree: Path) -> None:
    assert tree.is_fifo()
    cli.ok("lock", "--offline", "--check")


def test_the_project_file_of_a_folder_that_is_built(cli: Command, tree: Path) -> None:
    assert tree.is_fifo()
    assert "pyproject.toml is not a regular file" in cli("sync", "--target", "out", "--offline").stderr
    assert not (cli.cwd / "out").exists()


def test_advisories(cli: Command) -> None:
    write_lock(cli.cwd / "pylock.toml", [make_wheel("one")])
    make_pipe(cli.cwd / "all.zip")
    assert "neither a folder nor a regular file" in cli.refused("audit", "--advisories", "all.zip")
