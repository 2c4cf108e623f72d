"""Which direct sources (URLs and paths) are allowed, and what their paths are relative to."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lockset.errors import LocksetError
    from lockset.markers import MarkerSet
    from lockset.resolve.problem.direct_source import DirectSource
    from lockset.resolve.problem.other_sources import SourceGuard

__all__ = ["DirectRules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectRules:
    """Rules for direct sources.

    Attributes:
        base: What relative paths are relative to; absolute.
        folder: The lock's folder; absolute.
        universe: The environments to lock for.
        sources: Sources that the project requires, with the environments in which their packages come from them.
        commits: Commits of revisions in the old lock, by project, URL or absolute path, and revision.
        hosts: Hosts to which releases of an index may point by URL.
        overridden: Projects with overrides: a URL there is the user's own.
        refused: Errors of sources that are not supported, by project; raised once the project is needed.
        guard: Packages whose source the user has set; None where that does not matter.
    """

    base: Path
    folder: Path
    universe: MarkerSet
    sources: tuple[tuple[DirectSource, MarkerSet], ...] = ()
    commits: Mapping[tuple[str, str, str | None], str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    overridden: frozenset[str] = frozenset()
    refused: Mapping[str, LocksetError] = field(default_factory=dict, compare=False)
    guard: SourceGuard | None = field(default=None, compare=False)

    @property
    def concerned(self) -> bool:
        """Whether anything can come from a source."""
        return bool(self.sources or self.hosts or self.overridden or self.refused)
