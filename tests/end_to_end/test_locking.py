"""What `lockset lock` decides, seen from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Locks requirements with options; the lock file's data."""

    def locked(*lines: str, options: tuple[str, ...] = (), python: str = ">=3.10") -> dict[str, Any]:
        (tmp_path / "requirements.in").write_text("".join(f"{line}\n" for line in lines))
        out = tmp_path / "pylock.toml"
        cli.ok("lock", "requirements.in", "-o", out, "--python", python, "-i", local_index.url, "--refresh", *options)
        return tomli.loads(out.read_text())

    return locked


def pins(data: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(p["name"], p["version"], p.get("marker")) for p in data["packages"]]


def test_old_pins_stay_until_an_upgrade_is_requested(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0")
    assert pins(lock("a", "b")) == [("a", "1.0", None), ("b", "1.0", None)]
    local_index.world.add("a", "2.0").add("b", "2.0")
    assert pins(lock("a", "b")) == [("a", "1.0", None), ("b", "1.0", None)]
    assert pins(lock("a", "b", options=("--upgrade-package", "b"))) == [("a", "1.0", None), ("b", "2.0", None)]
    assert pins(lock("a", "b", options=("--upgrade",))) == [("a", "2.0", None), ("b", "2.0", None)]


def test_newer_pythons_get_the_newer_version(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", requires_python=">=3.12")
    (old, new) = pins(lock("a"))
    assert (old[1], new[1]) == ("1.0", "2.0")
    assert old[2] is not None
    assert "3.12" in old[2]


def test_requirements_that_never_meet_do_not_conflict(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0")
    result = pins(lock("a<2; sys_platform == 'win32'", "a>=2; sys_platform != 'win32'"))
    assert result == [("a", "1.0", 'sys_platform == "win32"'), ("a", "2.0", 'sys_platform != "win32"')]


def test_caps_narrow_the_range_of_the_lock(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", requires_python=">=3.10,<3.14")
    data = lock("a")
    assert pins(data) == [("a", "2.0", None)]
    assert "<3.14" in data["requires-python"]


def test_the_requirement_named_first_gets_the_newest_release(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    world = local_index.world
    world.add("star", "1.0").add("star", "2.0")
    world.add("fast", "1.0", requires=["star"]).add("fast", "2.0", requires=["star<2"])
    assert pins(lock("fast", "star", options=("--upgrade",))) == [("fast", "2.0", None), ("star", "1.0", None)]
    assert pins(lock("star", "fast", options=("--upgrade",))) == [("fast", "1.0", None), ("star", "2.0", None)]


def test_a_prerelease_counts_only_where_requested(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0b1")
    assert pins(lock("a")) == [("a", "1.0", None)]
    assert pins(lock("a>=2.0b1", options=("--upgrade",))) == [("a", "2.0b1", None)]


def test_a_yanked_release_counts_only_when_pinned(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", yanked="broken")
    assert pins(lock("a")) == [("a", "1.0", None)]
    assert pins(lock("a==2.0", options=("--upgrade",))) == [("a", "2.0", None)]


def test_files_carry_what_the_index_knows(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0", sdist=True)
    (package,) = lock("a")["packages"]
    artifact = local_index.world.projects["a"][0].artifact
    (wheel,) = package["wheels"]
    assert wheel["hashes"] == {"sha256": artifact.sha256}
    assert wheel["size"] == artifact.size
    assert wheel["upload-time"] == local_index.world.projects["a"][0].upload_time
    assert wheel["url"] == local_index.file_url("a", artifact.filename)
    assert package["sdist"]["hashes"]["sha256"]
    assert package["index"] == local_index.url


def test_an_sdist_with_dynamic_metadata_is_built_and_noted(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", requires=["b"], wheels=(), sdist="dynamic").add("b")
    (tmp_path / "requirements.in").write_text("a\n")
    result = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    data = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert [p["name"] for p in data["packages"]] == ["a", "b"]
    assert "build" in result.stderr.lower()


def test_a_static_sdist_is_not_built(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    broken = dict.fromkeys(("prepare_metadata_for_build_wheel", "build_wheel"), "must not run")
    local_index.world.add_file("a", make_sdist("a", requires_dist=["b"], fails=broken)).add("b")
    assert [name for name, *_ in pins(lock("a"))] == ["a", "b"]


def test_the_lock_of_a_script_is_next_to_it(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a")
    (tmp_path / "tool.py").write_text("# /// script\n# requires-python = '>=3.10'\n# dependencies = ['a']\n# ///\n")
    cli.ok("lock", "tool.py", "-i", local_index.url)
    assert tomli.loads((tmp_path / "pylock.tool.toml").read_text())["packages"][0]["name"] == "a"


def test_requirements_come_from_standard_input(cli: Command, local_index: LocalIndex) -> None:
    local_index.world.add("a")
    result = cli.ok("lock", "-", "-o", "-", "--python", ">=3.10", "-i", local_index.url, stdin="a\n")
    assert tomli.loads(result.stdout)["packages"][0]["name"] == "a"


def test_a_dry_run_writes_nothing(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a")
    (tmp_path / "requirements.in").write_text("a\n")
    cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--dry-run")
    assert not (tmp_path / "pylock.toml").exists()


def test_check_tells_whether_the_lock_serves_the_project(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("a").add("b")
    (tmp_path / "requirements.in").write_text("a\n")
    options = ("requirements.in", "--python", ">=3.10", "-i", local_index.url)
    cli.ok("lock", *options)
    before = (tmp_path / "pylock.toml").read_bytes()
    cli.ok("lock", *options, "--check")
    (tmp_path / "requirements.in").write_text("a\nb\n")
    result = cli("lock", *options, "--check")
    assert result.code == 1
    assert "b" in result.stderr.split()
    assert (tmp_path / "pylock.toml").read_bytes() == before


def test_the_first_index_that_has_a_package_wins(
    cli: Command, local_index: LocalIndex, second_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", "9.0").add("b", "1.0")
    second_index.world.add("a", "1.0")
    (tmp_path / "requirements.in").write_text("a\nb\n")
    cli.ok("lock", "requirements.in", "--python", ">=3.10", "--index", second_index.url, "-i", local_index.url)
    data = tomli.loads((tmp_path / "pylock.toml").read_text())
    assert [(p["name"], p["version"], p["index"]) for p in data["packages"]] == [
        ("a", "1.0", second_index.url),
        ("b", "1.0", local_index.url),
    ]


def test_credentials_open_the_index_and_stay_out_of_the_lock(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("a", requires=["b"]).add("b")
    local_index.set_mode(credentials=("user", "topsecret"))
    (tmp_path / "requirements.in").write_text("a\n")
    url = local_index.url.replace("://", "://user:topsecret@")
    result = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", url)
    text = (tmp_path / "pylock.toml").read_text()
    assert "topsecret" not in text + result.stdout + result.stderr


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": True}, {"cut_after": 10}])
def test_a_passing_failure_of_the_index_is_overcome(
    cli: Command, local_index: LocalIndex, tmp_path: Path, fault: dict[str, Any]
) -> None:
    local_index.world.add("a")
    local_index.fault("/simple/a/", **fault)
    (tmp_path / "requirements.in").write_text("a\n")
    cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    assert len(local_index.paths(part="/simple/a/")) == 2
