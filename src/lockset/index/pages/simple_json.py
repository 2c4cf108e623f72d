"""Read JSON pages of the simple repository API (PEP 691, 700, 714, 740, 792)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.index.pages.file_rows import file_values
from lockset.index.pages.json_fast import scan_json
from lockset.index.pages.links import LinkBase
from lockset.index.pages.page_table import TableBuilder

if TYPE_CHECKING:
    from lockset.index.pages.page_table import PageTable

__all__ = ["parse_json_page"]

# The supported major version of the repository API (PEP 629).
_API_MAJOR = 1


def parse_json_page(data: bytes, *, name: str, page_url: str, index_url: str, packed: bytes = b"") -> PageTable:
    """The table of a page for project `name`; for the arguments see `lockset.index.pages.simple_html.parse_html`.

    Raises:
        LocksetError: `index-page-invalid`: not JSON, a value of the wrong type, or an unsupported API version.
    """
    scanned = scan_json(data, name=name, page_url=page_url, packed=packed)
    if scanned is not None:
        _check_version(scanned.rest, name, index_url)
        status, reason = _status(scanned.rest)
        return scanned.table._replace(index_url=index_url, status=status, status_reason=reason)
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
            values = file_values(file, base)
            if values is None:
                builder.refused += 1
            else:
                builder.add(*values)
    except TypeError as error:
        raise _invalid(name, index_url, f"a file has a wrong or missing value: {error}") from error
    status, reason = _status(page)
    return builder.build(index_url=index_url, status=status, status_reason=reason)


def _check_version(page: dict[str, Any], name: str, index_url: str) -> None:
    meta = page.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if version is None:
        return  # required by PEP 691, but some indexes omit it
    major = version.partition(".")[0] if isinstance(version, str) else ""
    if not major.isdecimal() or int(major[:9]) > _API_MAJOR:
        raise _invalid(name, index_url, f"its API version is {str(version)[:20]!r}, but lockset supports {_API_MAJOR}")


def _status(page: dict[str, Any]) -> tuple[str | None, str | None]:
    """The project status marker and its reason; what is not a string is ignored."""
    marker = page.get("project-status")
    values = [marker.get(key) if isinstance(marker, dict) else None for key in ("status", "reason")]
    status, reason = (value if isinstance(value, str) else None for value in values)
    return status, reason


def _invalid(name: str, index_url: str, why: str) -> LocksetError:
    return LocksetError("index-page-invalid", f"The page of `{name}` cannot be read: {why}", location=index_url)
