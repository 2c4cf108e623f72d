"""A pylock.toml with an unresolved merge conflict: `lockset lock` solves it, everything else says what it is."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import tomli

import lockset

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

PROJECT = '[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = {}\n'


@pytest.fixture
def conflict(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Path:
    """Two branches of a lock, merged by git: one has new releases of a and b, the other of b and d, and c."""
    world = local_index.world.add("a", "1.0").add("b", "1.0").add("c", "1.0").add("d", "1.0")
    lock = tmp_path / "pylock.toml"

    def locked(name: str, *options: str, dependencies: list[str]) -> None:
        (tmp_path / "pyproject.toml").write_text(PROJECT.format(dependencies))
        cli.ok("lock", "-i", local_index.url, "--refresh", *options)
        (tmp_path / name).write_bytes(lock.read_bytes())

    locked("base", dependencies=["a", "b", "d"])
    world.add("a", "2.0").add("b", "2.0").add("d", "2.0")
    locked("ours", "-P", "a", "-P", "b", dependencies=["a", "b", "d"])
    lock.write_bytes((tmp_path / "base").read_bytes())
    world.add("b", "2.5")
    locked("theirs", "-P", "b", "-P", "d", dependencies=["a", "b", "c", "d"])
    for name in ("a", "b", "c", "d"):
        world.add(name, "3.0")
    done = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode > 0
    lock.write_bytes(done.stdout)
    return lock


def versions(path: Path) -> list[str]:
    return [f"{p['name']} {p['version']}" for p in tomli.loads(path.read_text())["packages"]]


def test_locking_again_keeps_what_each_side_has_chosen(
    cli: Command, local_index: LocalIndex, conflict: Path, tmp_path: Path
) -> None:
    result = cli.ok("lock", "-i", local_index.url, "--refresh")
    assert "unresolved merge conflict: the pins of both sides are tried first" in result.stderr
    assert versions(conflict) == ["a 2.0", "b 2.5", "c 1.0", "d 2.0"]
    assert cli("lock", "--check").code == 0
    cli.ok("validate", "--strict", conflict)


@pytest.mark.parametrize(("options", "summary"), [((), "Locked 1 package"), (("--dry-run",), "Would lock 1 package")])
def test_a_lock_with_an_open_merge_conflict_is_not_called_current(
    options: tuple[str, ...], summary: str, cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0")
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(["a"]))
    cli.ok("lock", "-i", local_index.url)
    lock = tmp_path / "pylock.toml"
    side = lock.read_text()
    lock.write_text(f"<<<<<<< ours\n{side}=======\n{side}>>>>>>> theirs\n")
    result = cli.ok("lock", "-i", local_index.url, *options)
    assert summary in result.stderr
    assert "is current" not in result.stderr


def test_the_library_does_the_same(local_index: LocalIndex, conflict: Path, tmp_path: Path) -> None:
    result = lockset.lock(
        context=lockset.RunContext(folder=tmp_path), indexes=lockset.IndexOptions(index_url=local_index.url)
    )
    assert [f"{p.name} {p.version}" for p in result.lock.packages] == ["a 2.0", "b 2.5", "c 1.0", "d 2.0"]


def test_an_upgrade_leaves_the_pins_of_both_sides(cli: Command, local_index: LocalIndex, conflict: Path) -> None:
    cli.ok("lock", "-i", local_index.url, "--refresh", "-P", "d")
    assert versions(conflict) == ["a 2.0", "b 2.5", "c 1.0", "d 3.0"]


def test_a_lock_that_cannot_be_made_leaves_the_conflict_as_it_is(
    cli: Command, local_index: LocalIndex, conflict: Path, tmp_path: Path
) -> None:
    before = conflict.read_bytes()
    (tmp_path / "pyproject.toml").write_text(PROJECT.format(["a>9"]))
    assert cli("lock", "-i", local_index.url).code == 1
    assert cli("lock", "-i", local_index.url, "--dry-run").code == 1
    assert conflict.read_bytes() == before


def test_other_commands_say_what_it_is_and_what_solves_it(cli: Command, conflict: Path) -> None:
    line = conflict.read_text().split("<<<<<<<")[0].count("\n") + 1
    for command in (
        ("sync", "--target", "out"),
        ("export",),
        ("tree",),
        ("convert", "pylock.toml", "-o", "pylock.x.toml"),
    ):
        message = cli.refused(*command)
        assert "has an unresolved merge conflict" in message
        assert "`lockset lock`" in message
        assert f"pylock.toml:{line}" in message
    assert "`lockset lock`" in cli.refused("lock", "--check")
    result = cli("validate", conflict)
    assert result.code == 1
    assert "unresolved merge conflict" in result.stdout
