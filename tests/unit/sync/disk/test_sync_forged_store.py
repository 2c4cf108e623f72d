"""A store that was changed, or made by somebody else, is a miss: what is installed comes from verified bytes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.composition.sync_pipeline import InstallOptions
from lockset.hashes import hash_text
from lockset.sync.wheel.file_lists import Manifest, StoredFile, StoredScript
from support.builders.wheel import make_wheel
from support.posix import make_pipe
from support.worlds.target_world import World, judge, tree

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
        groups=(),
        scripts=(StoredScript(script, "console", "one", "main", b""),),
    ).with_files([StoredFile("purelib", path, "sha256=x", 1, 1, executable=False, rewrite=False)])


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
    result = path.stat()
    path.write_bytes(path.read_bytes().replace(b"good", b"evil"))
    os.utime(path, ns=(result.st_atime_ns, result.st_mtime_ns))


def _piped(path: Path) -> None:
    path.unlink()
    make_pipe(path)


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


def forge(cache: Path, forged: str) -> None:
    """What somebody who may write into the cache can do: file and manifest agree, under the locked hash."""
    (location,) = cache.rglob("manifest")
    there = Manifest.loads(location.read_bytes())
    assert there is not None
    files, scripts = list(there.files), there.scripts
    if forged == "file":
        stored = location.parent / "purelib/one.py"
        stored.write_bytes(b"evil")
        result = stored.stat()
        digest = hash_text("sha256", hashlib.sha256(b"evil").digest())
        number = next(n for n, file in enumerate(files) if file.path == "one.py")
        files[number] = files[number]._replace(hash=digest, size=4, mtime=result.st_mtime_ns)
    elif forged == "further file":
        (location.parent / "purelib/evil.py").write_bytes(b"evil")
        result = (location.parent / "purelib/evil.py").stat()
        digest = hash_text("sha256", hashlib.sha256(b"evil").digest())
        files.append(StoredFile("purelib", "evil.py", digest, 4, result.st_mtime_ns, executable=False, rewrite=False))
    elif forged == "missing file":
        files = [file for file in files if file.path != "one.py"]
    else:
        scripts = tuple(script._replace(body=b"evil") for script in scripts)
    location.write_bytes(there.with_files(files)._replace(scripts=scripts).dumps())


@pytest.mark.parametrize("forged", ["file", "further file", "missing file", "command"])
@pytest.mark.parametrize("mode", ["auto", "copy"])
def test_what_was_forged_in_the_store_is_not_installed_where_files_are_verified(
    tmp_path: Path, forged: str, mode: str
) -> None:
    points = {"console_scripts": {"run": "one:main"}}
    wheel = make_wheel("one", files={"one.py": "good", "two.py": "x"}, entry_points=points)
    fresh = World(folder=tmp_path / "fresh", directory=str(tmp_path / "right"))
    fresh.sync(wheel)
    world = World(folder=tmp_path, directory=str(tmp_path / "a"))
    world.sync(wheel)
    forge(tmp_path / "cache", forged)
    for name in "bc":
        world.directory = str(tmp_path / name)
        world.sync(wheel, install_options=InstallOptions(verify_files=True, link_mode=mode))
        assert tree(tmp_path / name) == tree(tmp_path / "right")
    # The entry is right again for everybody.
    world.directory = str(tmp_path / "d")
    world.sync(wheel)
    assert tree(tmp_path / "d") == tree(tmp_path / "right")


def test_a_stored_file_edited_in_place_with_its_time_restored_is_seen_where_files_are_verified(tmp_path: Path) -> None:
    wheel = make_wheel("one", files={"one.py": "good"})
    world = World(folder=tmp_path, directory=str(tmp_path / "a"))
    world.sync(wheel, install_options=InstallOptions(link_mode="hardlink"))
    _changed(tmp_path / "a/one.py")
    world.directory = str(tmp_path / "b")
    world.sync(wheel, install_options=InstallOptions(verify_files=True))
    assert (tmp_path / "b/one.py").read_text() == "good"
    world.directory = str(tmp_path / "a")
    assert world.sync(wheel, check_only=True, install_options=InstallOptions(verify_files=True)).plan.changes
    world.sync(wheel, install_options=InstallOptions(verify_files=True))
    assert (tmp_path / "a/one.py").read_text() == "good"


def _truncated(path: Path) -> None:
    """Another size, same time."""
    before = path.stat()
    path.write_bytes(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _linked(path: Path) -> None:
    """A link to a file with the same content, size and time."""
    before = path.stat()
    other = path.parent.parent / "elsewhere.py"
    path.rename(other)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.symlink_to(other)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("link_mode", ["hardlink", "copy", "symlink"])
@pytest.mark.parametrize("harm", [_emptied, _truncated, _linked, _piped, lambda path: path.unlink()])
def test_a_stored_module_that_was_changed_is_not_what_is_installed(
    tmp_path: Path, harm: Callable[[Path], None], link_mode: Any
) -> None:
    wheel = make_wheel("one", files={"one/__init__.py": "version = '1.0'\n"})
    world = World(folder=tmp_path, directory=str(tmp_path / "a"))
    world.sync(wheel, install_options=InstallOptions(link_mode="copy"))
    (stored,) = (tmp_path / "cache").rglob("one/__init__.py")
    harm(stored)
    world.directory = str(tmp_path / "b")
    world.sync(wheel, install_options=InstallOptions(link_mode=link_mode))
    assert judge(tmp_path / "b") == {"one": "1.0"}
    assert (tmp_path / "b/one/__init__.py").read_bytes() == b"version = '1.0'\n"
