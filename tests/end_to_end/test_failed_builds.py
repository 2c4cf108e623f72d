"""A build that failed is not tried at every run, and old releases are not built by the dozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

from support.builders import make_sdist, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command, Result
    from support.local_index import LocalIndex

FAILS = {"prepare_metadata_for_build_wheel": "no compiler", "build_wheel": "no compiler"}


def lock(cli: Command, index: LocalIndex, folder: Path, *options: str) -> Result:
    (folder / "requirements.in").write_text("hull\n")
    (folder / "pylock.toml").unlink(missing_ok=True)
    return cli.ok("lock", "requirements.in", "--python", "3.12", "-i", index.url, "--cache-dir", "c", *options)


def version(folder: Path) -> str:
    (package,) = tomli.loads((folder / "pylock.toml").read_text())["packages"]
    return str(package["version"])


def test_the_next_run_does_not_build_again_what_failed(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    broken = make_sdist("hull", "2.0", metadata_version="1.2", fails=FAILS)
    local_index.world.add("hull", "1.0").add_file("hull", broken)
    assert "Building hull-2.0" in lock(cli, local_index, tmp_path).stderr
    local_index.forget()
    again = lock(cli, local_index, tmp_path)
    assert "Building" not in again.stderr
    assert "in an earlier run; `--refresh` tries again" in again.stderr
    assert version(tmp_path) == "1.0"
    assert not local_index.paths(part="hull-2.0.tar.gz")
    assert "Building hull-2.0" in lock(cli, local_index, tmp_path, "--refresh").stderr
    assert "Building hull-2.0" in lock(cli, local_index, tmp_path, "--config-setting", "a=b").stderr


@pytest.mark.parametrize("fails", [FAILS, {}], ids=["failing", "not fitting"])
def test_old_releases_are_not_built_by_the_dozen(
    fails: dict[str, str], cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    for number in range(2, 30):
        sdist = make_sdist("hull", f"{number}.0", metadata_version="1.2", requires_dist=["keel>=9"], fails=fails)
        local_index.world.add_file("hull", sdist)
    local_index.world.add("keel", "1.0").add_file("hull", make_wheel("hull", "1.0"))
    first = lock(cli, local_index, tmp_path)
    assert first.stderr.count("Building hull-") == (5 if fails else 10)
    assert version(tmp_path) == "1.0"


def test_old_metadata_with_one_meaning_costs_no_release(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: hull\nVersion: 2.0\nRequires-Dist: keel (>= 1.*,<2)\n"
    local_index.world.add("hull", "1.0").add_file("hull", make_wheel("hull", "2.0", metadata=metadata))
    local_index.world.add("keel", "1.0").add("keel", "3.0")
    done = lock(cli, local_index, tmp_path)
    assert "`keel (>= 1.*,<2)`, which is not valid: it is read as `keel>=1,<2`" in done.stderr
    packages = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert [f"{package['name']} {package['version']}" for package in packages] == ["hull 2.0", "keel 1.0"]
