"""Which releases are probably needed, since they alone meet a requirement: those that can be built ahead.

A build takes seconds, so those of several releases should run at the same time. Most releases of a project are never
needed, and building them for nothing would take longer than it saves. But where a release that the search looked at
lately admits a single release of another project, that one is needed, unless the search turns to other releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from packaging.version import Version

    from lockset.resolve.problem.requirement import Specifier
    from lockset.resolve.releases.repository import Releases

__all__ = ["ROOT", "RecentRequirements", "sole_release"]

# Who requires what the project itself requires.
ROOT = ""


# How many releases of a project count: there may be one for each of several Pythons.
_MOST = 3


class RecentRequirements:
    """The requirements of the project itself, and of the last few releases of others that the search looked at."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Mapping[str, Specifier]]] = {}

    def put(self, requirer: str, version: str, requirements: Iterable[tuple[str, Specifier]]) -> None:
        """Add those of one release; an earlier one of the same project may give way."""
        releases = self._of.setdefault(requirer, {})
        releases.pop(version, None)
        releases[version] = dict(requirements)
        while len(releases) > _MOST:
            del releases[next(iter(releases))]

    def names(self) -> set[str]:
        """The projects that are required."""
        return {name for releases in self._of.values() for required in releases.values() for name in required}

    def alternatives(self, name: str) -> set[frozenset[Specifier]]:
        """What is required of a project, together with what the project itself requires of it."""
        own = frozenset(self._in(ROOT, name))
        return {own | {specifier} for requirer in self._of for specifier in self._in(requirer, name)}

    def _in(self, requirer: str, name: str) -> Iterator[Specifier]:
        for required in self._of.get(requirer, {}).values():
            if name in required:
                yield required[name]


def sole_release(releases: Releases, specifiers: Collection[Specifier]) -> Version | None:
    """The final release that alone matches all specifiers, and is not yanked; None if there is no such one."""
    sole = None
    for position, version in enumerate(releases.versions):
        if not releases.stable >> position & 1 or releases.yanked >> position & 1:
            continue
        if all(specifier.admits(version) for specifier in specifiers):
            if sole is not None:
                return None
            sole = version
    return sole
