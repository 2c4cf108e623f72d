"""A small world: an index in memory, a project that asks, and the lock that lockset makes of both.

A world is a TOML text. `[project]`, `[dependency-groups]` and `[tool.lockset]` are those of a pyproject.toml;
`[choices]` holds fields of `LockOptions`, `[before]` the pins of an old lock, `[packages.NAME]` one release per key:
`"1.0" = { requires = ["b>=2"], requires-python = ">=3.9", yanked = true, broken = true, wheels = ["py3-none-any"],
sdist = true, build = true, uploaded = 2024-05-01T00:00:00Z, extras = { x = ["c"] } }`. `[sources]` has what is at URLs:
`"https://files.example.org/a-1.5-py3-none-any.whl" = { name = "a", version = "1.5", requires = ["b"] }`.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli
import tomli_w
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lockset.composition.lock_pipeline import LockOptions, lock_project
from lockset.errors import BuildNeededError, MetadataInvalidError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page
from lockset.index.ports import ProjectNotFound
from lockset.lockfile.model import Package, PackageWheel, Pylock
from lockset.lockfile.select import select_entries
from lockset.markers import Environment, described_tags
from lockset.metadata.core import CoreMetadata
from lockset.progress import NullListener
from lockset.resolve.problem.direct_source import SourceFacts
from lockset.resolve.releases.index_repository import IndexRepository
from lockset.sources.pyproject import read_pyproject
from lockset.sources.requirements.requirement_line import parse_requirement
from support.builders import PageFile, page_json
from support.builders.core_metadata import requires_dist_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from lockset.composition.lock_assembly import LockResult
    from lockset.index.pages.project_page import DistributionFile
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import DirectSource
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.sources.project import RootProject

INDEX = "https://index.example.org/simple/"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
PLATFORMS = {"linux": "manylinux_2_28_x86_64", "macos": "macosx_14_0_arm64", "windows": "win_amd64"}
_PROJECT_KEYS = ("project", "dependency-groups", "tool")


@dataclass(slots=True)
class Notes(NullListener):
    """A listener that keeps the notes."""

    texts: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.texts.append(text)


class SmallIndex:
    """The port Index over described releases."""

    def __init__(self, packages: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
        self._packages = packages
        self._pages: dict[str, ProjectDetail] = {}

    def hint(self, names: Iterable[str]) -> None:
        """Nothing is fetched ahead."""

    def renew(self, names: Iterable[str]) -> bool:
        return False

    def project(self, name: str) -> ProjectDetail:
        if name not in self._packages:
            raise ProjectNotFound(name, searched=(INDEX,))
        if name not in self._pages:
            files = [f for version, facts in self._packages[name].items() for f in _files(name, version, facts)]
            page = page_json(name, files).encode()
            self._pages[name] = ProjectDetail(
                parse_json_page(page, name=name, page_url=f"{INDEX}{name}/", index_url=INDEX), fingerprint=""
            )
        return self._pages[name]


class SmallMetadata:
    """The port MetadataSource over the same releases; `asked` lists the releases it told of."""

    def __init__(self, packages: Mapping[str, Mapping[str, Mapping[str, Any]]], *, builds: bool = True) -> None:
        self._packages = packages
        self._builds = builds
        self.asked: list[tuple[str, str]] = []
        self.built_releases: list[tuple[str, str]] = []

    def hint(self, files: Sequence[DistributionFile]) -> None:
        """Nothing is fetched ahead."""

    def unbuilt(self) -> SmallMetadata:
        return SmallMetadata(self._packages, builds=False)

    def metadata(self, files: Sequence[DistributionFile]) -> CoreMetadata:
        project, version = files[0].project, files[0].version
        facts = next(f for v, f in self._packages[project].items() if Version(v) == version)
        self.asked.append((project, str(version)))
        if facts.get("broken"):
            raise MetadataInvalidError(f"{project} {version} has no usable metadata")
        if facts.get("build"):
            if not self._builds:
                raise BuildNeededError(f"{project} {version} has to be built for its metadata")
            self.built_releases.append((project, str(version)))
        extras = facts.get("extras", {})
        return CoreMetadata(
            name=project,
            version=version,
            requires_dist=tuple(requires_dist_lines(facts.get("requires", ()), extras)),
            requires_python=facts.get("metadata-requires-python", facts.get("requires-python")),
            provides_extra=frozenset(canonicalize_name(e) for e in extras),
            origin="wheel",
        )


class SmallSources:
    """The port SourceReader over described sources; `asked` lists the URLs it was asked for."""

    def __init__(self, sources: Mapping[str, Mapping[str, Any]]) -> None:
        self._sources = sources
        self.asked: list[str] = []

    def begin(self, sources: Iterable[tuple[DirectSource, str | None]]) -> None:
        """Nothing takes time here."""

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        assert source.url is not None
        self.asked.append(source.url)
        facts = self._sources[source.url]
        extras = facts.get("extras", {})
        metadata = CoreMetadata(
            name=facts["name"],
            version=Version(facts["version"]),
            requires_dist=tuple(requires_dist_lines(facts.get("requires", ()), extras)),
            requires_python=facts.get("requires-python"),
            provides_extra=frozenset(canonicalize_name(e) for e in extras),
            origin="wheel",
        )
        digest = hashlib.sha256(source.url.encode()).hexdigest()
        return SourceFacts(metadata=metadata, hashes={"sha256": digest}, size=len(source.url), commit=commit)


def _files(name: str, version: str, facts: Mapping[str, Any]) -> Iterator[PageFile]:
    stem = f"{name.replace('-', '_')}-{version}"
    wheels = [f"{stem}-{tags}.whl" for tags in facts.get("wheels", ["py3-none-any"])]
    for filename in [*wheels, *([f"{stem}.tar.gz"] if facts.get("sdist") else [])]:
        yanked = facts.get("yanked", False)
        if "yanked-files" in facts:
            yanked = any(part in filename for part in facts["yanked-files"])
        yield PageFile(
            filename=filename,
            url=f"https://files.example.org/{filename}",
            hashes={"sha256": hashlib.sha256(filename.encode()).hexdigest()},
            requires_python=facts.get("requires-python"),
            size=len(filename),
            upload_time=facts.get("uploaded"),
            yanked=yanked,
        )


def small_repository(
    packages: Mapping[str, Mapping[str, Mapping[str, Any]]],
    rules: FileRules,
    listener: ProgressListener | None = None,
    metadata: SmallMetadata | None = None,
    sources: SmallSources | None = None,
) -> IndexRepository:
    """The real repository over a world in memory."""

    def hash_file(file: DistributionFile) -> Mapping[str, str]:
        return {"sha256": hashlib.sha256(file.filename.encode()).hexdigest()}

    return IndexRepository(
        index=SmallIndex(packages),
        metadata=metadata or SmallMetadata(packages),
        rules=rules,
        listener=listener or NullListener(),
        hash_file=hash_file,
        sources=sources,
    )


@dataclass(frozen=True)
class SmallWorld:
    """A world as read from its text."""

    data: Mapping[str, Any]

    @classmethod
    def read(cls, text: str) -> SmallWorld:
        return cls(tomli.loads(text))

    @cached_property
    def packages(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        result: Mapping[str, Mapping[str, Mapping[str, Any]]] = self.data.get("packages", {})
        return result

    @cached_property
    def metadata(self) -> SmallMetadata:
        return SmallMetadata(self.packages)

    @cached_property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        result: Mapping[str, Mapping[str, Any]] = self.data.get("sources", {})
        return result

    @cached_property
    def project(self) -> RootProject:
        tables = {key: dict(self.data[key]) for key in _PROJECT_KEYS if key in self.data}
        if "project" in tables:
            tables["project"] = {"name": "app", **tables["project"]}
        return read_pyproject(tomli_w.dumps(tables), base=Path("/project"))

    @cached_property
    def choices(self) -> LockOptions:
        return choices_of_table(self.data.get("choices", {}))

    @cached_property
    def before(self) -> Pylock | None:
        pins = self.data.get("before", {}).get("pins")
        return None if pins is None else old_lock(pins, requires_python=self.data["before"].get("requires-python"))

    def opener(self) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
        @contextmanager
        def opened(rules: FileRules, listener: ProgressListener) -> Iterator[IndexRepository]:
            yield small_repository(
                self.packages, rules, listener, metadata=self.metadata, sources=SmallSources(self.sources)
            )

        return opened

    def lock(
        self, *, old: Pylock | None = None, choices: LockOptions | None = None, listener: ProgressListener | None = None
    ) -> LockResult:
        """The lock of the world's question; `old` instead of the pins of `[before]`, `choices` of `[choices]`."""
        return lock_project(
            self.project,
            choices or self.choices,
            open_repository=self.opener(),
            now=NOW,
            old=self.before if old is None else old,
            listener=listener,
        )


