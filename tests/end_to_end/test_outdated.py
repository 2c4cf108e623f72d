"""`lockset outdated`: newer versions, and what holds them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.builders import make_lock, make_wheel
from support.builders.locks import locked_package
from support.output_schema import check_output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def compare(cli: Command, local_index: LocalIndex) -> Callable[..., dict[str, dict[str, Any]]]:
    """The compared packages by name; of a package with several entries, the last."""

    def compared(*options: str) -> dict[str, dict[str, Any]]:
        result = cli.ok("outdated", "-i", local_index.url, "--refresh", "--json", *options).json()
        check_output(result, "outdated")
        return {package["name"]: package for package in result["packages"]}

    return compared


def write_project(folder: Path, *dependencies: str, more: str = "") -> None:
    text = f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = {list(dependencies)}\n{more}'
    (folder / "pyproject.toml").write_text(text)


def lock(cli: Command, local_index: LocalIndex, *options: str) -> None:
    cli.ok("lock", "-i", local_index.url, "--refresh", *options)


def texts(package: dict[str, Any]) -> str:
    return "\n".join(f"{one['kind']}: {one['text']}" for one in package["held-back"])


def test_a_newer_version_fits_if_lock_with_upgrade_would_choose_it(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0", requires=["b<2"]).add("b", "1.0")
    write_project(tmp_path, "a<3")
    lock(cli, local_index)
    local_index.world.add("a", "2.0", requires=["b>=2,<3"]).add("a", "3.0").add("b", "2.1").add("b", "3.0")
    result = compare()
    lock(cli, local_index, "-U")
    now = {one["name"]: one["version"] for one in cli.ok("tree", "--json").json()["packages"]}
    assert {name: package["fits"] for name, package in result.items()} == now
    assert now == {"a": "2.0", "b": "2.1"}


def test_the_requirement_that_holds_a_version_back_is_named_with_who_has_it(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0", requires=["b<2"]).add("a", "2.0").add("b", "1.0").add("b", "2.0")
    write_project(tmp_path, "a<2")
    lock(cli, local_index)
    result = compare()
    assert texts(result["a"]) == "requirement: pyproject.toml [project.dependencies] requires a<2"
    assert texts(result["b"]) == "requirement: a 1.0 requires b<2"
    assert (result["a"]["direct"], result["b"]["direct"]) == (True, False)


@pytest.mark.parametrize("alone", [False, True])
def test_pythons_and_platforms_and_constraints_hold_versions_back(
    alone: bool,  # noqa: FBT001 - a parameter of the test
    cli: Command,
    local_index: LocalIndex,
    tmp_path: Path,
    compare: Callable[..., dict[str, dict[str, Any]]],
) -> None:
    world = local_index.world.add("a", "1.0").add("w", "1.0").add("c", "1.0")
    settings = '[tool.lockset]\nfork-strategy = "fewest"\nconstraints = ["c<2"]\nplatforms = ["linux"]\n'
    write_project(tmp_path, "a", "w", "c", more=settings)
    lock(cli, local_index)
    world.add("a", "2.0", requires_python=">=3.12").add("w", "2.0", wheels=["cp312-cp312-win_amd64"]).add("c", "2.0")
    if alone:
        (tmp_path / "pyproject.toml").unlink()
    result = compare()
    assert texts(result["a"]) == "requires-python: a 2.0 requires Python >=3.12; the lock covers >=3.10"
    assert texts(result["w"]).startswith("files: w 2.0 has no wheel for ")
    assert texts(result["c"]) == "constraint: c<2 is a constraint"
    assert {name: package["fits"] for name, package in result.items()} == dict.fromkeys("acw", "1.0")


def test_a_version_that_was_yanked_since_is_shown_and_fails_in_ci(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0")
    write_project(tmp_path, "a")
    lock(cli, local_index)
    assert cli("outdated", "-i", local_index.url, "--exit-code").code == 0
    local_index.world.projects.clear()
    local_index.world.add("a", "1.0", yanked="security").add("a", "0.9")
    assert compare()["a"]["yanked"] == "security"
    shown = cli("outdated", "-i", local_index.url, "--refresh", "--exit-code")
    assert shown.code == 1
    assert "1.0 was yanked (security)" in shown.stdout


def test_a_newer_yanked_release_and_a_late_upload_are_not_newest_or_do_not_fit(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0")
    write_project(tmp_path, "a", "b")
    lock(cli, local_index)
    local_index.world.add("a", "2.0", yanked=True).add("b", "2.0")
    result = compare("--exclude-newer", "2020-01-03")
    assert (result["a"]["newest"], result["a"]["outdated"]) == ("1.0", False)
    assert (result["b"]["newest"], result["b"]["fits"]) == ("2.0", "1.0")
    assert texts(result["b"]).startswith("exclude-newer: it was uploaded on 2020-01-04")


def test_prereleases_count_only_where_they_are_allowed(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0b1")
    write_project(tmp_path, "a")
    lock(cli, local_index)
    assert compare()["a"]["newest"] == "1.0"
    allowed = compare("--prerelease", "allow")["a"]
    assert (allowed["newest"], allowed["fits"]) == ("2.0b1", "2.0b1")


def test_each_fork_has_a_row(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", requires_python=">=3.12")
    write_project(tmp_path, "a")
    lock(cli, local_index)
    local_index.world.add("a", "2.1", requires_python=">=3.12")
    shown = cli.ok("outdated", "-i", local_index.url, "--refresh").stdout.splitlines()
    assert [line.split()[:1] for line in shown] == [["package"], ["a"], ["a"]]
    assert "python_version < '3.12'" in shown[1]
    assert "  requires Python >=3.12; the lock covers >=3.10,<3.12" in shown[1]
    assert shown[2].split()[-2:] == ["2.1", "2.1"]


def test_a_lock_of_another_tool_is_compared_by_what_its_releases_require(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0", requires=["b<2"]).add("b", "1.0").add("b", "1.5").add("b", "2.0")
    wheels = {name: make_wheel(name, "1.0") for name in ("a", "b")}
    packages = [locked_package(name, wheels=[wheel]) for name, wheel in wheels.items()]
    packages.append({"name": "tree", "directory": {"path": "tree"}})
    (tmp_path / "pylock.toml").write_text(make_lock(packages, environments=[]))
    result = compare()
    assert (result["b"]["fits"], texts(result["b"])) == ("1.5", "requirement: a 1.0 requires b<2")
    assert (result["a"]["direct"], result["b"]["direct"]) == (True, False)
    assert "tree" not in result


def test_a_package_that_no_index_has_does_not_hide_the_others(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "2.0")
    packages = [locked_package(name, wheels=[make_wheel(name, "1.0")]) for name in ("a", "private")]
    (tmp_path / "pylock.toml").write_text(make_lock(packages))
    result = compare()
    assert result["a"]["fits"] == "2.0"
    assert "private" in result["private"]["problem"]


def test_offline_uses_the_cache_and_says_so(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0")
    write_project(tmp_path, "a<2")
    lock(cli, local_index)
    shown = cli.ok("outdated", "-i", local_index.url, "--offline")
    assert "Offline: compared with the cached pages" in shown.stderr
    assert "requires a<2" in shown.stdout
    refused = cli("outdated", "-i", local_index.url, "--offline", "--cache-dir", str(tmp_path / "empty"))
    assert refused.code == 1
    assert "No package of the lock file could be compared" in refused.stderr
    assert "Run it once without `--offline`" in refused.stderr


def test_only_direct_packages_are_shown_and_counted(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a", "1.0", requires=["b"]).add("b", "1.0")
    write_project(tmp_path, "a")
    lock(cli, local_index)
    local_index.world.add("b", "2.0")
    options = ("-i", local_index.url, "--refresh", "--exit-code")
    assert cli("outdated", *options).code == 1
    shown = cli.ok("outdated", "--direct", *options)
    assert "1 package, at its newest version" in shown.stderr
    assert shown.stdout == ""


def test_a_package_that_the_project_no_longer_requires_is_reported_as_such(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", "1.0", requires=["b"]).add("b", "1.0")
    write_project(tmp_path, "a")
    lock(cli, local_index)
    local_index.world.add("a", "2.0").add("b", "2.0")
    assert "not required" in cli.ok("outdated", "-i", local_index.url, "--refresh").stdout


def test_a_lock_made_with_other_constraints_is_compared_with_what_it_records(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0")
    write_project(tmp_path, "a")
    (tmp_path / "limits.txt").write_text("a<2\n")
    lock(cli, local_index, "-c", "limits.txt")
    assert (compare()["a"]["fits"], texts(compare()["a"])) == ("1.0", "constraint: a<2 is a constraint")


@pytest.mark.parametrize("text", ["", "[[", "lock-version = 3\n", "x = 1\n"])
def test_a_file_that_is_not_a_lock_is_refused_in_one_paragraph(cli: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "pylock.toml").write_text(text)
    assert "error" in cli.refused("outdated")


def test_the_requirements_file_that_the_lock_records_is_used(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0", requires=["b<2"]).add("b", "1.0")
    (tmp_path / "requirements.in").write_text("a\n-c limits.txt\n")
    (tmp_path / "limits.txt").write_text("b<3\n")
    lock(cli, local_index, "requirements.in", "--python", ">=3.10")
    local_index.world.add("a", "2.0", requires=["b"]).add("b", "2.0").add("b", "3.0")
    result = compare()
    assert (result["a"]["fits"], result["b"]["fits"]) == ("2.0", "2.0")
    assert texts(result["b"]) == "constraint: b<3 is a constraint"


def test_a_script_is_the_source_of_the_lock_that_is_named_after_it(
    cli: Command, local_index: LocalIndex, tmp_path: Path, compare: Callable[..., dict[str, dict[str, Any]]]
) -> None:
    local_index.world.add("a", "1.0")
    script = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["a<3"]\n# ///\n'
    (tmp_path / "job.py").write_text(script)
    lock(cli, local_index, "job.py")
    local_index.world.add("a", "2.0").add("a", "3.0")
    result = compare("pylock.job.toml")
    assert (result["a"]["fits"], texts(result["a"])) == ("2.0", "requirement: job.py [dependencies] requires a<3")
