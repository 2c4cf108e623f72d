"""From a project to an environment: lock, validate, sync, look, over a local index."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tomli
from packaging.pylock import Pylock

from lockset.markers import KNOWN_PYTHONS
from support.local_index import BARE, MODERN, LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.venvs import VenvMaker

PROJECT = """
[project]
name = "station"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["web>=1", "old-only; python_version < '3.11'", "winapi; sys_platform == 'win32'"]

[project.optional-dependencies]
charts = ["plot"]

[dependency-groups]
test = ["check>=2"]
dev = [{ include-group = "test" }, "format"]
"""
PYTHONS = tuple(python for python in KNOWN_PYTHONS if python != "3.8")


def world() -> World:
    """Packages with markers, extras, a command, sdists, and a release that has left Python 3.9 and 3.10 behind."""
    made = World()
    made.add("web", "1.0", requires=["toolkit>=1"])
    made.add(
        "web",
        "2.0",
        requires=["toolkit>=1", "speed[fast]; implementation_name == 'cpython'"],
        entry_points={"console_scripts": {"web-run": "web:main"}},
        files={"web/__init__.py": "def main():\n    print('web runs')\n"},
        sdist=True,
    )
    made.add("toolkit", "1.5", requires_python=">=3.8").add("toolkit", "2.0", requires_python=">=3.11")
    made.add("speed", "1.0", extras={"fast": ["turbo"]}).add("turbo", "3.1")
    made.add("old-only", "0.9", wheels=(), sdist=True)
    made.add("winapi", "306", wheels=("cp39-abi3-win_amd64",))
    made.add("plot", "1.1", requires=["toolkit"]).add("check", "2.5").add("check", "1.0").add("format", "4")
    return made


@pytest.fixture(params=[MODERN, BARE], ids=["modern", "bare"])
def index(request: pytest.FixtureRequest) -> Iterator[LocalIndex]:
    with LocalIndex(world(), request.param) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, cli: Command, index: LocalIndex) -> Path:
    """The project, locked; the path of its lock file."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    cli.ok("lock", "--default-index", index.url)
    return tmp_path / "pylock.toml"


def expected(python: str, *, charts: bool = False, test: bool = False, dev: bool = False) -> dict[str, str]:
    newer = tuple(map(int, python.split("."))) >= (3, 11)
    packages = {"web": "2.0", "toolkit": "2.0" if newer else "1.5", "speed": "1.0", "turbo": "3.1"}
    packages |= {} if newer else {"old-only": "0.9"}
    packages |= {"winapi": "306"} if sys.platform == "win32" else {}
    packages |= {"plot": "1.1"} if charts else {}
    packages |= {"check": "2.5"} if test or dev else {}
    return packages | ({"format": "4"} if dev else {})


def test_the_lock_is_one_that_packaging_reads(project: Path, cli: Command) -> None:
    data = tomli.loads(project.read_text())
    lock = Pylock.from_dict(data)
    assert {(package.name, str(package.version)) for package in lock.packages} == {
        ("web", "2.0"),
        ("toolkit", "1.5"),
        ("toolkit", "2.0"),
        ("speed", "1.0"),
        ("turbo", "3.1"),
        ("old-only", "0.9"),
        ("winapi", "306"),
        ("plot", "1.1"),
        ("check", "2.5"),
        ("format", "4"),
    }
    assert set(lock.extras or ()) == {"charts"}
    assert {"test", "dev"} <= set(lock.dependency_groups or ())
    cli.ok("validate", project)


def test_locking_again_changes_no_byte(project: Path, cli: Command, index: LocalIndex) -> None:
    before = project.read_bytes()
    cli.ok("lock", "--default-index", index.url)
    assert project.read_bytes() == before
    project.unlink()
    cli.ok("lock", "--default-index", index.url)
    assert project.read_bytes() == before


