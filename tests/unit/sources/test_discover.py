"""Named sources on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lockset.errors import Diagnostic, LocksetError
from lockset.files.read_file import MAX_BYTES
from lockset.sources.discover import find_project, find_settings, find_upwards, read_constraints, read_sources
from lockset.sources.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.sources.project import RootProject

PYPROJECT = """
[project]
name = "demo"
dependencies = ["a"]
[tool.lockset]
fork-strategy = "fewest"
constraints = ["idna<4"]
"""
SCRIPT = "# /// script\n# dependencies = ['s']\n# ///\nprint()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a requirements file and a script."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "requirements.in").write_text("-r more/extra.txt\nr\n-e .\n", encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "extra.txt").write_text("e\n", encoding="utf-8")
    (tmp_path / "run.py").write_text(SCRIPT, encoding="utf-8")
    return tmp_path


def read(folder: Path, *named: str, stdin: str | None = None, use_settings: bool = True) -> RootProject:
    return read_sources(named, folder=folder, environ={}, stdin=stdin, use_settings=use_settings)


def refusal(folder: Path, *named: str, stdin: str | None = None) -> Diagnostic:
    with pytest.raises(LocksetError) as caught:
        read(folder, *named, stdin=stdin)
    return caught.value.diagnostic


def texts(project: RootProject) -> list[str]:
    return [line.text for line in project.dependencies]


def test_without_names_the_nearest_project_upwards_is_read(folder: Path) -> None:
    inner = folder / "more"
    project = read(inner)
    assert (project.name, project.base, project.sources) == ("demo", folder, (f"..{os.sep}pyproject.toml",))
    assert find_upwards("run.py", inner) == folder / "run.py"
    assert find_upwards("no such file", inner) is None


def test_a_folder_means_its_pyproject(folder: Path) -> None:
    assert read(folder / "more", "..").name == "demo"
    assert refusal(folder, "more").code == "source-missing"


def test_requirements_files_and_scripts_are_recognized_by_their_names(folder: Path) -> None:
    project = read(folder, "requirements.in")
    assert texts(project) == ["e", "r", "."]
    assert [line.origin for line in project.dependencies] == [
        f"more{os.sep}extra.txt:1",
        "requirements.in:2",
        "requirements.in:3",
    ]
    assert project.dependencies[2].requirement.url == folder.as_uri()
    assert project.dependencies[2].name == "demo"
    assert texts(read(folder, "run.py")) == ["s"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\ny>1\n", ["x", "y>1"]),
        ("[project]\nname = 'p'\ndependencies = ['x']\n", ["x"]),
        ("# comment\n[build-system]\nrequires = []\n[project]\nname = 'p'\ndependencies = ['x']\n", ["x"]),
        (SCRIPT, ["s"]),
        ("#!/usr/bin/env python\r\n" + SCRIPT.replace("\n", "\r\n"), ["s"]),
        ("", []),
    ],
)
def test_stdin_and_files_of_any_name_are_recognized_by_content(folder: Path, text: str, expected: list[str]) -> None:
    assert texts(read(folder, "-", stdin=text)) == expected
    (folder / "anything").write_bytes(text.encode())
    assert texts(read(folder, "anything")) == expected


def test_several_sources_are_one_project_and_the_same_one_counts_once(folder: Path) -> None:
    assert texts(read(folder, "run.py", "pyproject.toml", "run.py")) == ["s", "a"]


def test_a_requirements_file_is_locked_with_the_settings_of_its_project(folder: Path) -> None:
    project = read(folder, "requirements.in")
    assert project.settings.fork_strategy == "fewest"
    assert [line.text for line in project.constraints] == ["idna<4"]
    assert find_settings(folder / "more").fork_strategy == "fewest"


def test_a_script_has_its_own_settings_only(folder: Path) -> None:
    assert read(folder, "run.py").settings == Settings()


def test_settings_can_be_left_out(folder: Path) -> None:
    for source in ("pyproject.toml", "requirements.in"):
        project = read(folder, source, use_settings=False)
        assert (project.settings, project.constraints) == (Settings(), ())


def test_without_a_project_there_are_no_settings(tmp_path: Path) -> None:
    assert find_settings(tmp_path) == Settings()
    assert refusal(tmp_path).code == "source-missing"


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ([], "Name a pyproject.toml, a requirements file or a script, or change to the folder of a project"),
        (["requirements.in"], "`lockset lock requirements.in` locks what it requires"),
        (
            ["requirements.txt"],
            (
                "`lockset lock requirements.txt` locks what it requires;"
                " `lockset convert requirements.txt` keeps the versions in it"
            ),
        ),
        (["Pipfile.lock"], "`lockset convert Pipfile.lock` keeps the versions in it"),
        (
            ["Pipfile.lock", "requirements.in", "requirements.txt"],
            (
                "`lockset lock requirements.in` locks what it requires;"
                " `lockset convert Pipfile.lock` keeps the versions in it"
            ),
        ),
    ],
)
def test_a_folder_without_a_project_names_what_else_can_be_locked(tmp_path: Path, names: list[str], hint: str) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert refusal(tmp_path).hint == hint


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml", "uv.lock", "poetry.lock", "Pipfile"])
def test_files_that_are_not_sources_are_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).write_text("", encoding="utf-8")
    assert refusal(folder, name).code == "source-kind"


@pytest.mark.parametrize("source", [(), (".",), ("setup.py",)])
def test_a_project_that_setup_py_describes_needs_a_build(tmp_path: Path, source: tuple[str, ...]) -> None:
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(name='My_Tool')\n")
    project = read(tmp_path, *source)
    assert (project.name, project.sources) == ("my-tool", ("setup.py",))
    (unbuilt,) = project.unbuilt
    assert unbuilt.keys == ("dependencies", "optional-dependencies", "requires-python")
    assert find_project(tmp_path) == tmp_path / "setup.py"


@pytest.mark.parametrize("name", ["setup.py", "setup.cfg"])
@pytest.mark.parametrize("pyproject", ["[tool.lockset]\nno-sdist = true\n", "[dependency-groups]\ndev = ['b']\n"])
def test_setup_files_describe_a_pyproject_toml_without_project(tmp_path: Path, name: str, pyproject: str) -> None:
    text = {"setup.py": "setup(name='a')\n", "setup.cfg": "[metadata]\nname = a\n"}[name]
    (tmp_path / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text(pyproject)
    for source in ((), ("pyproject.toml",), (name,)):
        project = read(tmp_path, *source)
        assert (project.name, project.sources) == ("a", ("pyproject.toml",))
        assert project.unbuilt


def test_a_setup_cfg_with_settings_of_tools_alone_describes_no_project(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[flake8]\nmax-line-length = 100\n")
    (tmp_path / "pyproject.toml").write_text("[dependency-groups]\ndev = ['b']\n")
    assert read(tmp_path).name is None
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert refusal(tmp_path).code == "no-project"


def test_a_setup_cfg_alone_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = a\n")
    error = refusal(tmp_path, "setup.cfg")
    assert (error.code, error.location) == ("source-kind", "setup.cfg")
    assert "[build-system]" in (error.hint or "")


def test_a_name_that_only_running_setup_py_shows_has_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup(name=compute())\n")
    error = refusal(tmp_path)
    assert error.code == "no-project"
    assert "setup.py" in error.message
    assert 'dynamic = ["version", "dependencies", "optional-dependencies"]' in (error.hint or "")


def test_a_lock_file_of_another_name_is_recognized(folder: Path) -> None:
    text = "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'a'\n"
    assert refusal(folder, "-", stdin=text).code == "source-kind"
    (folder / "lock.toml").write_text(text, encoding="utf-8")
    assert refusal(folder, "lock.toml").code == "source-kind"


def test_urls_are_not_fetched(folder: Path) -> None:
    assert refusal(folder, "https://e.example.org/r.txt").code == "source-remote"
    assert refusal(folder, "-", stdin="-r https://e.example.org/r.txt").code == "source-remote"


def test_a_missing_included_file_names_the_line(folder: Path) -> None:
    message = refusal(folder, "-", stdin="x\n-r nope.txt\n")
    assert (message.code, message.location, message.context) == (
        "source-missing",
        "nope.txt",
        ("included at <stdin>:2",),
    )


def test_irregular_files_are_refused_at_once(folder: Path) -> None:
    fifo = folder / "pipe.txt"
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(fifo)
    assert refusal(folder, "pipe.txt").code == "source-unreadable"
    assert refusal(folder, "/dev/zero").code == "source-unreadable"
    assert refusal(folder, "-", stdin="-r pipe.txt").code == "source-unreadable"


def test_huge_files_are_refused_unread(folder: Path) -> None:
    with (folder / "big.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    message = refusal(folder, "big.txt")
    assert message.code == "source-unreadable"
    assert "larger than 16 MiB" in message.message


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "no\nsuch"])
def test_impossible_file_names_are_refused(folder: Path, name: str) -> None:
    assert refusal(folder, name).code in {"source-missing", "source-unreadable"}


@pytest.mark.parametrize(
    ("name", "data", "location"),
    [
        ("bad.toml", b"a = 1\nb = '\xff'\n", "bad.toml:2:6"),
        ("bad.py", SCRIPT.encode() + b"# caf\xe9\n", "bad.py:5:6"),
    ],
)
def test_invalid_utf_8_is_refused_with_its_line(folder: Path, name: str, data: bytes, location: str) -> None:
    (folder / name).write_bytes(data)
    message = refusal(folder, name)
    assert (message.code, message.location) == ("encoding", location)


def test_a_byte_order_mark_is_ignored(folder: Path) -> None:
    (folder / "pyproject.toml").write_bytes(b"\xef\xbb\xbf" + PYPROJECT.encode())
    assert read(folder).name == "demo"


def test_constraints_come_from_requirements_files_and_lock_files(folder: Path) -> None:
    (folder / "c.txt").write_text("x<2\n", encoding="utf-8")
    (folder / "pylock.toml").write_text(
        """
lock-version = "1.0"
created-by = "test"
[[packages]]
name = "one"
version = "1.5"
marker = "'dev' in dependency_groups"
directory = { path = "one" }
[[packages]]
name = "two"
version = "1.0"
marker = "python_version < '3.12' and 'dev' in dependency_groups"
directory = { path = "two" }
[[packages]]
name = "two"
version = "2.0"
marker = "python_version >= '3.12'"
directory = { path = "two" }
[[packages]]
name = "both"
version = "1.0"
marker = "'x' in extras"
directory = { path = "both" }
[[packages]]
name = "both"
version = "2.0"
marker = "'x' not in extras"
directory = { path = "both" }
[[packages]]
name = "unknown"
directory = { path = "unknown" }
""",
        encoding="utf-8",
    )
    lines = read_constraints(["c.txt", "pylock.toml"], folder=folder, environ={})
    assert [(str(line.requirement), line.origin) for line in lines] == [
        ("x<2", "c.txt:1"),
        ("one==1.5", "pylock.toml"),
        ('two==1.0; python_version < "3.12"', "pylock.toml"),
        ('two==2.0; python_version >= "3.12"', "pylock.toml"),
    ]
