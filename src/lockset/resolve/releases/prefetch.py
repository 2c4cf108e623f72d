"""An index repository that looks ahead while it waits.

A search asks for one project after the other, and waits for each. What it will ask for next can be guessed from what
has come meanwhile: a page tells the release that will probably be chosen, its metadata tell the next pages. So the
network works as wide as the graph is, not as deep as the search is long. What is guessed changes no answer: it is only
asked for earlier, and a wrong guess costs a request.
"""

from __future__ import annotations

from contextlib import suppress
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

# Seconds after which a wait begins anew, so that an interrupt is heard.
_HEARTBEAT = 0.2
# Releases looked at for the one that will probably be chosen.
_MOST_GUESSES = 50


class PrefetchingIndex(Index, Protocol):
    """An index that tells when something has come. Implementation: `lockset.index.http.client.HttpIndexes`."""

    def fetch(self, names: Iterable[str], on_arrival: Callable[[str], object]) -> None:
        """As `hint`; `heard` is called with each name whose page had to be fetched, in any thread, once it is there."""

    def known(self, name: str) -> ProjectDetail | None:
        """The page of the normalised project, where it is there; never waits, never fails."""

    def is_coming(self, name: str) -> bool:
        """Whether another thread is just fetching the page of the normalised project."""


class PrefetchingMetadata(MetadataSource, Protocol):
    """Metadata that tell when they have come. Implementation: `lockset.metadata.retrieve.Retriever`."""

    def fetch(self, files: Sequence[DistributionFile], on_arrival: Callable[[], object]) -> None:
        """As `hint`; `heard` is called in any thread once the metadata are there, where they had to be fetched."""

    def known(self, files: Sequence[DistributionFile]) -> CoreMetadata | None:
        """The metadata of this version, where they are there; never waits, never fails, never builds."""

    def is_coming(self, files: Sequence[DistributionFile]) -> bool:
        """Whether another thread is just fetching them."""


class PrefetchingRepository(IndexRepository):
    """See the module; everything else is `IndexRepository`'s."""

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
        """Follow what has come, and, while there is something to wait for, what comes."""
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
            return  # whoever asks for this release will hear of it
        self.hint(self._add_requirements(dependencies))

    def _add_requirements(self, dependencies: Iterable[Dependency]) -> list[str]:
        """Remember what is asked of the projects that the dependencies bring in anywhere; gives their names."""
        names = []
        for dependency in dependencies:
            if dependency.url is None and self._applies(dependency):
                self._requested_specifiers.setdefault(dependency.name, {})[dependency.specifier] = None
                names.append(dependency.name)
        return names

    def _applies(self, dependency: Dependency) -> bool:
        """Whether it applies somewhere, with none of the extras asked for."""
        if dependency.condition is None:
            return True
        if dependency.condition_on_extra_alone:
            return False
        targets = self.rules.target_region
        region = dependency.marker.with_metadata_extra(None)
        return not (region.is_empty if targets.is_empty else region.is_disjoint(targets))

    def _guess(self, name: str) -> Version | None:
        """The release that will probably be chosen: the newest final one that fits all that was asked so far."""
        if self._prefetched_index.known(name) is None:
            return None
        releases = self.releases(name)
        specifiers = self._requested_specifiers.get(name, ())
        for position, version in enumerate(releases.versions[:_MOST_GUESSES]):
            if not releases.stable >> position & 1 or releases.yanked >> position & 1:
                continue
            if all(specifier.admits(version) for specifier in specifiers):
                serves = self.serves(name, version)
                if self.rules.target_region.is_empty or not serves.is_disjoint(self.rules.target_region):
                    return version
        return None