@pytest.mark.parametrize("python", PYTHONS)
def test_an_environment_becomes_what_the_lock_says(
    project: Path, cli: Command, make_venv: VenvMaker, python: str
) -> None:
    env = make_venv("env", python=python)
    cli.ok("sync", "--python", env.python)
    assert env.installed() == expected(python)
    assert subprocess.check_output([env.bin / "web-run"], encoding="utf-8") == "web runs\n"
    before = env.tree()
    second = cli.ok("sync", "--python", env.python)
    assert env.tree() == before
    assert "web" not in second.stdout + second.stderr
    cli.ok("sync", "--python", env.python, "--extra", "charts", "--group", "dev")
    assert env.installed() == expected(python, charts=True, dev=True)
    cli.ok("sync", "--python", env.python, "--group", "test")
    assert env.installed() == expected(python, test=True)


def test_a_second_sync_needs_no_network(project: Path, cli: Command, make_venv: VenvMaker, index: LocalIndex) -> None:
    cli.ok("sync", "--python", make_venv("one").python)
    index.forget()
    two = make_venv("two")
    cli.ok("sync", "--python", two.python)
    assert two.installed()
    assert index.paths() == []


def test_a_dry_run_changes_nothing(project: Path, cli: Command, make_venv: VenvMaker) -> None:
    env = make_venv("env")
    before = env.tree()
    result = cli.ok("sync", "--python", env.python, "--dry-run")
    assert env.tree() == before
    assert "toolkit" in result.stdout + result.stderr


def test_the_environment_found_upwards_is_synced(project: Path, cli: Command, make_venv: VenvMaker) -> None:
    env = make_venv(".venv")
    inside = project.parent / "src" / "station"
    inside.mkdir(parents=True)
    cli.ok("sync", cwd=inside)
    assert "web" in env.installed()


def test_the_active_environment_comes_first(project: Path, cli: Command, make_venv: VenvMaker) -> None:
    result, active = make_venv(".venv"), make_venv("active")
    cli.ok("sync", env={"VIRTUAL_ENV": str(active.path)})
    assert "web" in active.installed()
    assert "web" not in result.installed()


def test_a_folder_can_be_a_target(project: Path, cli: Command, tmp_path: Path) -> None:
    target = tmp_path / "folder"
    cli.ok("sync", "--target", target)
    assert (target / "web" / "__init__.py").is_file()
    before = sorted(path for path in target.rglob("*"))
    cli.ok("sync", "--target", target)
    assert sorted(path for path in target.rglob("*")) == before


def test_what_the_lock_does_not_name_is_removed(
    project: Path, cli: Command, make_venv: VenvMaker, index: LocalIndex, tmp_path: Path
) -> None:
    env = make_venv("env")
    index.world.add("stranger", "1.0")
    (tmp_path / "other.in").write_text("stranger\n")
    cli.ok("lock", "other.in", "-o", "pylock.other.toml", "--default-index", index.url)
    cli.ok("sync", "pylock.other.toml", "--python", env.python)
    assert env.installed() == {"stranger": "1.0"}
    cli.ok("sync", "--python", env.python)
    assert "stranger" not in env.installed()


def test_tree_and_why_show_the_dependents(project: Path, cli: Command) -> None:
    tree = cli.ok("tree", project).stdout
    assert {"web", "toolkit", "turbo"} <= set(tree.replace("=", " ").split())
    why = (
        cli.ok("why", "turbo", "--lock", project)
        if "--lock" in cli.ok("why", "--help").stdout
        else cli.ok("why", "turbo")
    )
    assert "speed" in why.stdout
    assert "web" in why.stdout


def test_diff_names_what_changed(project: Path, cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    old = tmp_path / "pylock.old.toml"
    old.write_bytes(project.read_bytes())
    index.world.add("turbo", "3.2")
    cli.ok("lock", "--default-index", index.url, "--upgrade", "--refresh")
    text = cli("diff", old, project).stdout
    assert "turbo" in text
    assert "3.2" in text
    assert "toolkit" not in text


def test_pip_installs_the_same_from_the_lock(project: Path, cli: Command, make_venv: VenvMaker) -> None:
    import pip

    if tuple(map(int, pip.__version__.split(".")[:2])) < (26, 1):
        pytest.skip("pip here does not read pylock.toml")
    ours, theirs = make_venv("ours"), make_venv("theirs")
    cli.ok("sync", "--python", ours.python)
    command = f"{sys.executable} -m pip --python {theirs.python} install --no-deps --no-index --no-build-isolation"
    subprocess.run([*command.split(), "-r", project], check=True, capture_output=True)
    assert theirs.installed() == ours.installed()
