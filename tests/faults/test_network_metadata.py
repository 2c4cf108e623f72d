"""Metadata over the network: few requests, verified, and never from what was tampered with."""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.connections import Connection, connect
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.metadata.retrieve import Retriever
from support.builders.core_metadata import core_metadata
from support.builders.wheel import make_wheel
from support.local_index import BARE, LocalIndex

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.metadata.core import CoreMetadata

WHEEL = "sample-1.0-py3-none-any.whl"
BIG = {"sample/noise": Random(1).randbytes(900_000)}


@contextmanager
def connection(index: LocalIndex, cache: Path | None = None, **options: Any) -> Iterator[Connection]:
    facts: dict[str, Any] = {"index_url": index.url, "retries": 0, "read_timeout": 2.0} | options
    opened = connect(IndexOptions(**facts), cache=cache, clock=lambda: 1_800_000_000.0, environ={})
    try:
        yield opened
    finally:
        opened.close()


def learn(index: LocalIndex, cache: Path | None = None, *, hinted: bool = True, name: str = "sample") -> CoreMetadata:
    with connection(index, cache) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        detail = opened.index.project(name)
        files = detail.files(detail.versions[0])
        if hinted:
            source.hint(files)
        return source.metadata(files)


def file_requests(index: LocalIndex) -> list[str]:
    return [
        f"{seen.path.rpartition('/')[2]} {seen.headers.get('range', '')}".strip()
        for seen in index.seen
        if "/files/" in seen.path
    ]


@pytest.fixture(autouse=True)
def one_project(local_index: LocalIndex) -> None:
    local_index.world.add("sample", requires=["a>=1"], files=BIG)


def test_a_modern_index_costs_one_small_request(local_index: LocalIndex) -> None:
    assert learn(local_index).requires_dist == ("a>=1",)
    assert file_requests(local_index) == [f"{WHEEL}.metadata"]


