"""Index and Downloads in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from lockset.errors import DownloadTooLargeError, FileMissingError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_html import parse_html
from lockset.index.ports import ProjectNotFound
from support.builders.pages import PageFile, page_html

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.index.ports import Sink

__all__ = ["BytesSink", "FakeDownloads", "FakeIndex", "detail_of"]

INDEX_URL = "https://index.example.org/simple/"


def detail_of(name: str, files: Iterable[PageFile]) -> ProjectDetail:
    """The page an index would give of these files."""
    page = page_html(name, files).encode()
    return ProjectDetail(parse_html(page, name=name, page_url=f"{INDEX_URL}{name}/", index_url=INDEX_URL))


@dataclass(slots=True)
class FakeIndex:
    """Answers from `projects`: normalized name -> files."""

    projects: Mapping[str, Sequence[PageFile]]
    hinted: list[str] = field(default_factory=list)
    _details: dict[str, ProjectDetail] = field(default_factory=dict)

    def hint(self, names: Iterable[str]) -> None:
        self.hinted.extend(names)

    def renew(self, names: Iterable[str]) -> bool:
        return False

    def project(self, name: str) -> ProjectDetail:
        normalized = canonicalize_name(name)
        if normalized not in self.projects:
            raise ProjectNotFound(normalized, searched=(INDEX_URL,))
        if normalized not in self._details:
            self._details[normalized] = detail_of(normalized, self.projects[normalized])
        return self._details[normalized]


@dataclass(slots=True)
class BytesSink:
    """Keeps what it is given."""

    content: bytes = b""
    restarts: int = 0

    def write(self, chunk: bytes) -> None:
        self.content += chunk

    def restart(self) -> None:
        self.content = b""
        self.restarts += 1


@dataclass(slots=True)
class FakeDownloads:
    """Files from `files`: URL -> bytes; `breaks` says how often the transfer of a URL breaks off half way."""

    files: Mapping[str, bytes]
    breaks: dict[str, int] = field(default_factory=dict)

    def fetch(self, url: str, sink: Sink, *, limit: int | None = None) -> None:
        content = self.files.get(url)
        if content is None:
            raise FileMissingError("There is no such file", location=url)
        while self.breaks.get(url, 0):
            self.breaks[url] -= 1
            sink.write(content[: len(content) // 2])
            sink.restart()
        if limit is not None and len(content) > limit:
            sink.write(content[: limit + 1])
            raise DownloadTooLargeError(f"The file is larger than the {limit} bytes expected", location=url)
        sink.write(content)
