"""What a sync says of the project: what is not chosen, and that the lock file is older than the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

MARKERS = {
    "base": None,
    "chart": "'charts' in extras",
    "both": "'charts' in extras or 'test' in dependency_groups",
    "tester": "'test' in dependency_groups",
    "pair": "'charts' in extras and 'test' in dependency_groups",
    "elsewhere": "sys_platform == 'amiga'",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    packages = []
    for name, marker in MARKERS.items():
        wheel = make_wheel(name)
        (tmp_path / wheel.filename).write_bytes(wheel.content)
        locked: dict[str, Any] = locked_file(wheel) | {"path": wheel.filename}
        del locked["url"]
        package: dict[str, Any] = {"name": name, "version": "1.0", "wheels": [locked]}
        packages.append(package | ({"marker": marker} if marker else {}))
    (tmp_path / "pylock.toml").write_text(make_lock(packages, extras=["charts"], dependency_groups=["test"]))
    return tmp_path


def test_removed_packages_name_the_extra_or_group_that_keeps_them(cli: Command, folder: Path) -> None:
    (folder / "pylock.all.toml").write_text(
        "\n".join(line for line in (folder / "pylock.toml").read_text().splitlines() if not line.startswith("marker"))
    )
    cli.ok("sync", "pylock.all.toml", "--target", "out")
    for command in (["sync", "--dry-run"], ["check-env"], ["sync"]):
        message = cli(*command, "--target", "out").stderr
        assert " - chart 1.0 (in the lock file with extra `charts`, which is not selected)" in message
        assert " - both 1.0 (in the lock file with extra `charts` or group `test`, which is not selected)" in message
        assert " - tester 1.0 (in the lock file with group `test`, which is not selected)" in message
        assert (
            " - pair 1.0 (in the lock file, but not for this environment with the selected extras and groups)"
            in message
        )
        assert " - elsewhere 1.0 (in the lock file, but not for this environment" in message
        assert "not in the lock file" not in message
        hints = [line for line in message.splitlines() if line.startswith("hint: ")]
        assert hints == [
            "hint: 3 of these are in the lock file and not selected: `--extra charts --group test` keeps them"
        ]
    cli.ok("sync", "--target", "out", "--extra", "charts", "--group", "test")
    message = cli("check-env", "--target", "out", "--extra", "charts").stderr
    assert "(in the lock file with group `test`, which is not selected)" in message
    assert "hint: 2 of these are" in message


def test_packages_missing_from_the_lock_file_are_reported_as_such(cli: Command, folder: Path) -> None:
    cli.ok("sync", "--target", "out")
    (folder / "pylock.empty.toml").write_text(make_lock())
    message = cli("check-env", "pylock.empty.toml", "--target", "out").stderr
    assert " - base 1.0 (not in the lock file)" in message
    assert "hint" not in message


PROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.10"
dependencies = ["alpha", "beta>=1 ; sys_platform == 'amiga'"]
[project.optional-dependencies]
more = ["gamma"]
[dependency-groups]
test = ["delta"]
[tool.lockset]
constraints = ["alpha<9"]
"""


