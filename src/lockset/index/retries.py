"""Rules for retries and redirects."""

from __future__ import annotations

from urllib.parse import urljoin

from lockset.errors import LocksetError
from lockset.index.credentials import redact
from lockset.index.freshness import http_date

__all__ = ["MAX_REDIRECTS", "REDIRECTS", "RETRIED_STATUSES", "backoff", "redirect_target", "retry_after"]

# Limit for the redirects of one request.
MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
# First wait in seconds; it doubles with each attempt up to the longest. Jitter shortens each by up to half.
_FIRST_WAIT = 0.4
_LONGEST_WAIT = 8.0


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait after the failed attempt `attempt` (from 0); `jitter` is a random number from 0 to 1."""
    return min(_FIRST_WAIT * 2.0 ** min(attempt, 16), _LONGEST_WAIT) * (1 - jitter / 2)


def retry_after(header: str | None, *, now: float) -> float | None:
    """Seconds to wait according to a `Retry-After` header; None if it is absent or malformed."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    date = http_date(text)
    return None if date is None else max(0.0, date - now)


def redirect_target(url: str, location: str | None, *, hops: int) -> str:
    """The target of the redirect at `url`, the `hops`-th of its request (from 1).

    Raises:
        LocksetError: `redirect-refused`: too many redirects, a missing or malformed location, a scheme other than
            http(s), or a redirect from https to http.
    """
    if hops > MAX_REDIRECTS:
        raise _refused(url, f"more than {MAX_REDIRECTS} redirects in a row")
    if not location:
        raise _refused(url, "a redirect without a location")
    try:
        target = urljoin(url, location)
    except ValueError as error:
        raise _refused(url, "a redirect to a URL that is not valid") from error
    if not target.startswith(("http://", "https://")):
        raise _refused(url, f"a redirect to a scheme other than http(s): {target.partition(':')[0][:20]}")
    if url.startswith("https://") and target.startswith("http://"):
        raise _refused(url, f"a redirect from https to http: {redact(target)}")
    return target


def _refused(url: str, why: str) -> LocksetError:
    return LocksetError(
        "redirect-refused",
        f"The server returned {why}",
        location=redact(url),
        hint="Check the URL of the index; lockset does not follow this redirect",
    )
