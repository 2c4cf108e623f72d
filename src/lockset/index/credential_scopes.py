"""Which index a URL belongs to: several share a host, and the credentials of one are not for another."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from lockset.index.credentials import UrlOrigin, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Scope", "Scopes"]

# The last part of an index URL that says how it is spoken to. The files of the index are most often next to it.
_INTERFACES = frozenset({"simple", "+simple"})


class Scope(NamedTuple):
    """What one set of credentials is for.

    Attributes:
        folder: Path of an index, which ends in a slash; empty where no index is known.
    """

    origin: UrlOrigin
    folder: str = ""


class Scopes:
    """Assigns URLs to indexes.

    The index whose URL is the longest prefix of a URL has it, as with pip and uv; a `/simple` at its end does not count
    where no other index fits. A URL that lies under no index belongs to the index whose page links to it; else to the
    only index of its origin, if there is only one.
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
        """Whether the origin of an index has another one."""
        return self.are_shared and len(self._scopes.get(origin_of(index), ())) > 1

    def of(self, url: str, *, before: Scope | None = None) -> Scope:
        """The scope of `url`; `before` is the scope of what redirects to it."""
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
        """The scope of the index whose URL is a prefix of `url`, or that of no index."""
        origin = origin_of(url)
        match = _longest_prefix(_folder(url), self._scopes.get(origin, ()))
        return Scope(origin) if match is None else match[1]

    def link(self, index: str, urls: Iterable[str]) -> None:
        """Remember that a page of `index` links to these URLs."""
        scope = Scope(origin_of(index), _folder(index))
        if scope in self._scopes.get(scope.origin, ()):
            for url in urls:
                if origin_of(url) == scope.origin:
                    self._linked.setdefault(Scope(scope.origin, _parent(_folder(url))), scope)


def _longest_prefix(folder: str, scopes: Iterable[Scope]) -> tuple[str, Scope] | None:
    """The longest prefix that fits, and whose it is; where two are equal, a whole index URL goes first."""
    matches = [
        (len(prefix), prefix == scope.folder, prefix, scope)
        for scope in scopes
        for prefix in (scope.folder, _without_interface(scope.folder))
        if folder.startswith(prefix)
    ]
    return max(matches)[2:] if matches else None


def _folder(url: str) -> str:
    """The path as a server reads it, escapes and dots resolved, with a slash at its end."""
    path = posixpath.normpath("/" + unquote(urlsplit(url).path).lstrip("/"))
    return path if path == "/" else f"{path}/"


def _parent(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[0] + "/"


def _without_interface(folder: str) -> str:
    return _parent(folder) if folder.rstrip("/").rpartition("/")[2] in _INTERFACES else folder
