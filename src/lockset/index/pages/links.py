"""Resolve the URLs of links on an index page, remove user info, and refuse URLs that are not allowed."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from lockset._pattern import lazy_pattern

__all__ = ["LinkBase", "filename_of_url", "without_userinfo"]

# Scheme and host of a common address, and an absolute path without dots: joining these is a hundred times faster than
# joining arbitrary URLs.
_ROOT = lazy_pattern(r"https?://[A-Za-z0-9.:-]+(?=/)")
_PATH = lazy_pattern(r"(?:/[A-Za-z0-9_~%+=!-][A-Za-z0-9_~%+=!.-]*)+", re.ASCII)
_BRACKETED = lazy_pattern(r"\[[^\[\]]*\](?::[0-9]*)?")


class LinkBase:
    """Resolves the links of one page.

    A page from http(s) may only link to http(s); a page from a local folder may also link to files.
    """

    __slots__ = ("_local", "_root", "_url")

    def __init__(self, url: str) -> None:
        self._local = url.startswith("file:")
        self._set_url(url)

    def _set_url(self, url: str) -> None:
        self._url = url
        root = _ROOT.match(url)
        self._root = root[0] if root is not None else None

    def rebase(self, href: str) -> None:
        """Use the base URL `href` from now on, if it is valid (PEP 503, `<base href>`)."""
        joined = self.resolve(href)
        if joined is not None:
            self._set_url(joined)

    def resolve(self, href: str) -> str | None:
        """The absolute URL without user info, or None if this page must not link there."""
        if href.startswith(("https://", "http://")):
            url = href
        elif self._root is not None and _PATH.fullmatch(href):
            return self._root + href
        else:
            joined = self._join(href)
            if joined is None:
                return None
            url = joined
        if not url.isprintable():  # control characters, surrogates, direction marks
            return None
        if "@" not in url and "[" not in url:
            return url
        try:
            host = urlsplit(url).netloc.rpartition("@")[2]
            # Python 3.10 accepts text after the bracket.
            return None if "[" in host and not _BRACKETED.fullmatch(host) else without_userinfo(url)
        except ValueError:
            return None

    def _join(self, href: str) -> str | None:
        try:
            url = urljoin(self._url, href)
        except ValueError:  # such as an unclosed bracket of an IPv6 address
            return None
        allowed = url.startswith(("https://", "http://")) or (self._local and url.startswith("file:"))
        return url if allowed else None


def without_userinfo(url: str) -> str:
    """`url` without user name and password."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def filename_of_url(url: str) -> str:
    """The last component of the URL's path, percent-decoded."""
    path = url.partition("?")[0] if "?" in url else url
    name = path.rpartition("/")[2]
    return unquote(name) if "%" in name else name
