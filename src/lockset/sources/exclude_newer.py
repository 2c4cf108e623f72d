"""The values of `exclude-newer`, a time or an age, and of `cooldown`, an age."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

from lockset._pattern import lazy_pattern
from lockset.errors import CooldownSyntaxError, ExcludeNewerSyntaxError

__all__ = ["parse_age", "parse_exclude_newer"]

_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_WORDS = lazy_pattern(r"(\d{1,6})\s*(minute|hour|day|week|month|year)s?\Z")
_ISO = lazy_pattern(r"P(?!\Z)(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?!\Z)(?:(\d{1,6})H)?(?:(\d{1,6})M)?)?\Z")


def parse_exclude_newer(value: str | date | datetime, *, location: str | None = None) -> datetime | timedelta:
    """The time in UTC, or the age to subtract from now.

    A date means midnight UTC at its beginning. A date and time without a time zone is in UTC. An age is `7 days`,
    `2 weeks`, `12 hours` or an ISO 8601 duration such as `P7D` or `PT12H`. A month has 30 days, a year 365.

    Raises:
        LocksetError: `exclude-newer-syntax` for anything else.
    """
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=timezone.utc)
    text = value.strip()
    age = _age(text)
    if age is not None:
        return age
    try:
        # Python 3.10 does not accept `Z`, nor a lower case `t` between date and time.
        return _in_utc(datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", text).replace("t", "T")))
    except (ValueError, OverflowError) as error:  # OverflowError: the year in UTC is out of range
        raise ExcludeNewerSyntaxError(
            f"`{value}` is not a valid date, time or age",
            location=location,
            hint="Write a date (`2026-01-31`), a time (`2026-01-31T12:00:00Z`) or an age (`7 days`, `P7D`)",
        ) from error


def parse_age(value: str, *, location: str | None = None) -> timedelta:
    """The age: `7 days`, `2 weeks`, `12 hours` or an ISO 8601 duration such as `P7D` or `PT12H`; `0` is none.

    Raises:
        LocksetError: `cooldown-syntax` for anything else.
    """
    text = value.strip()
    age = timedelta() if text == "0" else _age(text)
    if age is None:
        hint = "Write an age such as `7 days`, `12 hours` or `P7D`; `0 days` is no cooldown"
        raise CooldownSyntaxError(f"`{value}` is not a valid age", location=location, hint=hint)
    return age


def _age(text: str) -> timedelta | None:
    words = _WORDS.match(text.lower())
    if words:
        return int(words[1]) * _UNITS[words[2]]
    iso = _ISO.match(text.upper())
    if iso:
        weeks, days, hours, minutes = (int(part or 0) for part in iso.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    return None


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)
