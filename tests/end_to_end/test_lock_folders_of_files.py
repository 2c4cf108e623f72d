"""Locks of files and folders on this computer move with them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist, make_wheel
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.venvs import VenvMaker


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder of files in it."""
    (tmp_path / "app/my files").mkdir(parents=True)
    wheel, sdist = make_wheel("hull", "1.0"), make_sdist("hull", "1.0")
    for artifact in (wheel, sdist):
        (tmp_path / "app/my files" / artifact.filename).write_bytes(artifact.content)
    (tmp_path / "app/pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["hull"]\n'
    )
    return tmp_path / "app"


def entry(lock: Path) -> dict[str, Any]:
    (package,) = tomli.loads(lock.read_text())["packages"]
    return dict(package)


@pytest.mark.parametrize(
    ("output", "prefix"),
    [
        ("pylock.toml", "my files/"),
        ("locks/pylock.toml", "../my files/"),
        ("../elsewhere/pylock.toml", "../app/my files/"),
    ],
)
@pytest.mark.parametrize("written", ["my files", "./my files/", "URL"])
def test_files_of_a_folder_have_paths_relative_to_the_lock(
    output: str, prefix: str, written: str, cli: Command, project: Path
) -> None:
    (project / output).parent.mkdir(exist_ok=True)
    location = (project / "my files").as_uri() if written == "URL" else written
    cli.ok("lock", "--no-index", "-f", location, "-o", output, cwd=project)
    result = entry(project / output)
    assert result["wheels"][0]["path"] == f"{prefix}hull-1.0-py3-none-any.whl"
    assert result["sdist"]["path"] == f"{prefix}hull-1.0.tar.gz"
    assert "url" not in result["wheels"][0]
    assert "index" not in result


def test_a_lock_that_moves_with_its_files_is_synced_there(
    cli: Command, project: Path, tmp_path: Path, make_venv: VenvMaker
) -> None:
    cli.ok("lock", "--no-index", "-f", "my files", cwd=project)
    shutil.move(project, tmp_path / "moved")
    venv = make_venv("env")
    cli.ok("sync", "-p", venv.python, cwd=tmp_path / "moved")
    cli.ok("lock", "--check", "--no-index", "-f", "my files", cwd=tmp_path / "moved")
    assert not project.exists()


def test_find_links_have_what_the_path_of_a_lock_elsewhere_leads_to(
    cli: Command, project: Path, tmp_path: Path, make_venv: VenvMaker
) -> None:
    (project / "locks").mkdir()
    cli.ok("lock", "--no-index", "-f", "my files", "-o", "locks/pylock.toml", cwd=project)
    venv = make_venv("env")
    hint = cli.refused("sync", "locks/pylock.toml", "-p", venv.python, cwd=project)
    assert "-f FOLDER" in hint
    assert "--allow-outside-path" in hint
    cli.ok("sync", "locks/pylock.toml", "-p", venv.python, "-f", "my files", cwd=project)
    (tmp_path / "far").mkdir()
    shutil.move(project / "locks/pylock.toml", tmp_path / "far/pylock.toml")
    shutil.move(project / "my files", tmp_path / "wheelhouse")
    other = make_venv("other")
    options = ("-p", other.python, "-f", tmp_path / "wheelhouse", "--no-cache")
    cli.ok("sync", tmp_path / "far/pylock.toml", *options)


def test_a_file_inside_the_folder_that_is_missing_comes_from_find_links(
    cli: Command, project: Path, tmp_path: Path, make_venv: VenvMaker
) -> None:
    cli.ok("lock", "--no-index", "-f", "my files", cwd=project)
    shutil.move(project / "my files", tmp_path / "wheelhouse")
    venv = make_venv("env")
    cli.refused("sync", "-p", venv.python, "--no-cache", cwd=project)
    cli.ok("sync", "-p", venv.python, "--no-cache", "-f", tmp_path / "wheelhouse", cwd=project)


