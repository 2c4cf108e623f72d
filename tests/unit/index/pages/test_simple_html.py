"""HTML pages are read as browsers and other installers read them, hostile ones in bounded time."""

from __future__ import annotations

import time

import pytest
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_html import parse_html

SHA = "0123456789abcdef" * 4
INDEX = "https://index.example.org/simple/"


def read(body: str, *, page_url: str = f"{INDEX}sample/", charset: str = "utf-8") -> ProjectDetail:
    table = parse_html(body.encode(), name="sample", page_url=page_url, index_url=INDEX, charset=charset)
    return ProjectDetail(table)


def urls(detail: ProjectDetail) -> list[str]:
    return [file.url for version in detail.versions for file in detail.files(version)]


@pytest.mark.parametrize(
    "link",
    [
        f'<a href="../../files/sample-1.0.tar.gz#sha256={SHA}">sample</a>',
        f"<a href='../../files/sample-1.0.tar.gz#sha256={SHA}'>sample</a>",
        f"<A\n  HREF = ../../files/sample-1.0.tar.gz#sha256={SHA} >sample</A>",
        f'<a class="x>y" href="/files/sample-1.0.tar.gz#sha256={SHA.upper()}"/>',
        f'<a href="//index.example.org/files/sample-1.0.tar.gz#egg=sample&amp;sha256={SHA}">',
        f'<a href="https://user:secret@index.example.org/files/sample-1.0.tar.gz#sha256={SHA}">',
        f'<a rel=internal href="/files/sample-1.0.tar.gz#sha256={SHA}" href="/files/sample-2.0.tar.gz">',
    ],
)
def test_a_link_is_read_however_it_is_written(link: str) -> None:
    detail = read(f"<!DOCTYPE html><html><body>{link}</body></html>")
    (file,) = detail.files(Version("1.0"))
    assert file.url == "https://index.example.org/files/sample-1.0.tar.gz"
    assert dict(file.hashes) == {"sha256": SHA}


def test_attributes_are_unescaped_and_may_hold_angle_brackets() -> None:
    (escaped,) = read('<a href="sample-1.tar.gz" data-requires-python="&gt;=3.6, &lt;4">').files(Version("1"))
    (bare,) = read('<a href="sample-1.tar.gz" data-requires-python=">=3.6, <4">').files(Version("1"))
    assert escaped.requires_python == bare.requires_python == ">=3.6, <4"


def test_a_requires_python_that_does_not_parse_is_kept_as_it_stands() -> None:
    (file,) = read('<a href="sample-1.tar.gz" data-requires-python="three or so">').files(Version("1"))
    assert file.requires_python == "three or so"


@pytest.mark.parametrize(
    ("attributes", "promised", "hashes"),
    [
        ("", False, {}),
        (f'data-core-metadata="sha256={SHA}"', True, {"sha256": SHA}),
        (f'data-dist-info-metadata="sha256={SHA}"', True, {"sha256": SHA}),
        ('data-core-metadata="true"', True, {}),
        ("data-core-metadata", True, {}),
        ('data-core-metadata="false"', False, {}),
    ],
)
def test_promised_metadata(attributes: str, promised: bool, hashes: dict[str, str]) -> None:  # noqa: FBT001
    (file,) = read(f'<a href="sample-1-py3-none-any.whl" {attributes}>x</a>').files(Version("1"))
    assert (file.metadata, dict(file.metadata_hashes)) == (promised, hashes)


def test_yanked_with_and_without_a_reason() -> None:
    detail = read('<a href="sample-1.tar.gz" data-yanked><a href="sample-2.tar.gz" data-yanked="bad">')
    assert detail.yanked(Version("1"))
    assert detail.files(Version("1"))[0].yanked_reason is None
    assert detail.files(Version("2"))[0].yanked_reason == "bad"


def test_the_first_base_counts_for_relative_links() -> None:
    body = '<base href="https://cdn.example.org/x/"><base href="/never/"><a href="sample-1.tar.gz">'
    assert urls(read(body)) == ["https://cdn.example.org/x/sample-1.tar.gz"]


