"""What goes wrong on the way is tried again within bounds, or told in one sentence; nothing goes where it must not."""

from __future__ import annotations

import base64
import gzip
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.connections import Connection, connect
from lockset.errors import LocksetError
from lockset.index.http.auth import proxy_for
from lockset.index.options import IndexOptions, IndexSource
from support.fakes.fake_index import BytesSink
from support.local_index import LocalIndex, World

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEEL = "sample-1.0-py3-none-any.whl"


@contextmanager
def connection(index: LocalIndex, *, environ: dict[str, str] | None = None, **options: Any) -> Iterator[Connection]:
    facts: dict[str, Any] = {"index_url": index.url, "read_timeout": 2.0, "connect_timeout": 2.0} | options
    opened = connect(IndexOptions(**facts), cache=None, clock=lambda: 1_800_000_000.0, environ=environ or {})
    try:
        yield opened
    finally:
        opened.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An index with one file, and where that is."""

    index: LocalIndex
    url: str
    content: bytes


@pytest.fixture
def served(local_index: LocalIndex) -> Served:
    local_index.world = World().add("sample", files={"sample/data": bytes(range(256)) * 2_000})
    file = local_index.world.file("sample", WHEEL)
    assert file is not None
    return Served(index=local_index, url=local_index.file_url("sample", WHEEL), content=file.artifact.content)


def fetched(served: Served, **options: Any) -> BytesSink:
    sink = BytesSink()
    with connection(served.index, **options) as opened:
        opened.downloads.fetch(served.url, sink)
    return sink


def code_of(served: Served, **options: Any) -> str:
    with pytest.raises(LocksetError) as caught:
        fetched(served, **options)
    assert "\n" not in caught.value.diagnostic.message
    return caught.value.diagnostic.code


@pytest.mark.parametrize(
    "fault",
    [{"reset": True}, {"cut_after": 100}, *({"status": status} for status in (429, 500, 502, 503, 504))],
    ids=str,
)
def test_a_transient_fault_is_retried_and_the_bytes_are_complete(served: Served, fault: dict[str, Any]) -> None:
    served.index.fault(f"*/{WHEEL}", times=2, **fault)
    sink = fetched(served)
    assert sink.content == served.content
    assert sink.restarts == (2 if "cut_after" in fault else 0)


@pytest.mark.parametrize("fault", [{"reset": True}, {"cut_after": 100}, {"status": 503}], ids=str)
def test_a_lasting_fault_ends_after_the_allowed_attempts(served: Served, fault: dict[str, Any]) -> None:
    served.index.fault(f"*/{WHEEL}", times=None, **fault)
    assert code_of(served, retries=1) == "download-failed"
    assert len(served.index.paths(part=WHEEL)) == 2


@pytest.mark.parametrize("status", [400, 418, 501])
def test_other_statuses_are_not_tried_again(served: Served, status: int) -> None:
    served.index.fault(f"*/{WHEEL}", times=None, status=status)
    assert code_of(served) == "download-failed"
    assert len(served.index.paths(part=WHEEL)) == 1


def test_retry_after_is_honoured(served: Served) -> None:
    served.index.fault(f"*/{WHEEL}", status=429, headers={"Retry-After": "1"})
    begun = time.monotonic()
    assert fetched(served).content == served.content
    assert time.monotonic() - begun >= 1


def test_an_odd_retry_after_is_ignored(served: Served) -> None:
    served.index.fault(f"*/{WHEEL}", status=429, headers={"Retry-After": "when it suits"})
    assert fetched(served).content == served.content


def test_a_retry_after_beyond_the_cap_is_an_error_that_says_so(served: Served) -> None:
    served.index.fault(f"*/{WHEEL}", status=503, headers={"Retry-After": "3600"})
    with pytest.raises(LocksetError, match="asks to wait for 3600 seconds"):
        fetched(served)


def test_silence_ends(served: Served) -> None:
    served.index.fault(f"*/{WHEEL}", times=None, delay=1.5)
    assert code_of(served, retries=0, read_timeout=0.3) == "download-failed"


def test_a_trickle_ends(served: Served) -> None:
    served.index.fault(f"*/{WHEEL}", times=None, drip=0.05, drip_size=10)
    assert code_of(served, retries=0, rate_window=0.5, minimum_rate=5_000.0) == "download-failed"


def test_a_refused_connection_is_reported_with_the_address(local_index: LocalIndex) -> None:
    url = local_index.url
    local_index.stop()
    opened = connect(IndexOptions(index_url=url, retries=1), cache=None, clock=lambda: 0.0, environ={})
    with pytest.raises(LocksetError) as caught:
        opened.index.project("sample")
    assert caught.value.diagnostic.code == "index-unreachable"
    assert caught.value.diagnostic.location == f"{url}sample/"


def test_redirects_are_followed(served: Served) -> None:
    served.index.fault("/old/x", times=None, redirect=served.url)
    sink = BytesSink()
    with connection(served.index) as opened:
        opened.downloads.fetch(f"{served.index.origin}/old/x", sink)
    assert sink.content == served.content


@pytest.mark.parametrize("target", ["/files/sample/loop", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirects_in_circles_and_to_elsewhere_are_refused(served: Served, target: str) -> None:
    served.index.fault("/files/sample/*", times=None, redirect=target)
    assert code_of(served) == "redirect-refused"
    assert len(served.index.paths(part="/files/")) <= 11


def test_credentials_go_to_their_origin_only(served: Served, second_index: LocalIndex) -> None:
    served.index.set_mode(credentials=("user", "secret"))
    second_index.world = served.index.world
    served.index.fault(f"*/{WHEEL}", times=None, redirect=second_index.file_url("sample", WHEEL))
    private = served.index.url.replace("://", "://user:secret@")
    sink = BytesSink()
    with connection(served.index, index_url=private) as opened:
        assert opened.index.project("sample").versions
        opened.downloads.fetch(served.url, sink)
    assert sink.content == served.content
    expected = "Basic " + base64.b64encode(b"user:secret").decode()
    assert {seen.headers.get("authorization") for seen in served.index.seen} == {expected}
    assert {seen.headers.get("authorization") for seen in second_index.seen} == {None}


def test_user_info_is_shown_nowhere(served: Served) -> None:
    private = served.index.url.replace("://", "://user:secret@")
    with connection(served.index, index_url=private) as opened:
        detail = opened.index.project("sample")
        assert detail.index_url == served.index.url
        assert all("secret" not in file.url for version in detail.versions for file in detail.files(version))
        with pytest.raises(LocksetError) as caught:
            opened.index.project("missing")
    assert "secret" not in repr(caught.value.diagnostic)


def test_without_credentials_the_refusal_says_how_to_give_them(served: Served) -> None:
    served.index.set_mode(credentials=("user", "secret"))
    with connection(served.index) as opened, pytest.raises(LocksetError) as caught:
        opened.index.project("sample")
    assert caught.value.diagnostic.code == "index-refused"
    assert "LOCKSET_INDEX_" in (caught.value.diagnostic.hint or "")


def test_credentials_of_a_named_index_come_from_variables(served: Served) -> None:
    served.index.set_mode(credentials=("user", "secret"))
    environ = {"LOCKSET_INDEX_MY_INDEX_USERNAME": "user", "LOCKSET_INDEX_MY_INDEX_PASSWORD": "secret"}
    named = (IndexSource(url=served.index.url, name="my.index"),)
    with connection(served.index, environ=environ, indexes=named, no_index=False) as opened:
        assert opened.index.project("sample").versions


def test_credentials_come_from_netrc(served: Served, tmp_path: Any) -> None:
    served.index.set_mode(credentials=("user", "secret"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    with connection(served.index, environ={"NETRC": str(tmp_path / "netrc")}) as opened:
        assert opened.index.project("sample").versions


def test_a_netrc_entry_for_everybody_goes_to_chosen_indexes_only(
    served: Served, second_index: LocalIndex, tmp_path: Any
) -> None:
    served.index.set_mode(credentials=("user", "secret"))
    second_index.world = served.index.world
    (tmp_path / "netrc").write_text("default login user password secret\n")
    with connection(served.index, environ={"NETRC": str(tmp_path / "netrc")}) as opened:
        assert opened.index.project("sample").versions
        opened.downloads.fetch(second_index.file_url("sample", WHEEL), BytesSink())
    assert {seen.headers.get("authorization") for seen in second_index.seen} == {None}


@pytest.mark.parametrize(
    ("without", "expected"),
    [("", "http://proxy.example.org:1"), ("10.0.0.5:80", "http://proxy.example.org:1")]
    + [(text, None) for text in ("10.0.0.5", "10.0.0.5:8080", "10.0.0.0/8", "x/y, 10.0.0.4/30", "*")],
)
def test_no_proxy_knows_ports_and_networks(without: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTP_PROXY", "proxy.example.org:1")
    monkeypatch.setenv("NO_PROXY", without)
    assert proxy_for("http://10.0.0.5:8080/x") == expected


def test_a_page_with_bytes_after_its_compressed_data_is_an_error(served: Served) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
    served.index.fault("/simple/sample/", times=None, body=gzip.compress(b"x") + b"further", headers=headers)
    with connection(served.index) as opened, pytest.raises(LocksetError, match="further bytes"):
        opened.index.project("sample")


def test_nothing_is_requested_offline(served: Served) -> None:
    assert code_of(served, offline=True) == "offline"
    assert served.index.seen == []


def test_a_page_beyond_the_bound_is_refused(served: Served) -> None:
    served.index.set_mode(gzip=False)
    served.index.fault("/simple/sample/", times=None, body=b"<!-- " + b"x" * 50_000_000)
    with connection(served.index) as opened, pytest.raises(LocksetError) as caught:
        opened.index.project("sample")
    assert caught.value.diagnostic.code == "download-too-large"


def test_a_page_that_inflates_beyond_the_bound_is_refused(served: Served) -> None:
    bomb = gzip.compress(b"x" * 100_000_000)
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
    served.index.fault("/simple/sample/", times=None, body=bomb, headers=headers)
    with connection(served.index) as opened, pytest.raises(LocksetError) as caught:
        opened.index.project("sample")
    assert caught.value.diagnostic.code == "download-too-large"


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"x" * 1000, mtime=0)[:-9]], ids=["no gzip", "cut"])
def test_a_page_that_does_not_inflate_is_an_error(served: Served, body: bytes) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
    served.index.fault("/simple/sample/", times=None, body=body, headers=headers)
    with connection(served.index) as opened, pytest.raises(LocksetError) as caught:
        opened.index.project("sample")
    assert caught.value.diagnostic.code == "download-failed"


def test_files_are_requested_in_the_identity_encoding(served: Served) -> None:
    fetched(served)
    assert {seen.headers.get("accept-encoding") for seen in served.index.seen} == {"identity"}


def test_never_more_requests_under_way_than_connections(local_index: LocalIndex) -> None:
    names = [f"p{number}" for number in range(24)]
    for name in names:
        local_index.world.add(name)
    local_index.set_mode(latency=0.03)
    under_way = most = 0
    lock = threading.Lock()
    before = local_index.striking

    def counted(method: str, path: str) -> Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return before(method, path)

    local_index.striking = counted  # type: ignore[method-assign]
    with connection(local_index, connections=4) as opened:
        opened.index.hint(names)
        assert all(opened.index.project(name).versions for name in names)
    assert 1 < most <= 4
