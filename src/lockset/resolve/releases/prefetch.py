"""Prefetch: an index repository that fetches ahead while it waits.

The solver needs one project after another, and waits for each. What it will need next can be guessed from what has
arrived: a page shows the release that will probably be chosen, and its metadata shows the next pages. So requests run
in parallel across the dependency graph. A guess changes no result: it only makes a request earlier, and a wrong guess
costs one request.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from lockset.errors import LocksetError
from lockset.index.ports import Index
from lockset.metadata.ports import MetadataSource
from lockset.resolve.problem.requirement import parse_dependency
from lockset.resolve.releases.index_repository import IndexRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
# Releases to check for the one that will probably be chosen.
_MOST_GUESSES = 50


class PrefetchingIndex(Index, Protocol):
    """An index that reports arrivals. Implementation: `lockset.index.http.client.HttpIndexes`."""

    def fetch(self, names: Iterable[str], on_arrival: Callable[[str], object]) -> None:
        """As `hint`; calls `on_arrival` with each name whose page had to be fetched, in any thread, once it arrives."""

    def known(self, name: str) -> ProjectDetail | None:
        """The page of the normalised project, if it has arrived; never waits, never fails."""

    def is_coming(self, name: str) -> bool:
        """Whether another thread is fetching the page of the normalised project."""


class PrefetchingMetadata(MetadataSource, Protocol):
    """A source of metadata that reports arrivals. Implementation: `lockset.metadata.retrieve.Retriever`."""

    def fetch(self, files: Sequence[DistributionFile], on_arrival: Callable[[], object]) -> None:
        """As `hint`; calls `on_arrival` in any thread once the metadata arrives, if it had to be fetched."""

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """The metadata of this version, if it has arrived; never waits, never fails, never builds."""

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        """Whether another thread is fetching it."""


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
    ) -> None:
        super().__init__(
            index=index, metadata=metadata, rules=rules, listener=listener, hash_file=hash_file, sources=sources
        )
        self._prefetched_index = index
        self._prefetched_metadata = metadata
        self._arrivals: SimpleQueue[str | tuple[str, Version]] = SimpleQueue()
        self._requested_specifiers: dict[str, dict[Specifier, None]] = {}
        self._following = False

    def hint(self, names: Iterable[str]) -> None:
        """See `Repository.hint`."""
        new = [n for n in names if n not in self._details]
        if new:
            self._prefetched_index.fetch(new, self._arrivals.put)

    def hint_release(self, name: str, version: Version) -> None:
        """See `Repository.hint_release`."""
        if (name, version) not in self._facts:
            self._prefetched_metadata.fetch(self.files(name, version), lambda: self._arrivals.put((name, version)))

    def _detail(self, name: str) -> ProjectDetail | None:
        if name not in self._details:
            self._look_ahead(lambda: self._prefetched_index.is_coming(name))
        return super()._detail(name)

    def _read_facts(self, name: str, version: Version) -> ReleaseFacts | None:
        files = self.files(name, version)
        self._look_ahead(lambda: self._prefetched_metadata.is_coming(files))
        facts = super()._read_facts(name, version)
        if facts is not None:
            self._add_requirements(facts.dependencies)
        return facts

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
            version = self._guess(arrival)
            if version is not None:
                self.hint_release(arrival, version)
        elif arrival not in self._facts:
            metadata = self._prefetched_metadata.known(self.files(*arrival))
            if metadata is not None:
                self._follow_metadata(metadata)

    def _follow_metadata(self, metadata: CoreMetadata) -> None:
        try:
            dependencies = [d for text in metadata.requires_dist for d in self.counted(parse_dependency(text))]
        except LocksetError:
            return  # raised again when the release is needed
        self.hint(self._add_requirements(dependencies))

    def _add_requirements(self, dependencies: Iterable[Dependency]) -> list[str]:
        """Add the specifiers of dependencies that apply in some environment. Returns the names of their projects."""
        names = []
        for dependency in dependencies:
            if dependency.url is None and self._applies(dependency):
                self._requested_specifiers.setdefault(dependency.name, {})[dependency.specifier] = None
                names.append(dependency.name)
        return names

    def _applies(self, dependency: Dependency) -> bool:
        """Whether it applies in some target environment without extras."""
        if dependency.condition is None:
            return True
        if dependency.condition_on_extra_alone:
            return False
        targets = self.rules.target_region
        region = dependency.marker.with_metadata_extra(None)
        return not (region.is_empty if targets.is_empty else region.is_disjoint(targets))

    def _guess(self, name: str) -> Version | None:
        """The release that will probably be chosen: the newest final one that matches all specifiers so far."""
        if self._prefetched_index.known(name) is None:
            return None
        releases = self.releases(name)
        specifiers = self._requested_specifiers.get(name, ())
        for position, version in enumerate(islice(releases.versions, _MOST_GUESSES)):
            if not releases.stable >> position & 1 or releases.yanked >> position & 1:
                continue
            if all(specifier.admits(version) for specifier in specifiers):
                serves = self.serves(name, version)
                if self.rules.target_region.is_empty or not serves.is_disjoint(self.rules.target_region):
                    return version
        return None
