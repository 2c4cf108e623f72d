"""Who fetches a page hears once that it has arrived, also of one that was only hinted at before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.composition.connections import connect
from lockset.index.options import IndexOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.composition.connections import Connection
    from support.local_index import LocalIndex


@pytest.fixture
def connection(local_index: LocalIndex) -> Iterator[Connection]:
    local_index.world.add("sample", "1.0")
    opened = connect(IndexOptions(index_url=local_index.url, retries=0), cache=None, clock=lambda: 0.0, environ={})
    yield opened
    opened.close()


def wait(connection: Connection) -> None:
    connection.index.project("sample")
    connection.workers.call(lambda: None)


def test_a_page_that_is_on_its_way_after_a_hint_is_reported(connection: Connection, local_index: LocalIndex) -> None:
    heard: list[str] = []
    local_index.set_mode(latency=0.1)
    connection.index.hint(["sample"])
    connection.index.fetch(["Sample"], heard.append)
    assert heard == []
    wait(connection)
    assert heard == ["sample"]


def test_a_page_that_has_arrived_after_a_hint_is_reported_at_once(connection: Connection) -> None:
    heard: list[str] = []
    connection.index.hint(["sample"])
    wait(connection)
    connection.index.fetch(["sample"], heard.append)
    assert heard == ["sample"]


def test_a_page_is_reported_once_to_the_first_who_fetched_it(connection: Connection, local_index: LocalIndex) -> None:
    first: list[str] = []
    later: list[str] = []
    connection.index.fetch(["sample"], first.append)
    connection.index.fetch(["sample"], later.append)
    wait(connection)
    connection.index.fetch(["sample"], later.append)
    connection.index.hint(["sample"])
    assert (first, later) == (["sample"], [])
    assert len(local_index.seen) == 1