def test_a_file_name_is_unquoted_and_has_no_query() -> None:
    (file,) = read('<a href="sample-1%2Blocal.tar.gz?token=1#x">').files(Version("1+local"))
    assert file.filename == "sample-1+local.tar.gz"
    assert file.url == f"{INDEX}sample/sample-1%2Blocal.tar.gz?token=1"


def test_links_in_comments_are_ignored() -> None:
    body = '<!-- <a href="sample-9.tar.gz"> --><a href="sample-1.tar.gz"><!-- <a href="sample-8.tar.gz">'
    assert [str(version) for version in read(body).versions] == ["1"]


@pytest.mark.parametrize(
    "href",
    ["file:///etc/sample-1.tar.gz", "ftp://x.example.org/sample-1.tar.gz", "javascript:sample-1.tar.gz", "http://["],
)
def test_links_of_a_remote_page_to_other_places_are_ignored(href: str) -> None:
    detail = read(f'<a href="{href}">x</a>')
    assert detail.versions == ()


def test_a_local_page_may_link_to_local_files() -> None:
    assert urls(read('<a href="sample-1.tar.gz">', page_url="file:///srv/sample/index.html")) == [
        "file:///srv/sample/sample-1.tar.gz"
    ]


def test_a_base_cannot_lead_a_remote_page_to_local_files() -> None:
    body = '<base href="file:///etc/"><a href="sample-1.tar.gz">'
    assert urls(read(body)) == [f"{INDEX}sample/sample-1.tar.gz"]


def test_the_project_status_is_read_from_html() -> None:
    assert read('<meta name="pypi:project-status" content="archived">').status == "archived"


def test_the_reason_of_a_status_is_read_from_html() -> None:
    page = (
        '<meta name="pypi:project-status" content="quarantined">'
        '<meta name="pypi:project-status-reason" content="it &lt;b&gt;steals&lt;/b&gt; keys">'
    )
    assert read(page).status_reason == "it <b>steals</b> keys"


@pytest.mark.parametrize("line_break", ["\n", ""])
def test_the_provenance_of_a_link_is_read(line_break: str) -> None:
    link = f'<a href="sample-1.tar.gz#sha256={SHA}" data-provenance="../../integrity/x">sample-1.tar.gz</a>{line_break}'
    (file,) = read(f"<html><body>{link}</body></html>").files(Version("1"))
    assert file.provenance == "https://index.example.org/integrity/x"


def test_a_later_major_version_of_the_api_is_refused() -> None:
    with pytest.raises(LocksetError) as caught:
        read('<meta name="pypi:repository-version" content="2.0">')
    assert caught.value.diagnostic.code == "index-page-invalid"


@pytest.mark.parametrize("charset", ["latin-1", "utf-8", "no-such-charset"])
def test_any_charset_is_survived(charset: str) -> None:
    assert read('é<a href="sample-1.tar.gz">', charset=charset).versions == (Version("1"),)


@pytest.mark.parametrize(
    "unit",
    [
        "<a ",
        '<a href="',
        "<a href='x\" ",
        ' <a href=" x=" a="',
        '<a href="x#sha256=',
        '<a href="x" b="1" ',
        "<!--",
        "<base",
        "<a href=x a=' ",
        f'<a href="y#sha256={SHA}" a="',
        f'<a href="y#sha256={SHA}" a="<a href=" ',
        "<" * 10,
        '<a x="&',
    ],
)
def test_a_hostile_page_takes_time_in_proportion_to_its_size(unit: str) -> None:
    def seconds(size: int) -> float:
        body = (unit * (size // len(unit))).encode()
        begun = time.process_time()
        parse_html(body, name="sample", page_url=INDEX, index_url=INDEX)
        return time.process_time() - begun

    seconds(10_000)
    assert seconds(1_600_000) < 20  # a quadratic scan of this takes minutes
