"""Versions of the wheel format, up to the installed files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command


def _locked(folder: Path, version: str) -> None:
    wheel = make_wheel("sample", files={"sample.py": ""}, wheel_version=version)
    (folder / wheel.filename).write_bytes(wheel.content)
    locked: dict[str, Any] = locked_file(wheel) | {"path": wheel.filename}
    del locked["url"]
    (folder / "pylock.toml").write_text(make_lock([{"name": "sample", "version": "1.0", "wheels": [locked]}]))


@pytest.mark.parametrize("version", ["0.1", "0.0", "1", "1.0"])
def test_a_wheel_of_an_older_format_is_installed(cli: Command, tmp_path: Path, version: str) -> None:
    _locked(tmp_path, version)
    done = cli.ok("sync", "--target", "out")
    assert (tmp_path / "out" / "sample.py").is_file()
    assert "Wheel-Version" not in done.stderr


@pytest.mark.parametrize("version", ["1.1", "1.9", "1.10", "1.1.0"])
def test_a_wheel_of_a_greater_minor_version_is_installed_with_a_note(
    cli: Command, tmp_path: Path, version: str
) -> None:
    _locked(tmp_path, version)
    done = cli.ok("sync", "--target", "out")
    assert (tmp_path / "out" / "sample.py").is_file()
    assert f"sample 1.0 has Wheel-Version {version}, newer than the supported 1.0" in done.stderr


@pytest.mark.parametrize("version", ["2", "2.0", "99.1", "abc", "-1", ""])
def test_a_wheel_of_a_greater_major_version_or_none_is_refused(cli: Command, tmp_path: Path, version: str) -> None:
    _locked(tmp_path, version)
    done = cli("sync", "--target", "out")
    assert done.code == 1
    assert f"its Wheel-Version is `{version}`" in done.stderr
    assert "bug" not in done.stderr
