"""Repository and Artifacts over an index and the retrieval of metadata, through their ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.index.ports import ProjectNotFound
from lockset.markers import MarkerSet, wheel_region
from lockset.resolve.regions import union
from lockset.resolve.repository import ReleaseFacts, Releases
from lockset.resolve.requirement import parse_dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from packaging.version import Version

    from lockset.events import Listener
    from lockset.index.page import DistributionFile, ProjectDetail
    from lockset.index.ports import Index
    from lockset.metadata.ports import MetadataSource

__all__ = ["FileRules", "IndexRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """Which files may be used, and where they must exist.

    Attributes:
        ignore_caps: Upper bounds in Requires-Python do not count in the search (the lock is narrowed afterwards).
        no_build: Projects, or `:all:`, whose sdists may not be used.
        no_binary: Projects, or `:all:`, whose wheels may not be used.
        wanted: Environments for which a release should have a usable file, if any release of the project has.
        required: Environments for which it must have one.
        uploaded_before: Files uploaded later do not exist; nor do those without an upload time.
    """

    ignore_caps: bool = False
    no_build: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    wanted: MarkerSet
    required: MarkerSet
    uploaded_before: datetime | None = None

    @property
    def needed(self) -> MarkerSet:
        """Environments for which a release without an sdist should have a wheel."""
        return self.required | self.wanted

    def may_build(self, name: str) -> bool:
        """Whether sdists of `name` may be used."""
        return ":all:" not in self.no_build and name not in self.no_build

    def may_use_wheels(self, name: str) -> bool:
        """Whether wheels of `name` may be used."""
        return ":all:" not in self.no_binary and name not in self.no_binary


class IndexRepository:
    """Answers from an index; asks for each page and each release's metadata once."""

    def __init__(
        self,
        *,
        index: Index,
        metadata: MetadataSource,
        rules: FileRules,
        listener: Listener,
        hash_file: Callable[[DistributionFile], Mapping[str, str]],
    ) -> None:
        self._index = index
        self._metadata = metadata
        self._rules = rules
        self._listener = listener
        self._hash_file = hash_file
        self._details: dict[str, ProjectDetail | None] = {}
        self._releases: dict[str, Releases] = {}
        self._files: dict[tuple[str, Version], tuple[DistributionFile, ...]] = {}
        self._serves: dict[tuple[str, Version], MarkerSet] = {}
        self._facts: dict[tuple[str, Version], ReleaseFacts | None] = {}
        self._hopeless: dict[str, MarkerSet] = {}
        self.not_found: dict[str, LocksetError] = {}

    def hint(self, names: Iterable[str]) -> None:
        """See `Repository.hint`."""
        new = [n for n in names if n not in self._details]
        if new:
            self._index.hint(new)

    def hint_release(self, name: str, version: Version) -> None:
        """See `Repository.hint_release`."""
        if (name, version) not in self._facts:
            self._metadata.hint(self.files(name, version))

    def releases(self, name: str) -> Releases:
        """See `Repository.releases`."""
        known = self._releases.get(name)
        if known is None:
            known = self._releases[name] = self._list(name)
        return known

    def _list(self, name: str) -> Releases:
        detail = self._detail(name)
        versions = [] if detail is None else [v for v in detail.versions if self._usable(name, detail, v)]
        stable = yanked = 0
        for position, version in enumerate(versions):
            assert detail is not None
            if not version.is_prerelease:
                stable |= 1 << position
            if detail.yanked(version):
                yanked |= 1 << position
        return Releases(name=name, versions=tuple(versions), stable=stable, yanked=yanked)

    def _usable(self, name: str, detail: ProjectDetail, version: Version) -> bool:
        if self._rules.uploaded_before is not None:
            return bool(self.files(name, version))
        return (self._rules.may_use_wheels(name) and detail.has_wheel(version)) or (
            self._rules.may_build(name) and detail.has_sdist(version)
        )

    def _detail(self, name: str) -> ProjectDetail | None:
        if name not in self._details:
            try:
                self._details[name] = self._index.project(name)
            except ProjectNotFound as error:
                self._details[name] = None
                self.not_found[name] = error
        return self._details[name]

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """Files of the release that may be used."""
        known = self._files.get((name, version))
        if known is None:
            detail = self._detail(name)
            assert detail is not None, name
            known = self._files[name, version] = self._chosen(name, detail.files(version))
        return known

    def _chosen(self, name: str, files: Sequence[DistributionFile]) -> tuple[DistributionFile, ...]:
        rules = self._rules
        usable = [
            f for f in files if (rules.may_use_wheels(name) if f.is_wheel else rules.may_build(name) and _builds(f))
        ]
        if rules.uploaded_before is not None:
            limit = rules.uploaded_before
            usable = [f for f in usable if f.upload_time is not None and f.upload_time < limit]
        return tuple([f for f in usable if not f.yanked] or usable)

    def index_url(self, name: str) -> str:
        """The index the project comes from."""
        detail = self._detail(name)
        assert detail is not None, name
        return detail.index_url

    def hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """Strong hashes the index gives; where it gives none, those of the bytes."""
        strong = {a: v for a, v in file.hashes.items() if a in STRONG_ALGORITHMS}
        return strong or self._hash_file(file)

    def requires_python(self, name: str, version: Version) -> str | None:
        """The one Requires-Python text of the release; None where its files tell none or different ones."""
        texts = {f.requires_python for f in self.files(name, version)}
        return texts.pop() if len(texts) == 1 else None

    def serves(self, name: str, version: Version) -> MarkerSet:
        """See `Repository.serves`."""
        known = self._serves.get((name, version))
        if known is None:
            known = self._serves[name, version] = self._served(name, version)
        return known

    def _served(self, name: str, version: Version) -> MarkerSet:
        detail = self._detail(name)
        assert detail is not None, name
        builds = detail.has_sdist(version) and self._rules.may_build(name)
        if builds and self._rules.required.is_empty and self._rules.uploaded_before is None:
            # The common case: nothing of the single files matters but what they say of Python.
            return union(map(self._admits, detail.requires_pythons(version)))
        files = self.files(name, version)
        region = union(self._admits(f.requires_python) for f in files)
        needed = self._rules.required if any(not f.is_wheel for f in files) else self._rules.needed
        missing = needed - self.wheels_serve(name, version)
        if not missing.is_empty:
            missing -= self._nobody_serves(name) - self._rules.required
        return region - missing

    def wheels_serve(self, name: str, version: Version) -> MarkerSet:
        """Environments in which one of the release's wheels can be used."""
        return union(
            wheel_region(f.tags) & self._admits(f.requires_python) for f in self.files(name, version) if f.is_wheel
        )

    def _nobody_serves(self, name: str) -> MarkerSet:
        """Wanted environments for which no release of the project has a file: they cannot be asked of any."""
        known = self._hopeless.get(name)
        if known is None:
            known = self._rules.wanted
            for version in self.releases(name).versions:
                files = self.files(name, version)
                served = self.wheels_serve(name, version)
                if any(not f.is_wheel for f in files):
                    served |= union(self._admits(f.requires_python) for f in files if not f.is_wheel)
                known -= served
                if known.is_empty:
                    break
            self._hopeless[name] = known
        return known

    def _admits(self, requires_python: str | None) -> MarkerSet:
        if not requires_python:
            return MarkerSet.any()
        try:
            region = MarkerSet.of_python(requires_python)
        except LocksetError:
            return MarkerSet.any()  # what cannot be read cannot bind (installers do the same)
        return region.without_python_cap() if self._rules.ignore_caps else region

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        """See `Repository.facts`."""
        if (name, version) not in self._facts:
            self._facts[name, version] = self._learn(name, version)
        return self._facts[name, version]

    def _learn(self, name: str, version: Version) -> ReleaseFacts | None:
        try:
            metadata = self._metadata.metadata(self.files(name, version))
            dependencies = tuple(map(parse_dependency, metadata.requires_dist))
        except LocksetError as error:
            if error.diagnostic.code not in {"metadata-invalid", "requirement-syntax", "build-needed", "build-failed"}:
                raise
            self._listener.note(f"{name} {version} is stepped over: {error.diagnostic.message}")
            return None
        return ReleaseFacts(
            dependencies=dependencies,
            extras=metadata.provides_extra,
            serves=self._admits(metadata.requires_python),
        )


def _builds(file: DistributionFile) -> bool:
    return file.filename.endswith((".tar.gz", ".zip"))
