"""An answer of `lock` stands while everything it was made of does, and no longer."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex) -> Path:
    local_index.world.add("a", "1.0").add("a", "2.0", requires=["b"]).add("b", "1.0")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.in").write_text("a\n")
    return folder


def arguments(local_index: LocalIndex) -> tuple[str, ...]:
    return ("lock", "requirements.in", "--index-url", local_index.url, "--python", ">=3.10")


def test_the_same_question_is_answered_without_the_index_and_to_the_byte(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    first = (project / "pylock.toml").read_bytes()
    requests = len(local_index.paths())
    again = cli.ok(*arguments(local_index), cwd=project)
    assert "is current" in again.stderr
    (project / "pylock.toml").unlink()
    cli.ok(*arguments(local_index), cwd=project)
    assert (project / "pylock.toml").read_bytes() == first
    assert len(local_index.paths()) == requests


def test_a_summary_counts_packages_and_names_the_file_and_the_time(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    result = cli.ok(*arguments(local_index), cwd=project)
    assert re.search(r"^Locked 2 packages in pylock\.toml, [0-9.]+ s$", result.stderr, re.MULTILINE)
    assert "newer version" not in result.stderr


def test_versions_kept_from_the_old_lock_are_counted_where_newer_ones_are_known(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    local_index.world.add("a", "3.0")
    result = cli.ok(*arguments(local_index), "--refresh", cwd=project)
    assert re.search(
        r"^1 package has a newer version: `lockset lock .*-U` upgrades those that fit$", result.stderr, re.MULTILINE
    )
    upgraded = cli.ok(*arguments(local_index), "--refresh", "-U", cwd=project)
    assert "newer version" not in upgraded.stderr
    assert '"3.0"' in (project / "pylock.toml").read_text()


@pytest.mark.parametrize("change", ["requirements", "lock", "option", "refresh", "settings"])
def test_a_changed_question_is_answered_anew(change: str, project: Path, local_index: LocalIndex, cli: Command) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    further: tuple[str, ...] = ()
    expected = '"2.0"'
    if change == "requirements":
        (project / "requirements.in").write_text("a<2\n")
        expected = '"1.0"'
    elif change == "lock":
        lock = project / "pylock.toml"
        lock.write_text(lock.read_text().replace('"2.0"', '"1.0"').replace("a-2.0", "a-1.0"))
        expected = '"1.0"'
    elif change == "option":
        further = ("--resolution", "lowest", "--upgrade")
        expected = '"1.0"'
    elif change == "refresh":
        local_index.world.add("a", "3.0")
        further = ("--refresh", "--upgrade")
        expected = '"3.0"'
    else:
        (project / "pyproject.toml").write_text('[tool.lockset]\nconstraints = ["a<2"]\n')
        expected = '"1.0"'
    cli.ok(*arguments(local_index), *further, cwd=project)
    assert f'name = "a"\nversion = {expected}' in (project / "pylock.toml").read_text()


def test_a_corrupted_record_is_ignored(project: Path, local_index: LocalIndex, cli: Command) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    records = [path for path in Path(os.environ["LOCKSET_CACHE_DIR"], "recall-v1").iterdir() if path.is_file()]
    assert records
    for record in records:
        record.write_bytes(b"\0" * 100)
    (project / "pylock.toml").unlink()
    cli.ok(*arguments(local_index), cwd=project)
    assert 'version = "2.0"' in (project / "pylock.toml").read_text()


def test_a_recalled_lock_prints_its_notes_again(project: Path, local_index: LocalIndex, cli: Command) -> None:
    (project / "requirements.in").write_text("a[missing]\n")
    question = ("lock", "requirements.in", "--index-url", local_index.url)
    first = cli.ok(*question, cwd=project)
    requests = len(local_index.paths())
    again = cli.ok(*question, cwd=project)
    assert len(local_index.paths()) == requests, "it was recalled"
    notes = [line for line in first.stderr.splitlines() if line.startswith("note: ")]
    assert len(notes) == 2
    assert [line for line in again.stderr.splitlines() if line.startswith("note: ")] == notes


@pytest.mark.parametrize("where", ["option", "variable", "file"])
def test_an_answer_made_with_a_secret_is_not_kept(
    where: str, project: Path, local_index: LocalIndex, cli: Command, tmp_path: Path
) -> None:
    private = local_index.url.replace("://", "://user:hushhush@")
    command, env = ["lock", "requirements.in", "--python", ">=3.10"], {"LOCKSET_CACHE_DIR": str(tmp_path / "kept")}
    if where == "option":
        command += ["--index-url", private]
    elif where == "variable":
        env["LOCKSET_DEFAULT_INDEX"] = private
    else:
        env["LOCKSET_DEFAULT_INDEX"] = ""
        (project / "requirements.in").write_text(f"--index-url {private}\na\n")
    cli.ok(*command, cwd=project, env=env)
    kept = [path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert kept
    assert not any(b"hushhush" in data for data in kept)
