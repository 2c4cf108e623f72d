"""Probe an index, for a report about this machine."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import IndexUnreachableError
from lockset.index.credentials import redact
from lockset.index.http.client import PAGE_LIMIT, page_url
from lockset.index.http.transport import Request

if TYPE_CHECKING:
    from typing import Any

    from lockset.index.http.transport import Incoming, Transport
    from lockset.index.options import IndexSource

__all__ = ["IndexAnswer", "probe_index"]

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexAnswer:
    """How an index answered one request for a project's page.

    Attributes:
        url: The page, without credentials.
        seconds: From the request to the whole page, with the time to connect.
        status: The HTTP status: 200, or 404 if the index does not have the project.
        version: The version of the index API, such as `1.4`; None for HTML pages.
        is_json: Whether the page is JSON (PEP 691).
        has_metadata: Whether files announce their metadata (PEP 658).
        has_sizes: Whether files have sizes and upload times (PEP 700).
        has_provenance: Whether files have provenance (PEP 740).
        has_hashes: Whether all files have hashes.
    """

    url: str
    seconds: float
    status: int
    version: str | None = None
    is_json: bool = False
    has_metadata: bool = False
    has_sizes: bool = False
    has_provenance: bool = False
    has_hashes: bool = False


def probe_index(transport: Transport, source: IndexSource, project: str) -> IndexAnswer:
    """Request the page of `project` from an index, past the cache.

    Raises:
        LocksetError: `index-unreachable`, `index-refused`, `certificate-refused` and so on.
    """
    url = page_url(source, project)
    request = Request(
        url=url,
        headers={"accept": _ACCEPT},
        accepted=frozenset({200, 404, 410}),
        failure=IndexUnreachableError,
        compressed=True,
    )

    def read(incoming: Incoming) -> tuple[int, str, bytes]:
        body = incoming.body(PAGE_LIMIT) if incoming.status == 200 else b""
        return incoming.status, incoming.headers.get("content-type", ""), body

    began = time.monotonic()
    status, kind, body = transport.exchange(request, read)
    answer = IndexAnswer(url=redact(url), seconds=time.monotonic() - began, status=status)
    if status != 200:
        return answer
    page = _json(body) if "json" in kind else None
    return _of_json(answer, page) if page is not None else _of_html(answer, body)


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return page if isinstance(page, dict) else None


def _of_json(answer: IndexAnswer, page: dict[str, Any]) -> IndexAnswer:
    from lockset._dataclass import replace

    listed = page.get("files")
    files = [file for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    meta = page.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    return replace(
        answer,
        is_json=True,
        version=version if isinstance(version, str) else None,
        has_metadata=any(file.get("core-metadata") or file.get("data-dist-info-metadata") for file in files),
        has_sizes=bool(files) and all("size" in file for file in files),
        has_provenance=any(file.get("provenance") for file in files),
        has_hashes=bool(files) and all(file.get("hashes") for file in files),
    )


def _of_html(answer: IndexAnswer, body: bytes) -> IndexAnswer:
    from lockset._dataclass import replace

    text = body.lower()
    return replace(
        answer,
        has_metadata=b"data-core-metadata" in text or b"data-dist-info-metadata" in text,
        has_provenance=b"data-provenance" in text,
        has_hashes=b"#sha256=" in text,
    )
