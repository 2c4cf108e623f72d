"""Locations of packages in tables of other tools, and reading these tables without an error for any content."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.sources.other_tools.facts import NamedSource

__all__ = [
    "SourceFile",
    "at_path",
    "from_index",
    "index_url",
    "list_of",
    "located_source",
    "table_list",
    "table_of",
    "text_of",
    "without_user",
]

# A git repository without a scheme: `git@host:owner/repository`.
_SCP = lazy_pattern(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^\s]+)\Z")
_USER_INFO = lazy_pattern(r"(?<=://)(?!git@[^/\s@]*(?:[/\s]|\Z))[^/\s]*@")


class SourceFile:
    """The file of a table: its name in messages, and its folder relative to the project's folder."""

    def __init__(self, location: str, up: str) -> None:
        self.location = location
        self.up = up

    def path(self, text: str) -> str:
        """A path in the file, relative to the project's folder."""
        text = text.replace("\\", "/")
        return text if text.startswith("/") or re.match("[A-Za-z]:", text) else posixpath.normpath(f"{self.up}/{text}")


def located_source(named: NamedSource, name: str, entry: Mapping[str, object], file: SourceFile) -> NamedSource | None:
    """The source with the location in `path`, `file`, `url` or `git`."""
    below = text_of(entry.get("subdirectory"))
    fragment = f"#subdirectory={below}" if below else ""
    path = text_of(entry.get("path")) or text_of(entry.get("file"))
    if path and not re.match("[A-Za-z][A-Za-z0-9+.-]+://", path):
        return at_path(named, file.path(path), fragment)
    url = text_of(entry.get("url")) or path
    if url:
        url = without_user(url)
        return _at(named, url, f"{name} @ {url}{fragment}")
    git = text_of(entry.get("git"))
    if not git:
        return None
    git = without_user(git)
    scp = _SCP.match(git)
    address = f"ssh://{scp['user'] or ''}{scp['host']}/{scp['path']}" if scp else git
    revision = next((r for key in ("rev", "tag", "branch", "ref") if (r := text_of(entry.get(key)))), "")
    pinned = f"@{revision}" if revision else ""
    return _at(named, f"the git repository {git}", f"{name} @ git+{address}{pinned}{fragment}")


def at_path(named: NamedSource, path: str, fragment: str = "") -> NamedSource:
    """The source with a path, absolute or relative to the project's folder."""
    is_drive = re.match("[A-Za-z]:", path) is not None
    address = f"///{quote(path, safe='/:')}" if is_drive else quote(path)
    address = f"//{address}" if path.startswith("/") else address
    return _at(named, f"the path {path}", f"{named.package} @ file:{address}{fragment}")


def _at(named: NamedSource, shown: str, requirement: str) -> NamedSource:
    return replace(named, shown=shown, requirement=requirement)


def from_index(named: NamedSource, name: str, url: str) -> NamedSource:
    """The source with an index."""
    return replace(
        named, shown=f"the index {name}" + (f" ({url})" if url else ""), index_name=name, index_url=url or None
    )


def without_user(url: str) -> str:
    """The URL without user and password, except `git@`."""
    return _USER_INFO.sub("", url)


def index_url(entry: Mapping[str, object]) -> str:
    """The `url` of a table, without credentials."""
    return without_user(text_of(entry.get("url")))


def table_of(value: object) -> Mapping[str, object]:
    """The value if it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}


def table_list(value: object) -> list[Mapping[str, object]]:
    """The tables in an array."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def list_of(value: object) -> list[object]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def text_of(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""
