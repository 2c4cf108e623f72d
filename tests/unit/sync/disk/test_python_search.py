"""Which files are candidates in the search for a Python, and in which order: with the names of each system."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.sync.disk.inspect import python_search
from lockset.sync.disk.inspect.python_search import find_python

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("python.exe", "python3.exe", "python3.12.exe", "python3.9.exe", "python3.12", "python3", "pythonw.exe")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The interpreters that were queried, all of which are broken."""
    names: list[str] = []

    def broken(executable: str, *, memory: Path | None) -> object:
        del memory
        names.append(executable)
        raise LocksetError("python-broken", f"`{executable}` cannot be run")

    monkeypatch.setattr(python_search, "ask_interpreter", broken)
    return names


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_search, "os", SimpleNamespace(**{**vars(os), "name": "nt"}))


def made(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("")
        (folder / name).chmod(0o755)
    return folder


def refused(path: list[str], version: str | None) -> LocksetError:
    with pytest.raises(LocksetError) as caught:
        find_python(path, version=version, cache=None)
    assert caught.value.diagnostic.code == "python-not-found"
    return caught.value


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("version", "names"),
    [
        (None, ["python3.exe", "python.exe"]),
        ("3", ["python3.exe", "python.exe"]),
        ("3.12", ["python3.12.exe", "python3.exe", "python.exe"]),
        ("3.12.4", ["python3.12.exe", "python3.exe", "python.exe"]),
        (">=3.8,<4", ["python3.exe", "python.exe", "python3.12.exe", "python3.9.exe"]),
    ],
)
def test_on_windows_the_names_have_a_suffix(
    tmp_path: Path, tried: list[str], version: str | None, names: list[str]
) -> None:
    refused([str(made(tmp_path / "bin", *NAMES))], version)
    assert tried == [str(tmp_path / "bin" / name) for name in names]


@pytest.mark.usefixtures("windows")
def test_the_registry_comes_after_the_folders_without_other_versions_and_missing_files(
    tmp_path: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "bin", "python.exe")
    listed = made(tmp_path / "listed", "a.exe", "b.exe", "c.exe")
    (listed / "folder.exe").mkdir()

    def registered() -> Iterator[tuple[str, str]]:
        names = {"a.exe": "3.12", "b.exe": "3.1", "c.exe": "", "folder.exe": "3.12", "missing.exe": "3.12"}
        return ((version, str(listed / name)) for name, version in names.items())

    monkeypatch.setattr(python_search, "registered_pythons", registered)
    refused([str(folder)], "3.12")
    assert tried == [str(folder / "python.exe"), str(listed / "a.exe"), str(listed / "c.exe")]
    tried.clear()
    refused([], ">=3.12")
    assert tried == [str(listed / name) for name in ("a.exe", "b.exe", "c.exe")]


@pytest.mark.skipif(os.name == "nt", reason="names without a suffix")
def test_elsewhere_only_files_that_may_run_are_candidates(tmp_path: Path, tried: list[str]) -> None:
    folder = made(tmp_path / "bin", "python3", "python3.10", "python3.12.exe")
    (folder / "python3.11").mkdir()
    (folder / "python3.12").symlink_to("nowhere")
    (folder / "python").write_text("")
    refused(["", "relative", str(folder), str(tmp_path / ("x" * 300))], ">=3.10")
    assert tried == [str(folder / "python3"), str(folder / "python3.10")]


@pytest.mark.skipif(os.name == "nt", reason="names without a suffix")
def test_a_candidate_in_a_relative_folder_is_absolute(
    tmp_path: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "bin", "python3")
    monkeypatch.chdir(tmp_path)
    refused(["bin"], None)
    assert tried == [str(tmp_path / "bin/python3")]


@pytest.mark.skipif(os.name == "nt", reason="names without a suffix")
def test_three_of_those_that_are_broken_are_named(tmp_path: Path, tried: list[str]) -> None:
    folder = made(tmp_path / "bin", *(f"python3.{number}" for number in range(8, 13)))
    error = refused([str(folder)], ">=3.8")
    assert len(tried) == 5
    assert error.diagnostic.context == tuple(f"`{folder}/python3.{number}` cannot be run" for number in (12, 11, 10))
