"""What the guides show is true: pasted commands work, tables hold commands that exist, pictures are valid files."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lockset import validate_text
from lockset.cli.main import COMMANDS, build_parser
from support.shell import add_commands
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from types import ModuleType

    from support.local_index import LocalIndex

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "pages"
FLASK = ("blinker", "click", "itsdangerous", "jinja2", "markupsafe", "werkzeug")
VERSIONS = {
    "blinker": "1.9.0", "click": "8.5.1", "itsdangerous": "2.2.0", "jinja2": "3.1.6", "markupsafe": "3.0.4",
    "werkzeug": "3.1.9",
}  # fmt: skip


def hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def understood(line: str) -> None:
    arguments = shlex.split(line)[1:]
    build_parser(next(word for word in arguments if word in COMMANDS)).parse_args(arguments)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local_index: LocalIndex) -> Path:
    """A folder of commands on the path, `lockset` and `python3` among them; the index has what the guides install."""
    world = local_index.world
    world.add("flask", "3.1.3", requires=[*FLASK]).add("pywin32", "312").add("pytest", "9.2.0").add("pandas", "3.1.1")
    for name, version in VERSIONS.items():
        world.add(name, version, requires=["markupsafe"] if name in {"jinja2", "werkzeug"} else [])
    commands = add_commands(tmp_path / "commands", monkeypatch)
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    monkeypatch.setenv("LOCKSET_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return commands


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    output = done.stdout.decode()
    assert done.returncode == 0, f"{script}\n{output}"
    return output


def same_every_time(text: str) -> str:
    """`text` without numbers that depend on the machine and the index."""
    text = re.sub(r"\d+(\.\d+)? s$", "N s", text, flags=re.MULTILINE)
    text = re.sub(r"^Locked .* in pylock.toml", "Locked N in pylock.toml", text, flags=re.MULTILINE)
    text = re.sub(r"^Target .*/station/", "Target station/", text, flags=re.MULTILINE)
    return re.sub(r"^lockset [\d.]+$", "lockset N", text, flags=re.MULTILINE)


@pytest.mark.skipif(sys.platform == "win32", reason="the guide shows a POSIX shell")
def test_getting_started_works_when_it_is_pasted(shell: Path, tmp_path: Path) -> None:
    text = (PAGES / "getting-started.md").read_text()
    folder = tmp_path
    for language, code in re.findall(r"^```(sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language == "sh":
            # lockset itself comes from no index here.
            run("\n".join(line for line in code.splitlines() if "install lockset" not in line), folder)
            folder = tmp_path / "station" if (tmp_path / "station").is_dir() else folder
            continue
        for command, expected in re.findall(r"^\$ ([^\n]*)\n((?:(?!\$ ).*\n)*)", code, re.MULTILINE):
            assert same_every_time(run(command, folder)) == same_every_time(expected), command
    assert {"flask", "pytest", "pandas"} <= set(judge(next((folder / ".venv/lib").glob("python*/site-packages"))))


@pytest.mark.parametrize("tool", ["pip-tools", "uv", "poetry", "pdm", "pipenv"])
def test_commands_to_migrate_to_exist(tool: str) -> None:
    data = hook("migration").catalogue()[tool]
    understood(data["convert"])
    for old, new in data["rows"]:
        assert old.split()[0] in {tool, "pip-compile", "pip-sync", "pip"}
        for line in re.findall(r"`(lockset [^`]*)`", new) or ([new] if new.startswith("lockset ") else []):
            understood(line)


def test_every_tool_that_is_converted_has_its_table() -> None:
    text = (PAGES / "how-to" / "migrate.md").read_text()
    shown = set(re.findall(r"<!-- migration: ([\w-]+) -->", text))
    assert shown == {*hook("migration").catalogue()}


def test_the_annotated_lock_file_is_valid() -> None:
    pictures = hook("pictures")
    report = validate_text(pictures.annotated_text(pictures.catalogue()["pylock"]))
    assert [f"{issue.line}: {issue.message}" for issue in report.issues] == []


def test_every_picture_is_shown_and_every_shown_picture_exists() -> None:
    pictures = hook("pictures")
    shown = {
        name for path in PAGES.rglob("*.md") for name in re.findall(r"<!-- picture: ([\w-]+) -->", path.read_text())
    }
    assert shown == set(pictures.catalogue())
    for name in shown:
        assert "<figcaption>" in pictures.picture(name)


def test_bands_cover_every_column_once() -> None:
    data = hook("pictures").catalogue()["fork"]
    for row in data["rows"]:
        assert sum(width for _, width in row["bands"]) == len(data["columns"]), row["name"]


def test_the_recording_of_the_first_run_shows_commands_that_exist_and_loads_nothing() -> None:
    spec = importlib.util.spec_from_file_location("cast", ROOT / "docs" / "demo" / "cast.py")
    assert spec is not None
    assert spec.loader is not None
    cast: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cast)
    text = (PAGES / "assets" / "first-run.svg").read_text()
    shown = "".join(ET.fromstring(text).itertext())
    for command in cast.COMMANDS:
        understood(command)
        assert command in shown.replace("\n", "")
    assert "Installed 7 packages in" in shown
    assert not re.search(r"<script|href=|url\(|@import", text)


def jobs() -> dict[str, list[str]]:
    """The commands of the two CI files."""
    text = (PAGES / "how-to" / "ci.md").read_text()
    github, gitlab = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    return {
        "github": [step["run"] for step in github["jobs"]["test"]["steps"] if "run" in step],
        "gitlab": [*gitlab["test"]["before_script"], *gitlab["test"]["script"]],
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the files are for Linux runners")
@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_the_commands_of_the_ci_files_pass(service: str, shell: Path, tmp_path: Path, local_index: LocalIndex) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["flask"]\n'
        '[dependency-groups]\ntest = ["pytest"]\n'
    )
    run("lockset lock", project)
    commands = jobs()[service]
    assert any("install lockset" in command for command in commands)
    assert commands[-1] == ".venv/bin/pytest"
    # Neither lockset nor a real pytest is on the index of the test.
    rest = [c for c in commands[:-1] if "install lockset" not in c and "/opt/" not in c]
    assert [c.split(">")[0].strip() for c in rest if c.startswith("lockset")][1:] == [
        "lockset lock --check",
        "lockset sync --group test",
    ]
    run("\n".join(rest), project)
    assert {"flask", "pytest"} <= set(judge(next((project / ".venv/lib").glob("python*/site-packages"))))


def test_stages_that_the_container_file_copies_from_exist() -> None:
    text = (PAGES / "how-to" / "images.md").read_text()
    for block in re.findall(r"```dockerfile\n(.*?)```", text, re.DOTALL):
        stages = re.findall(r"^FROM \S+ AS (\S+)", block, re.MULTILINE)
        assert set(re.findall(r"--from=(\S+)", block)) <= set(stages)
        if "/opt/lockset/bin/lockset" in block and "FROM" in block:
            assert "pip install --no-cache-dir lockset" in block.partition("/opt/lockset/bin/lockset")[0]


README = (ROOT / "README.md").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="README shows a POSIX shell")
def test_the_first_commands_of_readme_pass_in_their_order(shell: Path, tmp_path: Path, local_index: LocalIndex) -> None:
    for name, version in VERSIONS.items():
        hashes = {file.artifact.sha256 for file in local_index.world.projects[name]}
        with (tmp_path / "requirements.txt").open("a") as file:
            file.write(f"{name}=={version} {' '.join(f'--hash=sha256:{value}' for value in hashes)}\n")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["flask>=3"]\n'
        '[project.optional-dependencies]\ncharts = ["pandas>=2.2"]\n[dependency-groups]\ntest = ["pytest>=8"]\n'
    )
    run("python3 -m venv --without-pip .venv", tmp_path)
    (block,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    commands = re.findall(r"^\$ (.*)", block, re.MULTILINE)
    assert len(commands) >= 6
    outputs = {command.split()[1]: run(command, tmp_path) for command in commands}
    assert {"flask", "pytest", "pandas"} <= set(judge(next((tmp_path / ".venv/lib").glob("python*/site-packages"))))
    assert "flask" in judge(tmp_path / "build")
    assert "flask 3.1.3 → werkzeug 3.1.9" in outputs["why"]


def test_the_error_that_readme_shows_is_what_is_printed(shell: Path, tmp_path: Path, local_index: LocalIndex) -> None:
    world = local_index.world
    for version, python in (
        ("2.0.2", "3.9"), ("2.1.0", "3.10"), ("2.2.6", "3.10"), ("2.3.0", "3.11"), ("2.4.6", "3.11"), ("2.5.5", "3.12")
    ):  # fmt: skip
        world.add("numpy", version, requires_python=f">={python}")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["numpy>=2.1"]\n'
    )
    (expected,) = re.findall(r"```text\n\$ lockset lock\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-m", "lockset", "lock"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stderr) == (1, expected)