@pytest.fixture
def project(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Path:
    for name in ("alpha", "beta", "gamma", "delta", "omega"):
        local_index.world.add(name)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    cli.ok("lock", "--default-index", local_index.url)
    cli.ok("sync", "--target", "out", "--default-index", local_index.url)
    return tmp_path


CHANGES = {
    "a requirement more": ('["alpha",', '["alpha", "omega",', "`omega` is required, but not locked"),
    "a requirement that holds here": (
        '["alpha",', "[\"alpha\", \"omega ; python_version >= '3'\",", "`omega ; python_version >= '3'` is required",
    ),
    "a requirement less": ('["alpha", ', "[", "`alpha` is locked, but no longer required"),
    "another version": ('"alpha"', '"alpha>=1"', "`alpha>=1` is required, but not locked"),
    "another extra of it": ('"alpha"', '"alpha[x]"', "`alpha[x]` is required, but not locked"),
    "more in an extra": ('["gamma"]', '["gamma", "omega"]', "`omega` is required, but not locked"),
    "less in a group": ('["delta"]', "[]", "`delta` is locked, but no longer required"),
    "a constraint": ('"alpha<9"', '"alpha<9", "omega<3"', "the constraint `omega<3` is new"),
    "other Pythons": (">=3.10", ">=3.9", "it requires Python >=3.9, but the lock file is for >=3.10"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_project_that_has_changed_is_noted_and_refused_where_it_must_be_locked(
    cli: Command, project: Path, change: str
) -> None:
    old, new, words = CHANGES[change]
    for _ in range(3):
        assert "note" not in cli.ok("sync", "--target", "out", "--locked").stderr
    (project / "pyproject.toml").write_text(PROJECT.replace(old, new))
    for command in ("sync", "check-env"):
        message = cli.ok(command, "--target", "out").stderr
        assert f"note: The project has changed since it was locked: {words}" in message
        refusal = cli.refused(command, "--target", "out", "--locked")
        assert words in refusal
        assert "lockset lock" in refusal
    assert words in cli.ok("sync", "--target", "out", "--json").json()["outdated"][0]
    (project / "pyproject.toml").write_text(PROJECT)
    assert "note" not in cli.ok("sync", "--target", "out", "--locked").stderr


UNCHANGED = {
    "spaces and order": (
        '["alpha", "beta>=1 ; sys_platform == \'amiga\'"]',
        "[ 'beta >= 1;sys_platform==\"amiga\"', 'Alpha' ]",
    ),
    "a requirement for elsewhere": ('["alpha",', "[\"alpha\", \"omega ; sys_platform == 'amiga'\","),
    "another table": ("[tool.lockset]", "[tool.other]\nx = 1\n[tool.lockset]"),
    "a description": ('version = "1"', 'version = "2"\ndescription = "x"'),
}  # fmt: skip


@pytest.mark.parametrize("change", UNCHANGED)
def test_a_change_that_requires_nothing_else_is_not_noted(cli: Command, project: Path, change: str) -> None:
    old, new = UNCHANGED[change]
    assert old in PROJECT
    (project / "pyproject.toml").write_text(PROJECT.replace(old, new))
    assert "note" not in cli.ok("sync", "--target", "out", "--locked").stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--no-group", "test"],
        ["--python", "3.12"],
        ["requirements.in"],
        ["-o", "sub/pylock.toml"],
        ["--exclude", "beta"],
    ],
)
def test_a_lock_that_options_made_is_not_taken_for_an_old_one(
    cli: Command, local_index: LocalIndex, project: Path, options: list[str]
) -> None:
    (project / "requirements.in").write_text("omega\n")
    (project / "sub").mkdir()
    (project / "sub/pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\ndependencies = ["omega"]\n')
    (project / "pylock.toml").unlink()
    cli.ok("lock", "--default-index", local_index.url, *options)
    lock = "sub/pylock.toml" if "-o" in options else "pylock.toml"
    message = cli("check-env", lock, "--target", "fresh", "--locked").stderr
    assert "has changed" not in message


def test_a_changed_requirements_file_is_noted_for_the_lock_that_was_made_of_it(
    cli: Command, local_index: LocalIndex, project: Path
) -> None:
    (project / "requirements.in").write_text("omega\n")
    (project / "pylock.toml").unlink()
    cli.ok("lock", "requirements.in", "--default-index", local_index.url, "--python", ">=3.10")
    for _ in range(3):
        assert "note" not in cli.ok("sync", "--target", "out", "--default-index", local_index.url).stderr
    (project / "requirements.in").write_text("omega\ngamma\n")
    assert "`gamma` is required, but not locked" in cli.ok("sync", "--target", "out").stderr


def test_no_secret_of_a_requirement_is_shown_or_kept(cli: Command, project: Path, tmp_path: Path) -> None:
    line = '["alpha", "omega @ https://user:s3cret@files.example.org/omega-1.0.tar.gz?token=s3cret",'
    (project / "pyproject.toml").write_text(PROJECT.replace('["alpha",', line))
    env = {"LOCKSET_CACHE_DIR": str(tmp_path / "cache")}
    message = cli.ok("check-env", "--target", "out", env=env).stderr
    assert "`omega` is required, but not locked" in message
    assert "s3cret" not in message
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (
            '["alpha"',
            '["gamma", "alpha"',
            "`gamma` is required without extras and groups, but is only locked with extra `more`",
        ),
        (
            'more = ["gamma"]',
            'more = ["gamma", "delta"]',
            "`delta` is required with extra `more`, but is only locked with",
        ),
    ],
)
def test_requirements_locked_for_another_extra_or_group_are_a_change(
    cli: Command, project: Path, old: str, new: str, change: str
) -> None:
    cli.ok("sync", "--target", "out", "--locked")
    (project / "pyproject.toml").write_text(PROJECT.replace(old, new))
    done = cli("sync", "--target", "out", "--locked")
    assert done.code == 1
    assert change in done.stderr
