"""The files of a page as plain values, as JSON pages state them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS

if TYPE_CHECKING:
    from lockset.index.pages.links import LinkBase

__all__ = ["FileValues", "check_page_hashes", "file_values"]

# One file: name, URL, hashes (a sha256, or pairs, or None), size, requires-python, upload time as text, yanked (None,
# or the reason, which may be empty), metadata (None, True if promised without a hash, or like hashes), URL of the
# provenance (PEP 740) or None.
FileValues = tuple[str, str, Any, "int | None", "str | None", "str | None", "str | None", Any, "str | None"]

_DIGITS = {name: 2 * length for name, length in (*STRONG_ALGORITHMS.items(), *WEAK_ALGORITHMS.items())}
_HEX = lazy_pattern("[0-9A-Fa-f]*")


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
        base.resolve(provenance) if type(provenance := get("provenance")) is str and provenance else None,
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
