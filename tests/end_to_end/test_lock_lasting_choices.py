"""What a lock was made with lasts: `lock --check` and a later `lock` know its extras and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

PROJECT = """
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["a"]

[project.optional-dependencies]
x = ["b"]
y = ["c"]
"""
GROUPS = """
[dependency-groups]
docs = ["d", "e>=1"]
test = ["f"]
"""
POETRY = """
[tool.poetry.group.dev.dependencies]
d = "*"

[tool.poetry.group.ci]
optional = true

[tool.poetry.group.ci.dependencies]
e = "*"
"""
POETRY_LOCK = """
[metadata]
lock-version = "2.1"
python-versions = ">=3.10"
content-hash = "0"
"""


@pytest.fixture(autouse=True)
def project(local_index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in "abcdef":
        local_index.world.add(name, "1.0")
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    (tmp_path / "pyproject.toml").write_text(PROJECT + GROUPS)
    return tmp_path


def lock(folder: Path) -> dict[str, Any]:
    return tomli.loads((folder / "pylock.toml").read_text())


def names(folder: Path) -> str:
    return "".join(p["name"] for p in lock(folder)["packages"])


@pytest.mark.parametrize(
    ("options", "locked"),
    [
        (("--no-group", "docs"), "abcf"),
        (("--group", "docs"), "abcde"),
        (("--only-group", "test"), "f"),
        (("--extra", "x"), "abdef"),
        (("--extra", "x", "--no-group", "test", "--no-group", "docs"), "ab"),
        (("--with-project",), "aappbcdef"),
    ],
)
def test_a_choice_is_checked_and_locked_again(
    options: tuple[str, ...], locked: str, cli: Command, project: Path
) -> None:
    cli.ok("lock", *options)
    assert names(project) == locked
    text = (project / "pylock.toml").read_text()
    assert "stale" not in cli.ok("lock", "--check").stderr
    assert "is current" in cli.ok("lock").stderr
    cli.ok("lock", "--upgrade")
    assert (project / "pylock.toml").read_text() == text


@pytest.mark.parametrize("choice", ["no-groups = ['Docs']", "groups = ['test']"])
def test_the_settings_say_it_for_good(choice: str, cli: Command, project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write(f"[tool.lockset]\n{choice}\nextras = ['x']\n")
    cli.ok("lock")
    assert names(project) == "abf"
    cli.ok("lock", "--check")
    (project / "pyproject.toml").write_text(PROJECT + GROUPS)
    assert "stale: the dependency group docs is not in the lock" in cli("lock", "--check").stderr


def test_everything_is_locked_again_where_that_is_requested(cli: Command, project: Path) -> None:
    cli.ok("lock", "--no-group", "docs", "--extra", "x", "--with-project")
    cli.ok("lock", "--all-groups")
    assert names(project) == "aappbdef"
    cli.ok("lock", "--all-extras", "--without-project")
    assert names(project) == "abcdef"
    assert set(lock(project)["tool"]["lockset"]) == {"roots"}


def test_a_group_that_is_gone_is_no_longer_remembered(cli: Command, project: Path) -> None:
    cli.ok("lock", "--no-group", "docs")
    (project / "pyproject.toml").write_text(PROJECT + GROUPS.replace("docs = ", "papers = "))
    assert "the dependency group papers is not in the lock" in cli("lock", "--check").stderr
    cli.ok("lock")
    assert names(project) == "abcdef"


def test_a_group_that_is_missing_is_one_finding(cli: Command, project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT + "[dependency-groups]\ntest = ['f']\n")
    cli.ok("lock")
    (project / "pyproject.toml").write_text(PROJECT + GROUPS)
    stale = [line for line in cli("lock", "--check").stderr.splitlines() if line.startswith("stale")]
    assert stale == ["stale: the dependency group docs is not in the lock"]


def test_a_requirement_that_is_missing_is_one_finding(cli: Command, project: Path) -> None:
    cli.ok("lock")
    (project / "pyproject.toml").write_text((PROJECT + GROUPS).replace('test = ["f"]', 'test = ["f", "g"]'))
    stale = [line for line in cli("lock", "--check").stderr.splitlines() if line.startswith("stale")]
    assert stale == ["stale: g (pyproject.toml [dependency-groups.test]): nothing is locked"]


def test_what_to_run_keeps_the_options_of_the_check(cli: Command, project: Path) -> None:
    cli.ok("lock", "--with-project", "--platform", "linux")
    with (project / "pyproject.toml").open("a") as file:
        file.write("more = ['b']\n")
    result = cli("lock", "--check", "--platform", "linux", "--group", "more", "pyproject.toml")
    assert result.code == 1
    assert "run `lockset lock --platform linux --group more pyproject.toml`" in result.stderr
    cli.ok("lock", "--platform", "linux", "--group", "more", "pyproject.toml")
    assert names(project) == "aappbc"


def poetry_lock(index: LocalIndex, **groups: str) -> str:
    def file(name: str) -> str:
        wheel = index.world.file(name, f"{name}-1.0-py3-none-any.whl")
        assert wheel is not None
        return f'{{file = "{wheel.artifact.filename}", hash = "sha256:{wheel.artifact.sha256}"}}'

    entries = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1.0"\ndescription = ""\noptional = false\n'
        f'python-versions = ">=3.10"\ngroups = {groups_of.split()}\nfiles = [{file(name)}]\n\n'
        for name, groups_of in groups.items()
    )
    return entries + POETRY_LOCK


@pytest.fixture
def converted(project: Path, cli: Command, local_index: LocalIndex) -> Path:
    (project / "pyproject.toml").write_text(PROJECT.partition("[project.opt")[0] + POETRY)
    (project / "poetry.lock").write_text(poetry_lock(local_index, a="main", d="dev", e="ci"))
    cli.ok("convert", "poetry.lock", "-o", "pylock.toml")
    assert names(project) == "ade"
    return project


def test_a_converted_lock_serves_what_the_project_asks_for(cli: Command, converted: Path) -> None:
    result = cli.ok("lock", "--check")
    assert "stale" not in result.stderr
    (converted / "pyproject.toml").write_text((converted / "pyproject.toml").read_text().replace('["a"]', '["a", "b"]'))
    stale = [line for line in cli("lock", "--check").stderr.splitlines() if line.startswith("stale")]
    assert stale == ["stale: b (pyproject.toml [project.dependencies]): nothing is locked"]


def test_groups_of_a_converted_lock_are_not_dropped_by_the_way(cli: Command, converted: Path) -> None:
    with (converted / "pyproject.toml").open("a") as file:
        file.write("[tool.lockset]\nignore-tools = ['poetry']\n")
    text = (converted / "pylock.toml").read_text()
    result = cli("lock")
    assert result.code == 1
    assert "the groups ci and dev" in result.stderr
    assert "`--no-group ci --no-group dev`" in result.stderr
    assert (converted / "pylock.toml").read_text() == text
    cli.ok("lock", "--no-group", "ci", "--no-group", "dev")
    assert names(converted) == "a"
    cli.ok("lock", "--check")
    cli.ok("lock")


def test_groups_that_were_written_in_the_project_meanwhile_are_locked(cli: Command, converted: Path) -> None:
    with (converted / "pyproject.toml").open("a") as file:
        file.write("[dependency-groups]\ndev = ['d']\nci = ['e']\n")
    assert "stale" not in cli.ok("lock", "--check").stderr
    cli.ok("lock")
    assert names(converted) == "ade"
