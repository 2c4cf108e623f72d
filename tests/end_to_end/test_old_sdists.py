"""Sdists as old tools named and packed them."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import tomli

from support.builders import make_sdist

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


def test_an_old_sdist_whose_version_has_a_dash_is_locked_checked_and_installed(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    sdist = make_sdist("old", "1.0.post1", requires_dist=["a"], dynamic=["Requires-Dist"])
    local_index.world.add("a").add_file("old", replace(sdist, filename="Old-1.0-1.tar.gz"))
    (tmp_path / "requirements.in").write_text("old\n")
    cli.ok("lock", "requirements.in", "-i", local_index.url)
    (package,) = (p for p in tomli.loads((tmp_path / "pylock.toml").read_text())["packages"] if p["name"] == "old")
    assert package["version"] == "1.0.post1"
    # Readers of lock files split the name at its last dash.
    assert package["sdist"]["name"] == "old-1.0.post1.tar.gz"
    assert package["sdist"]["url"].endswith("/Old-1.0-1.tar.gz")
    assert "warning" not in str(cli.ok("validate", "pylock.toml", "--online", "-i", local_index.url))
    cli.ok("sync", "--target", tmp_path / "target", "-i", local_index.url)
    assert (tmp_path / "target" / "old").is_dir()


def test_a_direct_archive_may_be_compressed_with_bzip2(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    sdist = make_sdist("old", "1.0", requires_dist=["a"], dynamic=["Requires-Dist"])
    local_index.world.add("a")
    (tmp_path / "old-1.0.tar.bz2").write_bytes(bz2.compress(gzip.decompress(sdist.content)))
    (tmp_path / "requirements.in").write_text("./old-1.0.tar.bz2\n")
    cli.ok("lock", "requirements.in", "-i", local_index.url)
    names = {p["name"] for p in tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]}
    assert names == {"a", "old"}
    cli.ok("validate", "pylock.toml")
    cli.ok("sync", "--target", tmp_path / "target", "-i", local_index.url)
    assert (tmp_path / "target" / "old").is_dir()
