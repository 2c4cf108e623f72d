"""Project pages of the simple API, as HTML and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from support.builders.archives import Artifact

__all__ = ["PageFile", "page_html", "page_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFile:
    """One file as a page shows it; `metadata` is True or the hashes of the metadata file."""

    filename: str
    url: str
    hashes: Mapping[str, str] = field(default_factory=dict)
    requires_python: str | None = None
    size: int | None = None
    upload_time: datetime | None = None
    yanked: bool | str = False
    metadata: bool | Mapping[str, str] = False
    provenance: str | None = None

    @classmethod
    def of(cls, artifact: Artifact, url: str | None = None, **changes: Any) -> PageFile:
        """The file as an honest index shows it, with `changes`."""
        values: dict[str, Any] = {
            "filename": artifact.filename,
            "url": url or f"https://files.example.org/{artifact.filename}",
            "hashes": {"sha256": artifact.sha256},
            "size": artifact.size,
        }
        return cls(**(values | changes))


def page_html(
    name: str,
    files: Iterable[PageFile],
    *,
    metadata_attribute: str = "data-core-metadata",
    status: Mapping[str, str] | None = None,
) -> str:
    """The HTML page; sizes and, unless given, upload times have no place in it. `status` has `status` and `reason`."""
    marks = "".join(
        f'<meta name="pypi:project-status{suffix}" content="{escape(status[key])}">'
        for key, suffix in (("status", ""), ("reason", "-reason"))
        if status is not None and key in status
    )
    links = "\n".join(_link(file, metadata_attribute) for file in files)
    return (
        "<!DOCTYPE html>\n<html>\n<head>"
        '<meta name="pypi:repository-version" content="1.0">'
        f"{marks}<title>Links for {escape(name)}</title></head>\n<body>\n<h1>Links for {escape(name)}</h1>\n"
        f"{links}\n</body>\n</html>\n"
    )


def page_json(
    name: str,
    files: Sequence[PageFile],
    *,
    versions: Sequence[str] | None = None,
    api_version: str = "1.1",
    status: Mapping[str, str] | None = None,
) -> str:
    """The JSON page."""
    page: dict[str, Any] = {"meta": {"api-version": api_version}, "name": name, "files": [_entry(f) for f in files]}
    if versions is not None:
        page["versions"] = list(versions)
    if status is not None:
        page["project-status"] = dict(status)
    return json.dumps(page)


def _link(file: PageFile, metadata_attribute: str) -> str:
    fragment = next((f"#{algorithm}={value}" for algorithm, value in file.hashes.items()), "")
    attributes = [f'href="{escape(file.url + fragment)}"']
    if file.requires_python is not None:
        attributes.append(f'data-requires-python="{escape(file.requires_python)}"')
    if file.upload_time is not None:
        attributes.append(f'data-upload-time="{_time(file.upload_time)}"')
    if file.yanked is not False:
        attributes.append(f'data-yanked="{escape("" if file.yanked is True else str(file.yanked))}"')
    if file.metadata is True:
        attributes.append(f'{metadata_attribute}="true"')
    elif file.metadata:
        value = next(f"{algorithm}={value}" for algorithm, value in file.metadata.items())
        attributes.append(f'{metadata_attribute}="{value}"')
    if file.provenance is not None:
        attributes.append(f'data-provenance="{escape(file.provenance)}"')
    return f"<a {' '.join(attributes)}>{escape(file.filename)}</a><br/>"


def _entry(file: PageFile) -> dict[str, Any]:
    entry: dict[str, Any] = {"filename": file.filename, "url": file.url, "hashes": dict(file.hashes)}
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = _time(file.upload_time)
    if file.yanked is not False:
        entry["yanked"] = file.yanked
    if file.metadata is not False:
        entry["core-metadata"] = file.metadata if file.metadata is True else dict(file.metadata)
    if file.provenance is not None:
        entry["provenance"] = file.provenance
    return entry


def _time(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
