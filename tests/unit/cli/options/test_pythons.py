"""Where Pythons are looked for when one is asked for by version."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lockset.cli.options.pythons import command_path, python_folders, python_version_text
from lockset.errors import LocksetError
from lockset.sync.disk.inspect.python_search import find_python, python_matches

# Windows has the command at the top of an installation.
INSIDE = "" if os.name == "nt" else "bin"


def made(root: Path, *names: str) -> None:
    for name in names:
        (root / name / "bin").mkdir(parents=True)


def test_the_path_goes_first_then_the_newest_that_fits(tmp_path: Path) -> None:
    made(tmp_path / ".pyenv/versions", "3.12.1", "3.12.10", "3.1.2", "3.11.4", "pypy3.12-7.3", "miniconda3")
    made(tmp_path / ".local/share/uv/python", "cpython-3.12.4-linux-x86_64-gnu", "cpython-3.13.0-linux-x86_64-gnu")
    result = python_folders({"PATH": os.pathsep.join(["/a", "/b"]), "HOME": str(tmp_path)}, version="3.12")
    assert result[:2] == ["/a", "/b"]
    folders = [Path(folder) for folder in result[2:] if folder.startswith(str(tmp_path))]
    names = [(folder.parent if INSIDE else folder).name for folder in folders]
    assert names == ["3.12.10", "3.12.1", "pypy3.12-7.3", "cpython-3.12.4-linux-x86_64-gnu"]


def test_a_free_threaded_build_goes_last_and_is_found_by_its_own_name(tmp_path: Path) -> None:
    threaded = "cpython-3.14.2+freethreaded-linux-x86_64-gnu"
    made(tmp_path / ".pyenv/versions", "3.14.0", "3.14.1t", "3.14.0t")
    made(tmp_path / ".local/share/uv/python", threaded, "cpython-3.14.0-linux-x86_64-gnu")
    environ = {"PATH": "", "HOME": str(tmp_path)}
    folders = [Path(folder) for folder in python_folders(environ, version="3.14") if folder.startswith(str(tmp_path))]
    names = [(folder.parent if INSIDE else folder).name for folder in folders]
    assert names == ["3.14.0", "3.14.1t", "3.14.0t", "cpython-3.14.0-linux-x86_64-gnu", threaded]
    if os.name == "nt":
        return  # commands there have an ending
    assert command_path("3.14t", environ) == "3.14t"
    command = tmp_path / ".local/share/uv/python" / threaded / "bin/python3.14t"
    command.touch(0o755)
    for spelled in ("3.14t", "python3.14t", "cpython@3.14t"):
        assert command_path(spelled, environ) == str(command)
    assert command_path("3.13t", environ) == "3.13t"


def test_who_keeps_them_elsewhere_says_so(tmp_path: Path) -> None:
    made(tmp_path / "own/versions", "3.9.1")
    result = python_folders({"PATH": "", "PYENV_ROOT": str(tmp_path / "own")}, version="3.9.1")
    assert str(tmp_path / "own/versions/3.9.1" / INSIDE) in result


def test_without_a_version_only_the_path_counts(tmp_path: Path) -> None:
    made(tmp_path / ".pyenv/versions", "3.12.1")
    assert python_folders({"PATH": "/a", "HOME": str(tmp_path)}, version=None) == ["/a"]


@pytest.mark.parametrize(
    ("requested", "names"),
    [
        (">=3.12", ["cpython-3.13.0-linux-x86_64-gnu", "3.12.10", "3.12.1"]),
        (">=3.12,<3.12.5", ["3.12.1"]),
        ("==3.11.*", ["3.11.4"]),
        (">=3.14", []),
    ],
)
def test_a_range_takes_each_version_that_it_contains(tmp_path: Path, requested: str, names: list[str]) -> None:
    made(tmp_path / ".pyenv/versions", "3.12.1", "3.12.10", "3.11.4")
    made(tmp_path / ".local/share/uv/python", "cpython-3.13.0-linux-x86_64-gnu")
    result = [Path(folder) for folder in python_folders({"PATH": "", "HOME": str(tmp_path)}, version=requested)]
    inside = [folder.parent if INSIDE else folder for folder in result if folder.is_relative_to(tmp_path)]
    assert sorted(folder.name for folder in inside) == sorted(names)


@pytest.mark.parametrize(
    ("requested", "version", "matches"),
    [
        ("3.12", "3.12.4", True),
        ("3.1", "3.12.4", False),
        (">=3.12", "3.12.4", True),
        (">=3.12", "3.12.4+", True),
        ("~=3.11", "3.12.4", True),
        ("<3.12", "3.12.4", False),
        (">=3.13", "3.14.0b1", False),
        (">=3.14.0a0", "3.14.0b1", True),
    ],
)
def test_a_python_matches_the_start_of_its_version_or_a_range(requested: str, version: str, *, matches: bool) -> None:
    assert python_matches(requested, version) is matches


@pytest.mark.parametrize("requested", [">=abc", "=3.10", ">=3.10 <3.12", "<", ">=3.10,,,=="])
def test_a_range_that_is_not_valid_is_refused_before_an_interpreter_starts(requested: str, tmp_path: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        find_python([str(tmp_path)], version=requested, cache=None)
    assert caught.value.diagnostic.message == f"`{requested}` is not a valid range of Pythons"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        *(
            (text, "3.12")
            for text in ("python3.12", "3.12", "312", "cp312", "cpython3.12", "cpython-3.12", "cpython@3.12")
        ),
        *((text, "3.12.1") for text in ("3.12.1", "python3.12.1", "cpython@3.12.1")),
        *((text, text) for text in ("3", "python3", ".venv", "pypy3.10", "2024", "3.12-env", None)),
    ],
)
def test_a_version_has_several_spellings(text: str | None, version: str | None) -> None:
    assert python_version_text(text) == version


def test_a_command_is_looked_up_and_a_path_is_not(tmp_path: Path) -> None:
    tool = tmp_path / ("tool.exe" if os.name == "nt" else "tool")
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert os.path.normcase(command_path("tool", {"PATH": str(tmp_path)})) == os.path.normcase(tool)
    assert command_path("./tool", {"PATH": str(tmp_path)}) == "./tool"
    assert command_path("none", {"PATH": str(tmp_path)}) == "none"
