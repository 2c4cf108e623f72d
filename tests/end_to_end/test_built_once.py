"""A source that was built for one environment is installed into the next ones without a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders import make_sdist

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker


def test_the_next_environment_needs_no_build(
    cli: Command, tmp_path: Path, local_index: LocalIndex, make_venv: VenvMaker
) -> None:
    local_index.world.add_file("sample", make_sdist("sample", "1.0"))
    (tmp_path / "requirements.in").write_text("sample\n")
    cli.ok("lock", "requirements.in", "-i", local_index.url)
    first, second = make_venv("first"), make_venv("second")

    def builds(*arguments: str) -> bool:
        return "Building a wheel of sample" in cli.ok("sync", *arguments).stderr

    assert builds("--python", str(first.path))
    assert not builds("--python", str(second.path), "--offline")
    assert not builds("--python", str(first.path), "--target", "target", "--offline")
    assert cli.ok("check-env", "--python", str(second.path), "--verify-files").code == 0
    assert builds("--python", str(second.path), "--reinstall-package", "sample")
    assert builds("--python", str(first.path), "--target", "other", "-C", "fast=no")
    refused = cli.refused("sync", "--python", str(make_venv("third").path), "--no-build")
    assert "only wheels are allowed" in refused
