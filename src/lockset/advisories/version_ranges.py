"""Which versions an advisory affects: `versions` and `ranges` of the OSV schema, with versions as packaging reads them.

The rule is the evaluation algorithm of the OSV schema ("affected[].ranges[]"). A value that is not a valid version is
read so that more versions count as affected, never fewer, and is reported.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["AffectedVersions", "VersionEvent", "VersionRange", "affected_versions", "parsed_version"]

# At one version, the end of a range comes before the beginning of the next one.
_ORDER = {"fixed": 0, "last_affected": 1, "introduced": 2}
# Stands for "0", which is before every version, where versions are compared.
_LEAST = read_version("0.dev0")
_KINDS = ("introduced", "fixed", "last_affected", "limit")
# Limits for one advisory; the largest real ones have a few thousand versions and a hundred events.
_MOST_VERSIONS = 50_000
_MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEvent:
    """An event of a range: `introduced`, `fixed` or `last_affected`; the version None is "0", before every version."""

    kind: str
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """The events of one range of the type ECOSYSTEM, sorted by version; `limits` are exclusive upper bounds."""

    events: tuple[VersionEvent, ...]
    limits: tuple[Version, ...] = ()

    def contains(self, version: Version) -> bool:
        """Whether the range affects `version`, which has no local part."""
        if self.limits and not any(version < limit for limit in self.limits):
            return False
        affected = False
        for event in self.events:
            if event.kind == "introduced":
                affected |= event.version is None or version >= event.version
            elif event.version is None:
                affected = False
            elif event.kind == "fixed":
                affected &= version < event.version
            else:
                affected &= version <= event.version
        return affected

    def fixed_after(self, version: Version) -> Version | None:
        """The first version after `version` at which the range ends; None if it names none."""
        later = (e.version for e in self.events if e.kind == "fixed" and e.version is not None and e.version > version)
        return min(later, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedVersions:
    """One entry of `affected`: the listed versions, and the ranges.

    Attributes:
        listed: The valid versions of `versions`.
        texts: Those that are not valid, as written.
        ranges: The ranges of the type ECOSYSTEM.
    """

    listed: frozenset[Version]
    texts: frozenset[str]
    ranges: tuple[VersionRange, ...]

    def contains(self, version: Version | str) -> bool:
        """Whether the entry affects `version`; a string is one that is not a valid version."""
        if isinstance(version, str):
            return version in self.texts
        public = _public(version)
        return version in self.listed or public in self.listed or any(r.contains(public) for r in self.ranges)

    def fixed_after(self, version: Version) -> Iterator[Version]:
        """The versions that end the ranges which contain `version`."""
        public = _public(version)
        for one in self.ranges:
            fixed = one.fixed_after(public) if one.contains(public) or public in self.listed else None
            if fixed is not None:
                yield fixed


def affected_versions(entry: dict[str, Any], problems: list[str]) -> AffectedVersions:
    """Read `versions` and `ranges` of an entry of `affected`; sentences about what is not valid go to `problems`."""
    listed: set[Version] = set()
    texts: set[str] = set()
    for value in _items(entry.get("versions"), "versions", _MOST_VERSIONS, problems):
        if not isinstance(value, str):
            problems.append(f"`versions` has {_shown(value)}, which is not a string")
            continue
        version = parsed_version(value)
        if version is None:
            texts.add(value)
        else:
            listed.add(version)
    ranges = []
    for value in _items(entry.get("ranges"), "ranges", _MOST_EVENTS, problems):
        if not isinstance(value, dict):
            problems.append("`ranges` has an item that is not an object")
        elif value.get("type") != "GIT":  # versions are not commits
            ranges.append(_range(value, problems))
    return AffectedVersions(listed=frozenset(listed), texts=frozenset(texts), ranges=tuple(ranges))


def _range(value: dict[str, Any], problems: list[str]) -> VersionRange:
    events: list[VersionEvent] = []
    limits: list[Version] = []
    for item in _items(value.get("events"), "events", _MOST_EVENTS, problems):
        pairs = [(kind, item[kind]) for kind in _KINDS if kind in item] if isinstance(item, dict) else []
        if not pairs:
            problems.append("`events` has an item that is not an event")
        for kind, text in pairs:
            _add_event(kind, text, events, limits, problems)
    events.sort(key=lambda e: (e.version is not None, e.version or _LEAST, _ORDER[e.kind]))
    return VersionRange(events=tuple(events), limits=tuple(limits))


def _add_event(kind: str, text: object, events: list[VersionEvent], limits: list[Version], problems: list[str]) -> None:
    version = parsed_version(text) if isinstance(text, str) else None
    if kind == "introduced":
        if version is None:
            problems.append(f"`introduced` is {_shown(text)}, which is not a valid version: every version counts")
        events.append(VersionEvent(kind=kind, version=None if text == "0" else version))
    elif kind == "limit":
        if version is not None:
            limits.append(version)
        elif text != "*":
            problems.append(f"`limit` is {_shown(text)}, which is not a valid version: it does not count")
    elif version is None:
        problems.append(f"`{kind}` is {_shown(text)}, which is not a valid version: it does not count")
    else:
        events.append(VersionEvent(kind=kind, version=version))


def _items(value: object, key: str, most: int, problems: list[str]) -> Iterable[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        problems.append(f"`{key}` is not an array")
        return ()
    if len(value) > most:
        problems.append(f"`{key}` has {len(value)} items, of which the first {most} count")
    return value[:most]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


@lru_cache(maxsize=4096)
def parsed_version(text: str) -> Version | None:
    """The version, or None if `text` is not a valid one."""
    try:
        return read_version(text)
    except (InvalidVersion, ValueError):
        return None


@lru_cache(maxsize=4096)
def _public(version: Version) -> Version:
    return version if version.local is None else read_version(version.public)
