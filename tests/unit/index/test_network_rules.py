"""The network's rules that need no network: freshness, retries, redirects, credentials, options, strategy."""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.index.credentials import origin_of, redact, split_credentials
from lockset.index.freshness import DEFAULT_LIFETIME, Freshness, freshness_of, http_date, lifetime, validators
from lockset.index.options import DEFAULT_INDEX, IndexOptions, IndexSource, location_url, sources_for
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.retries import MAX_REDIRECTS, backoff, redirect_target, retry_after
from lockset.index.strategy import IndexOrder, join_tables
from support.builders.pages import PageFile
from support.fakes.fake_index import detail_of

if TYPE_CHECKING:
    from pathlib import Path

DATE = "Wed, 06 May 2026 12:00:00 GMT"
EARLIER = "Wed, 06 May 2026 11:00:00 GMT"
LATER = "Wed, 06 May 2026 12:02:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, DEFAULT_LIFETIME),
        ({"cache-control": "max-age=30"}, 30),
        ({"cache-control": "public, Max-Age=30", "age": "10"}, 20),
        ({"cache-control": "max-age=30", "age": "40"}, 0),
        ({"cache-control": "no-store, max-age=30"}, None),
        ({"cache-control": "no-cache"}, 0),
        ({"cache-control": "max-age=odd"}, DEFAULT_LIFETIME),
        ({"expires": LATER, "date": DATE}, 120),
        ({"expires": "0", "date": DATE}, 0),
        ({"last-modified": EARLIER, "date": DATE}, 360),
        ({"last-modified": "odd", "date": DATE}, DEFAULT_LIFETIME),
    ],
)
def test_the_lifetime_of_a_response(headers: dict[str, str], expected: float | None) -> None:
    assert lifetime(headers) == expected


@given(st.dictionaries(st.sampled_from(["cache-control", "age", "expires", "date", "last-modified"]), st.text()))
def test_no_header_breaks_the_rules(headers: dict[str, str]) -> None:
    assert (lifetime(headers) or 0) >= 0
    assert freshness_of(headers, stored_at=0, now=1) in set(Freshness)


def test_a_fresh_response_is_used_and_a_stale_one_is_revalidated_or_fetched() -> None:
    aged = {"cache-control": "max-age=60", "etag": '"x"'}
    assert freshness_of(aged, stored_at=100, now=159) is Freshness.USE
    assert freshness_of(aged, stored_at=100, now=160) is Freshness.REVALIDATE
    assert freshness_of(aged, stored_at=100, now=101, refresh=True) is Freshness.REVALIDATE
    assert freshness_of(aged, stored_at=100, now=90) is Freshness.REVALIDATE, "a clock that was set back proves nothing"
    assert freshness_of({}, stored_at=0, now=DEFAULT_LIFETIME) is Freshness.FETCH
    assert freshness_of(aged, stored_at=100, now=1000, max_age=10_000) is Freshness.USE


def test_the_etag_is_preferred_to_the_date() -> None:
    assert validators({"etag": '"x"', "last-modified": DATE}).headers() == {"If-None-Match": '"x"'}
    assert validators({"last-modified": DATE}).headers() == {"If-Modified-Since": DATE}


@given(st.integers(0, 100), st.floats(0, 1))
def test_the_wait_between_attempts_is_bounded(attempt: int, jitter: float) -> None:
    assert 0 < backoff(attempt, jitter) <= 8
    assert backoff(attempt, jitter) <= backoff(attempt + 1, jitter)


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("", None), ("7", 7), ("-1", None), ("soon", None), ("1.5", None), ("٣", None)],
)
def test_retry_after_in_seconds(header: str | None, expected: float | None) -> None:
    assert retry_after(header, now=0) == expected


def test_retry_after_as_a_date() -> None:
    now = 1_778_068_800.0  # the moment of DATE
    assert retry_after(LATER, now=now) == 120
    assert retry_after(EARLIER, now=now) == 0


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/y", "https://x.example.org/y"),
        ("y", "https://x.example.org/a/y"),
        ("https://z.example.org/", "https://z.example.org/"),
        ("//z.example.org/", "https://z.example.org/"),
    ],
)
def test_where_redirects_lead(location: str, target: str) -> None:
    assert redirect_target("https://x.example.org/a/b", location, hops=1) == target


@pytest.mark.parametrize(
    ("location", "hops"),
    [
        ("http://x.example.org/", 1),
        ("file:///etc/passwd", 1),
        ("ftp://x.example.org/", 1),
        ("http://[", 1),
        ("", 1),
        (None, 1),
        ("/y", MAX_REDIRECTS + 1),
    ],
)
def test_redirects_that_are_refused(location: str | None, hops: int) -> None:
    with pytest.raises(LocksetError) as caught:
        redirect_target("https://x.example.org/", location, hops=hops)
    assert caught.value.diagnostic.code == "redirect-refused"


def test_http_may_lead_to_https() -> None:
    assert redirect_target("http://x.example.org/", "https://x.example.org/", hops=MAX_REDIRECTS)


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_secret_survives_redaction(user: str, password: str) -> None:
    from urllib.parse import quote

    url = f"https://{quote(user, safe='')}:{quote(password, safe='')}@x.example.org/simple/?token={quote(password)}#f"
    assert redact(url) == "https://x.example.org/simple/?..."
    public, credentials = split_credentials(url)
    assert credentials is not None
    assert (credentials.username, credentials.password) == (user, password)
    assert "@" not in public
    assert repr(credentials) == "Credentials(***)"


