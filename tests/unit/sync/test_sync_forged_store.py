"""A store that was changed, or made by somebody else, is a miss: what is installed comes from verified bytes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.wheel import make_wheel
from lockset.sync.manifest import Manifest, StoredFile, StoredScript
from unit.sync.target_world import World, judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def manifest(path: str = "one.py", dist_info: str = "one-1.0.dist-info", script: str = "run") -> Manifest:
    return Manifest(
        name="one",
        version="1.0",
        dist_info=dist_info,
        root_scheme="purelib",
        digests={"sha256": "0" * 64},
        files=(StoredFile("purelib", path, "sha256=x", 1, 1, executable=False, rewrite=False),),
        scripts=(StoredScript(script, "console", "one", "main", b""),),
    )


parts = st.sampled_from(["..", "", ".", "one", "..a", "a..", "..."])


@given(st.lists(parts, min_size=1, max_size=5).map("/".join))
def test_a_manifest_whose_paths_lead_outside_is_none(path: str) -> None:
    leads_outside = ".." in path.split("/") or "" in path.split("/")
    assert (Manifest.loads(manifest(path=path).dumps()) is None) == leads_outside


@pytest.mark.parametrize("name", ["..", "../x", "/x", "a/b", ""])
def test_a_manifest_whose_names_are_paths_is_none(name: str) -> None:
    assert Manifest.loads(manifest(dist_info=name).dumps()) is None
    assert Manifest.loads(manifest(script=name).dumps()) is None


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _changed(path: Path) -> None:
    """Same size, same time."""
    found = path.stat()
    path.write_bytes(path.read_bytes().replace(b"good", b"evil"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def _piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes as POSIX has them")
@pytest.mark.parametrize("harm", [_emptied, _changed, _piped, lambda path: path.unlink()])
def test_a_stored_script_that_was_changed_is_not_what_is_installed(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """Of a script with a placeholder only what is made of it reaches the target."""
    wheel = make_wheel("one", scripts={"run": "#!python\nprint('good')\n"})
    world = World(folder=tmp_path, directory=str(tmp_path / "a"))
    world.sync(wheel)
    (stored,) = (tmp_path / "cache").rglob("scripts/run")
    harm(stored)
    world.directory = str(tmp_path / "b")
    world.sync(wheel)
    assert judge(tmp_path / "b") == {"one": "1.0"}
    assert (tmp_path / "b/bin/run").read_bytes() == (tmp_path / "a/bin/run").read_bytes()
