"""What people type by habit is answered with what to type here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import main
from support.builders.graph_locks import entry, lock_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["lock", "-U", "flask"], "`lockset lock --upgrade-package flask` upgrades it"),
        (["lock", "flask>=3"], "`lockset lock --upgrade-package flask` upgrades it"),
        (["lock", "nothing.in"], "Name a pyproject.toml, a requirements file or a script"),
        (["install", "flask"], "`lockset tree --package flask` shows it"),
        (["sync", "flask[async]==3.0"], "`lockset tree --package flask` shows it"),
        (["sync", "https://files.example.org/pylock.toml"], "download it first"),
        (["why", "flask==3.1"], "Write the name alone: `flask`"),
        (["why", "flask[async]"], "Write the name alone: `flask`"),
        (["pylock.toml", "sync"], "The command comes first, such as `lockset sync pylock.toml`"),
        (["SYNC"], "Did you mean `sync`?"),
        (["pip", "sync"], "`lockset sync`"),
        (["sync", "-extra", "x"], "Did you mean `--extra`?"),
        (["convert", "."], "it is a folder"),
    ],
)
def test_a_command_of_habit_is_answered(
    command: list[str],
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_text(entry("flask", "3.1"), roots=["flask"]))
    assert main(command) != 0
    assert answer in capsys.readouterr().err
