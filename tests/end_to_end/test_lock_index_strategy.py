"""Several indexes that have the same projects: which version of which index is locked with each strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

    Lock = Callable[..., dict[str, Any]]

FIRST_MATCH = ("--index-strategy", "unsafe-first-match")


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, second_index: LocalIndex, tmp_path: Path) -> Lock:
    """Locks with `local_index` before `second_index`; the packages of the lock file."""

    def locked(*dependencies: str, options: tuple[object, ...] = FIRST_MATCH, more: str = "") -> dict[str, Any]:
        project = f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = {list(dependencies)}\n'
        (tmp_path / "pyproject.toml").write_text(project + more)
        cli.ok("lock", "--index", local_index.url, "-i", second_index.url, "--refresh", *options)
        packages = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
        return {f"{p['name']} {p['version']}": p for p in packages}

    return locked


def test_versions_of_the_first_index_are_exhausted_first(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("a", "1.1")
    second_index.world.add("a", "2.0").add("a", "3.0")
    assert list(lock("a")) == ["a 1.1"]
    entry = lock("a>=2")["a 3.0"]
    assert entry["index"] == second_index.url
    assert entry["wheels"][0]["url"].startswith(second_index.origin)
    back = lock("a<3", options=(*FIRST_MATCH, "--upgrade"))
    assert back["a 1.1"]["index"] == local_index.url


def test_a_version_is_taken_from_the_first_index_alone(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0", wheels=["py3-none-any"])
    second_index.world.add("a", "1.0", sdist=True, wheels=["py2-none-any"])
    (entry,) = lock("a").values()
    assert [w["name"] for w in entry["wheels"]] == ["a-1.0-py3-none-any.whl"]
    assert "sdist" not in entry


def test_the_lowest_versions_are_those_of_the_first_index(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "2.0").add("a", "2.1")
    second_index.world.add("a", "1.0").add("a", "3.0").add("a", "3.1")
    assert list(lock("a>=1", options=(*FIRST_MATCH, "--resolution", "lowest"))) == ["a 2.0"]
    assert list(lock("a>=3", options=(*FIRST_MATCH, "--resolution", "lowest"))) == ["a 3.0"]


def test_what_others_exclude_comes_from_the_next_index(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    """The first index is exhausted by backtracking, too."""
    local_index.world.add("a", "3.0", requires=["b<1"]).add("a", "2.0", requires=["b<1"]).add("b", "2.0")
    second_index.world.add("a", "1.0").add("a", "4.0")
    assert list(lock("b>=2", "a<4")) == ["a 1.0", "b 2.0"]


def test_forks_take_each_side_from_the_first_index_that_serves_it(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0", requires_python=">=3.12")
    second_index.world.add("a", "0.9").add("a", "2.0", requires_python=">=3.12")
    packages = lock("a")
    assert {name: (entry["index"], entry["marker"]) for name, entry in packages.items()} == {
        "a 1.0": (local_index.url, 'python_version >= "3.12"'),
        "a 0.9": (second_index.url, 'python_version < "3.12"'),
    }


def test_markers_fork_between_indexes(lock: Lock, local_index: LocalIndex, second_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0+cpu")
    second_index.world.add("a", "1.0").add("a", "2.0")
    packages = lock("a<2 ; sys_platform == 'linux'", "a>=2 ; sys_platform != 'linux'")
    assert {name: entry["index"] for name, entry in packages.items()} == {
        "a 1.0+cpu": local_index.url,
        "a 2.0": second_index.url,
    }


def test_folders_of_files_count_as_the_first_index(
    lock: Lock, cli: Command, local_index: LocalIndex, second_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0")
    second_index.world.add("a", "2.0").add("a", "3.0")
    (tmp_path / "needs.in").write_text("a==2.0")
    cli.ok("lock", "needs.in", "-i", second_index.url, "-o", "pylock.f.toml")
    cli.ok("download", "pylock.f.toml", "--dest", tmp_path / "files", "-i", second_index.url, "--all-files")
    assert list(lock("a", options=(*FIRST_MATCH, "--find-links", tmp_path / "files"))) == ["a 2.0"]


def test_the_best_match_records_the_index_of_each_version(
    lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "2.0").add("b", "1.0")
    second_index.world.add("a", "1.0").add("b", "2.0")
    packages = lock("a", "b", options=("--index-strategy", "unsafe-best-match"))
    assert {name: entry["index"] for name, entry in packages.items()} == {
        "a 2.0": local_index.url,
        "b 2.0": second_index.url,
    }


def test_a_setting_chooses_the_strategy(lock: Lock, local_index: LocalIndex, second_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0")
    second_index.world.add("a", "2.0")
    assert list(lock("a", options=(), more='[tool.lockset]\nindex-strategy = "unsafe-first-match"\n')) == ["a 1.0"]
    assert list(lock("a>1", options=(), more='[tool.lockset]\nindex-strategy = "unsafe-first-match"\n')) == ["a 2.0"]


def test_later_indexes_have_no_upgrades(
    cli: Command, lock: Lock, local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0")
    second_index.world.add("a", "2.0")
    lock("a")
    found = cli("outdated", "--json", "--index", local_index.url, "-i", second_index.url, *FIRST_MATCH)
    assert '"2.0"' not in found.stdout, str(found)
