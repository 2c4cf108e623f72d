"""What every Downloads promises: one suite, run against the fake and over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from support.fakes.fake_index import BytesSink, FakeDownloads
from support.local_index import LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.index.ports import Downloads

WHEEL = "sample-1.0-py3-none-any.whl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One implementation, and where it has its files."""

    downloads: Downloads
    root: str
    content: bytes


@pytest.fixture(params=["fake", "http"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    world = World().add("sample", files={"sample/data": b"x" * 300_000})
    result = world.file("sample", WHEEL)
    assert result is not None
    content = result.artifact.content
    if request.param == "fake":
        root = "https://files.example.org"
        yield Case(downloads=FakeDownloads({f"{root}/{WHEEL}": content}), root=root, content=content)
        return
    with LocalIndex(world) as server:
        connection = connect(IndexOptions(index_url=server.url), cache=None, clock=lambda: 0.0, environ={})
        root = server.file_url("sample", "").rstrip("/")
        yield Case(downloads=connection.downloads, root=root, content=content)
        connection.close()


def test_the_sink_gets_exactly_the_bytes(case: Case) -> None:
    sink = BytesSink()
    case.downloads.fetch(f"{case.root}/{WHEEL}", sink)
    assert sink.content == case.content


def test_a_download_of_exactly_the_limit_is_accepted(case: Case) -> None:
    sink = BytesSink()
    case.downloads.fetch(f"{case.root}/{WHEEL}", sink, limit=len(case.content))
    assert sink.content == case.content


def test_beyond_the_limit_the_transfer_ends(case: Case) -> None:
    sink = BytesSink()
    with pytest.raises(LocksetError) as caught:
        case.downloads.fetch(f"{case.root}/{WHEEL}", sink, limit=100)
    assert caught.value.diagnostic.code == "download-too-large"


def test_a_missing_file_has_its_own_error(case: Case) -> None:
    with pytest.raises(LocksetError) as caught:
        case.downloads.fetch(f"{case.root}/missing-1.0.tar.gz", BytesSink())
    assert caught.value.diagnostic.code == "file-not-found"


def test_what_the_sink_raises_reaches_the_caller(case: Case) -> None:
    class Full(BytesSink):
        def write(self, chunk: bytes) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        case.downloads.fetch(f"{case.root}/{WHEEL}", Full())
