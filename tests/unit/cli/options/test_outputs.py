"""What `--output` may not replace, and names of files that are nearly right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

LOCK = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("pylock.toml", "pylock.other.toml", "pyproject.toml", "poetry.lock"):
        (tmp_path / name).write_text(LOCK)
    return tmp_path


@pytest.mark.parametrize("command", ["export", "report", "graph", "diff pylock.other.toml"])
@pytest.mark.parametrize("output", ["pylock.toml", "pylock.other.toml", "pyproject.toml", "poetry.lock"])
def test_no_output_replaces_a_lock_file_or_a_project_file(
    folder: Path, command: str, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = command.split()
    files = [*more, "pylock.toml"]
    assert main([name, *files, "-o", output, *(["--format", "html"] if more else [])]) == 2
    assert (
        f"would replace the {'lock ' if output.startswith('pylock') else ''}file `{output}`" in capsys.readouterr().err
    )
    assert {path.read_text() for path in folder.iterdir()} == {LOCK}


@pytest.mark.parametrize("command", ["sync --target t", "tree", "validate", "export", "convert"])
def test_a_misspelt_file_has_the_name_of_the_nearest_one(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *more = command.split()
    assert main([name, *more, "pylok.toml"]) == 1
    assert "hint: Did you mean `pylock.toml`?" in "".join(capsys.readouterr())  # findings are on stdout


@pytest.mark.parametrize("command", ["lock", "convert"])
def test_a_misspelt_source_has_the_name_of_the_nearest_one(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "requirements.txt").write_text("")
    assert main([command, "requirments.txt"]) == 1
    assert "hint: Did you mean `requirements.txt`?" in capsys.readouterr().err


def test_a_folder_that_does_not_exist_is_to_be_created(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "-o", str(folder / "none" / "report.html")]) == 1
    assert f"hint: Create the folder `{folder / 'none'}` first" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["tree", "sync --target t", "install --target t", "export"])
def test_errors_name_files_of_the_working_folder_as_one_types_them(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pylock.toml").write_text(LOCK.replace("[]", "3"))
    name, *more = command.split()
    assert main([name, *more, "pylock.toml"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("pylock.toml:3:12: error: This is not a valid lock file")
    assert "hint: `lockset validate pylock.toml` lists" in shown
