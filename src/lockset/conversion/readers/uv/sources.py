"""Sources and files in uv.lock."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from lockset.conversion.model.checked_table import hashes_of_one_file
from lockset.conversion.model.imported_lock import ImportedFile
from lockset.lockfile.file_name import last_component
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.options import ReaderOptions

__all__ = ["archive_of", "file_of", "tree_of"]


def tree_of(source: Fields, entry: Fields, options: ReaderOptions) -> PackageVcs | PackageDirectory | None:
    """The repository or folder that the entry is built from; None for an entry with files."""
    git = source.text("git")
    if git is not None:
        split = urlsplit(git)
        query = parse_qs(split.query)
        revision = next((query[key][0] for key in ("rev", "tag", "branch") if key in query), None)
        if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", split.fragment):
            raise entry.invalid("source", f"has no full commit hash: `{plain_url(git)}`")
        return PackageVcs(
            type="git",
            url=plain_url(split._replace(query="", fragment="").geturl()),
            requested_revision=revision if revision != split.fragment else None,
            commit_id=split.fragment,
            subdirectory=query["subdirectory"][0] if "subdirectory" in query else None,
        )
    editable = source.text("editable")
    path = editable or source.text("directory")
    if path is not None:
        return PackageDirectory(
            path=options.relative_path(path), editable=True if editable else None, subdirectory=None
        )
    return None


def archive_of(source: Fields, tables: list[Fields], options: ReaderOptions) -> PackageArchive:
    """The file of a direct URL or path, with its hashes."""
    url, path = source.text("url"), source.text("path")
    table = tables[0] if tables else None
    return PackageArchive(
        url=None if url is None else plain_url(url),
        path=None if path is None else options.relative_path(path),
        hashes=hashes_of_one_file(tables),
        size=table.number("size") if table else None,
        upload_time=table.time("upload-time") if table else None,
        subdirectory=source.text("subdirectory"),
    )


def file_of(table: Fields, registry: str, options: ReaderOptions) -> ImportedFile:
    """A file of a release, named by the last component of its URL or path."""
    url, path = table.text("url"), table.text("path")
    if path is not None and "://" not in registry:
        # For an absolute folder, uv writes absolute paths of files.
        path = options.relative_path(os.path.join(registry, path))
    url = None if url is None else plain_url(url)
    name = table.text("filename") or last_component(path=path, url=url)
    return ImportedFile(
        name=None if name is None else unquote(name),
        hashes=table.hash(),
        url=None if url is None else url.partition("#")[0],
        path=path,
        size=table.number("size"),
        upload_time=table.time("upload-time"),
    )
