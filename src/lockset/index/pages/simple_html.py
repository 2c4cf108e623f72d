"""Simple API pages in HTML (PEP 503, 592, 629, 658, 714, 792) to tables.

Pages as index servers write them are scanned (see `html_fast`). All others are read here, anchors only, by a
scan that looks at every character a bounded number of times: a page of ten thousand links costs a twentieth of what a
whole HTML parser takes. Comments, scripts and the like are skipped, and what stands in quotes is no tag; markup is not
otherwise judged.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.index.pages.file_rows import checked_hashes
from lockset.index.pages.html_fast import scan_html
from lockset.index.pages.links import LinkBase, filename_of_url
from lockset.index.pages.page_table import TableBuilder

if TYPE_CHECKING:
    from lockset.index.pages.file_rows import FileValues
    from lockset.index.pages.page_table import PageTable

__all__ = ["links_of", "parse_html"]

# The major version of the repository API this reader understands (PEP 629).
_API_MAJOR = 1
# Elements whose content is text, whatever it looks like.
_TEXTS = "script|style|textarea|title|xmp|iframe|noembed|noframes|plaintext"
# A link as index servers write it (URL, sha256, further attributes), the beginning of any tag that matters, of a
# comment, or of another tag with quotes. The first alternative scans far from one place of a page at most: of three
# tags, two lie on one side of the quotes.
_TAG = re.compile(
    rf"""<a\ href="([^"#&]+)\#sha256=([0-9A-Fa-f]{{64}})"((?:\ [^\s=>"'/]+="[^"]*")*)\ ?>
    |<(a|base|meta|{_TEXTS})(?=[\s>/])|<(!--)|</?[a-z](?=[^<>"']*["'])""",
    re.IGNORECASE | re.VERBOSE,
)
_END_OF_COMMENT = re.compile("--!?>")
_END_OF_TEXT = {name: re.compile(rf"</{name}(?=[\s>/])", re.IGNORECASE) for name in _TEXTS.split("|")}
# Tags of one page that are read one by one; honest pages have a few ten thousand.
_MOST_TAGS = 500_000
# How a page may be written; whatever else its server says, it is read as UTF-8.
_CHARSETS = {"iso-8859-1": "latin-1", "latin-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252"}
# What stands between two quoted values: the name of the next attribute.
_NAME = re.compile(r"""\s*([^\s=>"'/]+)\s*=\s*""")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
# Texts of attributes remembered per page; where each link's differ, remembering them is of no use.
_REMEMBERED = 1_000
_METADATA_ATTRIBUTES = ("data-core-metadata", "data-dist-info-metadata")


def parse_html(
    data: bytes, *, name: str, page_url: str, index_url: str, charset: str = "utf-8", packed: bytes = b""
) -> PageTable:
    """The table of a page for project `name`.

    `page_url` is where the page came from at last (links are relative to it), `index_url` what is shown as the index,
    `packed` the page as it came, where it came compressed.

    Raises:
        LocksetError: `index-page-invalid`: the page says it is of an API version not known here, gives a hash that
            is none, or has links without end.
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
        return scanned.table._replace(index_url=index_url, status=reader.status)
    return builder.build(index_url=index_url, status=reader.status)


def links_of(text: str, page_url: str) -> list[FileValues]:
    """The files that a piece of a scanned page links to."""
    listed = _Listed()
    _read(text, _Reader(listed, page_url))
    return listed.files


class _Listed:
    """Takes links as `TableBuilder` does, and keeps them as they are."""

    def __init__(self) -> None:
        self.files: list[FileValues] = []
        self.refused = 0

    def add(self, *values: Any) -> None:
        filename, url, hashes, size, requires_python, upload_time, yanked, metadata = values
        self.files.append((filename, url, hashes, size, requires_python, upload_time, yanked, metadata))


def _read(text: str, reader: _Reader) -> None:
    position = 0
    while position != -1 and (found := _TAG.search(text, position)) is not None:
        url, sha256, further, tag, comment = found.groups()
        position = found.end()
        if url is not None:
            reader.link(url, sha256, further)
        elif comment is not None:
            position = _after(_END_OF_COMMENT, text, found.start() + 2)  # `<!-->` is a whole one
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
    """Offset behind the next `what`; -1 where there is none: then the rest of the page is hidden."""
    found = what.search(text, position)
    return -1 if found is None else found.end()


def _end_of_tag(text: str, position: int) -> int:
    """Offset of the `>` that ends the tag, -1 where none does; one inside quotes does not count.

    -1 ends the page: whoever opens a quote that is never closed has no further tag. So no character is searched twice
    for the same thing, and the scan stays linear on hostile pages.
    """
    while True:
        end = text.find(">", position)
        if end == -1:
            return -1
        if text.count('"', position, end) % 2 == 0 and text.find("'", position, end) == -1:
            return end  # nearly always: all quotes that were opened are closed
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

    def __init__(self, builder: TableBuilder | _Listed, page_url: str) -> None:
        self._builder = builder
        self._base = LinkBase(page_url)
        self._based = False
        self.status: str | None = None
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._told: dict[str, _Told] = {}
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
        """Attributes of a tag, the first of each name, references resolved."""
        parts = text.split('"')
        names = [self._names.get(part) or self._name(part) for part in parts[:-1:2]]
        values = [value if "&" not in value else self._unescaped(value) for value in parts[1::2]]
        found = dict(zip(names, values, strict=False))
        if len(parts) % 2 and len(found) == len(names) and "" not in found and not parts[-1].strip(" /\n"):
            return found  # as index servers write: every value in double quotes
        found = {}
        for name, double, single, bare in _ATTRIBUTE.findall(text):
            found.setdefault(name.lower(), self._unescaped(double or single or bare))
        return found

    def _name(self, part: str) -> str:
        """The name in what stands before a quoted value; "" where there is more or less than one name."""
        found = _NAME.fullmatch(part)
        name = self._names[part] = found[1].lower() if found else ""
        return name

    def _unescaped(self, value: str) -> str:
        """The value with its references resolved; most are a few requires-python texts, again and again."""
        known = self._texts.get(value)
        if known is None:
            known = self._texts[value] = _unescape(value)
        return known

    def link(self, href: str, hashes: object, further: str) -> None:
        """Take a link; `further` is the text of its attributes but `href`."""
        told = self._told.get(further)
        if told is None:
            told = _told(self._attributes(further))
            if len(self._told) < _REMEMBERED:
                self._told[further] = told
        url = self._base.resolve(href)
        if url is None:
            self._builder.refused += 1
        else:
            requires_python, upload_time, yanked, metadata = told
            self._builder.add(filename_of_url(url), url, hashes, None, requires_python, upload_time, yanked, metadata)

    def _anchor(self, attributes: dict[str, str], text: str) -> None:
        href = attributes.get("href")
        if href:
            target, _, fragment = href.strip().partition("#")
            self.link(target, checked_hashes(_hashes(fragment)), text)

    def _meta(self, attributes: dict[str, str]) -> None:
        name, content = attributes.get("name", ""), attributes.get("content", "").strip()
        if name == "pypi:project-status":
            self.status = content or None
        elif name == "pypi:repository-version":
            major = content.partition(".")[0]
            if major.isdecimal() and int(major[:9]) > _API_MAJOR:
                raise LocksetError(
                    "index-page-invalid",
                    f"The index speaks version {content[:20]} of the repository API; lockset reads {_API_MAJOR}",
                )


def _unescape(value: str) -> str:
    try:
        return unescape(value)
    except ValueError:  # a reference with more digits than Python turns into a number
        return value


# What the attributes of a link tell: requires-python, upload time, yanked and metadata, as rows hold them.
_Told = tuple["str | None", "str | None", "str | None", object]


def _told(attributes: dict[str, str]) -> _Told:
    return (
        attributes.get("data-requires-python"),
        attributes.get("data-upload-time"),
        attributes.get("data-yanked"),
        _promised_metadata(attributes),
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
