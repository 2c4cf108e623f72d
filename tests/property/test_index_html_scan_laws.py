"""The scan of HTML pages tells what the reader of all HTML tells, or nothing."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.index.pages.html_fast import scan_html
from lockset.index.pages.page_table import PageTable, TableBuilder
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_html import _read, _Reader, parse_html

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = "https://index.example.org/simple/sample/"
SHA = "0123456789abcdef" * 4

versions = st.sampled_from(["1", "1.0", "1.1", "2.0a1", "2.0", "1.0+local.1", "1-1", "x", "0.1.post1"])
names = st.sampled_from(["sample", "sample", "sample", "Sample", "sam_ple", "sample-extra", "other"])
endings = st.sampled_from(
    [".tar.gz", ".zip", "-py3-none-any.whl", "-1b-cp312-cp312-any.whl", "-x1-py3-none-any.whl", ".exe", "-any.whl", ""]
)
locations = st.sampled_from([
    *["https://files.example.org/packages/ab/"] * 6, "../../packages/ab/", "/packages/", "//x.example.org/", "ftp://x/",
    "https://me@files.example.org/", "https://files.example.org/a%20b/", "https://[::1/", "x/", "https://x:80/a/",
    "/a b/", "file:///x/", "https://files.example.org//a/", "javascript:", "/../", "https://files.example.org/\u00e9/",
])  # fmt: skip
texts = st.sampled_from(
    ["&gt;=3.8", ">=3.8", "", "&lt;4,&gt;=3", "a 'b'", "&amp;gt;", "\u00e9", "&#62;3", "&gt", "x=y"]
)
keys = st.sampled_from([
    *["data-requires-python", "data-yanked", "data-core-metadata", "data-dist-info-metadata", "data-upload-time"] * 3,
    "data-gpg-sig", "Data-Yanked", "href", "data", "-data-yanked", "x-data-requires-python",
])  # fmt: skip
hashes = st.sampled_from([*[f"#sha256={SHA}"] * 8, "", "#sha256=AB", "#md5=" + "0" * 32, f"#sha256={SHA}&egg=x", "#x"])
ends = st.sampled_from(["<br/>\n", "<br />\n", "\n", "<br/>", " \n", "</br>\n", "<!-- x -->\n", "<p>\n"])


@st.composite
def links(draw: st.DrawFn) -> str:
    filename = f"{draw(names)}-{draw(versions)}{draw(endings)}"
    message = draw(st.lists(st.tuples(keys, texts), max_size=3))
    attributes = "".join(f' {key}="{value}"' for key, value in message)
    shown = draw(st.sampled_from([filename, filename, filename, "", "a<b", 'a"b']))
    close = draw(st.sampled_from([">", ">", " >", "/>", "  >"]))
    return f'<a href="{draw(locations)}{filename}{draw(hashes)}"{attributes}{close}{shown}</a>{draw(ends)}'


usual = st.builds(
    lambda name, version, ending, python, yanked: (
        f'<a href="https://files.example.org/{name}-{version}{ending}#sha256={SHA}"'
        f"{python}{yanked}>{name}-{version}{ending}</a><br/>\n"
    ),
    names,
    versions,
    endings,
    st.sampled_from(["", ' data-requires-python="&gt;=3.8"', ' data-requires-python="&gt;=3.9"']),
    st.sampled_from(["", "", ' data-yanked=""', ' data-yanked="broken"']),
)
heads = st.sampled_from([
    *["<!DOCTYPE html>\n<html>\n<head><title>Links for sample</title></head>\n<body>\n<h1>Links for sample</h1>\n"] * 6,
    '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.4"><title>x</title>\n</head>\n<body>',
    '<html><head><meta name="pypi:repository-version" content="2.0"></head><body>',
    '<html><head><meta name="pypi:project-status" content="archived"/></head><body>',
    '<html><head><base href="https://other.example.org/"></head><body>',
    "<html><head><!-- </head><body>",
    "<html><body>",
    "",
    "<html><head><title><a href='x'></title></head><body>",
    "<html><head><script></head><body>",
])  # fmt: skip
tails = st.sampled_from(
    ["</body>\n</html>\n", "</body></html><!--SERIAL 12-->\n", "", "<script>", "<a href='x'>", "\n\n"]
)


def page(head: str, listed: list[str], tail: str) -> bytes:
    return (head + "".join(listed) + tail).encode()


pages = st.builds(page, heads, st.lists(links(), max_size=5), tails) | st.builds(
    page, heads, st.lists(usual, max_size=8), tails
)


def reference(data: bytes) -> PageTable:
    """What the reader of all HTML makes of a page."""
    builder = TableBuilder("sample")
    reader = _Reader(builder, PAGE)
    _read(data.decode("utf-8", "replace"), reader)
    return builder.build(index_url="", status=reader.status)


def outcome(read: Callable[[], PageTable]) -> object:
    """The facts of the table, or that the page is refused."""
    try:
        return facts(read())
    except (TypeError, LocksetError):
        return "refused"


def facts(table: PageTable) -> Any:
    detail = ProjectDetail(table)
    messages = [
        (str(v), detail.yanked(v), detail.has_wheel(v), detail.has_sdist(v), detail.requires_pythons(v))
        for v in detail.versions
    ]
    return messages, table.status, table.refused, [detail.files(version) for version in detail.versions]


def agrees(data: bytes) -> bool:
    """Whether the page was scanned; in any case it is what the reader of all HTML says."""
    expected = outcome(lambda: reference(data))
    assert outcome(lambda: parse_html(data, name="sample", page_url=PAGE, index_url="")) == expected
    packed = gzip.compress(data)
    assert outcome(lambda: parse_html(data, name="sample", page_url=PAGE, index_url="", packed=packed)) == expected
    return scan_html(data, name="sample", page_url=PAGE) is not None


@given(pages)
def test_a_scan_agrees_with_the_reader(data: bytes) -> None:
    agrees(data)


pieces = st.sampled_from([*"\"<>/&# \n\t\x00\u00e9='", "<!--", "-->", "<a", 'href="', "</a>", '<base href="x">'])


@settings(max_examples=150)
@given(pages, st.data())
def test_a_scan_of_a_damaged_page_agrees_with_the_reader(data: bytes, choose: st.DataObject) -> None:
    start = choose.draw(st.integers(0, len(data)))
    end = min(len(data), start + choose.draw(st.integers(0, 3)))
    agrees(data[:start] + choose.draw(pieces).encode() + data[end:])


@given(st.lists(usual, min_size=1, max_size=8, unique_by=lambda link: link.split("#")[0]))
def test_the_pages_of_index_servers_are_scanned(listed: list[str]) -> None:
    """Else the scan would be of no use."""
    head = "<!DOCTYPE html>\n<html>\n<head><title>Links for sample</title></head>\n<body>\n<h1>Links for sample</h1>\n"
    assert agrees(page(head, listed, "</body>\n</html>\n"))


def test_a_page_of_many_versions_keeps_the_older_ones_packed() -> None:
    listed = [
        f'<a href="https://files.example.org/sample-{n}.tar.gz#sha256={SHA}" data-x="{"x" * 900}">x</a>\n'
        for n in range(90)
    ]
    data = page("<html><body>", listed, "</body></html>")
    table = parse_html(data, name="sample", page_url=PAGE, index_url="", packed=gzip.compress(data))
    assert 3 <= len(table.blobs) < len(table.versions) == 90
    assert agrees(data)
