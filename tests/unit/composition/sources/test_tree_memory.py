"""Metadata of commits and folders are used again exactly where a build would give them again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.sources.tree_memory import CommitMemory, FolderMemory
from lockset.metadata.core import CoreMetadata, parse_metadata
from lockset.resolve.problem.direct_source import DirectSource, SourceFacts
from lockset.sources.other_tools.facts import NamedSource
from support.builders.core_metadata import core_metadata
from support.fakes.fake_files import MemoryStore

if TYPE_CHECKING:
    from pathlib import Path

COMMIT = "0" * 40
URL = "https://user:secret@example.org/r"
SOURCE = DirectSource(name="", kind="vcs", url="https://example.org/r", shown="git+https://example.org/r", fetched=URL)


def metadata(origin: str) -> CoreMetadata:
    return parse_metadata(core_metadata("a", "1.0", requires_dist=["b"]).encode(), origin=origin, what="a")


def commits(store: MemoryStore, key: str | None = "", *, refresh: bool = False) -> CommitMemory:
    return CommitMemory(store, lambda _: key, refresh=refresh)


@pytest.mark.parametrize("origin", ["tree", "built"])
def test_the_facts_of_a_commit_are_those_that_were_stored(origin: str) -> None:
    named = NamedSource(tool="uv", table="[tool.uv.sources]", location="x", package="b", shown="y", extra="z")
    facts, store = SourceFacts(metadata=metadata(origin), commit=COMMIT, named=(named,)), MemoryStore()
    commits(store).put(SOURCE, facts)
    assert commits(store).get(SOURCE, COMMIT) == facts
    assert commits(store).get(SOURCE, "1" * 40) is None
    assert commits(store, refresh=True).get(SOURCE, COMMIT) is None
    assert "secret" not in repr(store)


def test_builds_with_other_settings_are_not_used_and_those_in_environments_that_change_not_stored() -> None:
    store = MemoryStore()
    commits(store, None).put(SOURCE, SourceFacts(metadata=metadata("built"), commit=COMMIT))
    assert commits(store, None).get(SOURCE, COMMIT) is None
    commits(store, "x").put(SOURCE, SourceFacts(metadata=metadata("built"), commit=COMMIT))
    assert commits(store, "x").get(SOURCE, COMMIT) is not None
    assert commits(store, "y").get(SOURCE, COMMIT) is None
    commits(store, None).put(SOURCE, SourceFacts(metadata=metadata("tree"), commit=COMMIT))
    assert commits(store, "y").get(SOURCE, COMMIT) is not None, "settings only matter to builds"


def test_what_was_built_without_a_name_had_no_settings_of_its_package() -> None:
    store = MemoryStore()

    def key(name: str) -> str:
        return "own" if name == "a" else ""

    CommitMemory(store, key, refresh=False).put(SOURCE, SourceFacts(metadata=metadata("built"), commit=COMMIT))
    assert CommitMemory(store, key, refresh=False).get(SOURCE, COMMIT) is None
    assert CommitMemory(store, lambda _: "", refresh=False).get(SOURCE, COMMIT) is not None


def folders(store: MemoryStore, **changes: Any) -> FolderMemory:
    parts: dict[str, Any] = {
        "environ": {},
        "fingerprint": lambda: "f",
        "build_key": lambda _: "",
        "now": 0.0,
        "refresh": False,
    } | changes
    return FolderMemory(store, **parts)


def test_a_folder_is_known_for_a_day_while_nothing_changes(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("setup()")
    store = MemoryStore()
    stamp = folders(store).stamp(tmp_path, "a")
    folders(store).put(tmp_path, stamp, metadata("built"))
    assert folders(store).get(tmp_path, stamp) == metadata("built")
    for changed in ({"fingerprint": lambda: "g"}, {"build_key": lambda _: "x"}, {"environ": {"A": "1"}}):
        own = folders(store, **changed)
        assert own.get(tmp_path, own.stamp(tmp_path, "a")) is None
    assert folders(store, refresh=True).get(tmp_path, stamp) is None
    assert folders(store, now=25 * 3600.0).get(tmp_path, stamp) is None
    assert folders(store, now=-1.0).get(tmp_path, stamp) is None


@pytest.mark.parametrize(
    "text", ["open('../a')", "Path(__file__).parent.parent", "join(here, os.pardir)", "join('..')"]
)
def test_a_project_that_reads_outside_of_its_folder_is_not_stored(text: str, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(text)
    assert folders(MemoryStore()).stamp(tmp_path, "a") is None


@pytest.mark.parametrize("changes", [{"fingerprint": str}, {"build_key": lambda _: None}])
def test_what_is_not_known_has_no_stamp(changes: dict[str, Any], tmp_path: Path) -> None:
    memory = folders(MemoryStore(), **changes)
    assert memory.stamp(tmp_path, "a") is None
    memory.put(tmp_path, None, metadata("built"))
    assert memory.get(tmp_path, None) is None


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"stamp": 1}', json.dumps({"stamp": "s", "since": "x"}).encode()]
)
def test_a_record_that_is_not_one_is_a_miss(data: bytes, tmp_path: Path) -> None:
    class Damaged(MemoryStore):
        def get(self, kind: str, key: str) -> bytes | None:
            return data

    assert folders(Damaged()).get(tmp_path, "s") is None
    assert commits(Damaged()).get(SOURCE, COMMIT) is None
