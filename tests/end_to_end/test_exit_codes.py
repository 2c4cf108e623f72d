"""Exit codes agree between commands: 1 for what is missing or not right, 2 for a wrong command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.builders.locks import make_lock
from support.command import Command

if TYPE_CHECKING:
    from pathlib import Path

# Every way in which a command names a file, with what stands for the file.
NAMED = (
    "lock @ -o pylock.out.toml", "lock empty.in -c @ -o pylock.out.toml", "lock empty.in --override @",
    "convert @", "export @", "validate @", "validate --fix @", "tree @", "why a @", "diff @ pylock.good.toml",
    "diff pylock.good.toml @", "sync @ --target t", "install @ --target t", "check-env @", "download @ --dest d",
    "sync pylock.good.toml --python @", "--directory @ validate",
)  # fmt: skip
COMMANDS = (
    "lock empty.in", "convert pylock.good.toml", "export pylock.good.toml", "validate pylock.good.toml",
    "tree pylock.good.toml", "diff pylock.good.toml pylock.good.toml", "sync pylock.good.toml --target t",
)  # fmt: skip
WITH_NAMES = ("lock empty.in", "convert", "export", "tree", "sync --target t", "download --dest d")
NO_FILE = ("validate", "validate --fix", "validate --json", "sync --target t")


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    (tmp_path / "empty.in").touch()
    (tmp_path / "pylock.good.toml").write_text(make_lock([]))
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\x00\xfe" * 9)
    return Command(cwd=tmp_path)


@pytest.mark.parametrize("command", NAMED)
def test_a_file_that_is_missing_is_a_failure(cli: Command, command: str) -> None:
    for name in ("missing", "empty.in/below"):
        result = cli(*(name if word == "@" else word for word in command.split()))
        assert result.code == 1, str(result)
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [c for c in NAMED if "--directory" not in c and "--python" not in c])
def test_a_file_that_cannot_be_read_is_a_failure(cli: Command, command: str) -> None:
    for name in ("folder", "binary"):
        result = cli(*(name if word == "@" else word for word in command.split()))
        assert result.code == 1, str(result)
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", NO_FILE)
def test_no_lock_file_in_the_folder_is_a_failure(cli: Command, tmp_path: Path, command: str) -> None:
    cli.refused(*command.split(), cwd=tmp_path / "folder")


@pytest.mark.parametrize("command", COMMANDS)
def test_settings_that_are_missing_are_a_failure_in_every_command(cli: Command, command: str) -> None:
    assert "missing.toml" in cli.refused(*command.split(), "--config", "missing.toml")


@pytest.mark.parametrize("option", ["--extra", "--group"])
@pytest.mark.parametrize(
    "command", ["lock empty.in", "convert", "export", "tree", "sync --target t", "download --dest d"]
)
def test_an_invalid_name_is_wrong_usage_in_every_command(cli: Command, command: str, option: str) -> None:
    lock = () if "empty.in" in command else ("pylock.good.toml",)
    assert "`b@d` is not a valid name" in cli.refused(*command.split(), *lock, option, "b@d", code=2)


@pytest.mark.parametrize("option", [["--for", "3.12/nowhere"], ["--for", "x/linux"], ["--for", "nowhere"]])
def test_a_target_that_is_not_known_is_wrong_usage(cli: Command, option: list[str]) -> None:
    cli.refused("validate", "pylock.good.toml", *option, code=2)
