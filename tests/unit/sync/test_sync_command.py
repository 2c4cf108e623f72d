"""`lockset sync` as a command: what it says, what it exits with, what it imports."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.sdist import make_sdist, source_files, write_source_tree
from support.builders.wheel import make_wheel
from support.repository import SCHEMAS
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from pathlib import Path

    from support.venvs import Venv, VenvMaker

HEAVY = ("httpx", "installer", "rich", "jsonschema", "filelock", "tomli_w")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a lock file of one local wheel."""
    folder = tmp_path / "project"
    folder.mkdir()
    wheel = make_wheel("sample", "1.0")
    (folder / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel)
    del locked["url"]
    package = {"name": "sample", "version": "1.0", "wheels": [locked | {"path": wheel.filename}]}
    (folder / "pylock.toml").write_text(make_lock([package]))
    return folder


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv("project/.venv")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lockset", "sync", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_nearest_lock_goes_into_the_nearest_environment(project: Path, venv: Venv) -> None:
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    done = run(below)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert " + sample 1.0\n" in done.stderr
    assert "Installed 1 package" in done.stderr
    assert judge(venv.site_packages) == {"sample": "1.0"}


def test_check_and_dry_run_tell_and_change_nothing(project: Path, venv: Venv) -> None:
    assert run(project, "--check").returncode == 1
    dry = run(project, "--dry-run")
    assert dry.returncode == 0
    assert dry.stderr.endswith(" + sample 1.0\nWould install 1 package\n")
    assert judge(venv.site_packages) == {}
    run(project)
    assert run(project, "--check").returncode == 0


def test_the_report_is_data(project: Path, venv: Venv) -> None:
    message = json.loads(run(project, "--json").stdout)
    assert message["changed"] is True
    assert message["target"]["kind"] == "venv"
    schema = json.loads((SCHEMAS / "sync-report.schema.json").read_text())
    jsonschema.validate(message, schema)
    jsonschema.validate(json.loads(run(project, "--json").stdout), schema)
    (step,) = message["steps"]
    assert (step["action"], step["name"], step["new_version"]) == ("install", "sample", "1.0")


def test_sources_are_built_and_known_again(project: Path, venv: Venv) -> None:
    sdist = make_sdist("built", "1.0")
    (project / sdist.filename).write_bytes(sdist.content)
    write_source_tree(project / "tree", source_files("here", "3.0"))
    locked: dict[str, Any] = locked_file(sdist)
    del locked["url"]
    packages = [
        {"name": "built", "version": "1.0", "sdist": locked | {"path": sdist.filename}},
        {"name": "here", "directory": {"path": "tree"}},
    ]
    (project / "pylock.toml").write_text(make_lock(packages))
    assert run(project, "--no-build").returncode == 1
    done = run(project)
    assert done.returncode == 0, done.stderr
    assert judge(venv.site_packages) == {"built": "1.0", "here": "3.0"}
    assert run(project, "--check").returncode == 0


def test_a_refusal_is_one_paragraph(project: Path, venv: Venv) -> None:
    (project / "sample-1.0-py3-none-any.whl").write_bytes(b"evil")
    done = run(project)
    assert done.returncode == 1
    assert "is not the file that was locked" in done.stderr
    assert "  The environment was not changed\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_usage_has_its_own_exit_code(project: Path, venv: Venv) -> None:
    assert run(project, "--extra", "nothing").returncode == 1
    assert run(project, "--only-group", "a", "--group", "b").returncode == 2


def test_without_an_environment_the_way_out_is_named(project: Path) -> None:
    done = run(project)
    assert done.returncode == 1
    assert "lockset sync --create-venv" in done.stderr


def test_a_sync_with_nothing_to_do_imports_nothing_heavy(project: Path, venv: Venv) -> None:
    run(project)
    code = "import sys; from lockset.cli.main import main; main(['sync']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert "The only package matches the lock file" in done.stderr
    assert set(HEAVY) & set(done.stdout.split()) == set()


def test_the_error_for_another_format_says_what_to_do(project: Path, venv: Venv) -> None:
    (project / "script.py").write_text("# /// script\n# dependencies = []\n# ///\n")
    assert "`lockset lock script.py" in run(project, "script.py").stderr
    (project / "requirements.txt").write_text("sample\n")
    assert "`lockset lock requirements.txt`" in run(project, "requirements.txt").stderr


@pytest.mark.parametrize("option", ["--target", "--prefix", "--python"])
def test_an_empty_target_path_is_refused(project: Path, venv: Venv, option: str) -> None:
    """A variable of a script that nobody has set."""
    done = run(project, option, "")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} is empty" in done.stderr
    assert not judge(venv.site_packages)


@pytest.mark.parametrize("name", ["pylock..toml", "pylock.foo.bar.toml", "Pylock.toml", "pylock.dev.TOML", "lock.toml"])
@pytest.mark.parametrize("command", ["sync", "install", "check-env", "download"])
def test_a_file_without_the_name_of_a_lock_is_not_read(project: Path, venv: Venv, name: str, command: str) -> None:
    (project / "pylock.toml").rename(project / name)
    options = ["--dest", "out"] if command == "download" else ["--python", str(venv.path)]
    arguments = [sys.executable, "-m", "lockset", command, name, *options]
    done = subprocess.run(arguments, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert f"`{name}` is not a valid name for a lock file" in done.stderr
    assert judge(venv.site_packages) == {}


@pytest.mark.parametrize("name", ["pylock.dev.toml", "pylock.a-b_c.toml"])
def test_a_file_with_a_lock_s_name_is_read(project: Path, venv: Venv, name: str) -> None:
    (project / "pylock.toml").rename(project / name)
    assert run(project, name).returncode == 0
    assert judge(venv.site_packages) == {"sample": "1.0"}
