"""Pages made to mislead or to break: what they hide is no link, what is no value is told, nothing else is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.index.pages.links import LinkBase
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_html import parse_html
from lockset.index.pages.simple_json import parse_json_page

INDEX = "https://index.example.org/simple/"
PAGE = f"{INDEX}sample/"
SHA = "ab" * 32
LINK = f'<a href="/files/sample-1.tar.gz#sha256={SHA}">sample</a>'
HIDDEN = f'<a href="/files/sample-9.tar.gz#sha256={SHA}">sample</a>'


def html(text: str, *, charset: str = "utf-8") -> ProjectDetail:
    return ProjectDetail(parse_html(text.encode(), name="sample", page_url=PAGE, index_url=INDEX, charset=charset))


def entry(**changes: Any) -> ProjectDetail:
    file = {"filename": "sample-1.tar.gz", "url": "/files/sample-1.tar.gz", "hashes": {"sha256": SHA}} | changes
    page = {"meta": {"api-version": "1.0"}, "name": "sample", "files": [file]}
    return ProjectDetail(parse_json_page(json.dumps(page).encode(), name="sample", page_url=PAGE, index_url=INDEX))


@pytest.mark.parametrize(
    "hiding",
    [
        "<!-- {} -->",
        "<!-- <script> {} -->",
        "<script>{}</script>",
        "<SCRIPT type='x'><!-- {}</Script >",
        "<style>{}</style>",
        "<title>{}</title>",
        "<textarea>{}</textarea>",
        "<p title='{}'>",
        "<a title='{}'>",
        "</p title='{}'>",
    ],
)
def test_hidden_links_are_ignored(hiding: str) -> None:
    assert html(hiding.format(HIDDEN) + LINK).versions == (Version("1"),)


@pytest.mark.parametrize("hiding", ["<!-- {}", "<script>{}", "<script>{}</style>"])
def test_an_unclosed_element_hides_the_rest(hiding: str) -> None:
    assert html(LINK + hiding.format(HIDDEN)).versions == (Version("1"),)


def test_an_empty_comment_hides_nothing() -> None:
    assert html("<!-->" + LINK).versions == (Version("1"),)


@pytest.mark.parametrize("charset", ["idna", "undefined", "punycode", "utf-7", "zlib", "\0", "x" * 9_999])
def test_an_odd_charset_is_none(charset: str) -> None:
    assert html(LINK, charset=charset).versions == (Version("1"),)


def test_a_reference_with_digits_without_end_is_text() -> None:
    assert html(f'<a href="/&#{"9" * 5_000};x">' + LINK).versions == (Version("1"),)


@pytest.mark.parametrize("digest", ["ab", "z" * 64, "ab" * 33])
def test_an_invalid_digest_is_refused_in_html_and_json(digest: str) -> None:
    with pytest.raises(LocksetError, match="64 hexadecimal digits") as caught:
        html(LINK.replace(SHA, digest))
    assert caught.value.diagnostic.code == "index-page-invalid"
    with pytest.raises(LocksetError, match="64 hexadecimal digits") as caught:
        entry(hashes={"sha256": digest})
    assert caught.value.diagnostic.code == "index-page-invalid"


def test_different_hashes_of_one_algorithm_are_refused() -> None:
    with pytest.raises(LocksetError, match="two different hashes"):
        html(LINK.replace(SHA, f"{SHA}&sha256={'cd' * 32}"))
    with pytest.raises(LocksetError, match="two different hashes"):
        entry(hashes={"sha256": SHA, "SHA256": "cd" * 32})


@pytest.mark.parametrize(
    "href",
    [
        "https://[::1/x",
        "https://[x]y/x",
        "/x\x1b[31m",
        "https://h/\n",
        "/\x7f",
        "/\u202e",
        "/\ud800",
        "https://h\x85/x",
    ],
)
def test_links_with_invalid_urls_are_ignored(href: str) -> None:
    assert LinkBase(PAGE).resolve(href) is None


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2024-13-01T00:00:00Z"])
def test_a_time_beyond_the_calendar_is_none(time: str) -> None:
    (file,) = entry(**{"upload-time": time}).files(Version("1"))
    assert file.upload_time is None


def test_an_overlong_requires_python_is_ignored() -> None:
    detail = entry(**{"requires-python": f">={'9' * 5_000}"})
    assert detail.requires_pythons(Version("1")) == {None}
    (file,) = detail.files(Version("1"))
    assert file.requires_python is None
