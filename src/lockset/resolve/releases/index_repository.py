"""The repository of index releases: their pages and files, and the metadata of those through ports."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lockset.errors import (
    BuildFailedError,
    BuildNeededError,
    LocksetError,
    MarkerSyntaxError,
    MetadataInvalidError,
    RequirementSyntaxError,
    TooManyFailedBuildsError,
)
from lockset.hashes import STRONG_ALGORITHMS
from lockset.index.filenames import SDIST_SUFFIXES
from lockset.index.options import is_local
from lockset.index.ports import ProjectNotFound
from lockset.markers import MarkerSet, wheel_region
from lockset.progress import NullListener
from lockset.resolve.problem.dependencies import Dependencies
from lockset.resolve.problem.requirement import of_extra, parse_metadata_dependency, replaced
from lockset.resolve.releases.repository import OwnProjectRequired, ReleaseFacts, Releases
from lockset.resolve.releases.requires_python import read_python, requires_python_region
from lockset.resolve.releases.wheel_coverage import WheelCoverage, distinguish_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from packaging.version import Version

    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.index.pages.project_status import ProjectStatus
    from lockset.index.ports import Index
    from lockset.metadata.core import CoreMetadata
    from lockset.metadata.ports import MetadataSource
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import SourceReader
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Dependency, Specifier

__all__ = ["IndexRepository"]

# Errors of metadata because of which a release is skipped.
_SKIPPED = (
    MetadataInvalidError,
    RequirementSyntaxError,
    MarkerSyntaxError,
    BuildNeededError,
    TooManyFailedBuildsError,
    BuildFailedError,
)

# Builds of releases of one project for their metadata, and failed ones among them, at most.
_MOST_BUILT = 10
_MOST_FAILED = 5


class IndexRepository:
    """A `Repository` and `Artifacts` over an index; reads each page and each release's metadata once.

    Attributes:
        rules: Which files may be used.
        sources: Reads direct sources; None where there are none.
        not_found: Projects that no index has.
        stepped_over: Skipped releases, and why their metadata cannot be used.
        unbuilt: Projects with releases that were skipped because nothing is built here.
        own_projects: The projects that are locked, whose releases are not used.
    """

    def __init__(
        self,
        *,
        index: Index,
        metadata: MetadataSource,
        rules: FileRules,
        listener: ProgressListener,
        hash_file: Callable[[DistributionFile], Mapping[str, str]],
        sources: SourceReader | None = None,
    ) -> None:
        self._index = index
        self._metadata = metadata
        self.rules = rules
        self.sources = sources
        self._listener = listener
        self._hash_file = hash_file
        self._details: dict[str, ProjectDetail | None] = {}
        self._releases: dict[str, Releases] = {}
        self._files: dict[tuple[str, Version], tuple[DistributionFile, ...]] = {}
        self._serves: dict[tuple[str, Version], MarkerSet] = {}
        self._lacks: dict[tuple[str, Version], MarkerSet] = {}
        self._usual_coverage, self._strict_coverage = WheelCoverage(rules.targets), WheelCoverage(rules.strictly)
        self._coverages: dict[str, WheelCoverage] = {}
        self._strictly_serves: dict[tuple[str, Version], MarkerSet] = {}
        self._python_regions: dict[str, MarkerSet] = {}
        self._facts: dict[tuple[str, Version], ReleaseFacts | None] = {}
        self._wheels_serve: dict[tuple[str, Version], MarkerSet | None] = {}
        self.not_found: dict[str, LocksetError] = {}
        self.stepped_over: dict[tuple[str, Version], str] = {}
        self.unbuilt: set[str] = set()
        self._built: dict[str, tuple[int, int]] = {}
        self._given_up: set[str] = set()
        self.own_projects: Collection[str] = ()

    def under(self, rules: FileRules) -> IndexRepository:
        """See `AdjustableRepository.under`."""
        other = IndexRepository(
            index=self._index,
            metadata=self._metadata.unbuilt(),
            rules=rules,
            listener=NullListener(),
            hash_file=self._hash_file,
            sources=self.sources,
        )
        other._details, other.not_found = self._details, self.not_found
        mine = self.rules
        same = (mine.overrides, mine.excludes, mine.ignore_caps) == (rules.overrides, rules.excludes, rules.ignore_caps)
        if same and mine.target_region is rules.target_region and mine.caps_count is rules.caps_count:
            other._facts = dict(self._facts)
        return other

    def renew(self, names: Iterable[str]) -> bool:
        """See `Index.renew`; after a change, everything is read again when it is next needed."""
        if not self._index.renew(names):
            return False
        self._forget()
        return True

    def _forget(self) -> None:
        for known in (
            *(self._details, self._releases, self._files, self._serves, self._lacks, self._strictly_serves),
            *(self._facts, self._wheels_serve, self.not_found, self.stepped_over, self.unbuilt),
        ):
            known.clear()

    def end_search(self) -> None:
        """Announce that no further releases are searched for; what is still needed may be fetched more slowly."""

    def hint(self, names: Iterable[str]) -> None:
        """See `Repository.hint`."""
        new = [n for n in names if n not in self._details]
        if new:
            self._index.hint(new)

    def hint_requirements(self, dependencies: Sequence[Dependency], universe: MarkerSet) -> None:  # noqa: ARG002 (used by `PrefetchingRepository`)
        """Announce that the projects of these requirements will be needed, in `universe` alone; returns at once."""
        self.hint(dict.fromkeys(dependency.name for dependency in dependencies))

    def hint_release(self, name: str, version: Version) -> None:
        """See `Repository.hint_release`."""
        if (name, version) not in self._facts:
            self._metadata.hint(self.files(name, version))

    def hint_matching(self, name: str, specifiers: Collection[Specifier]) -> None:
        """See `Repository.hint_matching`: nothing here, as only `PrefetchingRepository` knows which pages arrived."""

    def releases(self, name: str) -> Releases:
        """See `Repository.releases`; `OwnProjectRequired` for those of `own_projects`."""
        known = self._releases.get(name)
        if known is None:
            if name in self.own_projects:
                raise OwnProjectRequired(name)
            known = self._releases[name] = self._list(name)
        return known

    def _list(self, name: str) -> Releases:
        detail = self._detail(name)
        if detail is None or detail.is_quarantined:
            return Releases(name=name, versions=(), stable=0, yanked=0)
        rules = self.rules
        every = rules.limit(name) is None and rules.may_use_wheels(name) and rules.may_use_sdists(name)
        listed = detail.versions_by_index
        if every and listed is detail.versions:
            # As the page lists them, so that no version need be parsed.
            return Releases(name=name, versions=listed, stable=detail.final_bits, yanked=detail.yanked_bits)
        versions = listed if every else tuple(v for v in listed if self._usable(name, detail, v))
        stable = sum(1 << at for at, version in enumerate(versions) if not version.is_prerelease)
        yanked = sum(1 << versions.index(version) for version in detail.yanked_versions if version in versions)
        numbers = [detail.index_numbers.get(version, 0) for version in versions] if detail.index_numbers else []
        starts = tuple(at for at in range(1, len(numbers)) if numbers[at] != numbers[at - 1])
        return Releases(name=name, versions=versions, stable=stable, yanked=yanked, starts=starts)

    def _usable(self, name: str, detail: ProjectDetail, version: Version) -> bool:
        if self.rules.limit(name) is not None or name in self.rules.hashes:
            # One file is enough: to decode them all takes longer than the search where a limit is set.
            return any(self._admits(name, file) for file in detail.each_file(version))
        return (self.rules.may_use_wheels(name) and detail.has_wheel(version)) or (
            self.rules.may_use_sdists(name) and detail.has_sdist(version)
        )

    def _detail(self, name: str) -> ProjectDetail | None:
        if name not in self._details:
            try:
                self._details[name] = self._index.project(name)
            except ProjectNotFound as error:
                self._details[name] = None
                self.not_found[name] = error
        return self._details[name]

    page = _detail  # for callers: the page of the project, or None if no index has it

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """Files of the release that the rules admit."""
        if (name, version) not in self._files:
            detail = self._detail(name)
            assert detail is not None, name
            self._files[name, version] = self._admitted_files(name, detail.files(version))
        return self._files[name, version]

    def _admitted_files(self, name: str, files: Sequence[DistributionFile]) -> tuple[DistributionFile, ...]:
        wheels, sdists = self.rules.may_use_wheels(name), self.rules.may_use_sdists(name)
        usable = [file for file in files if (wheels if file.is_wheel else sdists and _builds(file))]
        if not self._admits_every_file(name):
            usable = [file for file in usable if self._passes(name, file)]
        return tuple([f for f in usable if not f.yanked] or usable)

    def _admits(self, name: str, file: DistributionFile) -> bool:
        rules = self.rules
        if not (rules.may_use_wheels(name) if file.is_wheel else rules.may_use_sdists(name) and _builds(file)):
            return False
        return self._passes(name, file)

    def _passes(self, name: str, file: DistributionFile) -> bool:
        """Whether the rules that look at single files admit it: upload limits and required hashes."""
        rules = self.rules
        if rules.limit(name) is not None and not rules.admits_upload(name, file):
            return False
        digests = rules.hashes.get(name)
        return digests is None or any(f"{a}:{v}" in digests for a, v in self._shown_hashes(file).items())

    def all_versions(self, name: str) -> Sequence[Version]:
        """See `AdjustableRepository.all_versions`."""
        detail = self._detail(name)
        return () if detail is None or detail.is_quarantined else detail.versions

    def project_status(self, name: str) -> ProjectStatus | None:
        """See `AdjustableRepository.project_status`."""
        detail = self._detail(name)
        return None if detail is None else detail.project_status

    def left_out(self, name: str, version: Version) -> str | None:
        """See `AdjustableRepository.left_out`."""
        detail = self._detail(name)
        assert detail is not None, name
        if self.files(name, version):
            return None
        from lockset.resolve.releases.upload_limits import why_left_out  # for messages

        return why_left_out(self.rules, name, detail.files(version))

    def listed_files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """All files of the release, whether the rules admit them or not."""
        detail = self._detail(name)
        return () if detail is None else detail.files(version)

    def index_url(self, name: str, version: Version) -> str:
        """The index that the release comes from."""
        detail = self._detail(name)
        assert detail is not None, name
        return detail.index_of(version)

    def empty_page(self, name: str) -> str | None:
        """See `AdjustableRepository.empty_page`."""
        detail = self._detail(name)
        return None if detail is None or detail.versions or detail.is_quarantined else detail.index_url

    def hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """Strong hashes from the index; where it has none, those of the bytes."""
        strong = {a: v for a, v in file.hashes.items() if a in STRONG_ALGORITHMS}
        return strong or self._hash_file(file)

    def _shown_hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """The hashes on the page; those of the bytes for a file of a local folder, which has none."""
        return self.hashes(file) if not file.hashes and is_local(file.url) else file.hashes

    def requires_python(self, name: str, version: Version) -> str | None:
        """The Requires-Python of the release; None where its files have none or different ones."""
        texts = {f.requires_python for f in self.files(name, version)}
        return texts.pop() if len(texts) == 1 else None

    def serves(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.serves`."""
        known = self._serves.get((name, version))
        if known is None:
            known = self._serves[name, version] = self._admitted_region(name, version)
        return known

    def _admitted_region(self, name: str, version: Version) -> MarkerSet:
        detail = self._detail(name)
        assert detail is not None, name
        builds = detail.has_sdist(version) and self.rules.may_use_sdists(name)
        if builds and self.rules.must_have.is_empty and self.rules.required.is_empty and self._admits_every_file(name):
            # The common case: only Requires-Python of the files matters.
            return MarkerSet.union(map(self.admits, detail.requires_pythons(version)))
        requires_pythons = {f.requires_python for f in self.files(name, version)}
        return MarkerSet.union(map(self.admits, requires_pythons)) - self.lacks_files(name, version)

    def lacks_files(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.lacks_files`."""
        needed = self.rules.required | self.rules.must_have
        if needed.is_empty:
            return needed
        if (name, version) not in self._lacks:
            files = self.files(name, version)
            needed = self.rules.needs_wheel(name, version, has_sdist=not all(f.is_wheel for f in files))
            lacking = needed if needed.is_empty else needed - self._wheels(files, self._coverage_of(name))
            # Required wheels do not depend on another libc that is also a target.
            required = self.rules.required
            lacking |= required if required.is_empty else required - self._wheels(files, self._strict_coverage)
            self._lacks[name, version] = lacking
        return self._lacks[name, version]

    def has_static_metadata(self, name: str, version: Version) -> bool:
        """See `Repository.has_static_metadata`."""
        if self._facts.get((name, version)) is not None:
            return True
        files = self.files(name, version)
        with suppress(LocksetError):
            return any(f.is_wheel for f in files) or bool(self._metadata.unbuilt().metadata(files).name)
        return False

    def _admits_every_file(self, name: str) -> bool:
        """Whether no rule looks at single files: no upload limit and no required hashes."""
        return self.rules.limit(name) is None and name not in self.rules.hashes

    @property
    def target_region(self) -> MarkerSet:
        """See `Repository.target_region`."""
        return self.rules.target_region

    def wheels_serve(self, name: str, version: Version) -> MarkerSet | None:
        """See `Repository.wheels_serve`."""
        detail = self._detail(name)
        assert detail is not None, name
        if detail.has_sdist(version) and self.rules.may_use_sdists(name) and self._admits_every_file(name):
            return None
        if (name, version) not in self._wheels_serve:
            files = self.files(name, version)
            wheels_only = all(f.is_wheel for f in files)
            self._wheels_serve[name, version] = self._wheels(files, self._coverage_of(name)) if wheels_only else None
        return self._wheels_serve[name, version]

    def _wheels(self, files: Iterable[DistributionFile], coverage: WheelCoverage) -> MarkerSet:
        wheels = [(f.tags, wheel_region(f.tags) & self.admits(f.requires_python)) for f in files if f.is_wheel]
        return coverage.of(wheels)

    def _coverage_of(self, name: str) -> WheelCoverage:
        """The coverage by wheels, for the described interpreters that count for a project."""
        if not self.rules.has_targets_alike:
            return self._usual_coverage
        if name not in self._coverages:
            files = (f for version in self.releases(name).versions for f in self.files(name, version))
            tags = frozenset(t for f in files if f.is_wheel for t in f.tags)
            self._coverages[name] = WheelCoverage(distinguish_targets(self.rules.targets, tags))
        return self._coverages[name]

    def strictly_serves(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.strictly_serves`."""
        known = self._strictly_serves.get((name, version))
        if known is None:
            texts = self._requires_pythons(name, version)
            known = MarkerSet.union([MarkerSet.any() if not t else requires_python_region(t) for t in texts])
            self._strictly_serves[name, version] = known
        return known

    def _requires_pythons(self, name: str, version: Version) -> Iterable[str | None]:
        detail = self._detail(name)
        assert detail is not None, name
        rules = self.rules
        if self._admits_every_file(name) and rules.may_use_wheels(name) and rules.may_use_sdists(name):
            return detail.requires_pythons(version)  # without a look at the single files
        return {f.requires_python for f in self.files(name, version)}

    def admits(self, requires_python: str | None) -> MarkerSet:
        """Environments that a Requires-Python admits, without its upper bound where the rules ignore it."""
        if not requires_python:
            return MarkerSet.any()
        known = self._python_regions.get(requires_python)
        if known is None:
            known = self._python_regions[requires_python] = self._without_cap(requires_python_region(requires_python))
        return known

    def _without_cap(self, region: MarkerSet) -> MarkerSet:
        if not self.rules.ignore_caps:
            return region
        # A release whose upper bound is below every requested Python serves none of them: the bound counts.
        left_behind = region.is_disjoint(self.rules.target_region) and not self.rules.target_region.is_empty
        return region if left_behind else region.without_python_cap() - (self.rules.caps_count - region)

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        """See `Repository.facts`."""
        if (name, version) not in self._facts:
            self._facts[name, version] = self._read_facts(name, version)
        return self._facts[name, version]

    def _read_facts(self, name: str, version: Version) -> ReleaseFacts | None:
        try:
            metadata = self._read_metadata(name, version)
            self._note_requires_python(name, version, metadata.requires_python)
            dependencies = Dependencies(self._dependencies(name, version, metadata))
        except _SKIPPED as error:
            if isinstance(error, BuildNeededError | TooManyFailedBuildsError):
                self.unbuilt.add(name)
            if isinstance(error, TooManyFailedBuildsError):
                if name in self._given_up:
                    return None  # the note that no further one is built was given
                self._given_up.add(name)
            self.stepped_over[name, version] = error.diagnostic.message
            self._listener.note(f"{name} {version} is skipped: {error.diagnostic.message}")
            return None
        return ReleaseFacts(
            dependencies=dependencies,
            extras=metadata.provides_extra,
            serves=self.admits(metadata.requires_python),
        )

    def _note_requires_python(self, name: str, version: Version, text: str | None) -> None:
        """Give a note on how a Requires-Python that is not valid is read."""
        if text and (fixed := read_python(text)) != text:
            meaning = "every Python" if fixed is None else f"`{fixed}`"
            self._listener.note(
                f"{name} {version} has the Requires-Python `{text}`, which is not valid: it is read as {meaning}"
            )

    def _dependencies(
        self, name: str, version: Version, metadata: CoreMetadata
    ) -> Iterable[Dependency | tuple[str, str]]:
        """The dependencies in the metadata; one that is not valid but has a clear meaning is read as that."""
        for text in metadata.requires_dist:
            extra = self._extra_of(text)
            if extra is not None:
                yield extra, text
                continue
            dependency, fixed = parse_metadata_dependency(text)
            if fixed is not None:
                self._listener.note(f"{name} {version} requires `{text}`, which is not valid: it is read as `{fixed}`")
            yield from self.counted(dependency)

    def _extra_of(self, text: str) -> str | None:
        """The extra that a Requires-Dist belongs to, if it need not be parsed before that is required."""
        return None if self.rules.excludes or self.rules.overrides else of_extra(text)

    def _read_metadata(self, name: str, version: Version) -> CoreMetadata:
        """The metadata of the release. Builds it if needed, up to a number of builds for each project."""
        files = self.files(name, version)
        if any(f.is_wheel for f in files):
            return self._metadata.metadata(files)
        built, failed = self._built.get(name, (0, 0))
        if self._may_build_more(name):
            try:
                metadata = self._metadata.metadata(files)
            except BuildFailedError:
                self._built[name] = (built + 1, failed + 1)
                raise
            if metadata.origin == "built":
                self._built[name] = (built + 1, failed)
            return metadata
        try:
            return self._metadata.unbuilt().metadata(files)
        except BuildNeededError as error:
            in_vain = "were built for their metadata, and none fits" if failed < _MOST_FAILED else "could not be built"
            raise TooManyFailedBuildsError(
                f"{built if failed < _MOST_FAILED else failed} releases {in_vain}: no more are tried",
                hint=f"Add a lower bound to `{name}`, so that fewer old releases are tried",
            ) from error

    def _may_build_more(self, name: str) -> bool:
        """Whether a further release of the project may be built for its metadata."""
        built, failed = self._built.get(name, (0, 0))
        return built < _MOST_BUILT and failed < _MOST_FAILED

    def hint_file(self, file: DistributionFile) -> None:
        """Announce that the metadata of this file will be needed; returns at once."""
        self._metadata.hint([file])

    def dependencies_of_file(self, file: DistributionFile) -> tuple[Dependency, ...]:
        """The dependencies of this one file, whatever other files of its version have."""
        metadata = self._metadata.metadata([file])
        return tuple(d for text in metadata.requires_dist for d in self.counted(parse_metadata_dependency(text)[0]))

    def counted(self, dependency: Dependency) -> Iterable[Dependency]:
        """The dependency, or the user's overrides of it."""
        if dependency.name in self.rules.excludes:
            return ()
        overrides = self.rules.overrides.get(dependency.name)
        if overrides is None:
            return (dependency,)
        return tuple(replaced(dependency, text) for text in overrides)


def _builds(file: DistributionFile) -> bool:
    return file.filename.endswith(SDIST_SUFFIXES)
