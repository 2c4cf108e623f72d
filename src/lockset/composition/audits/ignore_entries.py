"""Entries of `ignore`: which vulnerabilities do not count today, which count again, and which entries match none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import UsageError
from lockset.sources.audit_settings import ID, IgnoredVulnerability

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from lockset.advisories.vulnerabilities import Vulnerability

__all__ = ["IgnoreEntries"]


class IgnoreEntries:
    """Entries on the day `today`; ids are compared without regard to case."""

    def __init__(self, entries: Iterable[IgnoredVulnerability], today: date) -> None:
        self._entries = tuple(entries)
        self._today = today
        self._used: set[IgnoredVulnerability] = set()

    @classmethod
    def of(cls, ids: Collection[str], entries: Iterable[IgnoredVulnerability], today: date) -> IgnoreEntries:
        """Those of the command line and those of the settings.

        Raises:
            UsageError: `vulnerability-id` for an id that is not valid.
        """
        for one in ids:
            if not ID.match(one):
                raise UsageError("vulnerability-id", f"`{one}` is not a valid id of a vulnerability")
        return cls((*(IgnoredVulnerability(id=one) for one in ids), *entries), today)

    def current(self, vulnerability: Vulnerability) -> IgnoredVulnerability | None:
        """The entry because of which it does not count; None if it counts."""
        return self._matching(vulnerability, expired=False)

    def expired(self, vulnerability: Vulnerability) -> IgnoredVulnerability | None:
        """The entry that ignored it until its end date."""
        return self._matching(vulnerability, expired=True)

    def _matching(self, vulnerability: Vulnerability, *, expired: bool) -> IgnoredVulnerability | None:
        ids = {one.lower() for one in vulnerability.ids}
        for entry in self._entries:
            is_over = entry.until is not None and entry.until <= self._today
            of_package = entry.package in {None, vulnerability.name}
            if of_package and entry.id.lower() in ids:
                self._used.add(entry)
                if is_over is expired:
                    return entry
        return None

    def unused(self) -> Iterator[str]:
        """A sentence for each entry that has matched nothing so far."""
        for entry in self._entries:
            if entry not in self._used:
                of_package = f" of {entry.package}" if entry.package else ""
                yield f"{entry.id}{of_package} is ignored, but was not found: the entry can be removed"
