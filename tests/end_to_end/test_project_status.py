"""What an index says of a whole project (PEP 792), and of yanked files, when locking and checking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture(autouse=True)
def index(local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> LocalIndex:
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return local_index


def write(folder: Path, *requires: str) -> None:
    (folder / "pyproject.toml").write_text(f'[project]\nname = "app"\nversion = "1"\ndependencies = {list(requires)}\n')


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_quarantined_project_is_never_chosen(cli: Command, index: LocalIndex, tmp_path: Path, form: str) -> None:
    index.set_mode(json=form == "json")
    index.world.add("a", "1.0").mark("a", "quarantined", "it steals keys")
    write(tmp_path, "a")
    output = cli.refused("lock")
    assert f"a is quarantined by the index {index.url}" in output
    assert "(it steals keys)" in output
    assert not (tmp_path / "pylock.toml").exists()


def test_a_quarantined_dependency_is_avoided_where_another_release_does_without(
    cli: Command, index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add("a", "1.0").add("a", "2.0", requires=["bad"]).add("bad").mark("bad", "quarantined")
    write(tmp_path, "a")
    cli.ok("lock")
    assert 'version = "1.0"' in (tmp_path / "pylock.toml").read_text()


def test_a_quarantine_ends_the_search_for_the_project_at_other_indexes(
    cli: Command, index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add("a", "1.0").mark("a", "quarantined")
    index.world.write_files(tmp_path / "files")
    write(tmp_path, "a")
    for strategy in ("first-index", "unsafe-best-match"):
        output = cli.refused("lock", "-f", "files", "--index-strategy", strategy)
        assert "a is quarantined" in output


@pytest.mark.parametrize("status", ["archived", "deprecated"])
@pytest.mark.parametrize("form", ["json", "html"])
def test_an_archived_or_deprecated_project_is_locked_with_one_note(
    cli: Command, index: LocalIndex, tmp_path: Path, status: str, form: str
) -> None:
    index.set_mode(json=form == "json")
    index.world.add("a", "1.0").mark("a", status, "use b\x1b[31m instead")
    write(tmp_path, "a")
    for _ in range(2):  # the second run reads the page from the cache
        output = cli.ok("lock").stderr
        assert output.count(f"note: a is {status}") == 1
        assert "use b" in output
        assert "\x1b" not in output
    assert 'name = "a"' in (tmp_path / "pylock.toml").read_text()


def test_an_unknown_status_changes_nothing(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    index.world.add("a", "1.0").mark("a", "frozen", "it is cold")
    write(tmp_path, "a")
    assert "cold" not in cli.ok("lock").stderr


def test_a_locked_project_that_is_quarantined_now_fails_the_online_check(
    cli: Command, index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add("a", "1.0").add("b", "1.0")
    write(tmp_path, "a", "b")
    cli.ok("lock")
    assert "is up to date" in cli.ok("lock", "--check", "--online", "--refresh").stderr
    index.world.mark("a", "quarantined", "it steals keys").mark("b", "archived", "no time")
    assert "is up to date" in cli.ok("lock", "--check").stderr
    result = cli("lock", "--check", "--online", "--refresh", "--json")
    assert result.code == 1
    answer = result.json()
    assert ["a is quarantined" in text for text in answer["findings"]] == [True]
    assert ["b is archived" in text for text in answer["notes"]] == [True]
    results = cli("validate", "--online", "--refresh", "--default-index", index.url, "--json").json()["files"][0]
    levels = {one["rule"]: one["level"] for one in results["diagnostics"]}
    assert levels == {"online-quarantined": "error", "online-archived": "warning"}


def test_releases_yanked_since_are_noted_by_the_online_check(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    index.world.add("a", "1.0")
    write(tmp_path, "a")
    cli.ok("lock")
    index.world.projects.clear()
    index.world.add("a", "1.0", yanked="it loses data")
    output = cli.ok("lock", "--check", "--online", "--refresh").stderr
    assert "note: a 1.0 is yanked (it loses data)" in output


def test_online_belongs_to_check(cli: Command, tmp_path: Path) -> None:
    write(tmp_path)
    assert "--check" in cli.refused("lock", "--online", code=2)
