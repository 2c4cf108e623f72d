"""`sync --python` with a version or a range: which of the Pythons of this machine it takes, and what it says."""

from __future__ import annotations

import os
import sys
from platform import python_version
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import write_lock
from support.builders.wheel import make_wheel
from support.command import Command
from support.venvs import interpreter

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and scripts of POSIX systems as interpreters")

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """A command with a lock file in its folder, and no Python on its PATH, in a home without version managers."""
    write_lock(tmp_path / "pylock.toml", [make_wheel("sample", "1.0")])
    (tmp_path / "nothing").mkdir()
    kept = {name: str(tmp_path / "nothing") for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR", "MISE_DATA_DIR")}
    return Command(cwd=tmp_path, env={"PATH": str(tmp_path / "nothing"), **kept})


def linked(folder: Path, name: str, version: str) -> Path:
    """The command `name` in `folder`, a link to a real Python; the test is skipped where there is none."""
    base = interpreter(version)
    if base is None:
        pytest.skip(f"no Python {version} here")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).symlink_to(os.path.realpath(base))
    return folder / name


def imitated(folder: Path, name: str, version: str) -> Path:
    """The command `name` in `folder`: this Python, which says that it has another version."""
    minor = ".".join(version.split(".")[:2])
    facts = {f'"{python_version()}"': f'"{version}"', f'"{OWN}"': f'"{minor}"'}
    facts[f"[{sys.version_info.major}, {sys.version_info.minor}]"] = f"[{minor.replace('.', ', ')}]"
    changes = "; ".join(f"s/{old}/{new}/g" for old, new in facts.items()).replace("[", r"\[").replace("]", r"\]")
    base = getattr(sys, "_base_executable", sys.executable)
    return script(folder, name, f"""'{base}' "$@" | /bin/sed '{changes}'""")


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder / name


def path_of(*commands: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join(str(command.parent) for command in commands)}


def created_with(cli: Command, requested: str, env: dict[str, str]) -> str:
    """The interpreter that `.venv` is created with; it is synced, too."""
    done = cli.ok("sync", "--create-venv", "--python", requested, env=env)
    assert (cli.cwd / ".venv" / "lib").is_dir(), str(done)
    return done.stderr.splitlines()[0].partition(" with ")[2]


def test_the_first_python_on_path_that_matches_is_taken(cli: Command, tmp_path: Path) -> None:
    old, first, newer = (linked(tmp_path / v, f"python{v}", v) for v in ("3.9", "3.12", "3.13"))
    assert created_with(cli, ">=3.10,<3.14", path_of(old, first, newer)) == str(first)
    assert (tmp_path / ".venv/lib/python3.12/site-packages/sample/__init__.py").is_file()


@pytest.mark.parametrize(
    ("requested", "taken"),
    [
        (">=3.9", "python3"),
        (">=3.10", "python3.13"),
        ("<3.13,>=3.10", "python3.12"),
        ("==3.12.*", "python3.12"),
        ("!=3.13.*, >3.10", "python3.12"),
        (" >=3.12 , <3.13 ", "python3.12"),
        ("~=3.10", "python3.13"),
        ("3.12", "python3.12"),
    ],
)
def test_of_one_folder_python3_goes_first_then_the_newest(
    cli: Command, tmp_path: Path, requested: str, taken: str
) -> None:
    for version in ("3.12", "3.13", "3.9"):
        linked(tmp_path / "bin", f"python{version}", version)
    (tmp_path / "bin/python3").symlink_to("python3.9")
    assert created_with(cli, requested, {"PATH": str(tmp_path / "bin")}) == str(tmp_path / "bin" / taken)


def test_a_version_manager_comes_after_path_with_its_newest_that_matches(cli: Command, tmp_path: Path) -> None:
    for full in ("3.10.1", "3.12.1", "3.13.1"):
        linked(tmp_path / "pyenv/versions" / full / "bin", "python3", ".".join(full.split(".")[:2]))
    on_path = linked(tmp_path / "bin", "python3", "3.9")
    env = {**path_of(on_path), "PYENV_ROOT": str(tmp_path / "pyenv")}
    assert created_with(cli, ">=3.10,<3.13", env) == str(tmp_path / "pyenv/versions/3.12.1/bin/python3")


