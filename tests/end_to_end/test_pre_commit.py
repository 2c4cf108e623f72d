"""The hooks of `.pre-commit-hooks.yaml`: their commands are run as pre-commit would run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex

ROOT = Path(__file__).parents[2]
GOOD = 'lock-version = "1.0"\nrequires-python = ">=3.12"\nextras = []\ndependency-groups = []\ncreated-by = "hand"\n'
PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.12"\n'


def hooks() -> dict[str, dict[str, str]]:
    """The file is plain enough to be read by lines."""
    results: dict[str, dict[str, str]] = {}
    for line in (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8").splitlines():
        key, _, value = line.lstrip("- ").partition(": ")
        if line.startswith("- "):
            results[value] = {}
        else:
            results[list(results)[-1]][key] = value
    return results


HOOKS = hooks()


def command(hook: str) -> list[str]:
    name, *arguments = HOOKS[hook]["entry"].split()
    assert name == "lockset"
    return arguments


def test_there_are_the_hooks_each_with_a_pattern_that_can_be_read() -> None:
    assert list(HOOKS) == ["lockset-validate", "lockset-check", "lockset-lock", "lockset-export", "lockset-audit"]
    assert all(hook["language"] == "python" and re.compile(hook["files"]) for hook in HOOKS.values())


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("pylock.toml", True), ("sub/pylock.dev.toml", True), ("pylock.a.b.toml", False), ("mypylock.toml", False),
        ("pyproject.toml", True), ("sub/pyproject.toml", True), ("pylock.toml.bak", False), ("pyproject.x.toml", False),
    ],
)  # fmt: skip
def test_lock_files_and_project_files_are_checked_wherever_they_lie(name: str, *, fits: bool) -> None:
    assert bool(re.search(HOOKS["lockset-validate"]["files"], name)) is fits


def test_all_files_that_changed_are_validated_at_once(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(GOOD + "packages = []\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pylock.dev.toml").write_text(GOOD)
    cli.ok(*command("lockset-validate"), "pylock.toml")
    result = cli(*command("lockset-validate"), "pylock.toml", "sub/pylock.dev.toml")
    assert result.code == 1
    assert "sub/pylock.dev.toml:1:1: error[packages-required]" in result.stdout


def test_a_project_file_with_a_fault_is_refused_although_its_lock_is_valid(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(GOOD + "packages = []\n")
    (tmp_path / "pyproject.toml").write_text(PROJECT + 'dependencies = ["a=1"]\n')
    result = cli(*command("lockset-validate"), "pyproject.toml", "pylock.toml")
    assert result.code == 1
    assert "pyproject.toml:5:17: error[requirement-syntax]" in result.stdout
    assert result.stderr.startswith("\nFound 1 error in 1 of 2 files\n")


def test_an_outdated_lock_is_reported_and_locked_again(cli: Command, tmp_path: Path, local_index: LocalIndex) -> None:
    (tmp_path / "pylock.toml").write_text(GOOD + "packages = []\n")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    cli.ok(*command("lockset-check"))
    (tmp_path / "pyproject.toml").write_text(PROJECT.replace("3.12", "3.11"))
    assert cli(*command("lockset-check")).code == 1
    cli.ok(*command("lockset-lock"), env={"LOCKSET_DEFAULT_INDEX": local_index.url})
    cli.ok(*command("lockset-check"))


def test_the_audit_takes_its_advisories_from_the_project(cli: Command, tmp_path: Path) -> None:
    advisories = ROOT / "tests" / "support" / "advisories"
    (tmp_path / "pyproject.toml").write_text(f"{PROJECT}[tool.lockset.audit]\nadvisories = [{str(advisories)!r}]\n")
    archive = '[packages.archive]\npath = "a.whl"\nhashes = {{sha256 = "0"}}\n'
    package = '[[packages]]\nname = "tqdm"\nversion = "{}"\n' + archive
    (tmp_path / "pylock.toml").write_text(GOOD + package.format("4.66.3"))
    cli.ok(*command("lockset-audit"))
    (tmp_path / "pylock.toml").write_text(GOOD + package.format("4.66.2"))
    assert "GHSA-cccc-3333-tqdm" in cli(*command("lockset-audit")).stdout
