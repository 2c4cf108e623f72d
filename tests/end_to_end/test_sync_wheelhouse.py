"""Files from elsewhere: wheelhouses, mirrors, downloads for other platforms; and the commands around sync."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.local_index import LocalIndex, World
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Command
    from support.venvs import Venv, VenvMaker

TAGS = ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-win_amd64")


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


@pytest.fixture
def index() -> Iterator[LocalIndex]:
    world = World()
    world.add("plain", "1.0", requires=["deep"]).add("deep", "2.0").add("native", "1.0", wheels=TAGS)
    with LocalIndex(world) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, cli: Command, index: LocalIndex) -> Path:
    (tmp_path / "in.in").write_text("plain\nnative\n")
    options = ("--default-index", index.url, "--python", "3.12", "--platform", "linux", "--platform", "windows")
    cli.ok("lock", "in.in", "-o", "pylock.toml", *options)
    return tmp_path


def test_a_wheelhouse_for_other_platforms_serves_machines_without_a_network(
    cli: Command, project: Path, index: LocalIndex
) -> None:
    described = ("--platform", "linux", "--platform", "windows", "--python-version", "3.12")
    output = cli.ok("download", "--dest", "house", *described, "--json").json()
    names = sorted(path.name for path in (project / "house").iterdir())
    assert names == sorted(file["filename"] for file in output["files"])
    assert len(names) == 4
    assert all(file["new"] for file in output["files"])
    assert not any(file["new"] for file in cli.ok("download", "--dest", "house", *described, "--json").json()["files"])
    before = len(index.paths())
    for platform in ("linux", "windows"):
        offline = ("--find-links", "house", "--offline", "--no-cache")
        cli.ok("sync", "--platform", platform, "--python-version", "3.12", "--target", platform, *offline)
        assert judge(project / platform) == {"plain": "1.0", "deep": "2.0", "native": "1.0"}
    assert len(index.paths()) == before


def test_a_wheelhouse_is_matched_by_hash_and_never_by_name(cli: Command, project: Path) -> None:
    described = ("--platform", "linux", "--python-version", "3.12")
    cli.ok("download", "--dest", "house", *described)
    house = project / "house"
    (house / "deep-2.0-py3-none-any.whl").rename(house / "renamed")
    (house / "deep-2.0-py3-none-any.whl").write_bytes(b"something else")
    sync = ("sync", *described, "--target", "out", "--find-links", "house", "--offline", "--no-cache")
    cli.ok(*sync)
    assert "deep" in judge(project / "out")
    (house / "renamed").write_bytes(b"changed")
    cli.refused(*sync, "--reinstall-package", "deep")
    assert "deep" in judge(project / "out")


def test_a_damaged_file_of_a_wheelhouse_is_fetched_again(cli: Command, project: Path) -> None:
    described = ("--platform", "linux", "--python-version", "3.12")
    cli.ok("download", "--dest", "house", *described)
    for path in (project / "house").iterdir():
        path.write_bytes(b"cut")
    cli.ok("download", "--dest", "house", *described)
    assert all(path.read_bytes() != b"cut" for path in (project / "house").iterdir())


def test_every_file_of_a_lock_can_be_had(cli: Command, project: Path) -> None:
    cli.ok("download", "--dest", "house", "--all-files")
    assert {path.name.rsplit("-", 1)[-1] for path in (project / "house").iterdir()} >= {"win_amd64.whl", "any.whl"}


def test_a_mirror_stands_for_the_locked_addresses(cli: Command, project: Path, index: LocalIndex) -> None:
    lock = project / "pylock.toml"
    lock.write_text(lock.read_text().replace(f"{index.origin}/", "https://files.example.org/a/"))
    described = ("--platform", "linux", "--python-version", "3.12", "--target", "out", "--no-cache")
    cli.ok("sync", *described, "--mirror", f"https://files.example.org/a={index.origin}")
    assert judge(project / "out") == {"plain": "1.0", "deep": "2.0", "native": "1.0"}
    origins = [path.read_text() for path in (project / "out").glob("*/provenance_url.json")]
    assert all("https://files.example.org/a/" in text and "127.0.0.1" not in text for text in origins)
    message = cli.refused("sync", *described, "--mirror", "https://user:secret@nonsense", code=2)
    assert "secret" not in message


def test_install_removes_nothing_and_sync_does(cli: Command, tmp_path: Path, venv: Venv) -> None:
    def lock(*names: str) -> None:
        packages = []
        for name in names:
            wheel = make_wheel(name)
            (tmp_path / wheel.filename).write_bytes(wheel.content)
            locked: dict[str, Any] = locked_file(wheel)
            del locked["url"]
            packages.append({"name": name, "version": "1.0", "wheels": [locked | {"path": wheel.filename}]})
        (tmp_path / "pylock.toml").write_text(make_lock(packages))

    lock("one", "two")
    cli.ok("sync")
    lock("one", "three")
    cli.ok("install")
    assert set(venv.installed()) == {"one", "two", "three"}
    assert cli("check-env", "--inexact").code == 0
    output = cli("check-env")
    assert output.code == 1
    assert "two" in output.stderr
    assert cli("check-env", "--keep", "two").code == 0
    cli.ok("sync")
    assert set(venv.installed()) == {"one", "three"}
    assert cli("check-env").code == 0


def test_check_env_with_hashes_sees_what_size_and_time_hide(cli: Command, tmp_path: Path, venv: Venv) -> None:
    import os

    wheel = make_wheel("one", files={"one.py": "x = 1\n"})
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel)
    del locked["url"]
    package = {"name": "one", "version": "1.0", "wheels": [locked | {"path": wheel.filename}]}
    (tmp_path / "pylock.toml").write_text(make_lock([package]))
    cli.ok("sync", "--link-mode", "copy")
    module = venv.site_packages / "one.py"
    old = module.stat()
    module.write_bytes(b"x = 2\n")
    os.utime(module, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert cli("check-env").code == 0
    result = cli("check-env", "--verify-files", "--json")
    assert result.code == 1
    assert result.json()["steps"][0]["action"] == "repair"
    assert module.read_bytes() == b"x = 2\n"


def test_a_recorded_dependency_that_is_missing_is_refused_unless_allowed(
    cli: Command, tmp_path: Path, venv: Venv
) -> None:
    wheel = make_wheel("one")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel)
    del locked["url"]
    package = {
        "name": "one",
        "version": "1.0",
        "wheels": [locked | {"path": wheel.filename}],
        "dependencies": [{"name": "gone"}],
    }
    (tmp_path / "pylock.toml").write_text(make_lock([package]))
    message = cli.refused("sync")
    assert "`gone`" in message
    assert "--no-strict" in message
    cli.ok("sync", "--no-strict")
    assert venv.installed() == {"one": "1.0"}


def test_a_weak_hash_has_to_be_allowed_and_is_still_checked(cli: Command, tmp_path: Path, venv: Venv) -> None:
    wheel = make_wheel("one")
    (tmp_path / wheel.filename).write_bytes(wheel.content)
    digest = hashlib.md5(wheel.content).hexdigest()
    file = {"name": wheel.filename, "path": wheel.filename, "hashes": {"md5": digest}}
    (tmp_path / "pylock.toml").write_text(make_lock([{"name": "one", "version": "1.0", "wheels": [file]}]))
    cli.refused("sync")
    cli.ok("sync", "--allow-weak-hash")
    assert cli("sync", "--allow-weak-hash", "--check").code == 0
    (tmp_path / wheel.filename).write_bytes(wheel.content + b"x")
    cli.refused("sync", "--allow-weak-hash", "--reinstall", "--no-cache")
    assert json.loads(next(venv.site_packages.glob("one*/provenance_url.json")).read_text())


def test_check_env_says_what_to_do_where_another_installer_recorded_no_files(
    cli: Command, tmp_path: Path, venv: Venv
) -> None:
    packages = []
    for name in ("one", "two"):
        wheel = make_wheel(name)
        (tmp_path / wheel.filename).write_bytes(wheel.content)
        locked: dict[str, Any] = locked_file(wheel)
        del locked["url"]
        packages.append({"name": name, "version": "1.0", "wheels": [locked | {"path": wheel.filename}]})
    (tmp_path / "pylock.toml").write_text(make_lock(packages))
    cli.ok("sync")
    # What pip leaves out: the record of the wheel from an index.
    for name in ("direct_url.json", "provenance_url.json"):
        for path in venv.site_packages.glob(f"one-*/{name}"):
            path.unlink()
            record = path.with_name("RECORD")
            lines = record.read_text().splitlines(keepends=True)
            record.write_text("".join(line for line in lines if name not in line))
    output = cli("check-env")
    assert (output.code, output.stdout) == (1, "")
    assert "1 package differs from the lock file\n" in output.stderr
    assert (
        "hint: 1 package has the locked version, but the installer did not record which file it used: " in output.stderr
    )
    cli.ok("sync")
    assert "hint" not in cli.ok("check-env").stderr
