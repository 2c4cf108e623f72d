"""HTTP caching rules (RFC 9111) for a private cache of index pages."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_LIFETIME", "Freshness", "Validators", "freshness_of", "http_date", "lifetime", "validators"]

# Seconds for which a page is fresh if the index does not say: the value that the public index uses.
DEFAULT_LIFETIME = 600.0
# Heuristic freshness (RFC 9111, 4.2.2): a tenth of the time since the last change, at most this many seconds.
_HEURISTIC_CAP = 600.0
_LONGEST_LIFETIME = 7 * 24 * 3600.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Freshness(Enum):
    """What to do with a stored response."""

    USE = "use"
    REVALIDATE = "revalidate"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """The validators of a stored response, for conditional requests."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Request headers with which the server may answer 304."""
        headers: dict[str, str] = {}
        if self.etag:
            headers["If-None-Match"] = self.etag
        elif self.last_modified:
            headers["If-Modified-Since"] = self.last_modified
        return headers


def validators(headers: Mapping[str, str]) -> Validators:
    """The validators of a response; header names in lower case."""
    return Validators(etag=_header_safe(headers.get("etag")), last_modified=_header_safe(headers.get("last-modified")))


def _header_safe(value: str | None) -> str | None:
    """`value` if it can be sent in a request header, otherwise None."""
    return value if value is not None and value.isascii() and value.isprintable() else None


def http_date(text: str | None) -> float | None:
    """An HTTP date as seconds since the epoch; None if it is not valid."""
    if not text:
        return None
    words = text.replace(":", " ").split()
    try:
        if len(words) == 8 and words[7] == "GMT" and words[2] in _MONTHS:
            _, day, month, year, hour, minute, second, _ = words
            values = int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)
            return datetime(*values, tzinfo=timezone.utc).timestamp()
        from email.utils import parsedate_to_datetime  # slow to import, and needed for obsolete forms only

        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


# An index sends the same for each of its pages.
@lru_cache(maxsize=64)
def _directives(header: str) -> Mapping[str, str]:
    directives: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name:
            directives.setdefault(name.strip().lower(), value.strip().strip('"'))
    return directives


def _seconds(text: str | None) -> float | None:
    return float(text[:12]) if text and text.isascii() and text.isdecimal() else None


def lifetime(headers: Mapping[str, str]) -> float | None:
    """Seconds from receipt for which a response with `headers` is fresh; None if it must not be stored."""
    control = _directives(headers.get("cache-control", ""))
    if "no-store" in control:
        return None
    if "no-cache" in control:
        return 0.0
    seconds = _seconds(control.get("max-age"))
    if seconds is None and "expires" in headers:
        expires, date = http_date(headers["expires"]), http_date(headers.get("date"))
        seconds = 0.0 if expires is None else max(0.0, expires - date) if date is not None else None
    if seconds is None:
        changed, date = http_date(headers.get("last-modified")), http_date(headers.get("date"))
        if changed is not None and date is not None:
            return max(0.0, min((date - changed) / 10, _HEURISTIC_CAP))
        return DEFAULT_LIFETIME
    age = _seconds(headers.get("age")) or 0.0
    return max(0.0, min(seconds - age, _LONGEST_LIFETIME))


def freshness_of(
    headers: Mapping[str, str], *, stored_at: float, now: float, refresh: bool = False, max_age: float | None = None
) -> Freshness:
    """Whether the response stored at `stored_at` may be used at `now`.

    `refresh` always revalidates; `max_age` replaces the server's lifetime, in seconds. A clock that was set back makes
    a stored response stale, not fresh forever.
    """
    life = lifetime(headers) if max_age is None else max_age
    age = now - stored_at
    if not refresh and life is not None and 0 <= age < life:
        return Freshness.USE
    validator = validators(headers)
    return Freshness.REVALIDATE if validator.etag or validator.last_modified else Freshness.FETCH
