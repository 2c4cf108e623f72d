"""HTTP caching rules (RFC 9111), as far as a private cache of index pages needs them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT_LIFETIME", "Freshness", "Validators", "freshness_of", "http_date", "lifetime", "validators"]

# Seconds a page counts as fresh where the index says nothing: what the public index says of its own pages.
DEFAULT_LIFETIME = 600.0
# A page whose age is unknown but whose last change is told is fresh for a tenth of that age, at most this long.
_HEURISTIC_CAP = 600.0
_LONGEST_LIFETIME = 7 * 24 * 3600.0


class Freshness(Enum):
    """What to do with a stored response."""

    USE = "use"
    REVALIDATE = "revalidate"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What a stored response can be asked about with."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Request headers that let the server answer 304."""
        found: dict[str, str] = {}
        if self.etag:
            found["If-None-Match"] = self.etag
        elif self.last_modified:
            found["If-Modified-Since"] = self.last_modified
        return found


def validators(headers: Mapping[str, str]) -> Validators:
    """The validators of a response; header names in lower case."""
    return Validators(etag=_repeatable(headers.get("etag")), last_modified=_repeatable(headers.get("last-modified")))


def _repeatable(value: str | None) -> str | None:
    """The value; None where it cannot stand in a header of ours."""
    return value if value is not None and value.isascii() and value.isprintable() else None


def http_date(text: str | None) -> float | None:
    """An HTTP date as seconds since the epoch; None where it is none."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # slow to import, and most answers say `max-age`

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _directives(header: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name:
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def _seconds(text: str | None) -> float | None:
    return float(text[:12]) if text and text.isascii() and text.isdecimal() else None


def lifetime(headers: Mapping[str, str]) -> float | None:
    """Seconds from its receipt for which a response with `headers` is fresh; None where it may not be stored."""
    control = _directives(headers.get("cache-control", ""))
    if "no-store" in control:
        return None
    if "no-cache" in control:
        return 0.0
    said = _seconds(control.get("max-age"))
    if said is None and "expires" in headers:
        expires, date = http_date(headers["expires"]), http_date(headers.get("date"))
        said = 0.0 if expires is None else max(0.0, expires - date) if date is not None else None
    if said is None:
        changed, date = http_date(headers.get("last-modified")), http_date(headers.get("date"))
        if changed is not None and date is not None:
            return max(0.0, min((date - changed) / 10, _HEURISTIC_CAP))
        return DEFAULT_LIFETIME
    age = _seconds(headers.get("age")) or 0.0
    return max(0.0, min(said - age, _LONGEST_LIFETIME))


def freshness_of(
    headers: Mapping[str, str], *, stored_at: float, now: float, refresh: bool = False, max_age: float | None = None
) -> Freshness:
    """Whether the response stored at `stored_at` may be used at `now`.

    `refresh` asks again in any case; `max_age` replaces what the server said. A clock that was set back makes a
    stored response stale, not fresh for ever.
    """
    life = lifetime(headers) if max_age is None else max_age
    age = now - stored_at
    if not refresh and life is not None and 0 <= age < life:
        return Freshness.USE
    asked = validators(headers)
    return Freshness.REVALIDATE if asked.etag or asked.last_modified else Freshness.FETCH
