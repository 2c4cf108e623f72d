"""Warnings about entries of a lock without a usable file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.markers import KNOWN_PYTHONS, MarkerSet
from lockset.resolve.problem.direct_source import DirectVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.lock.verify import MissingFile
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["Gap", "environments_in_words", "gaps"]

# Files for unknown later Pythons are not missing.
_KNOWN = MarkerSet.parse(f"python_version <= '{KNOWN_PYTHONS[-1]}'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An entry that applies in some environments but has no file for them.

    Attributes:
        name: Normalised name of the project.
        version: The version that is locked there.
        environments: In words: `win_amd64 on Python 3.11 and 3.12`.
    """

    name: str
    version: str
    environments: str

    @property
    def text(self) -> str:
        """The warning."""
        return f"{self.name} {self.version} has no file for {self.environments}: it cannot be installed there"


def gaps(missing: Sequence[MissingFile], resolution: Resolution, repository: Repository) -> tuple[Gap, ...]:
    """The gaps at samples, and those in target environments without a sample."""
    environments = {(m.name, m.version): environments_in_words(m.samples) for m in missing}
    for (name, version), node in resolution.nodes.items():
        if isinstance(version, DirectVersion) or (name, str(version)) in environments:
            continue
        wheels = repository.wheels_serve(name, version)
        if wheels is None:
            continue
        unserved = ((node.region & repository.target_region & _KNOWN) - wheels).without_extras_and_groups()
        if not unserved.is_empty:
            marker = unserved.text(resolution.universe.without_extras_and_groups())
            environments[name, str(version)] = f"environments where {marker}" if marker else "any environment"
    return tuple(Gap(name=name, version=version, environments=words) for (name, version), words in environments.items())


def environments_in_words(samples: Iterable[TargetInterpreter]) -> str:
    """`linux and win_amd64 on Python 3.12 and 3.13`: platforms with the same Pythons together."""
    from lockset.resolve.explain.affected_environments import pythons_listed  # few locks have gaps
    from lockset.resolve.explain.failure import join_words

    pythons: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        pythons.setdefault((sample.platform, sample.implementation), []).append(sample.environment.python_version)
    platforms: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (platform, implementation), versions in pythons.items():
        platforms.setdefault((implementation, tuple(dict.fromkeys(versions))), []).append(platform)
    parts = []
    for (implementation, pythons_alike), names in platforms.items():
        kind = {"cpython": "Python", "pypy": "PyPy"}.get(implementation, implementation)
        parts.append(f"{join_words(names)} on {kind} {pythons_listed(list(pythons_alike))}")
    return join_words(parts)
