"""Read HTML pages of the simple repository API (PEP 503, 592, 629, 658, 714, 792).

Pages as index servers write them take a fast path (see `html_fast`). All others are scanned here for anchors in linear
time: a page of ten thousand links takes a twentieth of the time of a full HTML parser. Comments, scripts and similar
elements are skipped, and text in quotes is not a tag; other markup is not checked.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.index.pages.file_rows import check_page_hashes
from lockset.index.pages.html_fast import scan_html
from lockset.index.pages.links import LinkBase, filename_of_url
from lockset.index.pages.page_table import TableBuilder

if TYPE_CHECKING:
    from lockset.index.pages.file_rows import FileValues
    from lockset.index.pages.page_table import PageTable

__all__ = ["links_of", "parse_html"]

# The supported major version of the repository API (PEP 629).
_API_MAJOR = 1
# Elements whose content is text, not markup.
_TEXTS = "script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext"
# A link as index servers write it (URL, sha256, further attributes), the start of a relevant tag, of a comment, or of
# another tag with quotes. The first alternative can scan far from at most one position of a page: of any three tags,
# two are on the same side of the quotes.
_TAG = lazy_pattern(
    rf"""<a\ href="([^"#&]+)\#sha256=([0-9A-Fa-f]{{64}})"((?:\ [^\s=>"'/]+="[^"]*")*)\ ?>
    |<(a|base|meta|{_TEXTS})(?=[\s>/])|<(!--)|</?[a-z](?=[^<>"']*["'])""",
    re.IGNORECASE | re.VERBOSE,
)
_END_OF_COMMENT = lazy_pattern("--!?>")
_END_OF_TEXT = {name: lazy_pattern(rf"</{name}(?=[\s>/])", re.IGNORECASE) for name in _TEXTS.split("|")}
# Limit for the tags of one page; real pages have a few tens of thousands.
_MOST_TAGS = 500_000
# Supported charsets; a page with any other is decoded as UTF-8.
_CHARSETS = {"iso-8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}
# The text between two quoted values: the name of the next attribute.
_NAME = lazy_pattern(r"""\s*([^\s=>"'/]+)\s*=\s*""")
_ATTRIBUTE = lazy_pattern(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
# Limit for the cached attribute texts of a page; if every link has different ones, a cache does not help.
_REMEMBERED = 1_000
_METADATA_ATTRIBUTES = ("data-core-metadata", "data-dist-info-metadata")


def parse_html(
    data: bytes, *, name: str, page_url: str, index_url: str, charset: str = "utf-8", packed: bytes = b""
) -> PageTable:
    """The table of a page for project `name`.

    `page_url` is the final URL of the page (links are relative to it), `index_url` the address of the index for
    messages, `packed` the page as received, if it was compressed.

    Raises:
        LocksetError: `index-page-invalid`: the page has an unsupported API version, an invalid hash, or too many links.
    """
    scanned = scan_html(data, name=name, page_url=page_url, packed=packed)
    builder = TableBuilder(name)
    reader = _Reader(builder, page_url)
    text = scanned.head if scanned is not None else data.decode(_CHARSETS.get(charset.lower(), "utf-8"), "replace")
    try:
        _read(text, reader)
    except TypeError as error:
        raise LocksetError(
            "index-page-invalid", f"The page of `{name}` cannot be read: {error}", location=index_url
        ) from error
    if scanned is not None:
        return scanned.table._replace(index_url=index_url, status=reader.status, status_reason=reader.reason)
    return builder.build(index_url=index_url, status=reader.status, status_reason=reader.reason)


def links_of(text: str, page_url: str) -> list[FileValues]:
    """The files that a piece of a scanned page links to."""
    listed = _LinkList()
    _read(text, _Reader(listed, page_url))
    return listed.files


class _LinkList:
    """Collects links like `TableBuilder`, without grouping them."""

    def __init__(self) -> None:
        self.files: list[FileValues] = []
        self.refused = 0

    def add(self, *values: Any) -> None:
        filename, url, hashes, size, requires_python, upload_time, yanked, metadata, provenance = values
        self.files.append((filename, url, hashes, size, requires_python, upload_time, yanked, metadata, provenance))


def _read(text: str, reader: _Reader) -> None:
    position = 0
    while position != -1 and (match := _TAG.search(text, position)) is not None:
        url, sha256, further, tag, comment = match.groups()
        position = match.end()
        if url is not None:
            reader.link(url, sha256, further)
        elif comment is not None:
            position = _after(_END_OF_COMMENT, text, match.start() + 2)  # `<!-->` is a complete comment
        else:
            end = _end_of_tag(text, position)
            if end == -1:
                return
            if tag is not None and (name := tag.lower()) not in _END_OF_TEXT:
                reader.tag(name, text[position:end])
            position = end + 1
            if tag is not None and name in _END_OF_TEXT:
                position = _after(_END_OF_TEXT[name], text, position)


def _after(what: re.Pattern[str], text: str, position: int) -> int:
    """Offset after the next `what`; -1 if there is none, which hides the rest of the page."""
    match = what.search(text, position)
    return -1 if match is None else match.end()


def _end_of_tag(text: str, position: int) -> int:
    """Offset of the `>` that ends the tag, outside quotes; -1 if there is none.

    -1 ends the page: after an unclosed quote there is no further tag. So no character is searched twice for the same
    thing, and the scan is linear even on hostile pages.
    """
    while True:
        end = text.find(">", position)
        if end == -1:
            return -1
        if text.count('"', position, end) % 2 == 0 and text.find("'", position, end) == -1:
            return end  # the usual case: all quotes are closed
        double, single = text.find('"', position, end), text.find("'", position, end)
        if double == single == -1:
            return end
        opening = min(at for at in (double, single) if at != -1)
        closing = text.find(text[opening], opening + 1)
        if closing == -1:
            return -1
        position = closing + 1


class _Reader:
    """Interprets the tags of one page."""

    def __init__(self, builder: TableBuilder | _LinkList, page_url: str) -> None:
        self._builder = builder
        self._base = LinkBase(page_url)
        self._based = False
        self.status: str | None = None
        self.reason: str | None = None
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._link_values: dict[str, _LinkValues] = {}
        self._tags = 0

    def tag(self, tag: str, text: str) -> None:
        self._tags += 1
        if self._tags > _MOST_TAGS:
            raise TypeError(f"it has more than {_MOST_TAGS} links")
        attributes = self._attributes(text)
        if tag == "a":
            self._anchor(attributes, text)
        elif tag == "base":
            if not self._based and attributes.get("href"):
                self._based = True
                self._base.rebase(attributes["href"].strip())
        else:
            self._meta(attributes)

    def _attributes(self, text: str) -> dict[str, str]:
        """Attributes of a tag, the first of each name, with character references resolved."""
        parts = text.split('"')
        names = [self._names.get(part) or self._name(part) for part in parts[:-1:2]]
        values = [value if "&" not in value else self._unescape_cached(value) for value in parts[1::2]]
        attributes = dict(zip(names, values, strict=False))
        if len(parts) % 2 and len(attributes) == len(names) and "" not in attributes and not parts[-1].strip(" /\n"):
            return attributes  # as index servers write them: every value in double quotes
        attributes = {}
        for name, double, single, bare in _ATTRIBUTE.findall(text):
            attributes.setdefault(name.lower(), self._unescape_cached(double or single or bare))
        return attributes

    def _name(self, part: str) -> str:
        """The attribute name before a quoted value; "" if there is not exactly one."""
        match = _NAME.fullmatch(part)
        name = self._names[part] = match[1].lower() if match else ""
        return name

    def _unescape_cached(self, value: str) -> str:
        """The value with character references resolved; cached, since few requires-python texts are repeated often."""
        known = self._texts.get(value)
        if known is None:
            known = self._texts[value] = _unescape(value)
        return known

    def link(self, href: str, hashes: object, further: str) -> None:
        """Add a link; `further` is the text of its attributes except `href`."""
        values = self._link_values.get(further)
        if values is None:
            values = _link_values(self._attributes(further))
            if len(self._link_values) < _REMEMBERED:
                self._link_values[further] = values
        url = self._base.resolve(href)
        if url is None:
            self._builder.refused += 1
        else:
            python, uploaded, yanked, metadata, provenance = values
            source = self._base.resolve(provenance) if provenance else None
            self._builder.add(filename_of_url(url), url, hashes, None, python, uploaded, yanked, metadata, source)

    def _anchor(self, attributes: dict[str, str], text: str) -> None:
        href = attributes.get("href")
        if href:
            target, _, fragment = href.strip().partition("#")
            self.link(target, check_page_hashes(_hashes(fragment)), text)

    def _meta(self, attributes: dict[str, str]) -> None:
        name, content = attributes.get("name", ""), attributes.get("content", "").strip()
        if name == "pypi:project-status":
            self.status = content or None
        elif name == "pypi:project-status-reason":
            self.reason = content or None
        elif name == "pypi:repository-version":
            major = content.partition(".")[0]
            if major.isdecimal() and int(major[:9]) > _API_MAJOR:
                raise LocksetError(
                    "index-page-invalid",
                    f"The index uses version {content[:20]} of the repository API, but lockset supports {_API_MAJOR}",
                )


def _unescape(value: str) -> str:
    try:
        return unescape(value)
    except ValueError:  # a reference with more digits than Python converts to a number
        return value


# Values of a link's attributes in the form of a row: requires-python, upload time, yanked, metadata and the URL of the
# provenance, not resolved.
_LinkValues = tuple["str | None", "str | None", "str | None", object, "str | None"]


def _link_values(attributes: dict[str, str]) -> _LinkValues:
    return (
        attributes.get("data-requires-python"),
        attributes.get("data-upload-time"),
        attributes.get("data-yanked"),
        _metadata_hashes(attributes),
        attributes.get("data-provenance"),
    )


def _hashes(fragment: str) -> str | tuple[tuple[str, str], ...] | None:
    """The hashes of a link's fragment (`sha256=...`) in the form of a row."""
    if fragment.startswith("sha256=") and "&" not in fragment:
        return fragment[7:]
    pairs = [pair.partition("=") for pair in fragment.split("&")]
    return (
        tuple((key.lower(), value) for key, _, value in pairs if value and key not in {"egg", "subdirectory"}) or None
    )


def _metadata_hashes(attributes: dict[str, str]) -> object:
    """The link's `.metadata` file (PEP 658, PEP 714) in the form of a row."""
    for attribute in _METADATA_ATTRIBUTES:
        value = attributes.get(attribute)
        if value is not None:
            return None if value == "false" else (_hashes(value) or True)
    return None
