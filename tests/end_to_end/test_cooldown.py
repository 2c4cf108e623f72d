"""A cooldown holds back what is new, says so, and leaves what is locked alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import tomli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command, Result
    from support.local_index import LocalIndex

WEEK = 'cooldown = "7 days"\n'


# One moment for all, since a day may begin during a test.
NOW = datetime.now(timezone.utc)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., Result]:
    """Locks a project that requires `a`, with settings and options."""

    def locked(*options: object, settings: str = "", requires: str = "a", env: dict[str, str] | None = None) -> Result:
        (tmp_path / "pyproject.toml").write_text(
            f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = ["{requires}"]\n'
            f"[tool.lockset]\n{settings}"
        )
        return cli.ok("lock", "-i", local_index.url, "--refresh", *options, env=env)

    return locked


@pytest.fixture
def version(tmp_path: Path) -> Callable[[], str]:
    """The locked version of `a`."""

    def read() -> str:
        (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
        return str(package["version"])

    return read


@pytest.fixture(autouse=True)
def releases(local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0", upload_time=days_ago(100)).add("a", "2.0", upload_time=days_ago(3))


def test_a_new_release_is_held_back_and_named(lock: Callable[..., Result], version: Callable[[], str]) -> None:
    result = lock(settings=WEEK)
    assert version() == "1.0"
    day = days_ago(3).strftime("%Y-%m-%d")
    assert f"1 held back by the cooldown: a 2.0 (uploaded {day})" in result.stderr
    assert lock("--json", settings=WEEK).json()["held-back"] == {"a": {"version": "2.0", "uploaded": day}}


@pytest.mark.parametrize(
    ("settings", "options", "expected"),
    [
        ('cooldown = "2 days"\n', (), "2.0"),
        (WEEK + 'cooldown-package = { A = "0 days" }\n', (), "2.0"),
        (WEEK + "cooldown-package = { a = false }\n", (), "2.0"),
        ('cooldown-package = { a = "P7D" }\n', (), "1.0"),
        ("", ("--cooldown", "7 days"), "1.0"),
        (WEEK, ("--cooldown", "0 days"), "2.0"),
        (WEEK, ("--cooldown-package", "a=1 day"), "2.0"),
        ("", ("--cooldown-package", "a=1 week"), "1.0"),
        (WEEK, ("--cooldown", "1 day"), "2.0"),
        # Both limits hold: the earlier one decides, and lifting one does not lift the other.
        (WEEK + 'exclude-newer = "1 day"\n', (), "1.0"),
        ('cooldown = "1 day"\nexclude-newer = "7 days"\n', (), "1.0"),
        (WEEK + "exclude-newer-package = { a = false }\n", (), "1.0"),
    ],
)
def test_options_and_settings_say_for_how_long(
    lock: Callable[..., Result],
    version: Callable[[], str],
    settings: str,
    options: tuple[str, ...],
    expected: str,
) -> None:
    lock(*options, settings=settings)
    assert version() == expected


def test_a_variable_sets_it(lock: Callable[..., Result], version: Callable[[], str]) -> None:
    lock(env={"LOCKSET_COOLDOWN": "7 days"})
    assert version() == "1.0"


def test_what_is_locked_stays_whether_it_is_new_or_not(
    lock: Callable[..., Result], version: Callable[[], str], cli: Command
) -> None:
    lock()
    assert version() == "2.0"
    for options in ((), ("-U",)):
        lock(*options, settings=WEEK)
        assert version() == "2.0"
    cli.ok("lock", "--check")


def test_a_new_file_of_a_locked_release_is_held_back(
    lock: Callable[..., Result], local_index: LocalIndex, tmp_path: Path
) -> None:
    lock(settings=WEEK)
    local_index.world.add("a", "1.0", wheels=("cp312-cp312-manylinux_2_17_x86_64",), upload_time=days_ago(1))
    lock(settings=WEEK)
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert len(package["wheels"]) == 1


def test_a_lock_does_not_become_stale_because_time_passes(
    lock: Callable[..., Result], version: Callable[[], str], cli: Command, local_index: LocalIndex
) -> None:
    lock(settings=WEEK)
    local_index.world.add("a", "1.5", upload_time=days_ago(8))
    cli.ok("lock", "--check")
    lock(settings=WEEK)
    assert version() == "1.0"
    lock("-U", settings=WEEK)
    assert version() == "1.5"


def test_only_what_the_requirements_admit_is_called_held_back(lock: Callable[..., Result]) -> None:
    assert "held back" not in lock(settings=WEEK, requires="a<2").stderr
    assert "held back" not in lock(settings="").stderr


def test_files_without_an_upload_time_are_held_back(
    lock: Callable[..., Result], local_index: LocalIndex, cli: Command
) -> None:
    local_index.set_mode(upload_times=False)
    (cli.cwd / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n[tool.lockset]\n{WEEK}'
    )
    paragraph = cli.refused("lock", "-i", local_index.url)
    assert "--cooldown-package a='0 days'" in paragraph


def test_why_not_names_the_cooldown(lock: Callable[..., Result], cli: Command, local_index: LocalIndex) -> None:
    lock(settings=WEEK)
    result = cli.ok("why-not", "a==2.0", "-i", local_index.url)
    assert "the cooldown excludes files since" in result.stdout + result.stderr
    assert "--cooldown-package a='0 days'" in result.stdout + result.stderr


def test_a_lock_with_a_cooldown_is_not_answered_from_an_earlier_run(
    lock: Callable[..., Result], version: Callable[[], str], cli: Command, local_index: LocalIndex
) -> None:
    lock(settings=WEEK)
    for _ in range(3):  # without --refresh, a run is recorded where its answer stands for later ones
        assert "held back by the cooldown" in cli.ok("lock", "-i", local_index.url).stderr


@pytest.mark.parametrize("text", ["soon", "2026-01-31", "-7 days", "7", "7 fortnights"])
def test_what_is_not_an_age_is_refused(cli: Command, text: str) -> None:
    (cli.cwd / "pyproject.toml").write_text(f'[project]\nname = "app"\n[tool.lockset]\ncooldown = "{text}"\n')
    paragraph = cli.refused("lock")
    assert "pyproject.toml:4:" in paragraph
    assert f"`{text}` is not a valid age" in paragraph
    (cli.cwd / "pyproject.toml").write_text('[project]\nname = "app"\n')
    assert "is not a valid age" in cli.refused("lock", f"--cooldown={text}", code=2)
