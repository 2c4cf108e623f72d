"""One advisory of a database, read from the OSV schema (https://ossf.github.io/osv-schema/).

PyPA's advisories have the same keys in YAML.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.advisories.severity import Severity, read_severity
from lockset.advisories.version_ranges import AffectedVersions, affected_versions
from lockset.errors import AdvisoryInvalidError
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Advisory", "mentioned_names", "newest_time", "read_advisory", "read_time"]

# The one ecosystem whose names and versions are those of packages here.
_ECOSYSTEM = "pypi"
_ID = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}\Z")
# How YAML writes that there is no value.
_NOTHING = ("", "~", "null")
_MOST_ALIASES = 1_000
_MOST_AFFECTED = 10_000
_LONGEST_SUMMARY = 300
_LONGEST_DETAILS = 20_000
_LONGEST_URL = 2_000
# Where the bytes of a file name a package, and where they tell when it was modified: in JSON and in YAML.
_NAME = lazy_pattern(rb"""["']?name["']?[ \t\r\n]*:[ \t\r\n]*["']?([A-Za-z0-9][A-Za-z0-9._-]{0,213})""")
_MODIFIED = lazy_pattern(rb"""["']?modified["']?[ \t]*:[ \t]*["']?(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)""")
_TIME = lazy_pattern(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d+)?(?:[Zz]|[+-]00:?00)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One advisory.

    Attributes:
        id: Its id in its database: `PYSEC-2024-1`, `GHSA-...`.
        aliases: Ids of the same vulnerability in other databases.
        summary: One line; empty if the advisory has neither a summary nor details.
        has_summary: Whether the line is the advisory's own, and not the beginning of its details.
        details: The whole text, as Markdown.
        severity: How severe it is.
        affected: The affected versions of each package of PyPI, by normalized name.
        url: Its page.
        modified: When it was last changed, in UTC; None if it does not say.
        published: When it was published, in UTC.
        is_withdrawn: Whether the database has taken it back.
        problems: What in it is not valid, one sentence each, by package.
    """

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    has_summary: bool = False
    details: str = ""
    severity: Severity = Severity()
    affected: Mapping[str, tuple[AffectedVersions, ...]]
    url: str | None = None
    modified: datetime | None = None
    published: datetime | None = None
    is_withdrawn: bool = False
    problems: Mapping[str, tuple[str, ...]]


def read_advisory(data: object, *, names: Collection[str] | None = None) -> Advisory:
    """Read an advisory; with `names`, only what it says of these packages.

    Raises:
        AdvisoryInvalidError: If it is not an advisory at all.
    """
    if not isinstance(data, dict):
        raise _invalid("it is not an object")
    own = data.get("id")
    if not isinstance(own, str) or not _ID.match(own):
        raise _invalid("it has no valid `id`")
    items = data.get("affected")
    if items is not None and not isinstance(items, list):
        raise _invalid("`affected` is not an array")
    affected: dict[str, tuple[AffectedVersions, ...]] = {}
    problems: dict[str, tuple[str, ...]] = {}
    of_packages: list[object] = []
    words: list[object] = [_inner(data, "database_specific").get("severity")]
    for item in (items or ())[:_MOST_AFFECTED]:
        name = _package(item)
        if name is None or (names is not None and name not in names):
            continue
        wrong: list[str] = []
        affected[name] = (*affected.get(name, ()), affected_versions(item, wrong))
        if wrong:
            problems[name] = (*problems.get(name, ()), *wrong)
        of_packages += _array(item.get("severity"))
        words.append(_inner(item, "database_specific").get("severity"))
    details = _text(data.get("details"), _LONGEST_DETAILS)
    summary = _text(data.get("summary"), _LONGEST_SUMMARY)
    return Advisory(
        id=own,
        aliases=_aliases(data),
        summary=summary or _first_sentence(details),
        has_summary=bool(summary),
        details=details,
        severity=read_severity(
            [*of_packages, *_array(data.get("severity"))], next((w for w in words if isinstance(w, str)), None)
        ),
        affected=affected,
        url=_page(data, own),
        modified=read_time(data.get("modified")),
        published=read_time(data.get("published")),
        is_withdrawn=isinstance(withdrawn := data.get("withdrawn"), str | date) and withdrawn not in _NOTHING,
        problems=problems,
    )


def _invalid(reason: str) -> AdvisoryInvalidError:
    return AdvisoryInvalidError(f"This is not a valid advisory: {reason}")


def _package(item: object) -> str | None:
    """The normalized name of an affected package, if it is one of PyPI."""
    package = item.get("package") if isinstance(item, dict) else None
    if not isinstance(package, dict):
        return None
    name, ecosystem = package.get("name"), package.get("ecosystem")
    if not isinstance(name, str) or not isinstance(ecosystem, str) or len(name) > 214:
        return None
    # An ecosystem may have a suffix, such as `PyPI:https://example.org/simple`.
    return canonicalize_name(name) if ecosystem.partition(":")[0].strip().lower() == _ECOSYSTEM else None


def _inner(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _array(value: object) -> list[object]:
    return value[:100] if isinstance(value, list) else []


def _aliases(data: dict[str, Any]) -> tuple[str, ...]:
    values = data.get("aliases")
    given = values[:_MOST_ALIASES] if isinstance(values, list) else ()
    return tuple(dict.fromkeys(v for v in given if isinstance(v, str) and _ID.match(v) and v != data["id"]))


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= longest else f"{text[:longest].rstrip()}..."


def _first_sentence(details: str) -> str:
    """The first sentence of the first paragraph, without the marks of a heading."""
    paragraph = next((p for p in re.split(r"\n\s*\n", details[:4_000]) if not p.lstrip().startswith("#")), details)
    text = " ".join(paragraph.lstrip("# ").split())
    sentence = re.match(r".{20,}?[.!?](?=\s|\Z)", text)
    return _text(sentence[0] if sentence else text, _LONGEST_SUMMARY)


def _page(data: dict[str, Any], own: str) -> str | None:
    """The URL of the advisory: a reference of the kind ADVISORY, otherwise the page of its database."""
    references = [r for r in _array(data.get("references")) if isinstance(r, dict)]
    for kind in ("ADVISORY", "WEB", "REPORT"):
        for reference in references:
            url = reference.get("url")
            if reference.get("type") == kind and isinstance(url, str) and url.startswith(("https://", "http://")):
                return url[:_LONGEST_URL]
    return f"https://osv.dev/vulnerability/{own}"


def read_time(value: object) -> datetime | None:
    """The time in UTC of an RFC 3339 text, or of a time that YAML has parsed; None if it is neither."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
    except ValueError:
        return None


def mentioned_names(data: bytes) -> frozenset[str]:
    """The normalized values of all keys `name` in the bytes of an advisory: what it affects is among them."""
    return frozenset(canonicalize_name(name.decode()) for name in _NAME.findall(data))


def newest_time(data: bytes) -> datetime | None:
    """When the advisory was modified, read from its bytes without parsing them."""
    match = _MODIFIED.search(data)
    return None if match is None else read_time(match[1].decode().replace(" ", "T").upper())