def test_broken_pythons_folders_and_files_that_cannot_run_are_passed_over(cli: Command, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    (folder / "python3.40").mkdir(parents=True)
    script(folder, "python3.39", "exit 3")
    script(folder, "python3.38", "echo no facts")
    script(folder, "python3.37", "kill -9 $$")
    script(folder, "python3.36", "exit").write_text("#!/nonexistent/interpreter\n")
    script(folder, "python3.35", "exit").chmod(0o644)
    (folder / "python3.34").symlink_to("nowhere")
    (folder / "python3.33").symlink_to("python3.33")
    script(folder, "python3", "echo 'lockset-facts:{}'")
    working = linked(folder, f"python{OWN}", OWN)
    assert created_with(cli, ">=3.8", path_of(working)) == str(working)


def test_where_none_matches_the_message_has_the_range_the_search_and_what_is_broken(
    cli: Command, tmp_path: Path
) -> None:
    broken = script(tmp_path / "bin", "python3.12", "exit 3")
    linked(tmp_path / "bin", f"python{OWN}", OWN)
    assert cli.refused("sync", "--create-venv", "--python", ">=3.90,<4", env=path_of(broken)) == (
        "error: There is no Python that matches `>=3.90,<4` on PATH\n"
        "  Searched PATH, and the folders of pyenv, uv, mise and asdf\n"
        f"  `{broken}` is not a working Python 3.8 or newer\n"
        "  hint: Give the path of an interpreter with `--python`"
    )
    assert not (tmp_path / ".venv").exists()


def test_where_there_is_no_python_at_all_the_message_names_the_version(cli: Command) -> None:
    assert cli.refused("sync", "--create-venv", "--python", "3.12").startswith("error: There is no Python 3.12 on PATH")


@pytest.mark.parametrize("requested", ["^3.10", "3.10,<3.13", "3.*", "3.10-3.13"])
def test_what_is_neither_a_version_nor_a_range_nor_a_path_gets_an_example_of_each(cli: Command, requested: str) -> None:
    message = " ".join(cli.refused("sync", "--python", requested).split())
    assert f"There is no Python interpreter at `{requested}`" in message
    assert "a version such as `3.12`, or a range such as `>=3.10,<3.14`" in message


def test_a_python_older_than_those_that_are_supported_is_not_one(cli: Command, tmp_path: Path) -> None:
    old = imitated(tmp_path / "bin", "python3", "3.7.9")
    message = cli.refused("sync", "--create-venv", "--python", "<3.8", env=path_of(old))
    assert f"`{old}` is not a working Python 3.8 or newer" in message
    assert "is not a working Python 3.8 or newer" in cli.refused("sync", "--target", "out", "--python", old)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("requested", "taken"),
    [
        (">=3.20,<3.22", "python3.21"),
        ("<3.20.7,>=3.20", "python3.20"),
        (">=3.22", None),
        (">=3.22.0a1", "python3.22"),
        ("3.20.6", "python3.20"),
        ("3.20.7", None),
    ],
)
def test_the_version_that_an_interpreter_states_counts_not_its_name(
    cli: Command, tmp_path: Path, requested: str, taken: str | None
) -> None:
    for name, version in (("3.20", "3.20.6"), ("3.21", "3.21.0"), ("3.22", "3.22.0a2"), ("3.30", "3.19.9")):
        imitated(tmp_path / "bin", f"python{name}", version)
    arguments = ("sync", "--create-venv", "--python", requested)
    done = cli(*arguments, env={"PATH": str(tmp_path / "bin")})
    if taken is None:
        assert "There is no Python" in done.stderr
    else:
        # The imitation creates an environment of the version that it really has.
        assert f"with {tmp_path / 'bin' / taken}\n" in done.stderr, str(done)


def test_a_python_of_a_virtual_environment_on_path_is_passed_over(cli: Command, tmp_path: Path) -> None:
    base = linked(tmp_path / "base", f"python{OWN}", OWN)
    assert created_with(cli, OWN, path_of(base)) == str(base)
    moved = (tmp_path / ".venv").rename(tmp_path / "elsewhere")
    assert created_with(cli, OWN, path_of(moved / "bin/python3", base)) == str(base)


def test_the_environment_at_hand_counts_first_if_its_python_matches(cli: Command, tmp_path: Path) -> None:
    base = linked(tmp_path / "bin", f"python{OWN}", OWN)
    created_with(cli, f"=={OWN}.*", path_of(base))
    done = cli.ok("sync", "--python", f">={OWN}")
    assert "match" in done.stderr
    message = cli.refused("sync", "--python", f">{OWN}.99")
    assert f"There is no Python that matches `>{OWN}.99` on PATH" in message
