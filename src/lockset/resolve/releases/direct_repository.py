"""Direct sources (URLs and paths) in front of an index: each is one more release of its project.

Such a release matches requirements on its source and, where those apply too, plain version ranges. An index is not
queried for a project that comes from direct sources everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_wheel_name
from lockset.errors import LocksetError, SourceNotSupportedError
from lockset.markers import MarkerSet, wheel_region
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.direct_source import DirectSource, DirectVersion, host_of, source_of
from lockset.resolve.problem.requirement import from_source, parse_metadata_dependency
from lockset.resolve.releases.repository import ReleaseFacts, Releases
from lockset.resolve.releases.requires_python import requires_python_region
from lockset.sources.requirements.requirement_line import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.tags import Tag
    from packaging.version import Version

    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.pages.project_status import ProjectStatus
    from lockset.resolve.problem.direct_source import SourceFacts
    from lockset.resolve.problem.file_policy import DirectRules, FileRules
    from lockset.resolve.problem.requirement import Dependency, Specifier
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.sources.other_tools.facts import NamedSource

__all__ = ["DirectRepository", "UrlRequirementDiscovered"]


class UrlRequirementDiscovered(Exception):
    """A release requires a project by URL that the search already used: the search must begin again."""


class DirectRepository:
    """A `Repository` and `Artifacts` over direct sources and, for everything else, an index."""

    def __init__(self, inner: IndexRepository, rules: DirectRules) -> None:
        self._inner = inner
        self._direct = rules
        self._sources: dict[DirectSource, DirectSource] = {}
        self._regions: dict[str, MarkerSet] = {}
        self._where: dict[DirectSource, MarkerSet] = {}
        self._releases: dict[str, Releases] = {}
        self._versions: dict[DirectSource, DirectVersion] = {}
        self._facts: dict[tuple[str, Version], ReleaseFacts | None] = {}
        for source, region in rules.sources:
            self._add(source, region, region)

    @property
    def not_found(self) -> Mapping[str, LocksetError]:
        """Projects that are nowhere."""
        sources = {source.name for source in self._sources}
        return {name: error for name, error in self._inner.not_found.items() if name not in sources}

    @property
    def stepped_over(self) -> Mapping[tuple[str, Version], str]:
        """Skipped releases, and why their metadata cannot be used."""
        return self._inner.stepped_over

    @property
    def rules(self) -> FileRules:
        """Which files may be used."""
        return self._inner.rules

    @property
    def target_region(self) -> MarkerSet:
        """See `Repository.target_region`."""
        return self._inner.target_region

    def _add(self, source: DirectSource, region: MarkerSet, where: MarkerSet) -> bool:
        """Add a source; True if releases of its project were already read without it.

        In `region` its project comes from no index; outside of `where` nothing requires it.
        """
        known = self._sources.get(source)
        self._sources[source] = source if known is None else known.joined(source)
        self._regions[source.name] = self._regions.get(source.name, MarkerSet.none()) | region
        before = self._where.get(source, MarkerSet.none())
        self._where[source] = before | where
        if source.name in self._releases and (known is None or not where.implies(before)):
            del self._releases[source.name]
            return True
        return False

    @property
    def unbuilt(self) -> AbstractSet[str]:
        """See `AdjustableRepository.unbuilt`."""
        return self._inner.unbuilt

    def under(self, rules: FileRules) -> DirectRepository:
        """See `AdjustableRepository.under`."""
        other = DirectRepository(self._inner.under(rules), self._direct)
        other._versions = dict(self._versions)
        return other

    def all_versions(self, name: str) -> Sequence[Version]:
        """See `AdjustableRepository.all_versions`."""
        return () if self._only_direct(name) else self._inner.all_versions(name)

    def left_out(self, name: str, version: Version) -> str | None:
        """See `AdjustableRepository.left_out`."""
        direct = isinstance(version, DirectVersion) or self._only_direct(name)
        return None if direct else self._inner.left_out(name, version)

    def empty_page(self, name: str) -> str | None:
        """See `AdjustableRepository.empty_page`."""
        return None if self._only_direct(name) else self._inner.empty_page(name)

    def project_status(self, name: str) -> ProjectStatus | None:
        """See `AdjustableRepository.project_status`."""
        return None if self._only_direct(name) else self._inner.project_status(name)

    def _only_direct(self, name: str) -> bool:
        """Whether `name` comes from direct sources everywhere."""
        region = self._regions.get(name)
        return region is not None and self._direct.universe.implies(region)

    def hint(self, names: Iterable[str]) -> None:
        """See `Repository.hint`."""
        self._inner.hint([n for n in names if not self._only_direct(n)])

    def hint_release(self, name: str, version: Version) -> None:
        """See `Repository.hint_release`."""
        if not isinstance(version, DirectVersion):
            self._inner.hint_release(name, version)

    def hint_matching(self, name: str, specifiers: Collection[Specifier]) -> None:
        """See `Repository.hint_matching`."""
        if not self._only_direct(name):
            self._inner.hint_matching(name, specifiers)

    def releases(self, name: str) -> Releases:
        """See `Repository.releases`; those of sources come last, and count as yanked, so they need an exact pin."""
        known = self._releases.get(name)
        if known is None:
            if name in self._direct.refused:
                raise self._direct.refused[name]
            known = Releases(name=name, versions=(), stable=0, yanked=0)
            if not self._only_direct(name):
                known = self._inner.releases(name)
            mine = tuple(self._version(s) for s in sorted(self._sources.values(), key=_order) if s.name == name)
            if mine:
                flags = ((1 << len(mine)) - 1) << len(known.versions)
                known = Releases(
                    name=name,
                    versions=(*known.versions, *mine),
                    stable=known.stable | flags,
                    yanked=known.yanked | flags,
                    starts=known.starts,
                )
            self._releases[name] = known
        return known

    def _version(self, source: DirectSource) -> DirectVersion:
        known = self._versions.get(source)
        if known is None:
            known = self._versions[source] = DirectVersion(str(self.read(source).metadata.version), source)
        return known

    def source(self, version: DirectVersion) -> DirectSource:
        """The source, joined from all requirements on it."""
        return self._sources[version.source]

    def read(self, source: DirectSource) -> SourceFacts:
        """The content of the source."""
        own = self._direct.own.get(source)
        if own is not None:
            return own
        reader = self._inner.sources
        if reader is None:
            raise SourceNotSupportedError(f"{source.name} is required by URL or path, and nothing reads these here")
        return reader.read(self._sources[source], commit=self._direct.commit_of(source))

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        """See `Repository.facts`."""
        key = (name, version)
        if key not in self._facts:
            facts = (
                self._source_facts(version) if isinstance(version, DirectVersion) else self._inner.facts(name, version)
            )
            self._facts[key] = facts if facts is None else self._with_sources(name, version, facts)
        return self._facts[key]

    def _source_facts(self, version: DirectVersion) -> ReleaseFacts:
        at_source = self.read(version.source)
        metadata = at_source.metadata
        texts = metadata.requires_dist
        if self._direct.guard is not None and at_source.named:
            texts = self._direct.guard.with_sources(texts, at_source.named)
        dependencies = [d for text in texts for d in self._inner.counted(parse_metadata_dependency(text)[0])]
        if self._direct.guard is not None:
            self._direct.guard.refuse((d.name for d in dependencies if d.url is None), at_source.named)
        serves = self._inner.admits(metadata.requires_python)
        return ReleaseFacts(dependencies=Dependencies(dependencies), extras=metadata.provides_extra, serves=serves)

    def _with_sources(self, name: str, version: Version, facts: ReleaseFacts) -> ReleaseFacts:
        """The facts, with allowed URLs as sources. A URL that is not allowed excludes the release where it applies."""
        if not facts.dependencies.has_url:
            return facts
        dependencies: list[Dependency] = []
        new: list[tuple[DirectSource, MarkerSet]] = []
        # The dependency of a direct source on another one is the only release of its project there. That of an index
        # release is not: another release may be chosen instead.
        direct = isinstance(version, DirectVersion)
        base = self._regions.get(name, MarkerSet.none()) if direct else MarkerSet.none()
        where = self._where[version.source] if isinstance(version, DirectVersion) else MarkerSet.any()
        for dependency in facts.dependencies:
            if dependency.url is None or not self._is_allowed(version, dependency):
                dependencies.append(dependency)
                continue
            source = self._source_of(name, version, dependency)
            new.append((source, base & dependency.marker.with_metadata_extra(None)))
            dependencies.append(from_source(dependency, source))
        discovered = [self._add(source, region, where) for source, region in new]
        if any(discovered):
            raise UrlRequirementDiscovered
        return replace(facts, dependencies=Dependencies(dependencies))

    def _is_allowed(self, version: Version, dependency: Dependency) -> bool:
        assert dependency.url is not None
        host = host_of(dependency.url.partition("#")[0])
        allowed = bool(host) and (host in self._direct.hosts or host.partition(":")[0] in self._direct.hosts)
        return allowed or isinstance(version, DirectVersion) or dependency.name in self._direct.overridden

    def _source_of(self, name: str, version: Version, dependency: Dependency) -> DirectSource:
        line = parse_requirement(f"{dependency.name} @ {dependency.url}", origin=f"{name} {version}")
        if isinstance(version, DirectVersion) and dependency.url is not None:
            line = replace(line, editable=_is_editable(dependency.url, self.read(version.source).named))
        base = self._direct.base
        if isinstance(version, DirectVersion) and version.source.kind == "directory":
            base = base.__class__(version.source.path or base, version.source.subdirectory or "")
        source = source_of(line, base=base, folder=self._direct.folder)
        local = source.path is not None or (source.url or "").startswith("file:")
        trees = isinstance(version, DirectVersion) and version.source.path is not None and version.source.kind != "vcs"
        if local and not trees and dependency.name not in self._direct.overridden:
            raise SourceNotSupportedError(
                f"{name} {version} requires {dependency.name} by a path of this computer: {source.shown}",
                hint="Only the project's own files and folders may do so",
            )
        return source

    def serves(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.serves`."""
        if not isinstance(version, DirectVersion):
            return self._inner.serves(name, version)
        # An exact pin of the same number elsewhere must not choose it there.
        region = self._where[version.source] & self._inner.admits(self.read(version.source).metadata.requires_python)
        return region - self.lacks_files(name, version)

    def lacks_files(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.lacks_files`."""
        if not isinstance(version, DirectVersion):
            return self._inner.lacks_files(name, version)
        wheels = self.wheels_serve(name, version)
        return self.rules.required if wheels is None else (self.rules.required | self.rules.must_have) - wheels

    def has_static_metadata(self, name: str, version: Version) -> bool:
        """See `Repository.has_static_metadata`; a direct source has no alternative, built or not."""
        return isinstance(version, DirectVersion) or self._inner.has_static_metadata(name, version)

    def wheels_serve(self, name: str, version: Version) -> MarkerSet | None:
        """See `Repository.wheels_serve`."""
        if not isinstance(version, DirectVersion):
            return self._inner.wheels_serve(name, version)
        wheels = _wheel_tags(version.source)
        return None if wheels is None else wheel_region(wheels)

    def strictly_serves(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.strictly_serves`."""
        if not isinstance(version, DirectVersion):
            return self._inner.strictly_serves(name, version)
        text = self.read(version.source).metadata.requires_python
        return MarkerSet.any() if not text else requires_python_region(text)

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """Files of a release of an index."""
        return self._inner.files(name, version)

    def index_url(self, name: str, version: Version) -> str:
        """The index that a release comes from."""
        return self._inner.index_url(name, version)

    def hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """Strong hashes of a file of an index."""
        return self._inner.hashes(file)

    def requires_python(self, name: str, version: Version) -> str | None:
        """Requires-Python of the release."""
        if isinstance(version, DirectVersion):
            return self.read(version.source).metadata.requires_python
        return self._inner.requires_python(name, version)


def _order(source: DirectSource) -> tuple[str, ...]:
    return source.order


def _wheel_tags(source: DirectSource) -> frozenset[Tag] | None:
    if not source.is_wheel:
        return None

    return read_wheel_name(source.filename)[3]


def _is_editable(url: str, named: Iterable[NamedSource]) -> bool:
    """Whether a table of another tool names this folder, to be installed as editable."""
    return any(source.editable and (source.requirement or "").partition(" @ ")[2] == url for source in named)
