"""Locks of a project of real shape: the same bytes whatever happens, and no change without need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.local_index import BARE, MODERN, LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command

PROJECT = """
[project]
name = "service"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["web-framework>=4", "frames", "shell ; sys_platform != 'win32'", "winshell ; sys_platform == 'win32'"]

[project.optional-dependencies]
postgres = ["driver[binary]>=3"]
all = ["service[postgres]"]

[dependency-groups]
test = ["runner>=7"]
dev = [{ include-group = "test" }, "linter"]
"""
BINARY = tuple(
    f"cp{python}-cp{python}-{platform}"
    for python in ("310", "311", "312", "313", "314")
    for platform in ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
)


def world() -> World:
    """Forks by Python and platform, extras, cycles, binary wheels, sdists, pre-releases and a yanked release."""
    made = World()
    made.add("web-framework", "4.2", requires=["templates", "markup", "async-core>=3.6"])
    made.add("web-framework", "5.0", requires=["templates", "markup>=2", "async-core>=3.8"], requires_python=">=3.10")
    made.add("web-framework", "5.1rc1", requires=["templates"])
    made.add("templates", "3.0", requires=["markup"]).add("templates", "3.1", requires=["markup>=2"], sdist=True)
    made.add("markup", "2.0").add("markup", "2.1", wheels=BINARY, sdist=True).add("markup", "3.0", yanked="broken")
    made.add("async-core", "3.8", requires=["typing-more ; python_version < '3.11'"])
    made.add("typing-more", "4.9").add("typing-more", "4.12")
    made.add("frames", "2.0", requires=["arrays>=1.22"], wheels=BINARY)
    made.add(
        "frames", "2.2", requires=["arrays>=1.26 ; python_version >= '3.12'", "arrays>=1.22", "dates"], wheels=BINARY
    )
    made.add("arrays", "1.26", requires_python=">=3.9", wheels=BINARY)
    made.add("arrays", "2.1", requires_python=">=3.12", wheels=BINARY)
    made.add("dates", "2.9", requires=["six-more"], wheels=(), sdist=True).add("six-more", "1.16")
    made.add("shell", "8.0", requires=["colors ; sys_platform == 'win32'", "pty-more"]).add("pty-more", "0.7")
    made.add("winshell", "1.0", requires=["colors"], wheels=("py3-none-win_amd64",)).add("colors", "0.4")
    made.add("driver", "3.1", extras={"binary": ["driver-binary==3.1 ; implementation_name != 'pypy'"], "c": ["never"]})
    made.add("driver-binary", "3.1", wheels=BINARY).add("driver-binary", "3.0", wheels=BINARY)
    made.add(
        "runner", "7.4", requires=["plugs>=1", "colors ; sys_platform == 'win32'", "groups ; python_version < '3.11'"]
    )
    made.add("plugs", "1.5", extras={"test": ["runner"]}).add("groups", "1.2").add("linter", "0.4")
    return made


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    with LocalIndex(world(), MODERN) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def locked(cli: Command, index: LocalIndex, *options: str, **settings: Any) -> bytes:
    cli.ok("lock", "-i", index.url, "--refresh", *options, **settings)
    return (cli.cwd / "pylock.toml").read_bytes()


def pins(data: bytes) -> dict[str, list[str]]:
    """Versions of each name."""
    results: dict[str, list[str]] = {}
    for package in tomli.loads(data.decode())["packages"]:
        results.setdefault(package["name"], []).append(package["version"])
    return results


def test_the_bytes_do_not_depend_on_hash_seeds_or_on_the_order_of_answers(
    cli: Command, index: LocalIndex, project: Path
) -> None:
    first = locked(cli, index, env={"PYTHONHASHSEED": "1"})
    (project / "pylock.toml").unlink()
    for name in ("web-framework", "markup", "arrays"):
        index.fault(f"/simple/{name}/", times=None, delay=0.15)
    index.fault("/files/frames/*", times=None, delay=0.1)
    index.world.projects = {name: files[::-1] for name, files in reversed(index.world.projects.items())}
    assert locked(cli, index, env={"PYTHONHASHSEED": "2"}) == first
    result = pins(first)
    assert result["arrays"] == ["1.26", "2.1"]
    assert (result["web-framework"], result["markup"]) == (["5.0"], ["2.1"])
    assert "never" not in result


def test_an_index_that_gained_releases_changes_nothing(cli: Command, index: LocalIndex, project: Path) -> None:
    first = locked(cli, index)
    for name in list(index.world.projects):
        index.world.add(name, "99.0")
    assert locked(cli, index) == first
    assert pins(locked(cli, index, "--upgrade"))["web-framework"] == ["99.0"]


def test_a_new_requirement_changes_nothing_else(cli: Command, index: LocalIndex, project: Path) -> None:
    first = pins(locked(cli, index))
    for name in list(index.world.projects):
        index.world.add(name, "99.0")
    index.world.add("metrics", "1.0", requires=["dates", "six-more"])
    (project / "pyproject.toml").write_text(PROJECT.replace('"frames",', '"frames", "metrics",'))
    assert pins(locked(cli, index)) == {**first, "metrics": ["1.0"]}


def test_upgrading_one_package_moves_only_what_must_move(cli: Command, index: LocalIndex, project: Path) -> None:
    first = pins(locked(cli, index))
    for name in list(index.world.projects):
        if name != "web-framework":
            index.world.add(name, "99.0")
    index.world.add("web-framework", "6.0", requires=["templates>=99", "markup", "async-core", "brand-new"])
    index.world.add("brand-new", "1.0", requires=["six-more"])
    changed = {"web-framework": ["6.0"], "templates": ["99.0"], "brand-new": ["1.0"]}
    assert pins(locked(cli, index, "-P", "web-framework")) == {**first, **changed}


def test_modern_and_bare_indexes_give_the_same_selection(cli: Command, index: LocalIndex, project: Path) -> None:
    def told(data: bytes) -> list[tuple[Any, ...]]:
        packages = tomli.loads(data.decode())["packages"]
        return [
            (p["name"], p["version"], p.get("marker"), p.get("dependencies"), [w["name"] for w in p.get("wheels", ())])
            for p in packages
        ]

    modern = told(locked(cli, index))
    (project / "pylock.toml").unlink()
    index.mode = BARE
    assert told(locked(cli, index)) == modern


OLD_LOCK = """lock-version = "1.0"
created-by = "someone"
# a note of mine

