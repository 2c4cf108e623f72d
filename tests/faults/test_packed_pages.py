"""A page that another process has got comes without its packed bytes, which are read from the cache when needed."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.composition.connections import connect
from lockset.index.options import IndexOptions
from lockset.index.pages import file_groups
from lockset.index.pages.page_table import PageTable
from support.local_index import responses

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.composition.connections import Connection
    from lockset.index.pages.project_page import ProjectDetail
    from support.local_index import LocalIndex

NOW = 1_800_000_000.0
OLDEST = Version("1.0")


def as_the_public_index_writes_it(text: str) -> str:
    page = json.loads(text)
    for file in page["files"]:
        file.update({"provenance": None, "requires-python": None, "yanked": False} | file)
    return json.dumps(page, separators=(",", ":"), sort_keys=True)


@pytest.fixture(autouse=True)
def few_are_near(monkeypatch: pytest.MonkeyPatch, local_index: LocalIndex) -> None:
    """A page of a few versions is packed as one of thousands is."""
    monkeypatch.setattr(file_groups, "_NEAR_BYTES", 0)
    monkeypatch.setattr(file_groups, "_NEAR_VERSIONS", 1)
    made = responses._json_text
    monkeypatch.setattr(responses, "_json_text", lambda *values: as_the_public_index_writes_it(made(*values)))
    local_index.set_mode(relative_urls=False)
    for number in range(1, 6):
        local_index.world.add("sample", f"{number}.0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def opened() -> Iterator[list[Connection]]:
    connections: list[Connection] = []
    yield connections
    for connection in connections:
        connection.close()


def connection(opened: list[Connection], index: LocalIndex, cache: Path | None, **options: Any) -> Connection:
    made = connect(IndexOptions(index_url=index.url, retries=0, **options), cache=cache, clock=lambda: NOW, environ={})
    opened.append(made)
    return made


def sent(copy: Connection) -> tuple[Any, ...]:
    """What the other process sends."""
    values: tuple[Any, ...] = copy.index._plain_answer("sample")
    return values


def is_packed(values: tuple[Any, ...]) -> bool:
    table = PageTable(*values[1])
    assert table.spans, "the page must have versions that are not unpacked"
    return bool(table.packed)


def filenames(detail: ProjectDetail) -> list[list[str]]:
    return [[file.filename for file in detail.files(version)] for version in detail.versions]


EVERY_FILE = [[f"sample-{number}.0-py3-none-any.whl"] for number in range(5, 0, -1)]


def test_what_is_in_the_cache_is_not_sent(local_index: LocalIndex, folder: Path, opened: list[Connection]) -> None:
    values = sent(connection(opened, local_index, folder))
    assert not is_packed(values)
    local_index.forget()
    here = connection(opened, local_index, folder)
    assert filenames(here.index._received(values)) == EVERY_FILE
    assert local_index.seen == []


def test_what_was_not_in_the_cache_before_is_read_from_there(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    here = connection(opened, local_index, folder)
    assert not here.index._is_at_hand("sample")
    values = sent(connection(opened, local_index, folder))
    local_index.forget()
    assert filenames(here.index._received(values)) == EVERY_FILE
    assert local_index.seen == []


def test_a_page_of_the_cache_is_used_even_where_pages_are_refreshed(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    values = sent(connection(opened, local_index, folder, refresh=True))
    local_index.forget()
    here = connection(opened, local_index, folder, refresh=True)
    assert filenames(here.index._received(values)) == EVERY_FILE
    assert local_index.seen == []


def test_what_is_not_in_the_cache_is_sent(local_index: LocalIndex, opened: list[Connection]) -> None:
    values = sent(connection(opened, local_index, None))
    assert is_packed(values)
    local_index.forget()
    assert filenames(connection(opened, local_index, None).index._received(values)) == EVERY_FILE
    assert local_index.seen == []


def test_a_page_that_may_not_be_stored_is_sent(local_index: LocalIndex, folder: Path, opened: list[Connection]) -> None:
    local_index.set_mode(cache_control="no-store")
    assert is_packed(sent(connection(opened, local_index, folder)))


def test_a_page_that_the_cache_has_lost_is_fetched_again(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    values = sent(connection(opened, local_index, folder))
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    local_index.forget()
    assert filenames(connection(opened, local_index, folder).index._received(values)) == EVERY_FILE
    assert [seen.status for seen in local_index.seen] == [200]


def test_a_page_that_no_cache_can_store_is_fetched_again_once(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    values = sent(connection(opened, local_index, folder))
    shutil.rmtree(folder)
    folder.write_text("a file, in which nothing can be stored")
    local_index.forget()
    assert filenames(connection(opened, local_index, folder).index._received(values)) == EVERY_FILE
    assert [seen.status for seen in local_index.seen] == [200]


def test_a_page_that_changed_meanwhile_is_read_anew(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    values = sent(connection(opened, local_index, folder))
    local_index.world.add("sample", "6.0")
    sent(connection(opened, local_index, folder, refresh=True))
    detail = connection(opened, local_index, folder).index._received(values)
    assert filenames(detail) == EVERY_FILE


def test_a_version_that_a_changed_page_lists_no_more_has_no_files(
    local_index: LocalIndex, folder: Path, opened: list[Connection]
) -> None:
    values = sent(connection(opened, local_index, folder))
    del local_index.world.projects["sample"][0]
    sent(connection(opened, local_index, folder, refresh=True))
    detail = connection(opened, local_index, folder).index._received(values)
    assert filenames(detail) == [*EVERY_FILE[:-1], []]
