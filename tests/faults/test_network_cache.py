"""A wrong cache is a miss, never an error; what is fresh is not asked for, what is stale is asked about."""

from __future__ import annotations

import gzip
import marshal
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.files import system
from lockset.index.http import cache as http_cache
from lockset.index.http.cache import DiskCache, PageEntry
from lockset.index.options import IndexOptions, IndexSource
from lockset.index.pages.page_table import TABLE_FORMAT, PageTable, in_memory
from lockset.index.pages.stored_parts import DamagedPartError
from lockset.index.ports import ProjectNotFound
from support.local_index import BARE, LocalIndex
from support.posix import make_pipe

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.index.pages.project_page import ProjectDetail

NOW = 1_800_000_000.0


def ask(index: LocalIndex, cache: Path, *, now: float = NOW, name: str = "sample", **options: Any) -> ProjectDetail:
    facts: dict[str, Any] = {"index_url": index.url, "retries": 0} | options
    opened = connect(IndexOptions(**facts), cache=cache, clock=lambda: now, environ={})
    try:
        opened.index.hint([name])
        page = opened.index.project(name)
        for version in page.versions:
            page.files(version)  # which are checked when they are used
        return page
    finally:
        opened.close()


def entries(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def one_project(local_index: LocalIndex) -> None:
    local_index.world.add("sample", "1.0")


def test_a_fresh_page_is_not_requested_again(local_index: LocalIndex, cache: Path) -> None:
    first = ask(local_index, cache)
    local_index.forget()
    second = ask(local_index, cache, now=NOW + 599)
    assert local_index.seen == []
    assert second.versions == first.versions
    assert second.files(Version("1.0")) == first.files(Version("1.0"))
    assert second.fingerprint == first.fingerprint != ""


def test_a_stale_page_is_revalidated_and_kept_when_unchanged(local_index: LocalIndex, cache: Path) -> None:
    first = ask(local_index, cache)
    local_index.forget()
    assert ask(local_index, cache, now=NOW + 601).fingerprint == first.fingerprint
    assert [seen.status for seen in local_index.seen] == [304]
    ask(local_index, cache, now=NOW + 602)
    assert len(local_index.seen) == 1, "the answer made it fresh again"


def test_a_changed_page_is_taken(local_index: LocalIndex, cache: Path) -> None:
    first = ask(local_index, cache)
    local_index.world.add("sample", "2.0")
    second = ask(local_index, cache, now=NOW + 601)
    assert second.versions[0] == Version("2.0")
    assert second.fingerprint != first.fingerprint


def test_a_page_without_any_header_is_fresh_for_ten_minutes_and_then_fetched(
    local_index: LocalIndex, cache: Path
) -> None:
    local_index.mode = BARE
    ask(local_index, cache)
    ask(local_index, cache, now=NOW + 599)
    assert len(local_index.seen) == 1
    ask(local_index, cache, now=NOW + 600)
    assert [seen.status for seen in local_index.seen] == [200, 200]


def test_refresh_asks_about_fresh_pages(local_index: LocalIndex, cache: Path) -> None:
    ask(local_index, cache)
    ask(local_index, cache, refresh=True)
    assert [seen.status for seen in local_index.seen] == [200, 304]


def test_a_page_that_may_not_be_stored_is_not(local_index: LocalIndex, cache: Path) -> None:
    local_index.set_mode(cache_control="no-store")
    ask(local_index, cache)
    ask(local_index, cache)
    assert [seen.status for seen in local_index.seen] == [200, 200]
    assert entries(cache) == []


def test_offline_a_stored_page_serves_at_any_age(local_index: LocalIndex, cache: Path) -> None:
    ask(local_index, cache)
    local_index.forget()
    assert ask(local_index, cache, now=NOW + 1e7, offline=True).versions
    with pytest.raises(LocksetError) as caught:
        ask(local_index, cache, offline=True, name="unseen")
    assert caught.value.diagnostic.code == "offline"
    assert local_index.seen == []


def test_that_an_index_lacks_a_project_is_remembered_too(
    local_index: LocalIndex, second_index: LocalIndex, cache: Path
) -> None:
    further = (IndexSource(url=second_index.url),)
    assert ask(local_index, cache, indexes=further).versions
    assert len(second_index.seen) == 1
    assert ask(local_index, cache, indexes=further).versions
    assert len(second_index.seen) == 1
    with pytest.raises(ProjectNotFound):
        ask(second_index, cache)


def test_entries_are_private(local_index: LocalIndex, cache: Path) -> None:
    ask(local_index, cache)
    for path in (cache, *cache.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "foreign", "text", "folder", "pipe", "device"])