[[packages]]
name = "linter"
version = "0.4"
index = "https://index.example.org/simple/"
"""
FAILURES: dict[str, dict[str, Any]] = {
    "impossible": {"replace": ("web-framework>=4", "web-framework>=4000")},
    "unknown project": {"replace": ('"frames"', '"framez"')},
    "broken project file": {"replace": ("[project]", "[project")},
    "wrong setting": {"replace": ("[dependency-groups]", "[tool.lockset]\nnope = 1\n\n[dependency-groups]")},
    "page that is none": {"fault": ("/simple/dates/", {"body": b"{", "times": None})},
    "index that refuses": {"fault": ("/simple/dates/", {"status": 403, "times": None})},
    "wrong option": {"options": ("--extra", "nope"), "code": 1},
    "wrong range": {"options": ("--python", "snake"), "code": 2},
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_leaves_the_old_lock_as_it_was(name: str, cli: Command, index: LocalIndex, project: Path) -> None:
    failure = FAILURES[name]
    old = OLD_LOCK.encode()
    lock = project / "pylock.toml"
    lock.write_bytes(old)
    before = lock.stat()
    (project / "pyproject.toml").write_text(PROJECT.replace(*failure.get("replace", ("", ""))))
    if "fault" in failure:
        path, what = failure["fault"]
        index.fault(path, **what)
    result = cli("lock", "-i", index.url, "--refresh", *failure.get("options", ()))
    assert result.code == failure.get("code", 1), str(result)
    assert "Traceback" not in result.stderr
    assert lock.read_bytes() == old
    assert (lock.stat().st_mtime_ns, lock.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert sorted(p.name for p in project.iterdir()) == ["pylock.toml", "pyproject.toml"]
