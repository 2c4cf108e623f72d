"""What was published a moment ago is found: no failure, finding or upgrade relies on a page of the cache alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex) -> Path:
    local_index.world.add("a", "1.0", requires=["b"]).add("b", "1.0").add("c", "1.0")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.in").write_text("a\nc\n")
    return folder


def arguments(local_index: LocalIndex) -> tuple[str, ...]:
    return ("lock", "requirements.in", "--index-url", local_index.url, "--python", ">=3.10")


def requested(local_index: LocalIndex, since: int) -> Counter[str]:
    """How often each page was requested after the first `since` requests."""
    return Counter(path.rstrip("/").rpartition("/")[2] for path in local_index.paths()[since:] if path.endswith("/"))


def test_a_project_that_was_missing_is_found_once_it_is_published(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    (project / "requirements.in").write_text("a\nlate\n")
    assert "No index has a project named late" in cli.refused(*arguments(local_index), cwd=project)
    local_index.world.add("late", "1.0")
    cli.ok(*arguments(local_index), cwd=project)
    assert '"late"' in (project / "pylock.toml").read_text()


@pytest.mark.parametrize(
    ("requirements", "published"),
    [
        pytest.param("a>=2\nc\n", ("a", "2.0", []), id="a version that is required"),
        pytest.param("a\nb>=2\n", ("b", "2.0", []), id="a version of a dependency"),
        pytest.param("a\nb==1.0\nd\n", ("d", "1.5", ["b"]), id="a release that ends a conflict"),
    ],
)
def test_a_version_that_was_missing_is_found_once_it_is_published(
    requirements: str, published: tuple[str, str, list[str]], project: Path, local_index: LocalIndex, cli: Command
) -> None:
    local_index.world.add("d", "1.0", requires=["b>=2"])
    (project / "requirements.in").write_text(requirements)
    cli.refused(*arguments(local_index), cwd=project)
    name, version, requires = published
    local_index.world.add(name, version, requires=requires)
    cli.ok(*arguments(local_index), cwd=project)
    assert f'"{version}"' in (project / "pylock.toml").read_text()


def test_a_failure_requests_only_the_pages_of_the_conflict_again_and_once(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    (project / "requirements.in").write_text("a\nb>=2\nc\n")
    first = cli.refused(*arguments(local_index), cwd=project)
    since = len(local_index.paths())
    assert cli.refused(*arguments(local_index), cwd=project) == first
    assert requested(local_index, since) == {"b": 1}


def test_a_failure_is_reported_where_the_index_cannot_be_reached_to_confirm_it(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    (project / "requirements.in").write_text("a\nb>=2\n")
    first = cli.refused(*arguments(local_index), cwd=project)
    local_index.fault("*", times=None, reset=True)
    assert cli.refused(*arguments(local_index), cwd=project) == first


def test_a_missing_project_that_the_lock_avoids_stops_no_lock_without_network(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    local_index.world.add("c", "2.0", requires=["missing"])
    cli.ok(*arguments(local_index), cwd=project)
    first = (project / "pylock.toml").read_bytes()
    (project / "pylock.toml").unlink()
    local_index.fault("*", times=None, reset=True)
    cli.ok(*arguments(local_index), "--stats", cwd=project)
    assert (project / "pylock.toml").read_bytes() == first


@pytest.mark.parametrize("option", [("-U",), ("-P", "b"), ("--upgrade-package", "B==2.0")])
def test_an_upgrade_sees_what_was_published_since_the_last_lock(
    option: tuple[str, ...], project: Path, local_index: LocalIndex, cli: Command
) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    for version in ("2.0", "3.0"):
        local_index.world.add("b", version)
        cli.ok(*arguments(local_index), *option, cwd=project)
        expected = "2.0" if "B==2.0" in option else version
        assert f'"{expected}"' in (project / "pylock.toml").read_text()


def test_the_upgrade_of_one_package_requests_no_other_page(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    cli.ok(*arguments(local_index), cwd=project)
    since = len(local_index.paths())
    cli.ok(*arguments(local_index), "-P", "b", cwd=project)
    assert requested(local_index, since) == {"b": 1}


def test_offline_the_cache_decides(project: Path, local_index: LocalIndex, cli: Command) -> None:
    (project / "requirements.in").write_text("a\nb>=2\n")
    cli.refused(*arguments(local_index), cwd=project)
    local_index.world.add("b", "2.0")
    since = len(local_index.paths())
    cli.refused(*arguments(local_index), "--offline", cwd=project)
    assert not local_index.paths()[since:]


def test_a_conversion_finds_a_project_once_it_is_published(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    (project / "requirements.txt").write_text("late==1.0\n")
    convert = ("convert", "requirements.txt", "--index-url", local_index.url)
    assert "late" in cli.refused(*convert, cwd=project)
    local_index.world.add("late", "1.0")
    cli.ok(*convert, cwd=project)
    assert '"late"' in (project / "pylock.toml").read_text()
    (project / "requirements.txt").write_text("late==2.0\n")
    assert "no file of this version" in cli.refused(*convert, cwd=project)
    local_index.world.add("late", "2.0")
    cli.ok(*convert, cwd=project)


def test_the_online_check_finds_files_that_were_uploaded_since_the_cache_got_the_page(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    check = ("validate", "--online", "--default-index", local_index.url)
    cli.ok(*arguments(local_index), cwd=project)
    cli.ok(*check, cwd=project)
    local_index.world.add("b", "2.0")
    cli.ok(*arguments(local_index), "-P", "b", "--cache-dir", "other", cwd=project)
    cli.ok(*check, cwd=project)
