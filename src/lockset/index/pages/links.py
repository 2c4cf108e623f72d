"""URLs of links on an index page: made absolute, cleaned, and admitted or refused."""

from __future__ import annotations

import re
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

__all__ = ["LinkBase", "filename_of_url", "without_userinfo"]

# Scheme and host of a usual address, and a path from the root with nothing to resolve in it: these are put together
# a hundred times faster than URLs in general.
_ROOT = re.compile(r"https?://[A-Za-z0-9.:-]+(?=/)")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~%+=!-][A-Za-z0-9_~%+=!.-]*)+", re.ASCII)


class LinkBase:
    """Resolves the links of one page.

    A page that came over http(s) may link to http(s) only; a page from a local folder may link to files too.
    """

    __slots__ = ("_local", "_root", "_url")

    def __init__(self, url: str) -> None:
        self._local = url.startswith("file:")
        self._at(url)

    def _at(self, url: str) -> None:
        self._url = url
        found = _ROOT.match(url)
        self._root = found[0] if found is not None else None

    def rebase(self, href: str) -> None:
        """Take a `<base href>` into account, where it is usable."""
        joined = self.resolve(href)
        if joined is not None:
            self._at(joined)

    def resolve(self, href: str) -> str | None:
        """The absolute URL without credentials, or None where this page may not link there."""
        if href.startswith(("https://", "http://")):
            url = href
        elif self._root is not None and _PATH.fullmatch(href):
            return self._root + href
        else:
            joined = self._joined(href)
            if joined is None:
                return None
            url = joined
        if not url.isprintable():  # controls, parts of characters, and what turns the direction of writing
            return None
        if "@" not in url and "[" not in url:
            return url
        try:
            return without_userinfo(url)
        except ValueError:
            return None

    def _joined(self, href: str) -> str | None:
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
    """The last part of the URL's path, percent escapes resolved."""
    path = url.partition("?")[0] if "?" in url else url
    name = path.rpartition("/")[2]
    return unquote(name) if "%" in name else name
