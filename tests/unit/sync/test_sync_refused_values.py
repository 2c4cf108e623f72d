"""Values that a lock file or an archive may hold and that are refused, one by one, with the reason."""

from __future__ import annotations

import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from lockset.sync.journal import Journal
from lockset.sync.layout import LOCK_FILE
from lockset.sync.wheel.record import parse_record

from lockset.composition.sync_pipeline import SourcePolicy
from lockset.errors import LocksetError
from lockset.sync.wheel.entry_points import script_problem, scripts_in
from lockset.sync.wheel.safe_path import path_problem
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, entry, judge

if TYPE_CHECKING:
    from pathlib import Path

WHEEL = make_wheel("sample", "1.0")


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(folder=tmp_path / "world", directory=str(tmp_path / "target"))
    world.offer(WHEEL)
    return world


def locked(**changes: Any) -> dict[str, Any]:
    """The entry of the wheel, with changes of its file."""
    made = entry(WHEEL)
    made["wheels"] = [made["wheels"][0] | changes]
    return made


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\n", "\u200b", "\u202e", "\ufeff", "\u2028"])
def test_invisible_characters_are_refused_in_paths(character: str) -> None:
    assert path_problem(f"a/b{character}c.py") == "has a control or invisible character"


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "aux.py", "lpt9.exe", "x" * 256])
def test_a_command_needs_a_name_that_every_system_takes(name: str) -> None:
    assert script_problem(name) is not None
    with pytest.raises(ValueError, match="names a script"):
        scripts_in(f"[console_scripts]\n{name} = a:b\n")


@pytest.mark.parametrize("value", ["a..b:c", "1a:b", "a:b..c", "a:1b", "a.:b", "a:.b", "a:b."])
def test_both_sides_of_an_entry_point_are_dotted_names(value: str) -> None:
    with pytest.raises(ValueError, match="not a valid object reference"):
        scripts_in(f"[console_scripts]\nrun = {value}\n")


@pytest.mark.parametrize("text", ["a,b\n", "a,b,1,d\n", "a,b,x\n"])
def test_the_row_of_a_malformed_record_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="row 2 is malformed"):
        parse_record(f"ok,,1\n{text}")


def test_a_journal_of_another_format_is_left_to_its_lockset(tmp_path: Path) -> None:
    text = Journal(steps=(), areas=(str(tmp_path / "area"),)).dumps(str(tmp_path))
    assert Journal.loads(text, str(tmp_path)) is not None
    other = json.dumps({**json.loads(text), "format": 2**31}).encode()
    with pytest.raises(LocksetError) as caught:
        Journal.loads(other, str(tmp_path))
    assert caught.value.diagnostic.code == "journal-unreadable"


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_weak_hash_serves_where_it_is_allowed(world: World, tmp_path: Path, algorithm: str) -> None:
    digest = hashlib.new(algorithm, WHEEL.content, usedforsecurity=False).hexdigest()
    world.sync(packages=[locked(hashes={algorithm: digest})], allowed=SourcePolicy(weak_hash=True))
    assert judge(tmp_path / "target") == {"sample": "1.0"}


@pytest.mark.parametrize("digest", ["0" * 31, "0" * 33, "0" * 40, ""])
def test_a_weak_hash_of_another_length_is_refused_even_where_it_is_allowed(
    world: World, tmp_path: Path, digest: str
) -> None:
    with pytest.raises(LocksetError):
        world.sync(packages=[locked(hashes={"md5": digest})], allowed=SourcePolicy(weak_hash=True))
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.org:0/sample-1.0-py3-none-any.whl",
        "https://files.exa mple.org/sample-1.0-py3-none-any.whl",
        "https://files.example.org/\u202e/sample-1.0-py3-none-any.whl",
        "https:///sample-1.0-py3-none-any.whl",
        "https://./sample-1.0-py3-none-any.whl",
    ],
)
def test_an_address_that_no_server_has_is_refused_before_it_is_requested(world: World, url: str) -> None:
    with pytest.raises(LocksetError) as caught:
        world.sync(packages=[locked(url=url)])
    assert caught.value.diagnostic.code == "url-malformed"
    assert world.downloads.asked == []


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_at_the_path_of_the_targets_lock_is_not_followed(world: World, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "canary").write_text("as it was")
    (target / LOCK_FILE).symlink_to(tmp_path / "canary")
    world.sync(WHEEL)
    assert judge(target) == {"sample": "1.0"}
    assert (tmp_path / "canary").read_text() == "as it was"
    assert not (target / LOCK_FILE).is_symlink()


def test_a_file_that_makes_a_source_tree_importable_belongs_to_the_distribution_it_names(tmp_path: Path) -> None:
    target = tmp_path / "target"
    info = target / "old-1.0.egg-info"
    info.mkdir(parents=True)
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: old\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("old\n")
    (target / "__editable__.old-1.0.pth").write_text("/somewhere\n")
    (target / "other.py").write_text("mine")
    world = World(folder=tmp_path / "world", directory=str(target))
    with pytest.raises(LocksetError) as caught:
        world.sync(make_wheel("old", "2.0"))
    assert "`__editable__.old-1.0.pth` may belong to it" in caught.value.render()
