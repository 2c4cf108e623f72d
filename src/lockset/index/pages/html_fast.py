"""HTML pages as index servers write them, read by a scan of their bytes; see `lockset.index.pages.json_fast`.

The patterns match pages of a plain frame and one link a line, with absolute or climbing URLs, sha256 hashes and
attributes in double quotes, in ASCII. A page that is otherwise in any way is left to the reader of all HTML, which
also decodes the links of single versions.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

from lockset.index.pages.file_groups import ScannedFiles

if TYPE_CHECKING:
    from lockset.index.pages.file_groups import Described
    from lockset.index.pages.page_table import PageTable

__all__ = ["ScannedHtml", "scan_html"]

# What comes before the links; its group is the head of the page.
_BEFORE = re.compile(
    rb"""
    \s*(?:<!doctype\ html>\s*)?<html(?:\ lang="[a-z-]*")?>\s*
    (<head>\s*(?:(?:<meta\ name="[^"<>]*"\ content="[^"<>]*"\ ?/?>|<title>[^<]*</title>)\s*)*</head>)?\s*
    <body>\s*(?:<h1>[^<"']*</h1>\s*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_AFTER = re.compile(rb"\s*(?:</body>\s*</html>\s*)?(?:<!--[A-Za-z0-9 ]*-->\s*)?", re.IGNORECASE)
# One link, with one white character behind it at least.
_LINK = re.compile(
    rb"""
    <a\ href="
    (?:https?://[A-Za-z0-9.-]+(?::[0-9]+)?/|(?:\.\./)+|/(?!/))(?:[A-Za-z0-9._~+!,;=()*$-]+/)*
    (
        ([A-Za-z0-9._]+)-([A-Za-z0-9.!+_]+)-(?:[0-9][A-Za-z0-9._]*-)?[A-Za-z0-9._]+-[A-Za-z0-9._]+-[A-Za-z0-9._]+\.whl
        |[A-Za-z0-9._+!-]+
    )
    \#sha256=[0-9A-Fa-f]{64}"
    ((?:\ [a-z-]+="[^"<>]*")*)\ ?>
    [^<>"']*</a>(?:<br\ ?/?>)?[ \t\r\n]+
    """,
    re.VERBOSE,
)
_PYTHON = re.compile(rb' data-requires-python="([^"]*)"')
_YANKED = re.compile(rb' data-yanked="')


class ScannedHtml(NamedTuple):
    """A page: the text before its links, which holds what the page says of itself, and the table of its files."""

    head: str
    table: PageTable


def scan_html(data: bytes, *, name: str, page_url: str, packed: bytes = b"") -> ScannedHtml | None:
    """What the reader of all HTML would tell of a page; None where that reader is needed.

    `packed` is the page as it came, where it came compressed: the table keeps that, and the files of the newest
    versions, in place of the whole page.
    """
    if not data.isascii() or not page_url.startswith(("https://", "http://")):
        return None
    before = _BEFORE.match(data)
    if before is None:
        return None
    files = ScannedFiles(name, _described)
    end = files.take(data, before.end(), _LINK.match)
    if end is None or _AFTER.fullmatch(data, end) is None:
        return None
    files.close(end)
    return ScannedHtml((before[1] or b"").decode(), files.table(data, page_url=page_url, packed=packed))


def _described(told: Described) -> tuple[str | None, bool]:
    (attributes,) = told
    assert attributes is not None  # the group takes part in every match
    python = _PYTHON.search(attributes)
    text = None if python is None else python[1].decode()
    return text if text is None or "&" not in text else unescape(text), _YANKED.search(attributes) is not None
