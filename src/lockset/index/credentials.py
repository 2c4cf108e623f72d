"""Credentials for URLs, and URLs without secrets for messages."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from lockset._dataclass import dataclass
from lockset.index.pages.links import without_userinfo

__all__ = ["Credentials", "UrlOrigin", "origin_of", "redact", "split_credentials"]

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
        return f"Basic {b64encode(pair).decode('ascii')}"

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
