"""Simple API pages in HTML (PEP 503, 592, 629, 658, 714, 792) to tables.

Reads anchors only, by a scan that looks at every character a bounded number of times: a page of ten thousand links
costs a twentieth of what a whole HTML parser takes. Comments are skipped; markup is not otherwise judged.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.index.links import LinkBase, filename_of_url
from lockset.index.table import TableBuilder

if TYPE_CHECKING:
    from lockset.index.table import Table

__all__ = ["parse_html"]

# The major version of the repository API this reader understands (PEP 629).
_API_MAJOR = 1
_TAG = re.compile(r"<(a|base|meta)(?=[\s>/])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
_METADATA_ATTRIBUTES = ("data-core-metadata", "data-dist-info-metadata")


def parse_html(data: bytes, *, name: str, page_url: str, index_url: str, charset: str = "utf-8") -> Table:
    """The table of a page for project `name`.

    `page_url` is where the page came from at last (links are relative to it), `index_url` what is shown as the index.

    Raises:
        LocksetError: `index-page-invalid`: the page says it is of an API version not known here.
    """
    reader = _Reader(name, page_url)
    text = _without_comments(_decode(data, charset))
    position = 0
    while (found := _TAG.search(text, position)) is not None:
        end = _end_of_tag(text, found.end())
        if end == -1:
            break
        reader.tag(found[1].lower(), text[found.end() : end])
        position = end + 1
    return reader.table(index_url)


def _decode(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


def _without_comments(text: str) -> str:
    """`text` without `<!-- -->`; one that is not closed hides the rest."""
    if "<!--" not in text:
        return text
    kept: list[str] = []
    position = 0
    while (start := text.find("<!--", position)) != -1:
        kept.append(text[position:start])
        end = text.find("-->", start + 4)
        if end == -1:
            return "".join(kept)
        position = end + 3
    kept.append(text[position:])
    return "".join(kept)


def _end_of_tag(text: str, position: int) -> int:
    """Offset of the `>` that ends the tag, -1 where none does; one inside quotes does not count.

    -1 ends the page: whoever opens a quote that is never closed has no further tag. So no character is searched twice
    for the same thing, and the scan stays linear on hostile pages.
    """
    while True:
        end = text.find(">", position)
        if end == -1:
            return -1
        double, single = text.find('"', position, end), text.find("'", position, end)
        if double == single == -1:
            return end
        opening = min(at for at in (double, single) if at != -1)
        closing = text.find(text[opening], opening + 1)
        if closing == -1:
            return -1
        position = closing + 1


class _Reader:
    """Collects what the tags of one page say."""

    def __init__(self, name: str, page_url: str) -> None:
        self._builder = TableBuilder(name)
        self._base = LinkBase(page_url)
        self._based = False
        self._status: str | None = None

    def table(self, index_url: str) -> Table:
        return self._builder.build(index_url=index_url, status=self._status)

    def tag(self, tag: str, text: str) -> None:
        attributes: dict[str, str] = {}
        for key, double, single, bare in _ATTRIBUTE.findall(text):
            value = double or single or bare
            attributes.setdefault(key.lower(), unescape(value) if "&" in value else value)
        if tag == "a":
            self._anchor(attributes)
        elif tag == "base":
            if not self._based and attributes.get("href"):
                self._based = True
                self._base.rebase(attributes["href"].strip())
        else:
            self._meta(attributes)

    def _anchor(self, attributes: dict[str, str]) -> None:
        href = attributes.get("href")
        if not href:
            return
        target, _, fragment = href.strip().partition("#")
        url = self._base.resolve(target)
        if url is None:
            self._builder.refused += 1
            return
        self._builder.add(
            filename_of_url(url),
            url,
            _hashes(fragment),
            None,
            attributes.get("data-requires-python"),
            attributes.get("data-upload-time"),
            attributes.get("data-yanked"),
            _promised_metadata(attributes),
        )

    def _meta(self, attributes: dict[str, str]) -> None:
        name, content = attributes.get("name", ""), attributes.get("content", "").strip()
        if name == "pypi:project-status":
            self._status = content or None
        elif name == "pypi:repository-version":
            major = content.partition(".")[0]
            if major.isdecimal() and int(major[:9]) > _API_MAJOR:
                raise LocksetError(
                    "index-page-invalid",
                    f"The index speaks version {content[:20]} of the repository API; lockset reads {_API_MAJOR}",
                )


def _hashes(fragment: str) -> str | tuple[tuple[str, str], ...] | None:
    """`sha256=...` of a link's fragment, as rows hold hashes."""
    if fragment.startswith("sha256=") and "&" not in fragment:
        return fragment[7:]
    pairs = [pair.partition("=") for pair in fragment.split("&")]
    return (
        tuple((key.lower(), value) for key, _, value in pairs if value and key not in {"egg", "subdirectory"}) or None
    )


def _promised_metadata(attributes: dict[str, str]) -> object:
    """What the link says of a `.metadata` file, as rows hold it."""
    for attribute in _METADATA_ATTRIBUTES:
        value = attributes.get(attribute)
        if value is not None:
            return None if value == "false" else (_hashes(value) or True)
    return None
