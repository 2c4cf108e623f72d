"""A Repository in memory, from a small description of a world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset.markers import MarkerSet
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.requirement import parse_dependency
from lockset.resolve.releases.repository import ReleaseFacts, Releases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lockset.resolve.problem.requirement import Specifier


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRelease:
    """One release of the world."""

    requires: tuple[str, ...] = ()
    requires_python: str = ""
    yanked: bool = False
    extras: frozenset[str] = frozenset()
    broken: bool = False


@dataclass(slots=True)
class FakeRepository:
    """Answers from `world`: project -> version -> release."""

    world: Mapping[str, Mapping[str, FakeRelease]]
    ignore_caps: bool = False
    asked: list[str] = field(default_factory=list)

    def hint(self, names: Iterable[str]) -> None:
        self.asked.extend(names)

    def hint_release(self, name: str, version: Version) -> None:
        self.asked.append(f"{name} {version}")

    def hint_matching(self, name: str, specifiers: Collection[Specifier]) -> None:
        self.asked.append(f"{name} matching {', '.join(sorted(specifier.text for specifier in specifiers))}")

    def releases(self, name: str) -> Releases:
        known = self.world.get(name, {})
        versions = tuple(sorted(map(Version, known), reverse=True))
        by_version = {Version(v): r for v, r in known.items()}
        stable = sum(1 << i for i, v in enumerate(versions) if not v.is_prerelease)
        yanked = sum(1 << i for i, v in enumerate(versions) if by_version[v].yanked)
        return Releases(name=name, versions=versions, stable=stable, yanked=yanked)

    def release(self, name: str, version: Version) -> FakeRelease:
        return next(r for v, r in self.world[name].items() if Version(v) == version)

    @property
    def target_region(self) -> MarkerSet:
        return MarkerSet.none()

    def wheels_serve(self, name: str, version: Version) -> MarkerSet | None:
        assert version in self.releases(name).versions
        return None

    def lacks_files(self, name: str, version: Version) -> MarkerSet:
        assert version in self.releases(name).versions
        return MarkerSet.none()

    def has_static_metadata(self, name: str, version: Version) -> bool:
        return not self.release(name, version).broken

    def serves(self, name: str, version: Version) -> MarkerSet:
        return self._admits(self.release(name, version).requires_python)

    def strictly_serves(self, name: str, version: Version) -> MarkerSet:
        return MarkerSet.of_python(self.release(name, version).requires_python)

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        release = self.release(name, version)
        if release.broken:
            return None
        return ReleaseFacts(
            dependencies=Dependencies(map(parse_dependency, release.requires)),
            extras=release.extras,
            serves=self._admits(release.requires_python),
        )

    def _admits(self, requires_python: str) -> MarkerSet:
        region = MarkerSet.of_python(requires_python)
        return region.without_python_cap() if self.ignore_caps else region
