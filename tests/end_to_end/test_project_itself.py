"""The project itself in its lock file: remembered, editable in an environment, a copy in a folder, or left out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import tomli

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


@pytest.fixture
def plugins(local_index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that a plugin of its group requires; the index has another release of it, which must not be used."""
    local_index.world.add("hull", "1.0").add("mast", "1.0").add("ship", "9.0")
    local_index.world.add("plugin", "1.0", requires=["ship[sails]<1"])
    files = source_files("ship", "1.0", requires_dist=["hull", "mast ; extra == 'sails'"], extras={"sails": []})
    write_source_tree(tmp_path, files)
    text = f'{PROJECT}[project.optional-dependencies]\nsails = ["mast"]\n[dependency-groups]\ndev = ["plugin"]\n'
    (tmp_path / "pyproject.toml").write_text(files["pyproject.toml"] + text)
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return tmp_path


def markers(folder: Path) -> dict[str, str | None]:
    packages = tomli.loads((folder / "pylock.toml").read_text())["packages"]
    return {package["name"]: package.get("marker") for package in packages}


def test_a_project_that_its_plugin_requires_is_locked_as_its_own_folder(cli: Command, plugins: Path) -> None:
    said = cli.ok("lock").stderr
    assert "plugin requires the project itself, ship" in said
    assert 'directory = {path = ".", editable = true}' in (plugins / "pylock.toml").read_text()
    dev = '"dev" in dependency_groups'
    found = markers(plugins)
    assert (found["ship"], found["plugin"]) == (dev, dev)
    assert found["mast"] == f'"sails" in extras or {dev}'
    assert dev in str(found["hull"])
    before = (plugins / "pylock.toml").read_bytes()
    assert "requires the project itself" not in cli.ok("lock").stderr
    cli.ok("lock", "--upgrade")
    assert (plugins / "pylock.toml").read_bytes() == before
    cli.ok("lock", "--check")
    cli.ok("validate")


def test_a_sync_keeps_the_editable_install_that_a_plugin_requires(cli: Command, plugins: Path, venv: Venv) -> None:
    cli.ok("lock")
    cli.ok("sync", "--group", "dev")
    assert venv.installed() == {"hull": "1.0", "mast": "1.0", "plugin": "1.0", "ship": "1.0"}
    assert (plugins / "ship/__init__.py").is_file()
    assert "All 4 packages match" in cli.ok("sync", "--group", "dev").stderr
    cli.ok("check-env", "--group", "dev")


def test_a_project_that_its_plugin_requires_can_be_locked_with_the_project(cli: Command, plugins: Path) -> None:
    cli.ok("lock", "--with-project")
    assert '"default" in dependency_groups' in str(markers(plugins)["ship"])
    cli.ok("lock", "--check", "--with-project")


def test_without_the_project_its_plugin_is_locked_alone(cli: Command, plugins: Path) -> None:
    cli.ok("lock", "--without-project")
    assert markers(plugins).keys() == {"hull", "mast", "plugin"}
    cli.ok("lock", "--check", "--without-project")


def test_a_project_without_releases_may_require_itself(cli: Command, plugins: Path, local_index: LocalIndex) -> None:
    del local_index.world.projects["ship"]
    cli.ok("lock")
    assert "ship" in markers(plugins)
    assert "it is chosen" in cli.ok("why-not", "plugin").stdout


def test_an_export_has_hashes_and_leaves_out_the_project_that_a_plugin_requires(cli: Command, plugins: Path) -> None:
    cli.ok("lock")
    result = cli.ok("export", "--group", "dev", "-o", "requirements.txt")
    text = (plugins / "requirements.txt").read_text()
    assert "plugin==1.0 \\\n    --hash=" in text
    assert "-e" not in text
    assert "`pip install --no-deps -e .`" in result.stderr
    assert "-e ." in cli.ok("export", "--group", "dev", "--no-hashes").stdout


def test_a_dynamic_version_needs_no_build_where_a_plugin_requires_the_project(cli: Command, plugins: Path) -> None:
    text = (plugins / "pyproject.toml").read_text()
    (plugins / "pyproject.toml").write_text(text.replace('version = "1.0"', 'dynamic = ["version"]'))
    assert "Building" not in cli.ok("lock", "--no-build").stderr
    assert "ship" in markers(plugins)


def test_a_project_without_a_build_backend_stands_for_no_release(cli: Command, plugins: Path) -> None:
    text = (plugins / "pyproject.toml").read_text()
    (plugins / "pyproject.toml").write_text(text[text.index("[project]") :])
    cli.refused("lock")  # the index has no release below 1
    (plugins / "pyproject.toml").write_text(f"{text}[tool.uv]\npackage = false\n")
    cli.refused("lock")


def test_a_member_of_a_workspace_that_a_package_requires_is_locked_as_its_folder(
    cli: Command, plugins: Path, tmp_path: Path
) -> None:
    root = tmp_path / "space"
    shutil.copytree(plugins, root / "ship", ignore=shutil.ignore_patterns("space"))
    (root / "pyproject.toml").write_text(
        '[project]\nname = "root"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["plugin"]\n'
        '[tool.lockset.workspace]\nmembers = ["ship"]\n'
    )
    cli.ok("lock", cwd=root)
    folder = 'directory = {path = "ship", editable = true}'
    assert folder in (root / "pylock.toml").read_text()
    assert folder in (root / "pylock.ship.toml").read_text()
    assert markers(root).keys() == {"hull", "mast", "plugin", "ship"}
    cli.ok("lock", "--check", cwd=root)
    before = (root / "pylock.ship.toml").read_bytes()
    cli.ok("lock", "--upgrade", cwd=root)
    assert (root / "pylock.ship.toml").read_bytes() == before
