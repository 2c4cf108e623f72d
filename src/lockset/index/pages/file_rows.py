"""The files of a page as plain values, decoded from JSON pages and from tables."""

from __future__ import annotations

import json
import marshal
import re
import zlib
from typing import TYPE_CHECKING, Any

from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.index.pages.links import LinkBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.index.pages.page_table import PageTable

__all__ = ["FileValues", "Rows", "check_page_hashes", "file_values"]

# One file: name, URL, hashes (a sha256, or pairs, or None), size, requires-python, upload time as text, yanked (None,
# or the reason, which may be empty), metadata (None, True if promised without a hash, or like hashes).
FileValues = tuple[str, str, Any, "int | None", "str | None", "str | None", "str | None", Any]

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_DIGITS = {name: 2 * length for name, length in (*STRONG_ALGORITHMS.items(), *WEAK_ALGORITHMS.items())}
_HEX = re.compile("[0-9A-Fa-f]*")


class Rows:
    """Decodes the files of single versions from a table; a compressed page is decompressed once, on first use."""

    __slots__ = ("_base", "_page", "_table")

    def __init__(self, table: PageTable) -> None:
        self._table = table
        self._base = LinkBase(table.page_url)
        self._page: bytes | None = None

    def of(self, at: int) -> list[FileValues]:
        """The files of the version with this index, in the order of the page, without duplicate names."""
        table = self._table
        blob = table.blobs[at] if at < len(table.blobs) else self._unpack(at)
        if blob[:1] == b"{":
            return self._of_json(blob)
        if blob[:1] == b"<":
            from lockset.index.pages.simple_html import links_of  # its patterns are not needed for JSON pages

            return _first_of_each_name(links_of(blob.decode(), table.page_url))
        texts = table.requires_pythons
        return [
            (filename or url.rpartition("/")[2], url, hashes, size, texts[python], upload_time, yanked, metadata)
            for url, filename, hashes, size, python, upload_time, yanked, metadata in marshal.loads(blob)  # noqa: S302 (bytes of our own table, whose sum was checked)
        ]

    def _unpack(self, at: int) -> bytes:
        if self._page is None:
            self._page = zlib.decompress(self._table.packed, _GZIP_OR_ZLIB)
        return join_spans(self._page, self._table.spans[at - len(self._table.blobs)])

    def _of_json(self, blob: bytes) -> list[FileValues]:
        files = [file_values(file, self._base) for file in json.loads(b"[%b]" % blob)]
        return _first_of_each_name(values for values in files if values is not None)


def _first_of_each_name(files: Iterable[FileValues]) -> list[FileValues]:
    by_name: dict[str, FileValues] = {}
    for values in files:
        by_name.setdefault(values[0], values)
    return list(by_name.values())


def join_spans(page: bytes, spans: tuple[int, ...]) -> bytes:
    """The pieces of a page with one version's files, as a list without brackets."""
    if len(spans) == 2:
        return page[spans[0] : spans[1]]
    return b",".join([page[start:end] for start, end in zip(spans[::2], spans[1::2], strict=True)])


def file_values(file: Any, base: LinkBase) -> FileValues | None:
    """The values of one file of a page; None if the page must not link there.

    Raises:
        TypeError: A value is missing or has the wrong type.
    """
    if type(file) is not dict:
        raise TypeError("one of `files` is not a table")
    get = file.get
    filename, url = get("filename"), get("url")
    if type(url) is not str:
        raise TypeError("a `url` is missing or not a string")
    url = base.resolve(url.partition("#")[0])
    size, requires_python, upload_time = get("size"), get("requires-python"), get("upload-time")
    if url is None:
        return None
    if type(filename) is not str or "/" in filename:
        raise TypeError("a `filename` is missing or not a file name")
    if size is not None and (type(size) is not int or size < 0):
        raise TypeError("`size` is not a number of bytes")
    if requires_python is not None and type(requires_python) is not str:
        raise TypeError("`requires-python` is not a string")
    if upload_time is not None and type(upload_time) is not str:
        raise TypeError("`upload-time` is not a string")
    metadata = get("core-metadata")
    if metadata is None:
        metadata = get("dist-info-metadata")
    yanked = get("yanked", False)
    return (
        filename,
        url,
        check_page_hashes(_hashes(get("hashes"), "hashes")),
        size,
        requires_python,
        upload_time,
        None if yanked is False else _yank_reason(yanked),
        None if not metadata and metadata != {} else _metadata_hashes(metadata),
    )


def _hashes(hashes: Any, key: str) -> str | tuple[tuple[str, str], ...] | None:
    """`hashes` in the form of a row."""
    if type(hashes) is not dict:
        raise TypeError(f"`{key}` of a file is missing or not a table")
    sha256 = hashes.get("sha256")
    if sha256 is not None and len(hashes) == 1 and type(sha256) is str:
        return sha256
    for value in hashes.values():
        if type(value) is not str:
            raise TypeError("a hash is not a string")
    return tuple((key.lower(), value) for key, value in hashes.items()) or None


def check_page_hashes(hashes: str | tuple[tuple[str, str], ...] | None) -> str | tuple[tuple[str, str], ...] | None:
    """`hashes` in the form of a row; TypeError if one is not a digest of its algorithm, or two disagree."""
    pairs = (("sha256", hashes),) if isinstance(hashes, str) else hashes or ()
    if len(set(pairs)) != len({name for name, _ in pairs}):
        raise TypeError("a file has two different hashes of the same algorithm")
    for name, value in pairs:
        length = _DIGITS.get(name)
        if length is not None and (len(value) != length or not _HEX.fullmatch(value)):
            raise TypeError(f"the {name} hash of a file is not {length} hexadecimal digits")
    return hashes


def _yank_reason(yanked: object) -> str | None:
    if isinstance(yanked, str):
        return yanked or None  # an empty string is falsy, so it means not yanked (PEP 592)
    if yanked is True:
        return ""
    raise TypeError("`yanked` is neither a boolean nor a string")


def _metadata_hashes(metadata: object) -> object:
    if metadata is True:
        return True
    if isinstance(metadata, dict):
        return _hashes(metadata, "core-metadata") or True
    raise TypeError("`core-metadata` is neither a boolean nor a table")
