"""Indexes on disk: flat folders of files, trees of project pages, single pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lockset.errors import DownloadFailedError, FileMissingError, IndexUnreachableError, LocksetError
from lockset.index.filenames import SDIST_SUFFIXES
from lockset.index.pages.page_table import TableBuilder
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.index.options import IndexSource
    from lockset.index.pages.page_table import PageTable

__all__ = ["local_path", "local_table", "read_local"]

# The most bytes of a page on disk; far more than any real page has.
_PAGE_LIMIT = 64 * 1024 * 1024
_READ_SIZE = 256 * 1024


def local_path(url: str) -> Path:
    """The path of a `file:` URL; LocksetError `scheme-refused` if it is on another host."""
    from urllib.request import url2pathname  # slow to import, and needed only for local indexes

    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        raise LocksetError("scheme-refused", f"Not a local file: {url}", hint="file: URLs name files of this machine")
    return Path(url2pathname(parts.path))


def read_local(url: str) -> Iterator[bytes]:
    """Read the file of a `file:` URL in pieces.

    Raises:
        LocksetError: `file-not-found`, `download-failed`, `scheme-refused`.
    """
    path = local_path(url)
    try:
        with path.open("rb") as file:
            chunk = file.read(_READ_SIZE)
            while chunk:
                yield chunk
                chunk = file.read(_READ_SIZE)
    except FileNotFoundError as error:
        raise FileMissingError("There is no such file", location=str(path)) from error
    except OSError as error:
        raise DownloadFailedError(f"The file cannot be read: {error}", location=str(path)) from error


def local_table(source: IndexSource, name: str) -> PageTable | None:
    """The files of a normalized project in an index on disk; None if it has none.

    A flat index is a folder of files, or a page that links to files of any project. Otherwise it is a tree with one
    folder per project, which holds a page or the files themselves.

    Raises:
        LocksetError: `index-unreachable` if the folder is missing or cannot be read.
    """
    location = local_path(source.url)
    try:
        table = _of_flat(location, name, source.url) if source.flat else _of_tree(location, name, source.url)
    except OSError as error:
        raise IndexUnreachableError(
            f"The folder of packages cannot be read: {error.strerror or error}",
            location=str(location),
            hint="Check the path of the folder; the URL of an index begins with `https://`",
        ) from error
    return table if table is None or table.versions else None


def _of_flat(location: Path, name: str, index_url: str) -> PageTable:
    return _of_page(location, name, index_url) if location.is_file() else _of_folder(location, name, index_url)


def _of_tree(root: Path, name: str, index_url: str) -> PageTable | None:
    folder = root / name
    if not folder.is_dir():
        named = (entry.path for entry in os.scandir(root) if canonicalize_name(entry.name) == name and entry.is_dir())
        spelled = next(named, None)
        if spelled is None:
            return None
        folder = Path(spelled)
    for page in ("index.json", "index.html"):
        if (folder / page).is_file():
            return _of_page(folder / page, name, index_url)
    return _of_folder(folder, name, index_url)


def _of_page(page: Path, name: str, index_url: str) -> PageTable:
    with page.open("rb") as file:
        data = file.read(_PAGE_LIMIT + 1)
    if len(data) > _PAGE_LIMIT:
        raise LocksetError("index-page-invalid", f"The page is larger than {_PAGE_LIMIT} bytes", location=str(page))
    if page.suffix == ".json":
        from lockset.index.pages.simple_json import parse_json_page

        return parse_json_page(data, name=name, page_url=page.as_uri(), index_url=index_url)
    from lockset.index.pages.simple_html import parse_html

    return parse_html(data, name=name, page_url=page.as_uri(), index_url=index_url)


def _of_folder(folder: Path, name: str, index_url: str) -> PageTable:
    builder = TableBuilder(name)
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.endswith((".whl", *SDIST_SUFFIXES)) and entry.is_file():
            url = Path(folder, entry.name).resolve().as_uri()
            builder.add(entry.name, url, None, entry.stat().st_size, None, None, None, None)
    return builder.build(index_url=index_url)