def choices_of_table(table: Mapping[str, Any]) -> LockOptions:
    """Fields of LockOptions, dashes for underscores; arrays for sets and tuples, requirement texts for constraints."""
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        values[name] = tuple(value) if isinstance(value, list) else value
    values["upgrade_packages"] = frozenset(values.get("upgrade_packages", ()))
    values["constraints"] = tuple(
        parse_requirement(text, origin="constraints.txt", location="constraints.txt")
        for text in values.get("constraints", ())
    )
    return LockOptions(**values)


def old_lock(pins: Iterable[str], *, tags: str = "py3-none-any", requires_python: str | None = None) -> Pylock:
    """A lock with just these entries, each `name version` or `name version ; marker`, and one wheel each."""
    packages = []
    for pin in pins:
        release, _, marker = pin.partition(";")
        name, version = release.split()
        filename = f"{name}-{version}-{tags}.whl"
        wheel = PackageWheel(name=filename, url=f"https://files.example.org/{filename}", hashes={"sha256": "0" * 64})
        packages.append(
            Package(
                name=canonicalize_name(name),
                version=Version(version),
                marker=Marker(marker) if marker else None,
                wheels=[wheel],
            )
        )
    pythons = None if requires_python is None else SpecifierSet(requires_python)
    return Pylock(lock_version=Version("1.0"), created_by="lockset", packages=packages, requires_python=pythons)


def described(text: str) -> tuple[Environment, Sequence[Any]]:
    """Marker values and tags of `3.12 linux`, `3.12 windows pypy`, `3.12.4 manylinux_2_28_aarch64`."""
    python, platform, *rest = text.split()
    implementation = rest[0] if rest else "cpython"
    platform = PLATFORMS.get(platform, platform)
    minor = ".".join(python.split(".")[:2])
    return Environment.of_platform(platform, python, implementation), described_tags(platform, minor, implementation)


def selected(
    pylock: Pylock, environment: str, *, extras: Sequence[str] = (), groups: Sequence[str] | None = None
) -> list[str]:
    """What the lock installs in a described environment, each `name version`."""
    values, tags = described(environment)
    chosen = select_entries(pylock, environment=values, tags=tags, extras=extras, groups=groups)
    return [f"{item.package.name} {item.package.version}" for item in chosen.items]


def entries(pylock: Pylock) -> list[str]:
    """Each entry as `name version` or `name version ; marker`."""
    return [f"{p.name} {p.version}" + (f" ; {p.marker}" if p.marker is not None else "") for p in pylock.packages]
