"""The project itself in its lock file: remembered, editable in an environment, a copy in a folder, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker

PROJECT = '\n[project]\nname = "ship"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = ["hull"]\n'


@pytest.fixture
def locked(cli: Command, local_index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `lock --with-project` says in the folder of a project."""
    local_index.world.add("hull", "1.0")
    write_source_tree(tmp_path, source_files("ship", "1.0", requires_dist=["hull"]))
    pyproject = tmp_path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + PROJECT)
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return cli.ok("lock", "--with-project").stderr


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


def test_the_project_is_noted_the_first_time_and_remembered(cli: Command, locked: str, tmp_path: Path) -> None:
    assert "The project itself, ship, is locked" in locked
    assert "`--without-project`" in locked
    again = cli.ok("lock", "--upgrade").stderr
    assert "The project itself" not in again
    assert 'name = "ship"' in (tmp_path / "pylock.toml").read_text()
    cli.ok("lock", "--check")
    cli.ok("lock", "--without-project")
    cli.ok("lock", "--check")
    assert 'name = "ship"' not in (tmp_path / "pylock.toml").read_text()


@pytest.mark.usefixtures("locked")
def test_it_is_editable_in_an_environment_and_a_copy_in_a_folder(cli: Command, venv: Venv, tmp_path: Path) -> None:
    cli.ok("sync")
    assert '"editable": true' in next(venv.site_packages.glob("ship-*.dist-info/direct_url.json")).read_text()
    cli.ok("sync", "--target", "packages")
    assert (tmp_path / "packages/ship/__init__.py").is_file()
    assert '"editable"' not in next((tmp_path / "packages").glob("ship-*.dist-info/direct_url.json")).read_text()
    # The folder is inside the project, and no part of its source.
    cli.ok("check-env", "--target", "packages")


@pytest.mark.usefixtures("locked")
def test_without_it_the_plan_says_why_it_goes(cli: Command, venv: Venv) -> None:
    cli.ok("sync")
    removed = cli.ok("sync", "--no-project").stderr
    assert "- ship 1.0 (the project itself, which is left out with `--no-project`)" in removed
    assert venv.installed() == {"hull": "1.0"}
    cli.ok("check-env", "--no-project")
