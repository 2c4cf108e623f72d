"""Prefetch: an index repository that fetches ahead while it waits.

The solver needs one project after another, and waits for each. What it will need next can be guessed from what has
arrived: a page shows the release that will probably be chosen, and its metadata shows the next pages. So requests run
in parallel across the dependency graph. A guess changes no result: it only makes a request earlier, and a wrong guess
costs one request.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from lockset.errors import LocksetError
from lockset.index.ports import Index
from lockset.markers import MarkerSet
from lockset.metadata.ports import MetadataSource
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.requirement import parse_dependency
from lockset.resolve.releases.index_repository import IndexRepository
from lockset.resolve.releases.sole_releases import ROOT, RecentRequirements, sole_release

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.metadata.core import CoreMetadata
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import SourceReader
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Dependency, Specifier
    from lockset.resolve.releases.repository import ReleaseFacts

__all__ = ["PrefetchingIndex", "PrefetchingMetadata", "PrefetchingRepository"]

# Seconds of one wait, so that an interrupt is noticed.
_HEARTBEAT = 0.2
# Releases of one project to check for those that will probably be chosen, and such releases, at most.
_MOST_CHECKED = 50
_MOST_GUESSES = 4


class PrefetchingIndex(Index, Protocol):
    """An index that reports arrivals. Implementation: `lockset.index.http.client.HttpIndexes`."""

    def fetch(self, names: Iterable[str], on_arrival: Callable[[str], object]) -> None:
        """As `hint`; calls `on_arrival` with each name whose page had to be fetched, in any thread, once it arrives."""

    def known(self, name: str) -> ProjectDetail | None:
        """The page of the normalized project, if it has arrived; never waits, never fails."""

    def is_coming(self, name: str) -> bool:
        """Whether another thread is fetching the page of the normalized project."""


class PrefetchingMetadata(MetadataSource, Protocol):
    """A source of metadata that reports arrivals. Implementation: `lockset.metadata.retrieve.Retriever`."""

    def fetch(self, files: Sequence[DistributionFile], on_arrival: Callable[[], object]) -> None:
        """As `hint`; calls `on_arrival` in any thread once the metadata arrives, if it had to be fetched."""

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """The metadata of this version, if it has arrived; never waits, never fails, never builds."""

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        """Whether another thread is fetching or building it."""

    def build_ahead(self, files: Sequence[DistributionFile]) -> None:
        """Start to obtain metadata that are needed in any case from an sdist, with a build if that takes one."""


class PrefetchingRepository(IndexRepository):
    """An `IndexRepository` that prefetches; see the module."""

    def __init__(
        self,
        *,
        index: PrefetchingIndex,
        metadata: PrefetchingMetadata,
        rules: FileRules,
        listener: ProgressListener,
        hash_file: Callable[[DistributionFile], Mapping[str, str]],
        sources: SourceReader | None = None,
        on_search_end: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(
            index=index, metadata=metadata, rules=rules, listener=listener, hash_file=hash_file, sources=sources
        )
        self._on_search_end = on_search_end
        self._prefetched_index = index
        self._prefetched_metadata = metadata
        self._arrivals: SimpleQueue[str | tuple[str, Version]] = SimpleQueue()
        self._requested_specifiers: dict[str, dict[Specifier, None]] = {}
        self._requested_extras: dict[str, frozenset[str]] = {}
        self._regions: dict[str, MarkerSet] = {}
        self._targets = rules.target_region
        self._followed: dict[str, dict[Version, None]] = {}
        self._following = False
        self._is_building = False
        self._recent = RecentRequirements()
        self._hinted: set[tuple[str, Version]] = set()
        self._matched: set[tuple[str, frozenset[Specifier]]] = set()

    def _forget(self) -> None:
        super()._forget()
        self._requested_specifiers.clear()
        self._requested_extras.clear()
        self._regions.clear()
        self._followed.clear()

    def end_search(self) -> None:
        """See `IndexRepository.end_search`."""
        if self._on_search_end is not None:
            self._on_search_end()

    def hint(self, names: Iterable[str]) -> None:
        """See `Repository.hint`."""
        new = [n for n in names if n not in self._details]
        if new:
            self._prefetched_index.fetch(new, self._arrivals.put)

    def hint_requirements(self, dependencies: Sequence[Dependency], universe: MarkerSet) -> None:
        """As `hint`; the specifiers and extras show which releases and dependencies will probably be needed."""
        self._targets = universe if self._targets.is_empty else self._targets & universe
        names = Counter(dependency.name for dependency in dependencies)
        # Several of one project may be alternatives, such as those of conflicting groups.
        single = [d for d in dependencies if names[d.name] == 1 and d.url is None]
        self._add_requirements((d, self._targets) for d in single)
        self._recent.put(ROOT, ROOT, ((d.name, d.specifier) for d in single if not self._region(d, ()).is_empty))
        super().hint_requirements(dependencies, universe)

    def hint_release(self, name: str, version: Version) -> None:
        """See `Repository.hint_release`."""
        if (name, version) not in self._facts and (name, version) not in self._hinted:
            self._hinted.add((name, version))
            self._prefetched_metadata.fetch(self.files(name, version), lambda: self._arrivals.put((name, version)))

    def hint_matching(self, name: str, specifiers: Collection[Specifier]) -> None:
        """See `Repository.hint_matching`. A page that is yet to arrive is followed when it does."""
        question = name, frozenset(specifiers)
        if question not in self._matched and self._prefetched_index.known(name) is not None:
            self._matched.add(question)
            for version in self._guesses(name, specifiers):
                self.hint_release(name, version)

    def _detail(self, name: str) -> ProjectDetail | None:
        if name not in self._details:
            self._look_ahead(lambda: self._prefetched_index.is_coming(name))
        return super()._detail(name)

    def _read_facts(self, name: str, version: Version) -> ReleaseFacts | None:
        files = self.files(name, version)
        if any(file.is_wheel for file in files):
            self._look_ahead(lambda: self._prefetched_metadata.is_coming(files))
        elif files and self._may_build_more(name):
            self._build(files)
        facts = super()._read_facts(name, version)
        if facts is not None:
            requirements = list(self._applicable(name, facts.dependencies))
            self._add_requirements(requirements)
            self._recent.put(name, str(version), ((d.name, d.specifier) for d, _ in requirements))
        return facts

    def _build(self, files: Sequence[DistributionFile]) -> None:
        """Obtain metadata of an sdist and, while that takes time, of others that are probably needed, too."""
        self._prefetched_metadata.build_ahead(files)
        if self._prefetched_metadata.is_coming(files):
            self._is_building = True
            for name in self._recent.names():
                self._build_sole(name)
        self._look_ahead(lambda: self._prefetched_metadata.is_coming(files))
        self._is_building = False

    def _build_sole(self, name: str) -> None:
        """Start to obtain the metadata of sdists of the project that alone meet a requirement."""
        is_known = name not in self.own_projects and self._prefetched_index.known(name) is not None
        if not is_known or not self._may_build_more(name):
            return
        with suppress(LocksetError):
            releases = self.releases(name)
            for specifiers in self._recent.alternatives(name):
                version = sole_release(releases, specifiers)
                files = () if version is None or (name, version) in self._facts else self.files(name, version)
                if files and not any(file.is_wheel for file in files):
                    self._prefetched_metadata.build_ahead(files)

    def _look_ahead(self, waiting: Callable[[], bool]) -> None:
        """Follow what has arrived and, while `waiting`, what arrives."""
        if self._following:
            return
        self._following = True
        try:
            while not self._arrivals.empty():
                self._follow(self._arrivals.get())
            while waiting():
                with suppress(Empty):
                    self._follow(self._arrivals.get(timeout=_HEARTBEAT))
        finally:
            self._following = False

    def _follow(self, arrival: str | tuple[str, Version]) -> None:
        if isinstance(arrival, str):
            for version in self._guesses(arrival, self._requested_specifiers.get(arrival, ())):
                self.hint_release(arrival, version)
            if self._is_building and arrival in self._recent.names():
                self._build_sole(arrival)
        else:
            self._follow_metadata(*arrival)

    def _follow_metadata(self, name: str, version: Version) -> None:
        facts = self._facts.get((name, version))
        if facts is not None:
            dependencies = facts.dependencies
        else:
            metadata = self._prefetched_metadata.known(self.files(name, version))
            if metadata is None:
                return
            try:
                dependencies = Dependencies(self._stated(metadata))
            except LocksetError:
                return  # raised again when the release is needed
        self._followed.setdefault(name, {})[version] = None
        requirements = list(self._applicable(name, dependencies))
        self._recent.put(name, str(version), ((d.name, d.specifier) for d, _ in requirements))
        self.hint(self._add_requirements(requirements))

    def _stated(self, metadata: CoreMetadata) -> Iterator[Dependency | tuple[str, str]]:
        """The dependencies in the metadata, as `Dependencies` takes them."""
        for text in metadata.requires_dist:
            extra = self._extra_of(text)
            if extra is None:
                yield from self.counted(parse_dependency(text))
            else:
                yield extra, text

    def _add_requirements(self, dependencies: Iterable[tuple[Dependency, MarkerSet]]) -> list[str]:
        """Add the dependencies of a release and where they apply. Returns the names of their projects."""
        names = []
        for dependency, region in dependencies:
            name = dependency.name
            names.append(name)
            self._requested_specifiers.setdefault(name, {})[dependency.specifier] = None
            self._regions[name] = region | self._regions[name] if name in self._regions else region
            if not dependency.extras <= self._requested_extras.get(name, frozenset()):
                self._requested_extras[name] = self._requested_extras.get(name, frozenset()) | dependency.extras
                for version in self._followed.get(name, ()):
                    self._arrivals.put((name, version))  # to follow what the new extras require
        return names

    def _applicable(self, name: str, dependencies: Dependencies) -> Iterator[tuple[Dependency, MarkerSet]]:
        """The dependencies of a release that apply in some target environment, with the extras requested so far."""
        extras = tuple(self._requested_extras.get(name, ()))
        for dependency in dependencies.with_extras(extras):
            region = MarkerSet.none() if dependency.url is not None else self._region(dependency, extras)
            if not region.is_empty:
                yield dependency, region

    def _region(self, dependency: Dependency, extras: Sequence[str]) -> MarkerSet:
        """Where it applies in the target environments, with or without each of `extras`."""
        targets = self._targets
        if dependency.condition is None:
            return MarkerSet.any() if targets.is_empty else targets
        chosen = extras if dependency.condition_on_extra_alone else (None, *extras)
        region = MarkerSet.union(dependency.marker.with_metadata_extra(extra) for extra in chosen)
        return region if targets.is_empty else region & targets

    def _guesses(self, name: str, specifiers: Collection[Specifier]) -> Iterator[Version]:
        """The releases that will probably be chosen.

        They are the newest final ones that match all `specifiers`, for each environment where the project is required.
        """
        if name in self.own_projects or self._prefetched_index.known(name) is None:
            return
        releases = self.releases(name)
        targets = self._targets
        left, count = self._regions.get(name, targets), 0
        for position, version in enumerate(islice(releases.versions, _MOST_CHECKED)):
            if not releases.stable >> position & 1 or releases.yanked >> position & 1:
                continue
            if not all(specifier.admits(version) for specifier in specifiers):
                continue
            serves = MarkerSet.any() if targets.is_empty else self.serves(name, version)
            if targets.is_empty or not serves.is_disjoint(left):
                yield version
                left, count = left - serves, count + 1
                if left.is_empty or count == _MOST_GUESSES:
                    return
