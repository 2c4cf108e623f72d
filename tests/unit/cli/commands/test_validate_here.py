"""`lockset validate` without FILE checks what it can check in the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

LOCK = 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lock_files_and_the_project_file_are_checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pylock.toml").write_text(LOCK)
    (folder / "pylock.dev.toml").write_text(LOCK)
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "no version"\n')
    assert main(["validate"]) == 1
    assert "pyproject.toml:3:11: error[" in capsys.readouterr().out
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    assert main(["validate"]) == 0
    assert "Checked 3 files: no errors" in capsys.readouterr().err


def test_a_folder_with_neither_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 1
    assert f"There is no pylock.toml or pyproject.toml in {folder}" in capsys.readouterr().err