def test_origins_are_scheme_host_and_port() -> None:
    assert origin_of("https://X.example.org/a") == origin_of("https://u:p@x.example.org:443/b")
    assert origin_of("https://x.example.org") != origin_of("http://x.example.org")
    assert origin_of("https://x.example.org") != origin_of("https://x.example.org:8443")
    assert origin_of("https://x.example.org:odd").port == 443


PRIVATE = IndexSource(url="https://private.example.org/simple/", name="private")
TORCH = IndexSource(url="https://torch.example.org/simple/", name="torch", explicit=True)


def test_the_default_index_is_last_and_explicit_ones_serve_only_pinned_projects() -> None:
    options = IndexOptions(indexes=(PRIVATE, TORCH), pins={"Torch_Vision": "torch"})
    assert sources_for("numpy", options) == (PRIVATE, IndexSource(url=DEFAULT_INDEX))
    assert sources_for("torch-vision", options) == (TORCH,)


def test_a_pin_to_an_unknown_index_is_an_error() -> None:
    with pytest.raises(LocksetError, match="pinned to the index `typo`"):
        IndexOptions(indexes=(PRIVATE,), pins={"numpy": "typo"})


def test_without_indexes_only_flat_places_and_pinned_indexes_remain() -> None:
    options = IndexOptions(indexes=(PRIVATE, TORCH), pins={"torch": "torch"}, no_index=True, find_links=("file:///x",))
    assert sources_for("numpy", options) == ()
    assert sources_for("torch", options) == (TORCH,)
    assert [source.flat for source in options.flat_sources()] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "http://[::1/simple/",
        "https://x.example.org/\udcff/",
        "http://",
        "https:///simple/",
        "https://user@/simple/",
        "https://x.example.org:99999/",
        "https://x.example.org:port/",
        "https://x example.org/simple/",
    ],
)
def test_an_index_location_that_is_not_a_url_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        location_url(text, base=tmp_path)
    assert caught.value.diagnostic.code == "index-location"


@pytest.mark.parametrize("tag", ['"\u00e9"', '"\x1b[31m"', '"\n"'])
def test_an_etag_that_is_not_valid_in_a_request_is_not_sent(tag: str) -> None:
    assert validators({"etag": tag, "last-modified": DATE}).headers() == {"If-Modified-Since": DATE}


def test_locations_are_urls_or_paths(tmp_path: Path) -> None:
    assert location_url("https://x.example.org/simple", base=tmp_path) == "https://x.example.org/simple"
    assert location_url("wheels", base=tmp_path) == (tmp_path.resolve() / "wheels").as_uri()
    with pytest.raises(LocksetError):
        location_url("ftp://x.example.org", base=tmp_path)


def page(index: str, *filenames: str) -> ProjectDetail:
    return detail_of(
        "sample", [PageFile(filename=name, url=f"https://{index}.example.org/{name}") for name in filenames]
    )


def test_the_first_index_that_has_a_project_answers_alone() -> None:
    plan = IndexOrder("first-index")
    assert not plan.take(None)
    assert plan.take(page("private", "sample-1.tar.gz").table)
    answer = plan.answer([])
    assert answer is not None
    assert ProjectDetail(answer).versions == page("private", "sample-1.tar.gz").versions


def test_an_index_that_has_the_project_without_files_answers_too() -> None:
    plan = IndexOrder("first-index")
    assert plan.take(page("private").table), "else somebody else could fill the name in elsewhere"


def test_best_match_joins_all_answers_and_the_first_wins_a_file_name() -> None:
    first, second = page("private", "sample-1.tar.gz"), page("public", "sample-1.tar.gz", "sample-2.tar.gz")
    joined = ProjectDetail(join_tables([first.table, second.table]))
    results = [file.url for version in joined.versions for file in joined.files(version)]
    assert results == ["https://public.example.org/sample-2.tar.gz", "https://private.example.org/sample-1.tar.gz"]


def test_flat_places_are_joined_and_preferred() -> None:
    plan = IndexOrder("first-index")
    plan.take(page("public", "sample-1.tar.gz").table)
    answer = plan.answer([page("flat", "sample-1.tar.gz").table, page("empty").table])
    assert answer is not None
    detail = ProjectDetail(answer)
    assert [file.url for file in detail.files(detail.versions[0])] == ["https://flat.example.org/sample-1.tar.gz"]


@given(st.integers(min_value=0, max_value=32_503_679_999))
def test_an_http_date_is_read_as_it_is_written(moment: int) -> None:
    assert http_date(formatdate(moment, usegmt=True)) == moment


@pytest.mark.parametrize(
    "text", ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "06 Nov 1994 09:49:37 +0100"]
)
def test_obsolete_forms_of_dates_are_read(text: str) -> None:
    assert http_date(text) == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    "text", ["Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, x Nov 1994 1:2:3 GMT", "0"]
)
def test_an_invalid_date_is_none(text: str) -> None:
    assert http_date(text) is None
