"""The whole way from a project to a synced environment where the user's surroundings are odd or poor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker

posix = pytest.mark.skipif(os.name == "nt", reason="limits and closed streams of a POSIX shell")

# The system refuses such a name for any user, as it refuses the names in a folder that the user may not enter.
REFUSED_NAME = os.path.abspath("x" * 300)
SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "no home": {"HOME": None, "XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None},
    "a home that does not exist": {"HOME": "/nonexistent/home", "XDG_CONFIG_HOME": None},
    "a home that cannot be entered": {"HOME": REFUSED_NAME, "XDG_CONFIG_HOME": REFUSED_NAME},
    "a netrc file that cannot be read": {"NETRC": REFUSED_NAME},
    "a cache that cannot be entered": {"LOCKSET_CACHE_DIR": REFUSED_NAME},
    "a cache that is a file": {"LOCKSET_CACHE_DIR": __file__},
    "a temporary folder that does not exist": {"TMPDIR": "/nonexistent/tmp"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "a time zone far ahead": {"TZ": "Pacific/Kiritimati"},
    "a time zone that is not valid": {"TZ": "Nowhere/At All"},
    "neither asserts nor docstrings": {"PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
    "warnings are errors": {"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
    "no script folder on the path": {"PYTHONSAFEPATH": "1"},
    "a narrow screen": {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "dumb"},
    "a width that is not a number": {"COLUMNS": "wide", "NO_COLOR": "1", "FORCE_COLOR": "1"},
    "an encoding with few characters": {"PYTHONIOENCODING": "ascii"},
}
LIMITS = {
    "few open files": "ulimit -n 16",
    "hardly any open file": "ulimit -n 8",
    "a private umask": "umask 077",
    "an open umask": "umask 000",
    "stdin is closed": "exec <&-",
    "every stream is closed": "exec <&- >&- 2>&-",
}
FOLDERS = ["two  words", "żółw 雪", "line\nbreak", os.path.join(*(letter * 200 for letter in "abcde"))]


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> Path:
    local_index.world.add("app", requires=["core>=1", "colour; sys_platform == 'win32'"])
    for name in ("core", "colour"):
        local_index.world.add(name)
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return _project(tmp_path / "project")


def _project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    dependencies = 'name = "weather"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["app"]\n'
    (folder / "pyproject.toml").write_text(f"[project]\n{dependencies}")
    (folder / "pins.txt").write_text("app==1.0\ncore==1.0\ncolour==1.0; sys_platform == 'win32'\n")
    return folder


def _whole_way(cli: Command, folder: Path) -> None:
    """Each step succeeds, without the text of an error, and leaves what it is for."""
    steps = (
        ("lock",),
        ("lock", "--check"),
        ("validate",),
        ("convert", "pins.txt", "-o", "pylock.pins.toml"),
        ("export", "-o", "exported.txt"),
        ("sync", "--target", "out"),
        ("check-env", "--target", "out"),
    )
    for step in steps:
        done = cli.ok(*step, cwd=folder)
        assert "error: " not in done.stderr, str(done)
    assert (folder / "out/core/__init__.py").is_file()
    assert sorted(path.name for path in folder.iterdir()) == [
        "exported.txt",
        "out",
        "pins.txt",
        "pylock.pins.toml",
        "pylock.toml",
        "pyproject.toml",
    ]


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_project_is_locked_and_synced_with(
    name: str, cli: Command, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in SURROUNDINGS[name].items():
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    _whole_way(cli, project)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_project_is_locked_and_synced_in_a_folder_named(
    name: str, cli: Command, project: Path, tmp_path: Path
) -> None:
    del project  # what it sets up is needed, its folder is not
    _whole_way(cli, _project(tmp_path / name))


@posix
@pytest.mark.parametrize("name", LIMITS)
def test_a_project_is_locked_and_synced_where(name: str, project: Path) -> None:
    steps = (["lock"], ["validate"], ["sync", "--target", "out"], ["check-env", "--target", "out"])
    # With hardly any open file, the interpreter of a target cannot be started.
    for step in steps[:2] if name == "hardly any open file" else steps:
        shell = ["/bin/sh", "-c", f'{LIMITS[name]}; exec "$@"', "sh", sys.executable, "-m", "lockset", *step]
        done = subprocess.run(shell, cwd=project, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert b"Traceback" not in done.stderr


def test_a_folder_of_path_that_cannot_be_entered_is_passed_over(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    venv = make_venv("env")
    write_lock(tmp_path / "pylock.toml", [make_wheel("core", "1.0")])
    base = Path(venv.run("import sys; print(sys._base_executable)").strip()).parent
    path = os.pathsep.join([REFUSED_NAME, str(base)])
    # A system's own Python may be managed by its installer.
    cli.ok("sync", "--system", "--break-system-packages", "--dry-run", "--python", venv.version, env={"PATH": path})


@posix
@pytest.mark.parametrize("command", [("lock",), ("validate",), ("sync",), ("tree",)])
def test_a_working_folder_that_is_gone_is_named_as_the_reason(command: tuple[str, ...], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$0" && rmdir "$0" && exec "$@"'
    shell = ["/bin/sh", "-c", script, str(gone), sys.executable, "-m", "lockset", *command]
    done = subprocess.run(shell, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "error: The working folder does not exist any more\n"
        "  hint: Change to another folder, or give one with `--directory`\n"
    )
