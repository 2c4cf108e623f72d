"""Completion from the default index itself: run by hand, `-m network`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import tomli

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

pytestmark = pytest.mark.network

WHEEL = "946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"
SDIST = "12f65c9b470abda6dc35cf8e63cc574b1c52b11df2c86030af0ac09b01b13ea9"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"idna==3.10 --hash=sha256:{WHEEL}\n", {WHEEL}),
        ("idna==3.10\n", {WHEEL, SDIST}),
        ("--no-binary idna\nidna==3.10\n", {SDIST}),
    ],
)
def test_pins_get_the_files_of_the_default_index_and_install(
    cli: Command, tmp_path: Path, text: str, wanted: set[str]
) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    cli.ok("convert", "requirements.txt", "--python", ">=3.10")
    cli.ok("validate", "pylock.toml")
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
    assert {file["hashes"]["sha256"] for file in files} == wanted
    cli.ok("sync", "--target", tmp_path / "target", "-p", sys.executable)
    assert (tmp_path / "target" / "idna-3.10.dist-info").is_dir()


def test_a_deleted_or_foreign_file_is_no_file_of_the_release(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n")
    assert "idna 3.10" in cli.refused("convert", "requirements.txt")
    assert not (tmp_path / "pylock.toml").exists()


def test_a_yanked_release_is_converted_and_reported(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("cryptography==37.0.3\n")
    done = cli.ok("convert", "requirements.txt", "--python", ">=3.10")
    assert "yanked" in done.stderr
