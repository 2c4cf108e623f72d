"""Fast path for HTML pages as index servers write them; see `lockset.index.pages.json_fast`.

The patterns match ASCII pages with one link per line, absolute or relative URLs, sha256 hashes and attributes in double
quotes. All other pages are left to `simple_html`, which also decodes the links of single versions.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.index.filenames import LONGEST
from lockset.index.pages.file_groups import ScannedFiles, adjacent

if TYPE_CHECKING:
    from lockset.index.pages.file_groups import Pieces
    from lockset.index.pages.page_table import PageTable

__all__ = ["ScannedHtml", "scan_html"]

# The text before the links; the group is the head of the page.
_BEFORE = lazy_pattern(
    rb"""
    \s*(?:<!doctype\ html>\s*)?<html(?:\ lang="[a-z-]*")?>\s*
    (<head>\s*(?:(?:<meta\ name="[^"<>]*"\ content="[^"<>]*"\ ?/?>|<title>[^<]*</title>)\s*)*</head>)?\s*
    <body>\s*(?:<h1>[^<"']*</h1>\s*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_AFTER = lazy_pattern(rb"\s*(?:</body>\s*</html>\s*)?(?:<!--[A-Za-z0-9 ]*-->\s*)?", re.IGNORECASE)
# One link, followed by at least one white-space character. The last group never matches: no sdist follows in a match.
_LINK = lazy_pattern(
    rb"""
    <a\ href="
    (?:https?://[A-Za-z0-9.-]+(?::[0-9]+)?/|(?:\.\./)+|/(?!/))(?:[A-Za-z0-9._~+!,;=()*$-]+/)*
    (?![^#]{LONG})
    (?:
        ([A-Za-z0-9._]+-[A-Za-z0-9.!+_]+)-(?:[0-9][A-Za-z0-9._]*-)?[A-Za-z0-9._]+-[A-Za-z0-9._]+-[A-Za-z0-9._]+\.whl
        |([A-Za-z0-9._+!-]+)
    )
    \#sha256=[0-9A-Fa-f]{64}"
    ((?:\ [a-z-]+="[^"<>]*")*)\ ?>((?!))?
    [^<>"']*</a>(?:<br\ ?/?>)?[ \t\r\n]+
    """.replace(b"LONG", b"%d" % (LONGEST + 1)),
    re.VERBOSE,
)
_PYTHON = lazy_pattern(rb' data-requires-python="([^"]*)"')
_YANKED = lazy_pattern(rb' data-yanked="')


class ScannedHtml(NamedTuple):
    """A page: the text before its links, with the page's metadata, and the table of its files."""

    head: str
    table: PageTable


def scan_html(data: bytes, *, name: str, page_url: str, packed: bytes = b"") -> ScannedHtml | None:
    """The same result as the full HTML reader; None if that reader is needed.

    `packed` is the page as received, if it was compressed: the table stores it with the files of the newest versions,
    instead of the whole page.
    """
    if not data.isascii() or not page_url.startswith(("https://", "http://")):
        return None
    before = _BEFORE.match(data)
    if before is None:
        return None
    files = ScannedFiles(name, _decode)
    end = files.take(adjacent(_LINK.match, data, before.end()), before.end())
    if _AFTER.fullmatch(data, end) is None:
        return None
    files.close(end)
    return ScannedHtml((before[1] or b"").decode(), files.table(data, page_url=page_url, packed=packed))


def _decode(pieces: Pieces) -> tuple[str | None, bool]:
    (attributes,) = pieces
    python = _PYTHON.search(attributes)
    text = None if python is None else python[1].decode()
    return text if text is None or "&" not in text else unescape(text), _YANKED.search(attributes) is not None
