"""What every Index promises: one suite, run against the fake, over HTTP in both forms, and over folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.index.ports import ProjectNotFound
from support.builders.pages import PageFile
from support.fakes.fake_index import FakeIndex
from support.local_index import BARE, MODERN, LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.index.ports import Index

NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    made.add("sample", "1.0", sdist=True).add("sample", "2.0", wheels=("py3-none-any", "cp312-cp312-win_amd64"))
    made.add("sample", "3.0rc1").add("Other.Name", "1")
    return made


@pytest.fixture(params=["fake", "modern", "bare", "json", "flat", "tree"])
def index(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Index]:
    if request.param == "fake":
        projects = {name: [PageFile.of(file.artifact) for file in files] for name, files in world.projects.items()}
        yield FakeIndex(projects)
        return
    mode = {"modern": MODERN, "bare": BARE}.get(request.param, MODERN)
    with LocalIndex(world, mode) as server:
        if request.param == "json":
            server.set_mode(html=False)
        options = IndexOptions(index_url=server.url)
        if request.param == "flat":
            options = IndexOptions(no_index=True, find_links=(world.write_files(tmp_path / "flat").as_uri(),))
        elif request.param == "tree":
            for name, files in world.projects.items():
                for file in files:
                    file.artifact.write(tmp_path / "tree" / name)
            options = IndexOptions(index_url=(tmp_path / "tree").as_uri())
        connection = connect(options, cache=tmp_path / "cache", clock=lambda: NOW, environ={})
        yield connection.index
        connection.close()


def test_a_project_has_its_versions_newest_first_and_their_files(index: Index) -> None:
    detail = index.project("sample")
    assert detail.name == "sample"
    assert detail.versions == (Version("3.0rc1"), Version("2.0"), Version("1.0"))
    assert sorted(file.filename for file in detail.files(Version("2.0"))) == [
        "sample-2.0-cp312-cp312-win_amd64.whl",
        "sample-2.0-py3-none-any.whl",
    ]
    assert detail.has_sdist(Version("1.0"))
    assert not detail.has_sdist(Version("2.0"))


def test_the_name_may_be_spelled_in_any_way(index: Index) -> None:
    assert index.project("OTHER_name") is index.project("other-name")


def test_the_same_call_gives_the_same_object(index: Index) -> None:
    index.hint(["sample"])
    assert index.project("sample") is index.project("sample")


def test_an_unknown_project_is_not_found_and_the_error_names_it(index: Index) -> None:
    index.hint(["missing"])
    with pytest.raises(ProjectNotFound) as caught:
        index.project("missing")
    assert caught.value.diagnostic.code == "project-not-found"
    assert "missing" in caught.value.diagnostic.message
    assert isinstance(caught.value, LocksetError)


def test_hints_never_fail_and_change_no_answer(index: Index) -> None:
    index.hint(["sample", "sample", "missing", "other.name"])
    index.hint([])
    assert index.project("sample").versions[0] == Version("3.0rc1")