def test_a_plain_mirror_with_metadata_files_costs_one_small_request(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    assert learn(local_index).origin == "metadata-file"
    assert file_requests(local_index) == [f"{WHEEL}.metadata"]


def test_without_metadata_files_the_end_of_the_wheel_is_enough(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    assert learn(local_index).requires_dist == ("a>=1",)
    assert file_requests(local_index) == [f"{WHEEL}.metadata", f"{WHEEL} bytes=-32768"]


def test_metadata_at_the_front_of_a_wheel_cost_a_second_piece(local_index: LocalIndex) -> None:
    metadata = core_metadata("front", "1.0", requires_dist=["b"])
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    moved = make_wheel("front", files={"front-1.0.dist-info/METADATA": metadata, **BIG}, metadata=metadata)
    local_index.world.add_file("front", moved)
    assert learn(local_index, name="front").requires_dist == ("b",)
    assert [entry.split(" ")[-1] for entry in file_requests(local_index)[1:]] == ["bytes=-32768", "bytes=0-16383"]


def test_without_ranges_the_whole_wheel_is_read_once_and_verified(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False, ranges=False)
    assert learn(local_index).requires_dist == ("a>=1",)
    local_index.forget()
    local_index.fault(f"*/{WHEEL}", times=None, corrupt=True)
    with pytest.raises(LocksetError) as caught:
        learn(local_index)
    assert caught.value.diagnostic.code == "hash-mismatch"


def test_a_small_wheel_comes_whole_with_its_end_and_is_verified(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    local_index.world.add("small", requires=["a>=1"])
    assert learn(local_index, name="small").requires_dist == ("a>=1",)
    local_index.fault("*/small-1.0-py3-none-any.whl", times=None, corrupt=True)
    with pytest.raises(LocksetError) as caught:
        learn(local_index, name="small")
    assert caught.value.diagnostic.code == "hash-mismatch"


def test_a_tampered_metadata_file_is_refused(local_index: LocalIndex) -> None:
    evil = core_metadata("sample", "1.0", requires_dist=["evil"]).encode()
    local_index.fault("*.metadata", times=None, body=evil)
    with pytest.raises(LocksetError) as caught:
        learn(local_index)
    assert caught.value.diagnostic.code == "hash-mismatch"
    assert caught.value.diagnostic.location is not None


def test_pieces_of_another_file_lead_to_the_whole_one(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    other = make_wheel("sample", requires_dist=["evil"], metadata="Name: sample\nVersion: 9\n").content
    headers = {"Content-Range": f"bytes 0-{len(other) - 1}/{len(other)}"}
    local_index.fault(f"*/{WHEEL}", body=other, headers=headers, times=1)
    assert learn(local_index).requires_dist == ("a>=1",)


def test_answers_are_remembered_across_runs(local_index: LocalIndex, tmp_path: Path) -> None:
    first = learn(local_index, tmp_path / "cache")
    local_index.forget()
    assert learn(local_index, tmp_path / "cache") == first
    assert local_index.seen == []


def test_metadata_files_of_a_host_that_has_none_are_not_requested_again_and_again(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    for number in range(12):
        local_index.world.add(f"p{number}")
    with connection(local_index) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        for number in range(12):
            detail = opened.index.project(f"p{number}")
            source.metadata(detail.files(detail.versions[0]))
    assert len(local_index.paths(part=".metadata")) == 4


ODD_ANSWERS: list[dict[str, Any]] = [
    *({"status": status} for status in (204, 300, 400, 401, 402, 405, 406, 409, 418, 422, 429, 451)),
    *({"status": status} for status in (500, 501, 502, 503, 504, 507, 599)),
    {"status": 503, "headers": {"Retry-After": "3600"}},
    {"reset": True},
    {"cut_after": 3},
    {"delay": 1.5},
    {"redirect": "/nowhere/"},
    {"redirect": "ftp://example.org/x"},
    {"redirect": "http://127.0.0.1:9/closed"},
    {"body": b"<!DOCTYPE html><html><body>Sign in</body></html>"},
    {"body": b"not gzip", "headers": {"Content-Encoding": "gzip"}},
    {"body": b"x", "headers": {"Content-Encoding": "br"}},
]


@pytest.mark.parametrize("fault", ODD_ANSWERS, ids=str)
@pytest.mark.parametrize("hinted", ["", "hinted"])
def test_an_odd_response_for_unannounced_metadata_is_tried_once_then_skipped(
    local_index: LocalIndex, fault: dict[str, Any], hinted: str
) -> None:
    local_index.mode = BARE
    names = [f"p{number}" for number in range(8)]
    for name in names:
        local_index.world.add(name, requires=["a>=1"])
    local_index.fault("*.metadata", times=None, **fault)
    with connection(local_index, retries=4, read_timeout=0.5 if "delay" in fault else 5.0) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        pages = [opened.index.project(name) for name in names]
        files = [page.files(page.versions[0]) for page in pages]
        for each in files if hinted else ():
            source.hint(each)
        assert {source.metadata(each).requires_dist for each in files} == {("a>=1",)}
    requests = local_index.paths(part=".metadata")
    if fault.get("redirect") == "/nowhere/":
        assert len(requests) == 4 or hinted  # where it leads, there is no such file, as after a plain 404
    elif "delay" not in fault:  # such a request is counted when it is answered, and nobody waits for that
        # A reset may mean that the server had closed an idle connection: then a new one is tried.
        assert len(requests) == (2 if "reset" in fault else 1)


def test_promised_metadata_that_an_overloaded_server_cannot_give_now_are_tried_again(local_index: LocalIndex) -> None:
    local_index.fault("*.metadata", times=2, status=503)
    with connection(local_index, retries=4) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        page = opened.index.project("sample")
        assert source.metadata(page.files(page.versions[0])).origin == "metadata-file"


@pytest.mark.parametrize("fault", [{"status": status} for status in (400, 405, 406, 418, 500, 502)], ids=str)
def test_the_whole_file_is_requested_from_a_server_that_refuses_ranges(
    local_index: LocalIndex, fault: dict[str, Any]
) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    names = ["first", "second"]
    for name in names:
        local_index.world.add(name, requires=["a>=1"], files=BIG)
    with connection(local_index, retries=0) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        for name in names:
            page = opened.index.project(name)
            # The first request for a file of this name is the one for a piece, where pieces are asked for at all.
            if name == "first":
                local_index.fault("*/first-1.0-py3-none-any.whl", times=1, **fault)
            assert source.metadata(page.files(page.versions[0])).requires_dist == ("a>=1",)
    ranges = [seen for seen in local_index.seen if "range" in seen.headers]
    assert len(ranges) == 1


def test_sizes_are_requested_once_in_parallel_and_kept(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.mode = BARE
    for number in range(8):
        local_index.world.add("sample", f"2.{number}")
    with connection(local_index, tmp_path / "cache") as opened:
        detail = opened.index.project("sample")
        files = [file for version in detail.versions for file in detail.files(version)]
        assert [opened.files.size(file) for file in files] == [None] * 9
        sizes = opened.files.sizes(files)
    for file in files:
        known = local_index.world.file("sample", file.filename)
        assert known is not None
        assert sizes[file.url] == known.artifact.size
    assert len(local_index.paths(method="HEAD")) == 9
    with connection(local_index, tmp_path / "cache") as opened:
        assert opened.files.sizes(files) == sizes
        assert opened.files.size(files[0]) == sizes[files[0].url]
    assert len(local_index.paths(method="HEAD")) == 9


def test_a_size_that_no_server_sends_is_missing(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.fault("*.whl", times=None, status=404)
    with connection(local_index) as opened:
        detail = opened.index.project("sample")
        assert opened.files.sizes(detail.files(detail.versions[0])) == {}


def test_a_size_is_learned_from_pieces(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.mode = BARE
    local_index.set_mode(metadata_files=False)
    learn(local_index, tmp_path / "cache")
    with connection(local_index, tmp_path / "cache") as opened:
        detail = opened.index.project("sample")
        (file,) = detail.files(detail.versions[0])
        known = local_index.world.file("sample", WHEEL)
        assert known is not None
        assert opened.files.size(file) == known.artifact.size


def test_a_hash_missing_from_the_page_is_computed_from_the_bytes(local_index: LocalIndex) -> None:
    local_index.set_mode(hashes=(), metadata_marked=False)
    known = local_index.world.file("sample", WHEEL)
    assert known is not None
    with connection(local_index) as opened:
        source = Retriever(opened.files, store=opened.cache, tasks=opened.workers)
        detail = opened.index.project("sample")
        files = detail.files(detail.versions[0])
        assert source.metadata(files).requires_dist == ("a>=1",)
        assert opened.files.sha256(files[0]) == known.artifact.sha256
    assert file_requests(local_index) == [WHEEL], "read once, hashed while read"
