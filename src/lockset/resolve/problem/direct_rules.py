"""Which sources by URL or path are allowed, and where they are seen from."""

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
    """What is allowed, and where it is seen from.

    Attributes:
        base: What relative paths are relative to; absolute.
        folder: The lock's folder; absolute.
        universe: The environments the lock shall serve.
        sources: What the project itself asks for, with the environments in which its name comes from there.
        commits: What revisions meant in the old lock, by project, URL or absolute path, and revision.
        hosts: Hosts to which releases of an index may point by URL.
        overridden: Projects whose requirements the user has replaced: a URL there is the user's own.
        refused: Why a project cannot come from where the project says it does, by project; raised once it is needed.
        guard: Of which packages the user has said where they come from; None where that does not matter.
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
