"""Request to answer, without a socket."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from support.builders import page_html, page_json
from support.local_index.world import normalized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.local_index.mode import Mode
    from support.local_index.world import World

__all__ = ["Answer", "answer"]

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
INTEGRITY_TYPE = "application/vnd.pypi.integrity.v1+json"
HTML_TYPE = "application/vnd.pypi.simple.v1+html"


@dataclass(slots=True, kw_only=True)
class Answer:
    """Status, headers and body; Content-Length is the sender's matter."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def answer(world: World, mode: Mode, origin: str, path: str, headers: Mapping[str, str]) -> Answer:
    """What the index answers to a GET of `path`; `headers` in lower case; `origin` is scheme, host and port."""
    if mode.credentials is not None and headers.get("authorization") != _basic(*mode.credentials):
        return Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="index"'}, body=b"who are you\n")
    parts = [unquote(part) for part in urlsplit(path).path.split("/")[1:]]
    if parts[:1] == ["simple"] and len(parts) in {2, 3} and parts[-1] == "":
        result = _page(world, mode, origin, parts[1] if parts[1:2] != [""] else None, headers)
    elif parts[:1] == ["files"] and len(parts) == 3:
        result = _file(world, mode, parts[1], parts[2], headers)
    elif parts[:1] == ["provenance"] and len(parts) == 3:
        file = world.file(parts[1], parts[2])
        body = None if file is None else file.provenance
        result = _missing() if body is None else Answer(headers={"Content-Type": INTEGRITY_TYPE}, body=body)
    else:
        result = _missing()
    if result.status == 200 and "ETag" in result.headers and headers.get("if-none-match") == result.headers["ETag"]:
        kept = {key: value for key, value in result.headers.items() if key in {"ETag", "Cache-Control", "Vary"}}
        return Answer(status=304, headers=kept)
    return result


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _missing() -> Answer:
    return Answer(status=404, headers={"Content-Type": "text/plain"}, body=b"not found\n")


def _page(world: World, mode: Mode, origin: str, name: str | None, headers: Mapping[str, str]) -> Answer:
    if name is not None and name != normalized(name):
        return Answer(status=301, headers={"Location": f"/simple/{normalized(name)}/"})
    if name is not None and name not in world.projects:
        return _missing()
    wants_json = JSON_TYPE in headers.get("accept", "") or not mode.html
    if wants_json and mode.json:
        content_type, text = JSON_TYPE, _json_text(world, mode, origin, name)
    elif mode.html:
        wants_typed = mode.json and HTML_TYPE in headers.get("accept", "")
        content_type, text = HTML_TYPE if wants_typed else "text/html", _html_text(world, mode, origin, name)
    else:
        return Answer(status=406)
    return _decorated(text.encode(), content_type, mode, headers)


def _decorated(body: bytes, content_type: str, mode: Mode, headers: Mapping[str, str]) -> Answer:
    shown = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if mode.etag:
        shown["ETag"] = _etag(body)
    if mode.cache_control is not None:
        shown["Cache-Control"] = mode.cache_control
    if mode.gzip and "gzip" in headers.get("accept-encoding", ""):
        shown["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 1, mtime=0)
    return Answer(headers=shown, body=body)


def _html_text(world: World, mode: Mode, origin: str, name: str | None) -> str:
    if name is None:
        links = "\n".join(f'<a href="/simple/{escape(n)}/">{escape(n)}</a>' for n in sorted(world.projects))
        return f"<!DOCTYPE html>\n<html><body>\n{links}\n</body></html>\n"
    files = [f.on_page(_url(mode, origin, name, f.artifact.filename), mode) for f in world.projects[name]]
    return page_html(name, files, status=world.statuses.get(name))


def _json_text(world: World, mode: Mode, origin: str, name: str | None) -> str:
    if name is None:
        names = ", ".join(f'{{"name": "{n}"}}' for n in sorted(world.projects))
        return f'{{"meta": {{"api-version": "1.1"}}, "projects": [{names}]}}'
    files = [f.on_page(_url(mode, origin, name, f.artifact.filename), mode) for f in world.projects[name]]
    versions = list(dict.fromkeys(file.filename.split("-")[1].removesuffix(".tar.gz") for file in files))
    return page_json(name, files, versions=versions, status=world.statuses.get(name))


def _url(mode: Mode, origin: str, name: str, filename: str) -> str:
    path = f"files/{quote(name)}/{quote(filename)}"
    if mode.relative_urls and mode.files_host == urlsplit(origin).hostname:
        return f"../../{path}"
    return f"{origin.replace('127.0.0.1', mode.files_host)}/{path}"


def _file(world: World, mode: Mode, name: str, filename: str, headers: Mapping[str, str]) -> Answer:
    asks_metadata = mode.metadata_files and filename.endswith(".metadata")
    file = world.file(name, filename.removesuffix(".metadata") if asks_metadata else filename)
    if file is None or (asks_metadata and not file.artifact.is_wheel):
        return _missing()
    body = file.artifact.metadata if asks_metadata else file.artifact.content
    shown = {"Content-Type": "application/octet-stream"}
    if mode.etag:
        shown |= {"ETag": _etag(body), "Cache-Control": "max-age=365000000, immutable, public"}
    if not mode.ranges:
        return Answer(headers=shown, body=body)
    shown["Accept-Ranges"] = "bytes"
    whole = "if-range" in headers and headers["if-range"] != shown.get("ETag")
    return Answer(headers=shown, body=body) if whole else _ranged(body, shown, headers.get("range", ""))


def _ranged(body: bytes, shown: dict[str, str], wanted: str) -> Answer:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
    if match is None or match.group() == "bytes=-":
        return Answer(headers=shown, body=body)
    first, last = match.groups()
    start = int(first) if first else max(0, len(body) - int(last))
    end = min(int(last), len(body) - 1) if first and last else len(body) - 1
    if start > end:
        return Answer(status=416, headers=shown | {"Content-Range": f"bytes */{len(body)}"})
    shown["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
    return Answer(status=206, headers=shown, body=body[start : end + 1])


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
