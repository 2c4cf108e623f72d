"""Extras and groups that conflict: refused by name wherever they are chosen together, and right one by one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import tomli
from packaging.pylock import Pylock, PylockSelectError

import lockset

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

PROJECT = """
[project]
name = "app"
requires-python = ">=3.10"
dependencies = ["hull"]
[project.optional-dependencies]
old = ["hull<2", "rope"]
new = ["hull>=2"]
most = ["app[old]"]
[dependency-groups]
dev = ["app[new]"]
test = [{ include-group = "dev" }]
[tool.lockset]
conflicts = [[{ extra = "old" }, { extra = "new" }]]
"""
REFUSED = "cannot be installed together"


@pytest.fixture
def locked(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Path:
    local_index.world.add("hull", "1.0").add("hull", "2.0").add("rope")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    cli.ok("lock", "-i", local_index.url)
    return tmp_path / "pylock.toml"


CHOICES = (
    ("--all-extras",),
    ("--extra", "most", "--extra", "new"),
    ("--extra", "Old", "--all-groups"),
)
COMMANDS = (
    ("sync", "--target", "out"),
    ("export", "-o", "out"),
    ("export", "-o", "out", "--python", "3.12", "--platform", "linux"),
    ("download", "--dest", "out", "--platform", "linux", "--python-version", "3.12"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_commands_refuse_a_conflicting_choice_by_name(cli: Command, locked: Path, command: tuple[str, ...]) -> None:
    for choice in CHOICES:
        message = cli.refused(*command, *choice)
        assert REFUSED in message
        assert "`old`" in message or "`most`" in message
        assert "`new`" in message or "`dev`" in message
        assert not (locked.parent / "out").exists()


def test_looking_and_checking_refuse_it_too(cli: Command, locked: Path) -> None:
    for command in (("tree",), ("why", "hull"), ("check-env", "--python", sys.executable)):
        assert REFUSED in cli.refused(*command, "--extra", "old", "--extra", "new")
    assert "hull" in cli.ok("tree").stdout
    assert "hull 1.0" in cli.ok("tree", "--extra", "old").stdout


def test_each_alone_is_right(cli: Command, locked: Path) -> None:
    assert "hull==2.0" in cli.ok("export").stdout
    assert "hull==1.0" in cli.ok("export", "--extra", "most").stdout
    assert "hull==2.0" in cli.ok("export", "--group", "test").stdout
    assert cli("lock", "--check").code == 0
    assert "duplicate" not in cli.ok("validate", "--strict", locked).stdout


def test_the_library_refuses_it(locked: Path) -> None:
    calls = (
        lambda: lockset.export(locked, lockset.ExportOptions(extras=("old", "new"))),
        lambda: lockset.sync_target(
            locked, python=sys.executable, options=lockset.SyncOptions(extras=["old", "new"], check_only=True)
        ),
    )
    for call in calls:
        with pytest.raises(lockset.LocksetError) as caught:
            call()
        assert caught.value.diagnostic.code == "conflicting-choice"


def test_other_installers_meet_an_ambiguity(locked: Path) -> None:
    lock = Pylock.from_dict(tomli.loads(locked.read_text()))
    for extras in (["old", "new"], ["most", "new"]):
        with pytest.raises(PylockSelectError):
            list(lock.select(extras=extras))
    with pytest.raises(PylockSelectError):
        list(lock.select(extras=["most"], dependency_groups=["default", "test"]))


def test_a_narrowed_and_a_converted_lock_keep_the_conflict(cli: Command, locked: Path) -> None:
    cli.ok("convert", locked, "--python", ">=3.12", "-o", "pylock.narrow.toml")
    assert REFUSED in cli.refused("export", "pylock.narrow.toml", "--all-extras")
    assert REFUSED in cli.refused("convert", locked, "--extra", "old", "--extra", "new", "-o", "pylock.both.toml")
    cli.ok("convert", locked, "--extra", "old", "-o", "pylock.old.toml")
    assert "conflicts" not in (locked.parent / "pylock.old.toml").read_text()


def test_a_change_of_the_conflicts_makes_the_lock_stale(cli: Command, locked: Path) -> None:
    (locked.parent / "pyproject.toml").write_text(PROJECT.replace("conflicts", "# conflicts"))
    result = cli("lock", "--check")
    assert result.code == 1
    assert "conflicts" in result.stdout + result.stderr
