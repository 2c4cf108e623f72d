"""The packages of an audit, with their versions: of a lock file, of requirements, or of an environment."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.advisories.version_ranges import parsed_version
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from packaging.version import Version

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.dependency_graph import LockGraph
    from lockset.lockfile.model import Package
    from lockset.lockfile.read import Document
    from lockset.sources.requirements.requirement_line import ReferencedFiles, RequirementLine
    from lockset.sync.disk.request import TargetSpec

__all__ = ["AuditSubject", "AuditedPackage", "environment_subject", "file_subject", "lock_subject"]

# The most packages in one chain of dependencies that is shown.
_LONGEST_CHAIN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedPackage:
    """One version of a package.

    Attributes:
        name: Normalized name.
        version: The version; a string if it is not a valid one.
        condition: The marker of where it is locked; None for everywhere.
        line: The line in a requirements file, from 1; see `AuditSubject.position`.
        index: The index that the lock file records.
        number: The index of its entry in the lock file; None for others.
    """

    name: str
    version: Version | str
    condition: str | None = None
    line: int = 1
    index: str | None = None
    number: int | None = None


@dataclass(frozen=True, kw_only=True)
class AuditSubject:
    """The subject of an audit.

    Attributes:
        kind: `lock`, `requirements` or `environment`.
        location: The file as it is named, or the folder of the environment.
        packages: The packages with a version.
        unchecked: What has no version to check, one sentence each.
        document: The pylock file; None for others.
        graph: Its dependency graph.
        parents: For others, name -> names of the packages that require it; empty if that is not known.
    """

    kind: str
    location: str
    packages: tuple[AuditedPackage, ...]
    unchecked: tuple[str, ...] = ()
    document: Document | None = None
    graph: LockGraph | None = None
    parents: Mapping[str, tuple[str, ...]]

    def chain(self, package: AuditedPackage) -> tuple[str, ...]:
        """The shortest chain from a direct dependency to the package, as `name version`; a direct one is alone."""
        if self.graph is not None and package.number is not None:
            from lockset.lockfile.dependency_graph import chains_to

            chains, _ = chains_to(self.graph, package.number)
            return tuple(map(str, chains[0].entries)) if chains else ()
        return self._named_chain(package)

    def position(self, package: AuditedPackage) -> tuple[int, int]:
        """Line and column of the package in the file, from 1."""
        if self.document is None or package.number is None:
            return package.line, 1
        from lockset.lockfile.validate.locate import locations

        path = ("packages", package.number, "name")
        return self.document.lines.position(locations(self.document, [path])[path].start)

    def _named_chain(self, package: AuditedPackage) -> tuple[str, ...]:
        versions = {one.name: one.version for one in self.packages}
        waiting: deque[tuple[str, ...]] = deque([(package.name,)])
        seen = {package.name}
        while waiting:
            path = waiting.popleft()
            above = [name for name in self.parents.get(path[0], ()) if name not in seen]
            if not above or len(path) == _LONGEST_CHAIN:
                return tuple(f"{name} {versions[name]}" if name in versions else name for name in path)
            seen.update(above)
            waiting.extend((name, *path) for name in above)
        return ()


def lock_subject(
    document: Document,
    *,
    location: str,
    python: str | None,
    platform: str | None,
    extras: tuple[str, ...] | None,
    groups: tuple[str, ...] | None,
) -> AuditSubject:
    """The packages of a lock file: of every environment, or of those described.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`, `python-version-invalid`, `unknown-platform`.
    """
    from lockset.lockfile.dependency_graph import build_graph, region_of

    lock = document.lock
    within = region_of(python=python, platform=platform) if python or platform else None
    graph = build_graph(lock, within=within, extras=extras, groups=groups)
    packages, unchecked = [], []
    for number, entry in graph.entries.items():
        package = lock.packages[number]
        if package.version is None:
            unchecked.append(f"{package.name} has no version: it is locked as {_source(package)}")
            continue
        packages.append(
            AuditedPackage(
                name=package.name,
                version=package.version,
                condition=entry.condition,
                index=package.index,
                number=number,
            )
        )
    return AuditSubject(
        kind="lock",
        location=location,
        packages=tuple(packages),
        unchecked=tuple(unchecked),
        document=document,
        graph=graph,
        parents={},
    )


def _source(package: Package) -> str:
    kinds = {"vcs": package.vcs, "a folder": package.directory, "an archive": package.archive}
    return next((kind for kind, source in kinds.items() if source is not None), "a file without one")


def file_subject(path: str, data: bytes, context: RunContext) -> AuditSubject:
    """The pins of a requirements file, or of a lock file of another tool.

    Args:
        path: The file as it was named; `-` for the standard input.
        data: Its bytes.
        context: The folder, and variables for requirements files.

    Raises:
        LocksetError: If the file is not valid.
    """
    from lockset.conversion.model.formats import Format, recognize

    format_ = recognize(data.decode("utf-8-sig", "replace"), name=path, location=path)
    if format_ is Format.REQUIREMENTS:
        return _requirements(path, data, context)
    return _imported(path, data, context)


def _imported(path: str, data: bytes, context: RunContext) -> AuditSubject:
    """The packages of a lock file of another tool."""
    from lockset.composition.conversions.conversion import ConvertOptions
    from lockset.composition.conversions.foreign_input import read_input

    options = ConvertOptions(with_project=False, allow_conda=True, all_members=True)
    imported, _ = read_input(context.here / path, options, content=data, environ=context.variables)
    packages: dict[AuditedPackage, None] = {}
    unchecked: dict[str, None] = {}
    parents: dict[str, dict[str, None]] = {}
    for one in imported.packages:
        for name, _ in one.dependencies or ():
            parents.setdefault(name, {})[one.name] = None
        if one.version is None:
            unchecked[f"{one.name} has no version: it is a source tree"] = None
            continue
        condition = one.region.without_extras_and_groups().text()
        line = _line(one.origin)
        package = AuditedPackage(name=one.name, version=one.version, condition=condition, line=line, index=one.index)
        packages[package] = None
    return AuditSubject(
        kind="lock",
        location=path,
        packages=tuple(packages),
        unchecked=tuple(unchecked),
        parents={name: tuple(above) for name, above in parents.items()},
    )


def _line(origin: str) -> int:
    """The line of an origin such as `requirements.txt:3`, else 1."""
    line = origin.partition(" ")[0].rpartition(":")[2]
    return int(line) if line.isdecimal() else 1


def _requirements(path: str, data: bytes, context: RunContext) -> AuditSubject:
    from lockset.sources.requirements.reader import read_requirements

    project = read_requirements(
        data,
        path_or_url=str(context.here / path),
        location="<stdin>" if path == "-" else path,
        base=context.here,
        environ=context.variables,
        surroundings=_any_trees(context.here),
        nameless=True,
    )
    packages: list[AuditedPackage] = []
    unchecked: list[str] = []
    for line in project.dependencies:
        version = _pin(line)
        if version is None:
            reason = "is not pinned to one version" if line.requirement.url is None else "has no version to compare"
            unchecked.append(f"{line.origin}: `{line.text}` {reason}")
            continue
        marker = line.requirement.marker
        packages.append(
            AuditedPackage(
                name=line.name,
                version=version,
                condition=None if marker is None else str(marker),
                line=_line(line.origin),
            )
        )
    return AuditSubject(
        kind="requirements",
        location=path,
        packages=tuple(dict.fromkeys(packages)),
        unchecked=tuple(unchecked),
        parents={},
    )


def _any_trees(folder: Path) -> ReferencedFiles:
    """The files of this computer; folders need neither exist nor have a name, since they are not compared."""
    from lockset.sources.discover import LocalFiles

    class AnyTrees(LocalFiles):
        def exists(self, path: str) -> bool:
            del path
            return True

        def project_name(self, path: str) -> str | None:
            del path
            return "source-tree"

    return AnyTrees(folder)


def _pin(line: RequirementLine) -> Version | str | None:
    """The one version that a requirement admits; None if it admits others, or is a URL."""
    specifiers = list(line.requirement.specifier)
    if line.requirement.url is not None or len(specifiers) != 1:
        return None
    (one,) = specifiers
    if one.operator not in {"==", "==="} or one.version.endswith(".*"):
        return None
    return parsed_version(one.version) or one.version


def environment_subject(spec: TargetSpec, *, cache: Path | None) -> AuditSubject:
    """The distributions that are installed in an environment, a folder or a prefix.

    Raises:
        LocksetError: `python-not-found`, `python-broken`, or `no-environment` if the folder does not exist.
    """
    import os

    from lockset.sync.disk.inspect.installed_scan import scan
    from lockset.sync.disk.inspect.snapshot import Snapshot
    from lockset.sync.disk.request import resolve_target

    target = resolve_target(spec, cache=cache)
    for folder in (spec.directory, spec.prefix):
        if folder is not None and not os.path.isdir(folder):
            raise LocksetError("no-environment", "There is no such folder", location=folder)
    packages, unchecked = [], []
    parents: dict[str, list[str]] = {}
    for one in scan(target.layout, snapshot=Snapshot(), examine=()):
        for name in _required_names(one.info):
            parents.setdefault(name, []).append(one.name)
        if one.version:
            packages.append(AuditedPackage(name=one.name, version=parsed_version(one.version) or one.version))
        else:
            unchecked.append(f"{one.name} has no version in its metadata")
    return AuditSubject(
        kind="environment",
        location=target.shown,
        packages=tuple(dict.fromkeys(packages)),
        unchecked=tuple(unchecked),
        parents={name: tuple(above) for name, above in parents.items()},
    )


def _required_names(info: str) -> Iterable[str]:
    """Names of what a distribution requires without extras; empty if its metadata cannot be read."""
    from packaging.requirements import InvalidRequirement

    from lockset.dependency_specifiers import read_dependency
    from lockset.metadata.core import scan_fields
    from lockset.package_names import canonicalize_name
    from lockset.sync.disk.inspect.metadata_text import HEAD, read_text

    for text in scan_fields((read_text(info, "METADATA", HEAD) or "").encode()).requires_dist:
        try:
            requirement = read_dependency(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or "extra" not in str(requirement.marker):
            yield canonicalize_name(requirement.name)