def test_a_damaged_entry_is_a_miss_and_is_replaced(local_index: LocalIndex, cache: Path, damage: str) -> None:
    first = ask(local_index, cache)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    if damage == "folder":
        entry.unlink()
        entry.mkdir()
    elif damage == "pipe":
        entry.unlink()
        make_pipe(entry)
    elif damage == "device":
        entry.unlink()
        entry.symlink_to("/dev/zero")
    else:
        flipped = bytearray(whole)
        flipped[-20] ^= 4
        damaged = {
            "cut": whole[:-7],
            "empty": b"",
            "flip": bytes(flipped),
            "foreign": marshal.dumps((1, 2)),
            "text": b"x",
        }
        entry.write_bytes(damaged[damage])
    again = ask(local_index, cache)
    assert again.fingerprint == first.fingerprint
    assert [again.files(version) for version in again.versions] == [first.files(version) for version in first.versions]
    assert [seen.status for seen in local_index.seen] == [200, 200]
    if damage != "folder":  # not byte for byte: the date of the answer is part of it
        assert ask(local_index, cache).fingerprint == first.fingerprint
        assert len(local_index.seen) == 2, "it was replaced"


def test_an_entry_moved_to_another_name_is_a_miss(local_index: LocalIndex, cache: Path) -> None:
    local_index.world.add("other", "7")
    ask(local_index, cache)
    (sample,) = entries(cache)
    ask(local_index, cache, name="other")
    (other,) = (path for path in entries(cache) if path != sample)
    other.write_bytes(sample.read_bytes())
    assert ask(local_index, cache, name="other").versions == (Version("7"),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(st.data())
def test_no_change_of_a_stored_byte_gives_another_page(
    local_index: LocalIndex, cache: Path, data: st.DataObject
) -> None:
    first = ask(local_index, cache)
    (entry,) = entries(cache)
    whole = entry.read_bytes()
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    entry.write_bytes(changed)
    assert ask(local_index, cache).files(Version("1.0")) == first.files(Version("1.0"))
    entry.write_bytes(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(data=st.data())
def test_a_page_kept_as_it_came_comes_back_whole_or_not_at_all(tmp_path: Path, data: st.DataObject) -> None:
    table = _packed_table(bytes(range(256)) * 4)
    kept, url = DiskCache(tmp_path / "cache"), "https://index.example.org/simple/sample/"
    kept.put_page(url, table, headers={}, now=1.0)
    result = kept.page(url)
    assert result is not None
    assert _whole(result) == table
    (entry,) = entries(tmp_path / "cache")
    whole = entry.read_bytes()
    assert whole.endswith(bytes(table.packed))
    assert bytes(table.packed)
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    more = b"x" * data.draw(st.integers(1, 3))
    for damaged in (bytes(changed), whole[: data.draw(st.integers(0, len(whole) - 1))], whole + more):
        entry.unlink()
        entry.write_bytes(damaged)
        assert _whole(kept.page(url)) is None


def test_a_damaged_part_is_a_miss_where_a_stale_page_would_be_confirmed(local_index: LocalIndex, cache: Path) -> None:
    first = ask(local_index, cache)
    (entry,) = entries(cache)
    flipped = bytearray(entry.read_bytes())
    flipped[-20] ^= 4
    entry.write_bytes(flipped)
    assert ask(local_index, cache, now=NOW + 10_000).fingerprint == first.fingerprint
    assert [seen.status for seen in local_index.seen] == [200, 200], "not 304, which would keep the damage"


def test_a_damaged_part_of_a_page_that_is_combined_with_others_is_fetched_again(
    local_index: LocalIndex, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "sample-9.0-py3-none-any.whl").touch()
    first = ask(local_index, cache, find_links=(tmp_path.as_uri(),))
    (entry,) = entries(cache)
    flipped = bytearray(entry.read_bytes())
    flipped[-20] ^= 4
    entry.write_bytes(flipped)
    again = ask(local_index, cache, find_links=(tmp_path.as_uri(),))
    assert again.versions[0] == Version("9.0")
    assert [again.files(version) for version in again.versions] == [first.files(version) for version in first.versions]
    assert [seen.status for seen in local_index.seen] == [200, 200]


def test_offline_a_damaged_part_is_missing(local_index: LocalIndex, cache: Path) -> None:
    ask(local_index, cache)
    (entry,) = entries(cache)
    flipped = bytearray(entry.read_bytes())
    flipped[-20] ^= 4
    entry.write_bytes(flipped)
    with pytest.raises(LocksetError, match="is not in the cache, and the network is disabled"):
        ask(local_index, cache, offline=True)


def _whole(entry: PageEntry | None) -> PageTable | None:
    """The table of an entry, with every part of it."""
    table = None if entry is None else entry.table()
    try:
        return None if table is None else in_memory(table)
    except DamagedPartError:
        return None


@pytest.mark.skipif(os.name != "posix", reason="counts the open files of the process")
def test_pages_that_are_held_keep_no_file_open(cache: Path) -> None:
    kept, table = DiskCache(cache), _packed_table(os.urandom(40_000))
    urls = [f"https://index.example.org/simple/sample-{number}/" for number in range(200)]
    for url in urls:
        kept.put_page(url, table, headers={}, now=1.0)
    before = len(os.listdir("/dev/fd"))
    held = [entry.table() for url in urls if (entry := kept.page(url)) is not None]
    assert [one is not None and in_memory(one) for one in held] == [table] * len(urls)
    assert len(os.listdir("/dev/fd")) - before <= 5


def _packed_table(page: bytes) -> PageTable:
    """The table of a page of which only the newest versions are kept unpacked."""
    blobs = tuple(b'{"filename":"sample-%d.tar.gz"}' % n for n in range(3))
    return PageTable(
        format=TABLE_FORMAT,
        name="sample",
        index_url="https://index.example.org/simple/",
        status=None,
        requires_pythons=(None,),
        versions=("90", "89", "88", "87"),
        flags=bytes(4),
        python_ids=((0,),) * 4,
        blobs=blobs,
        refused=0,
        spans=((0, 10),),
        packed=gzip.compress(page, mtime=0),
    )


def test_a_cache_that_cannot_be_written_is_gone_without(local_index: LocalIndex, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert ask(local_index, blocked / "cache").versions
    assert ask(local_index, blocked).versions


def test_processes_with_the_same_number_may_store_an_entry_at_the_same_time(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of two containers that share a cache."""
    replace, others = system.replace, [DiskCache(cache)]

    def replace_later(old: str, new: str) -> None:
        if others:
            others.pop().put("metadata", "key", b"of the other")
        replace(old, new)

    monkeypatch.setattr(http_cache, "replace", replace_later)
    store = DiskCache(cache)
    store.put("metadata", "key", b"content")
    assert store.get("metadata", "key") == b"content"
    assert len(entries(cache)) == 1
    store.put("metadata", "other", b"more")
    assert store.get("metadata", "other") == b"more"


def test_entries_of_bytes_come_back_whole_or_not_at_all(cache: Path) -> None:
    store = DiskCache(cache)
    assert store.get("metadata", "key") is None
    store.put("metadata", "key", b"content")
    assert DiskCache(cache).get("metadata", "key") == b"content"
    (entry,) = entries(cache)
    entry.write_bytes(entry.read_bytes()[:-1])
    assert store.get("metadata", "key") is None


def test_sizes_are_remembered_also_behind_a_torn_record(cache: Path) -> None:
    store = DiskCache(cache)
    store.remember_sizes({"a": 1, "b": 2**40})
    (entry,) = entries(cache)
    entry.write_bytes(entry.read_bytes() + b"torn")
    DiskCache(cache).remember_sizes({"c": 3})
    again = DiskCache(cache)
    assert [again.known_size(key) for key in "abcd"] == [1, 2**40, 3, None]


def test_an_entry_is_there_after_it_was_looked_for_in_an_empty_cache(cache: Path) -> None:
    store, url = DiskCache(cache), "https://index.example.org/simple/sample/"
    assert (store.get("metadata", "key"), store.page(url)) == (None, None)
    store.put("metadata", "key", b"content")
    store.put_page(url, None, headers={}, now=1.0)
    assert store.get("metadata", "key") == b"content"
    assert store.page(url) is not None


def test_a_damaged_cache_entry_of_a_size_is_ignored(cache: Path) -> None:
    DiskCache(cache).remember_sizes({"a": 1})
    (entry,) = entries(cache)
    damaged = bytearray(entry.read_bytes())
    damaged[17] ^= 1
    entry.write_bytes(damaged)
    assert DiskCache(cache).known_size("a") is None


def test_without_a_folder_nothing_is_remembered() -> None:
    store = DiskCache(None)
    store.put("metadata", "key", b"content")
    store.remember_sizes({"a": 1})
    assert store.get("metadata", "key") is None
    assert store.known_size("a") == 1, "within the run it is"
