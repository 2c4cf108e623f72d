"""Findings of an audit: for each package, the vulnerabilities of its version, each once under all of its ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import dataclass
from lockset.advisories.severity import Severity, worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from lockset.advisories.advisory import Advisory
    from lockset.advisories.database import AdvisoryDatabase

__all__ = ["AssessedVulnerability", "Vulnerability", "vulnerabilities_of"]

# Databases whose ids are shown first.
_FIRST = ("PYSEC-", "GHSA-", "CVE-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vulnerability:
    """A known vulnerability of one version of a package.

    Attributes:
        id: The id under which it is shown: PyPA's, otherwise GitHub's, otherwise another one.
        aliases: All other ids of it.
        name: The normalized name of the package.
        version: The affected version.
        summary: What it is, in one line; from outside, and not escaped.
        details: The whole text, as Markdown.
        severity: The highest severity that an advisory gives.
        fixed: The versions that fix it, as its advisories say, the lowest first; only those after `version`.
        url: The page of the advisory.
        published: When the first advisory was published.
        modified: When the last advisory was modified.
    """

    id: str
    aliases: tuple[str, ...]
    name: str
    version: str
    summary: str
    details: str
    severity: Severity
    fixed: tuple[str, ...]
    url: str | None
    published: datetime | None
    modified: datetime | None

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids of it."""
        return (self.id, *self.aliases)

    @property
    def order(self) -> tuple[float, str, str]:
        """Sorts the most severe first, then by name and id."""
        levels = {"critical": 4.0, "high": 3.0, "medium": 2.0, "low": 1.0}
        rank = levels.get(self.severity.level or "", 0.0) + (self.severity.score or 0.0) / 100
        return -rank, self.name, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedVulnerability:
    """A vulnerability for a VEX, with what an analysis of it has shown.

    Attributes:
        vulnerability: The vulnerability.
        state: A state of CycloneDX's `analysis`, such as `not_affected`; None without an analysis.
        detail: Why it is so, in a sentence.
    """

    vulnerability: Vulnerability
    state: str | None = None
    detail: str | None = None


def vulnerabilities_of(database: AdvisoryDatabase, name: str, version: Version | str) -> tuple[Vulnerability, ...]:
    """The vulnerabilities of a version; advisories that share an id or an alias are one. The most severe come first."""
    advisories = database.affecting(name, version)
    made = [_vulnerability(group, name, version) for group in _by_alias(advisories)]
    return tuple(sorted(made, key=lambda one: one.order))


def _by_alias(advisories: Sequence[Advisory]) -> list[list[Advisory]]:
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in advisories:
        ids, members = {advisory.id, *advisory.aliases}, [advisory]
        apart = []
        for other_ids, others in groups:
            if ids.isdisjoint(other_ids):
                apart.append((other_ids, others))
            else:
                ids |= other_ids
                members = [*others, *members]
        groups = [*apart, (ids, members)]
    return [members for _, members in groups]


def _vulnerability(group: Sequence[Advisory], name: str, version: Version | str) -> Vulnerability:
    group = sorted(group, key=lambda a: _preference(a.id))
    ids = dict.fromkeys(i for a in group for i in (a.id, *a.aliases))
    shown, *aliases = sorted(ids, key=lambda i: (i != group[0].id, *_preference(i)))
    # An advisory may name a fix that another one of the same vulnerability still counts as affected.
    known = version if isinstance(version, Version) else None
    entries = [entry for advisory in group for entry in advisory.affected[name]]
    ends = {end for entry in entries for end in (entry.fixed_after(known) if known is not None else ())}
    fixed = [end for end in sorted(ends) if not any(entry.contains(end) for entry in entries)]
    return Vulnerability(
        id=shown,
        aliases=tuple(aliases),
        name=name,
        version=str(version),
        # PyPA's advisories have no summary: that of another one is better than the beginning of their text.
        summary=next((a.summary for a in sorted(group, key=lambda a: not a.has_summary) if a.summary), ""),
        details=next((a.details for a in group if a.details), ""),
        severity=worst(a.severity for a in group),
        fixed=tuple(map(str, fixed)),
        url=group[0].url,
        published=min(_times(a.published for a in group), default=None),
        modified=max(_times(a.modified for a in group), default=None),
    )


def _preference(one: str) -> tuple[int, str]:
    return next((n for n, start in enumerate(_FIRST) if one.startswith(start)), len(_FIRST)), one


def _times(times: Iterable[datetime | None]) -> list[datetime]:
    return [one for one in times if one is not None]