def test_a_folder_of_find_links_without_the_file_opens_no_way_out(
    cli: Command, project: Path, tmp_path: Path, make_venv: VenvMaker
) -> None:
    (project / "locks").mkdir()
    (tmp_path / "empty").mkdir()
    cli.ok("lock", "--no-index", "-f", "my files", "-o", "locks/pylock.toml", cwd=project)
    options = ("-p", make_venv("env").python, "-f", tmp_path / "empty", "--no-cache")
    assert "outside of the lock file's folder" in cli.refused("sync", "locks/pylock.toml", *options, cwd=project)


@pytest.mark.parametrize(
    "line",
    [
        "core @ file:../core%20lib",
        "core @ file:../core%20lib ; os_name != 'none'",
        "core @ file:./../core%20lib/",
        "file:../core%20lib",
        "-e file:../core%20lib",
        "-e ../core%20lib#egg=core",
        "../core lib",
    ],
)
def test_a_relative_file_url_is_decoded_as_any_url(line: str, cli: Command, tmp_path: Path) -> None:
    name = "core%20lib" if line == "-e ../core%20lib#egg=core" else "core lib"
    (tmp_path / name).mkdir()
    write_source_tree(tmp_path / name, source_files("core", "1.0"))
    head = '[project]\nname = "core"\nversion = "1.0"\n'
    (tmp_path / name / "pyproject.toml").write_text(head + (tmp_path / name / "pyproject.toml").read_text())
    (tmp_path / "app").mkdir()
    (tmp_path / "app/requirements.in").write_text(f"{line}\n")
    cli.ok("lock", "requirements.in", "--no-index", "--python", ">=3.10", cwd=tmp_path / "app")
    assert entry(tmp_path / "app/pylock.toml")["directory"]["path"] == f"../{name}"


def test_a_relative_file_url_keeps_its_fragment(cli: Command, tmp_path: Path) -> None:
    tree = tmp_path / "mono repo/part"
    tree.mkdir(parents=True)
    write_source_tree(tree, source_files("core", "1.0"))
    (tree / "pyproject.toml").write_text('[project]\nname = "core"\nversion = "1.0"\n')
    (tmp_path / "requirements.in").write_text("core @ file:mono%20repo#subdirectory=part\n")
    cli.ok("lock", "requirements.in", "--no-index", "--python", ">=3.10")
    assert entry(tmp_path / "pylock.toml")["directory"] == {"path": "mono repo", "subdirectory": "part"}


def test_hashes_of_requirements_hold_for_files_of_a_folder(cli: Command, project: Path) -> None:
    wheel = make_wheel("hull", "1.0")
    (project / "my files/hull-2.0-py3-none-any.whl").write_bytes(make_wheel("hull", "2.0").content)
    (project / "hashed.txt").write_text(f"hull --hash=sha256:{wheel.sha256}\n")
    cli.ok("lock", "hashed.txt", "--python", ">=3.10", "--no-index", "-f", "my files", cwd=project)
    assert [f["name"] for f in entry(project / "pylock.toml")["wheels"]] == [wheel.filename]
    (project / "hashed.txt").write_text(f"hull --hash=sha256:{'0' * 64}\n")
    options = ("--python", ">=3.10", "--no-index", "-f", "my files")
    assert "none of its files has one of the required hashes" in cli("lock", "hashed.txt", *options, cwd=project).stderr


def test_a_folder_with_a_blank_in_its_name_is_exported(cli: Command, project: Path) -> None:
    cli.ok("lock", "--no-index", "-f", "my files", cwd=project)
    exported = cli.ok("export", cwd=project).stdout
    assert "--find-links './my files'\n" in exported
    (project / "exported.txt").write_text(exported)
    cli.ok("lock", "exported.txt", "--no-index", "--python", ">=3.10", "-o", "pylock.again.toml", cwd=project)
    assert entry(project / "pylock.again.toml")["version"] == "1.0"
