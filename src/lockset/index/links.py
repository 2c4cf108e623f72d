"""URLs of links on an index page: made absolute, cleaned, and admitted or refused."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

__all__ = ["LinkBase", "filename_of_url", "without_userinfo"]


class LinkBase:
    """Resolves the links of one page.

    A page that came over http(s) may link to http(s) only; a page from a local folder may link to files too.
    """

    __slots__ = ("_local", "_url")

    def __init__(self, url: str) -> None:
        self._url = url
        self._local = url.startswith("file:")

    def rebase(self, href: str) -> None:
        """Take a `<base href>` into account, where it is usable."""
        joined = self.resolve(href)
        if joined is not None:
            self._url = joined

    def resolve(self, href: str) -> str | None:
        """The absolute URL without credentials, or None where this page may not link there."""
        if href.startswith(("https://", "http://")):
            url = href
        else:
            try:
                url = urljoin(self._url, href)
            except ValueError:  # such as an unclosed bracket of an IPv6 address
                return None
            if not url.startswith(("https://", "http://")) and not (self._local and url.startswith("file:")):
                return None
        if not url.isprintable():  # controls, parts of characters, and what turns the direction of writing
            return None
        if "@" not in url and "[" not in url:
            return url
        try:
            return without_userinfo(url)
        except ValueError:
            return None


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
