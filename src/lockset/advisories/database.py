"""A set of advisories, and the state of the data that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime, timedelta

    from packaging.version import Version

    from lockset.advisories.advisory import Advisory

__all__ = ["AdvisoryDatabase", "DatabaseState", "UnreadableAdvisory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableAdvisory:
    """A file that could not be read, and why, in one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """The state of the data of one source.

    Attributes:
        source: A path, or a URL without credentials.
        files: Number of advisories in it; None for a service, which does not say.
        newest: When the newest one was modified; None if unknown.
        unreadable: Files that could not be read.
        is_live: Whether a service answered, which is never out of date.
    """

    source: str
    files: int | None
    newest: datetime | None = None
    unreadable: tuple[UnreadableAdvisory, ...] = ()
    is_live: bool = False

    def age(self, now: datetime) -> timedelta | None:
        """How long ago the newest advisory was modified."""
        return None if self.newest is None or self.is_live else now - self.newest


class AdvisoryDatabase:
    """Advisories by package; withdrawn ones are left out.

    Attributes:
        states: The states of the data, one for each source.
    """

    def __init__(self, advisories: Iterable[Advisory], states: Iterable[DatabaseState]) -> None:
        self.states = tuple(states)
        self._by_name: dict[str, dict[str, Advisory]] = {}
        for advisory in advisories:
            if not advisory.is_withdrawn:
                for name in advisory.affected:
                    self._add(name, advisory)

    def _add(self, name: str, advisory: Advisory) -> None:
        """Two copies of one advisory, of two sources, count as the newer one."""
        known = self._by_name.setdefault(name, {})
        other = known.get(advisory.id)
        if other is None or other.modified is None or (advisory.modified or other.modified) > other.modified:
            known[advisory.id] = advisory

    def __iter__(self) -> Iterator[Advisory]:
        """All advisories, each once."""
        seen = {(a.id, id(a)): a for known in self._by_name.values() for a in known.values()}
        return iter(seen.values())

    def of_package(self, name: str) -> tuple[Advisory, ...]:
        """The advisories about the package with this normalized name, by id."""
        return tuple(sorted(self._by_name.get(name, {}).values(), key=lambda a: a.id))

    def affecting(self, name: str, version: Version | str) -> tuple[Advisory, ...]:
        """Those that affect this version; a string is one that is not a valid version."""
        return tuple(a for a in self.of_package(name) if any(e.contains(version) for e in a.affected[name]))

    def joined(self, other: AdvisoryDatabase) -> AdvisoryDatabase:
        """The advisories of both."""
        return AdvisoryDatabase((*self, *other), dict.fromkeys((*self.states, *other.states)))
