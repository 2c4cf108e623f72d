"""Credentials for URLs, and URLs without secrets for messages.

Several indexes may share a host and must not receive each other's credentials, so URLs are assigned to indexes.
"""

from __future__ import annotations

import posixpath
from binascii import b2a_base64
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset.index.pages.links import without_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Credentials", "Scope", "Scopes", "UrlOrigin", "origin_of", "redact", "split_credentials"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class UrlOrigin(NamedTuple):
    """Scheme, host and port. Credentials belong to an origin and are sent nowhere else."""

    scheme: str
    host: str
    port: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """User name and password (or token) for one origin; `repr` shows neither."""

    username: str
    password: str

    def header(self) -> str:
        """Value of the `Authorization` header (Basic)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {b2a_base64(pair, newline=False).decode('ascii')}"

    def __repr__(self) -> str:
        return "Credentials(***)"


def origin_of(url: str) -> UrlOrigin:
    """The origin of `url`; the scheme's default port and an explicit one are the same."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    try:
        port = parts.port
    except ValueError:
        port = None
    return UrlOrigin(scheme, (parts.hostname or "").lower(), port or _DEFAULT_PORTS.get(scheme))


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """`url` without its user info, and the user info as credentials."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    username, _, password = parts.netloc.rpartition("@")[0].partition(":")
    return without_userinfo(url), Credentials(username=unquote(username), password=unquote(password))


def redact(url: str) -> str:
    """`url` for messages and logs: without user info, query (which may contain a token) and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(malformed URL)"
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit(
        (parts.scheme, netloc, parts.path, "...", "") if parts.query else (*parts[:1], netloc, parts.path, "", "")
    )


# Last path components of index URLs that name the API. The files of the index are usually next to it.
_INTERFACES = frozenset({"simple", "+simple"})


class Scope(NamedTuple):
    """The URLs that one set of credentials is for.

    Attributes:
        folder: Path of an index, with a trailing slash; empty if no index is known.
    """

    origin: UrlOrigin
    folder: str = ""


class Scopes:
    """Assigns URLs to indexes.

    A URL belongs to the index whose URL is its longest prefix, as in pip and uv; a trailing `/simple` is ignored if no
    other index matches. A URL below no index belongs to the index whose page links to it, otherwise to the only index
    of its origin, if there is exactly one.
    """

    def __init__(self, indexes: Iterable[str]) -> None:
        self._scopes: dict[UrlOrigin, list[Scope]] = {}
        self._linked: dict[Scope, Scope] = {}
        for url in indexes:
            scope = Scope(origin_of(url), _folder(url))
            scopes = self._scopes.setdefault(scope.origin, [])
            if scope not in scopes:
                scopes.append(scope)

    @property
    def are_shared(self) -> bool:
        """Whether an origin has several indexes."""
        return any(len(scopes) > 1 for scopes in self._scopes.values())

    def is_shared(self, index: str) -> bool:
        """Whether the origin of `index` has another index."""
        return self.are_shared and len(self._scopes.get(origin_of(index), ())) > 1

    def of(self, url: str, *, before: Scope | None = None) -> Scope:
        """The scope of `url`; `before` is the scope of the URL that redirects to it."""
        origin = origin_of(url)
        scopes = self._scopes.get(origin)
        if scopes is None:
            return Scope(origin)
        folder = _folder(url)
        match = _longest_prefix(folder, scopes)
        if match is not None and match[0] != "/":
            return match[1]
        linked = self._linked.get(Scope(origin, _parent(folder)))
        if linked is not None:
            return linked
        if before in scopes:
            return before
        if match is not None:
            return match[1]
        return scopes[0] if len(scopes) == 1 else Scope(origin)

    def under(self, url: str) -> Scope:
        """The scope of the index whose URL is a prefix of `url`; a scope without a folder if there is none."""
        origin = origin_of(url)
        match = _longest_prefix(_folder(url), self._scopes.get(origin, ()))
        return Scope(origin) if match is None else match[1]

    def link(self, index: str, urls: Iterable[str]) -> None:
        """Record that a page of `index` links to these URLs."""
        scope = Scope(origin_of(index), _folder(index))
        if scope in self._scopes.get(scope.origin, ()):
            for url in urls:
                if origin_of(url) == scope.origin:
                    self._linked.setdefault(Scope(scope.origin, _parent(_folder(url))), scope)


def _longest_prefix(folder: str, scopes: Iterable[Scope]) -> tuple[str, Scope] | None:
    """The longest matching prefix and its scope; of two equal prefixes, that of a complete index URL."""
    matches = [
        (len(prefix), prefix == scope.folder, prefix, scope)
        for scope in scopes
        for prefix in (scope.folder, _without_interface(scope.folder))
        if folder.startswith(prefix)
    ]
    return max(matches)[2:] if matches else None


def _folder(url: str) -> str:
    """The path as a server interprets it, with escapes and dots resolved, and a trailing slash."""
    path = posixpath.normpath("/" + unquote(urlsplit(url).path).lstrip("/"))
    return path if path == "/" else f"{path}/"


def _parent(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[0] + "/"


def _without_interface(folder: str) -> str:
    return _parent(folder) if folder.rstrip("/").rpartition("/")[2] in _INTERFACES else folder
