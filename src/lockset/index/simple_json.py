"""Simple API pages in JSON (PEP 691, 700, 714, 740, 792) to tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.index.links import LinkBase
from lockset.index.table import TableBuilder

if TYPE_CHECKING:
    from lockset.index.table import Table

__all__ = ["parse_json"]

# The major version of the repository API this reader understands (PEP 629).
_API_MAJOR = 1


def parse_json(data: bytes, *, name: str, page_url: str, index_url: str) -> Table:
    """The table of a page for project `name`; arguments as of `lockset.index.simple_html.parse_html`.

    Raises:
        LocksetError: `index-page-invalid`: not JSON, a value of the wrong type, or an API version not known here.
    """
    try:
        page = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _invalid(name, index_url, "it is not JSON") from error
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise _invalid(name, index_url, "it has no list `files`")
    _check_version(page, name, index_url)
    builder, base = TableBuilder(name), LinkBase(page_url)
    try:
        for file in page["files"]:
            _add(builder, base, file)
    except (TypeError, AttributeError, KeyError) as error:
        raise _invalid(name, index_url, f"a file has a wrong or missing value: {error}") from error
    return builder.build(index_url=index_url, status=_status(page))


def _check_version(page: dict[str, Any], name: str, index_url: str) -> None:
    meta = page.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if version is None:
        return  # required by PEP 691; some indexes leave it out, and the rest shows what it is
    major = version.partition(".")[0] if isinstance(version, str) else ""
    if not major.isdecimal() or int(major[:9]) > _API_MAJOR:
        raise _invalid(name, index_url, f"its API version is {str(version)[:20]!r}; lockset reads version {_API_MAJOR}")


def _status(page: dict[str, Any]) -> str | None:
    marker = page.get("project-status")
    status = marker.get("status") if isinstance(marker, dict) else None
    return status if isinstance(status, str) else None


def _add(builder: TableBuilder, base: LinkBase, file: dict[str, Any]) -> None:
    """Take one file; TypeError, AttributeError or KeyError where a value is not of its type."""
    get = file.get
    filename, url = file["filename"], base.resolve(file["url"].partition("#")[0])
    size, requires_python, upload_time = get("size"), get("requires-python"), get("upload-time")
    if url is None:
        builder.refused += 1
        return
    if type(filename) is not str or "/" in filename:
        raise TypeError("`filename` is not a file name")
    if size is not None and (type(size) is not int or size < 0):
        raise TypeError("`size` is not a number of bytes")
    if requires_python is not None and type(requires_python) is not str:
        raise TypeError("`requires-python` is not a text")
    if upload_time is not None and type(upload_time) is not str:
        raise TypeError("`upload-time` is not a text")
    metadata = get("core-metadata")
    if metadata is None:
        metadata = get("dist-info-metadata")
    yanked = get("yanked", False)
    builder.add(
        filename,
        url,
        _hashes(file["hashes"]),
        size,
        requires_python,
        upload_time,
        None if yanked is False else _yank_reason(yanked),
        None if not metadata and metadata != {} else _promised_metadata(metadata),
    )


def _hashes(hashes: dict[str, Any]) -> str | tuple[tuple[str, str], ...] | None:
    """As rows hold hashes."""
    sha256 = hashes.get("sha256")
    if sha256 is not None and len(hashes) == 1 and type(sha256) is str:
        return sha256
    for value in hashes.values():
        if type(value) is not str:
            raise TypeError("a hash is not a text")
    return tuple((key.lower(), value) for key, value in hashes.items()) or None


def _yank_reason(yanked: object) -> str | None:
    if isinstance(yanked, str):
        return yanked or None  # an empty reason is no yank: it is as falsy as PEP 592 needs it to be
    if yanked is True:
        return ""
    raise TypeError("`yanked` is neither true, false nor a text")


def _promised_metadata(metadata: object) -> object:
    if metadata is True:
        return True
    if isinstance(metadata, dict):
        return _hashes(metadata) or True
    raise TypeError("`core-metadata` is neither true, false nor a table")


def _invalid(name: str, index_url: str, why: str) -> LocksetError:
    return LocksetError("index-page-invalid", f"The page of `{name}` cannot be read: {why}", place=index_url)
