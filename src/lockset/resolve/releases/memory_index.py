"""An index in memory: releases described by values, to resolve without files and servers."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement
from packaging.version import InvalidVersion, Version

from lockset._dataclass import dataclass, field
from lockset.dependency_specifiers import read_dependency, read_version
from lockset.errors import SourceNotSupportedError, UsageError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page
from lockset.index.ports import ProjectNotFound
from lockset.metadata.core import CoreMetadata
from lockset.option_values import check_options
from lockset.package_names import canonicalize_name
from lockset.resolve.releases.index_repository import IndexRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from packaging.utils import NormalizedName

    from lockset.index.pages.project_page import DistributionFile
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import DirectSource, SourceFacts
    from lockset.resolve.problem.file_policy import FileRules

__all__ = ["MemoryIndex", "MemoryRelease", "memory_repository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRelease:
    """One release of a project in a `MemoryIndex`.

    Attributes:
        requires: Dependency specifiers, as in Requires-Dist.
        extras: Extras, each with the dependency specifiers that it adds.
        requires_python: Requires-Python; None for any Python.
        files: Names of wheels and sdists; empty for one wheel for all platforms.
        yanked: Whether the release was yanked (PEP 592).
        uploaded: When its files were uploaded; None if unknown.
    """

    requires: tuple[str, ...] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    requires_python: str | None = None
    files: tuple[str, ...] = ()
    yanked: bool = False
    uploaded: datetime | None = None

    def __post_init__(self) -> None:
        check_options(self, besides=("extras",))


class MemoryIndex:
    """An index whose projects and releases are described by values; pass it as `indexes` to `lock` and `why_not`.

    The files of its releases do not exist: a lock file made from it can be read and compared, not synced.

    Attributes:
        url: The URL of the index in lock files.
        projects: The releases of each project.

    Args:
        projects: For each project its versions, each with a `MemoryRelease` or only with the requirements of one:
            `{"flask": {"3.0": ["click>=8"]}, "click": {"8.1": []}}`.
        url: The URL of the index in lock files.

    Raises:
        UsageError: `option-value` if a version, a requirement or a value is not valid.
    """

    def __init__(
        self,
        projects: Mapping[str, Mapping[str, MemoryRelease | Sequence[str]]],
        *,
        url: str = "https://index.example.org/simple/",
    ) -> None:
        self.url = url
        self.projects: Mapping[NormalizedName, Mapping[Version, MemoryRelease]] = {
            canonicalize_name(name): {_version(name, text): _release(name, text, facts) for text, facts in own.items()}
            for name, own in projects.items()
        }


@contextmanager
def memory_repository(index: MemoryIndex, rules: FileRules, listener: ProgressListener) -> Iterator[IndexRepository]:
    """A repository over the index."""
    yield IndexRepository(
        index=_MemoryPages(index),
        metadata=_MemoryMetadata(index),
        rules=rules,
        listener=listener,
        hash_file=lambda file: _hashes(file.filename),
        sources=_NoSources(),
    )


class _MemoryPages:
    """The pages of the projects; see `lockset.index.ports.Index`."""

    def __init__(self, index: MemoryIndex) -> None:
        self._index = index
        self._pages: dict[NormalizedName, ProjectDetail] = {}

    def hint(self, names: Iterable[str]) -> None:
        """There is nothing to fetch ahead."""

    def renew(self, names: Iterable[str]) -> bool:  # noqa: ARG002 (of the port)
        """Nothing changes."""
        return False

    def project(self, name: str) -> ProjectDetail:
        """The page of a project."""
        normal, url = canonicalize_name(name), self._index.url
        releases = self._index.projects.get(normal)
        if releases is None:
            raise ProjectNotFound(name, searched=(url,))
        if normal not in self._pages:
            files = [file for version, facts in releases.items() for file in self._files(normal, version, facts)]
            page = json.dumps({"meta": {"api-version": "1.1"}, "name": normal, "files": files}).encode()
            table = parse_json_page(page, name=normal, page_url=f"{url}{normal}/", index_url=url)
            self._pages[normal] = ProjectDetail(table, fingerprint="")
        return self._pages[normal]

    def _files(self, name: str, version: Version, facts: MemoryRelease) -> Iterator[dict[str, object]]:
        for filename in facts.files or (f"{name.replace('-', '_')}-{version}-py3-none-any.whl",):
            yield {
                "filename": filename,
                "url": f"{self._index.url}files/{filename}",
                "hashes": _hashes(filename),
                "requires-python": facts.requires_python,
                "yanked": facts.yanked,
                **({} if facts.uploaded is None else {"upload-time": facts.uploaded.isoformat()}),
            }


class _NoSources:
    """Refuses requirements by URL or path; see `lockset.resolve.problem.direct_source.SourceReader`."""

    def begin(self, sources: Iterable[tuple[DirectSource, str | None]]) -> None:
        """There is nothing to read."""

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        """Refuse the source."""
        del commit
        raise SourceNotSupportedError(
            f"{source.name} is required from {source.shown}, which cannot be read with an index in memory",
            location=source.location,
            hint="Require it by version, and add its releases to the `MemoryIndex`",
        )


class _MemoryMetadata:
    """The metadata of the releases; see `lockset.metadata.ports.MetadataSource`."""

    def __init__(self, index: MemoryIndex) -> None:
        self._index = index

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """There is nothing to retrieve."""

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        """The metadata of the release with these files."""
        project, version = files[0].project, files[0].version
        facts = self._index.projects[canonicalize_name(project)][version]
        return CoreMetadata(
            name=canonicalize_name(project),
            version=version,
            requires_dist=_requires_dist(facts),
            requires_python=facts.requires_python,
            provides_extra=frozenset(map(canonicalize_name, facts.extras)),
            origin="wheel",
        )

    def unbuilt(self) -> _MemoryMetadata:
        """Nothing is built."""
        return self


def _hashes(filename: str) -> dict[str, str]:
    return {"sha256": hashlib.sha256(filename.encode()).hexdigest()}


def _version(name: str, text: str) -> Version:
    try:
        return read_version(text)
    except (InvalidVersion, TypeError) as error:
        raise UsageError("option-value", f"`{text}` is not a valid version of {name}") from error


def _release(name: str, version: str, facts: MemoryRelease | Sequence[str]) -> MemoryRelease:
    release = facts if isinstance(facts, MemoryRelease) else None
    if release is None:
        if isinstance(facts, str):
            hint = f"Write `[{facts!r}]`"
            raise UsageError("option-value", f"The requirements of {name} {version} must be a list", hint=hint)
        release = MemoryRelease(requires=tuple(facts))  # type: ignore[arg-type]
    for text in _requires_dist(release):
        try:
            read_dependency(text)
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            raise UsageError("option-value", f"`{text}` of {name} {version} is not a requirement: {reason}") from error
    return release


def _requires_dist(release: MemoryRelease) -> tuple[str, ...]:
    """The values of Requires-Dist, those of extras with their marker."""
    lines = list(release.requires)
    for extra, requirements in release.extras.items():
        for text in requirements:
            base, _, marker = text.partition(";")
            condition = f"({marker.strip()}) and extra == '{extra}'" if marker.strip() else f"extra == '{extra}'"
            lines.append(f"{base.strip()} ; {condition}")
    return tuple(lines)
