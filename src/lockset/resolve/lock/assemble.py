"""Assemble a lock file (PEP 751) from a resolution: entries with markers, usable files and dependencies."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from lockset._dataclass import dataclass, replace
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import composed_marker, read_specifiers
from lockset.errors import LocksetError
from lockset.index.filenames import standard_sdist_name, tags_of_triple, wheel_triple
from lockset.index.options import is_local
from lockset.lockfile.conflicts import marker_text
from lockset.lockfile.model import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from lockset.markers import MarkerSet, tag_set_region, wheel_region
from lockset.package_names import canonicalize_name
from lockset.resolve.problem.direct_source import DirectVersion, file_url_path, relative_path
from lockset.resolve.releases.direct_repository import DirectRepository

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.markers import Marker

    from lockset.index.pages.project_page import DistributionFile
    from lockset.lockfile.conflicts import DeclaredConflict
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RootRequirement
    from lockset.resolve.solver.resolution import Node, NodeKey, Resolution

__all__ = [
    "Artifacts",
    "LockTerms",
    "assemble_lock",
    "reference",
    "root_text",
    "root_texts",
    "with_project",
    "without_package",
]


# Compressed tag sets as nearly all wheels have them: their regions need no list of the tags, and validation of the lock
# needs the same regions.
_USUAL_TAGS = lazy_pattern(
    r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){0,9}(?:-[a-z0-9_]+(?:\.[a-z0-9_]+){0,9}){2}", re.ASCII
)


class Artifacts(Protocol):
    """The files of releases."""

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """Files of the release that may be used: no yanked ones unless all are, none that options exclude."""

    def index_url(self, name: str, version: Version) -> str:
        """The index the project comes from, without credentials."""

    def hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """Strong hashes of the file from the index; if it has none, of the bytes, which are fetched for that."""

    def requires_python(self, name: str, version: Version) -> str | None:
        """Requires-Python of the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockTerms:
    """The top-level values of a lock.

    Attributes:
        requires_python: The Pythons it supports, None for all.
        universe: The environments it supports, as a region.
        conflicts: Extras and groups that are never chosen together; `universe` holds no such choice.
        sdists: Whether sdists are recorded.
        folder: The lock's folder; paths are relative to it.
    """

    requires_python: SpecifierSet | None
    universe: MarkerSet
    folder: Path
    conflicts: tuple[DeclaredConflict, ...] = ()
    sdists: bool = True


def assemble_lock(resolution: Resolution, request: LockRequest, terms: LockTerms, artifacts: Artifacts) -> Pylock:
    """The lock file of `resolution`: one package for each of its nodes, in their order.

    Raises:
        LocksetError: `no-wheels`: a release has no wheel, and sdists are not recorded.
    """
    entries = {key: _entry(node, terms, artifacts) for key, node in resolution.nodes.items()}
    dependencies = _dependencies(resolution, entries)
    packages = [replace(package, dependencies=dependencies.get(key)) for key, package in entries.items()]
    multi = request.extras is not None
    # "The groups listed by this key SHOULD NOT be listed in dependency-groups": one that is installed by default is
    # still chosen by its name.
    defaults = [*([request.default_group] if request.default_group else []), *request.default_groups]
    return Pylock(
        lock_version=Version("1.0"),
        environments=[composed_marker(e) for e in request.environments] or None,
        requires_python=terms.requires_python,
        extras=[canonicalize_name(e) for e in sorted(request.extras or ())] if multi else None,
        dependency_groups=sorted(set(request.groups) - set(defaults)) if multi else None,
        default_groups=defaults or None,
        created_by="lockset",
        packages=packages,
        tool={"lockset": {**request.recorded, "roots": root_texts(request)}},
    )


def with_project(lock: Pylock, name: str, path: str, request: LockRequest) -> Pylock:
    """`lock` with the project itself as an editable folder at `path`, installed with its own dependencies.

    Raises:
        LocksetError: `project-locked-twice`: something requires the project as another package.
    """
    marker = f"'{request.default_group}' in dependency_groups" if request.default_group else None
    known = next((package for package in lock.packages if package.name == name), None)
    if known is not None and (known.directory is None or known.directory.path != path):
        raise LocksetError(
            "project-locked-twice",
            f"{name} is the project itself, and one of its dependencies requires {name} as well",
            hint="Exclude it (`--exclude`, `excludes` in [tool.lockset]), or lock without `--with-project`",
        )
    own = {r.dependency.name for r in request.roots if r.region.groups() <= {request.default_group}}
    needed = [reference(p, lock.packages) for p in lock.packages if p.name in own]
    if known is not None:
        # A member of a workspace that requires it: it is there anyway, and now with its own dependencies as well.
        own_region = MarkerSet.any() if marker is None else MarkerSet.parse(marker)
        region = own_region | (MarkerSet.any() if known.marker is None else MarkerSet.of_marker(known.marker))
        marker = region.text()
        needed += [dict(edge) for edge in known.dependencies or () if edge not in needed]
    entry = Package(
        name=canonicalize_name(name),
        marker=None if marker is None else composed_marker(marker),
        directory=PackageDirectory(path=path, editable=True),
        dependencies=needed or None,
    )
    others = [package for package in lock.packages if package is not known]
    return replace(lock, packages=sorted([*others, entry], key=lambda p: p.name))


def without_package(lock: Pylock, name: str | None) -> Pylock:
    """`lock` without the entries of `name`, and without the edges to them."""
    packages = [
        replace(package, dependencies=[edge for edge in package.dependencies or () if edge.get("name") != name] or None)
        for package in lock.packages
        if package.name != name
    ]
    return replace(lock, packages=packages)


def _dependencies(resolution: Resolution, entries: Mapping[NodeKey, Package]) -> dict[NodeKey, list[dict[str, Any]]]:
    targets: dict[NodeKey, dict[NodeKey, None]] = {}
    for edge in resolution.edges:
        if edge.source is not None and edge.target[0] != edge.source[0]:
            targets.setdefault(edge.source, {})[edge.target] = None
    same: dict[str, list[Package]] = {}
    for (name, _), package in entries.items():
        same.setdefault(name, []).append(package)
    return {
        key: [reference(entries[target], same[target[0]]) for target in sorted(keys)] for key, keys in targets.items()
    }


def reference(package: Package, others: Sequence[Package]) -> dict[str, Any]:
    """The fewest keys that distinguish `package` from the other entries of its name among `others`."""
    namesakes = [p for p in others if p.name == package.name and p is not package]
    keys: dict[str, Any] = {"name": str(package.name)}
    if not namesakes:
        return keys
    if package.version is not None and all(p.version != package.version for p in namesakes):
        return {**keys, "version": str(package.version)}
    if package.archive is not None:
        location = {"url": package.archive.url} if package.archive.url else {"path": package.archive.path}
        return {**keys, "archive": location}
    if package.vcs is not None:
        return {**keys, "vcs": {"commit-id": package.vcs.commit_id}}
    if package.directory is not None:
        return {**keys, "directory": {"path": package.directory.path}}
    return {**keys, "version": str(package.version), **({"index": package.index} if package.index else {})}


def _entry(node: Node, terms: LockTerms, artifacts: Artifacts) -> Package:
    """The entry of a node, without its dependencies."""
    name, version = node.key
    if terms.conflicts:
        text = marker_text(node.region, terms.universe, terms.conflicts)
    else:
        text = node.region.text(terms.universe)
    marker = composed_marker(text) if text is not None else None
    if isinstance(version, DirectVersion):
        return _direct_entry(node, version, marker, terms, artifacts)
    files = artifacts.files(name, version)
    platform_region = node.region.without_extras_and_groups()
    sdist = next((f for f in files if not f.is_wheel), None) if terms.sdists else None
    wheels = [f for f in files if f.is_wheel and _is_usable(wheel_triple(f.filename), platform_region)]
    if not wheels and sdist is None:
        # An entry must have files, even if none can be used. There is a warning then.
        wheels = [f for f in files if f.is_wheel]
    if not wheels and sdist is None:
        raise LocksetError(
            "no-wheels",
            f"{name} {version} has source distributions only, and the lock records wheels only",
            hint=f"Leave out `--no-sdist`, or build it yourself and name the wheel: `{name} @ PATH`",
        )
    return Package(
        name=canonicalize_name(name),
        version=version,
        marker=marker,
        requires_python=_specifiers(artifacts.requires_python(name, version)),
        index=None if is_local(index := artifacts.index_url(name, version)) else index,
        sdist=PackageSdist(**_file(sdist, terms, artifacts)) if sdist is not None else None,
        wheels=[PackageWheel(**_file(f, terms, artifacts)) for f in sorted(wheels, key=lambda f: f.filename)] or None,
    )


@lru_cache(maxsize=16_384)
def _is_usable(triple: str, region: MarkerSet) -> bool:
    """Whether a wheel with these tags can be used somewhere in `region`."""
    is_usual = _USUAL_TAGS.fullmatch(triple) is not None
    return not (tag_set_region(triple) if is_usual else wheel_region(tags_of_triple(triple))).is_disjoint(region)


def _direct_entry(
    node: Node, version: DirectVersion, marker: Marker | None, terms: LockTerms, artifacts: Artifacts
) -> Package:
    """The entry of a direct source."""
    assert isinstance(artifacts, DirectRepository), "no other repository has direct versions"
    source = artifacts.source(version)
    facts = artifacts.read(source)
    path = relative_path(source.path, terms.folder).removeprefix("./") if source.path else None
    vcs = directory = archive = None
    if source.kind == "archive":
        archive = PackageArchive(
            url=source.url, path=path, size=facts.size, hashes=dict(facts.hashes), subdirectory=source.subdirectory
        )
    elif source.kind == "directory":
        editable = True if source.editable else None
        directory = PackageDirectory(path=path or ".", editable=editable, subdirectory=source.subdirectory)
    else:
        assert facts.commit is not None
        vcs = PackageVcs(
            type="git",
            url=None if path else source.url,
            path=path,
            requested_revision=source.revision,
            commit_id=facts.commit,
            subdirectory=source.subdirectory,
        )
    # "The version MUST NOT be included when it cannot be guaranteed to be consistent with the code used (i.e. when a
    # source tree is used)."
    stable = source.is_wheel or (source.kind == "archive" and facts.metadata.origin == "sdist")
    return Package(
        name=canonicalize_name(node.key[0]),
        version=version.plain if stable else None,
        marker=marker,
        requires_python=_specifiers(facts.metadata.requires_python),
        vcs=vcs,
        directory=directory,
        archive=archive,
    )


def _file(file: DistributionFile, terms: LockTerms, artifacts: Artifacts) -> dict[str, Any]:
    """The fields of a file. A local file has a path relative to the lock, so that both can be moved together."""
    is_here = is_local(file.url)
    return {
        "name": file.filename if file.is_wheel else standard_sdist_name(file.filename, file.project, file.version),
        "url": None if is_here else file.url,
        "path": relative_path(file_url_path(file.url), terms.folder).removeprefix("./") if is_here else None,
        "upload_time": file.upload_time,
        "size": file.size,
        "hashes": dict(artifacts.hashes(file)),
    }


def _specifiers(text: str | None) -> SpecifierSet | None:
    if not text:
        return None
    try:
        return read_specifiers(text)
    except InvalidSpecifier:
        from lockset.metadata.specifier_fixes import fixed_specifiers  # few texts are not valid

        fixed = fixed_specifiers(text)
        return None if not fixed else read_specifiers(fixed)


def root_texts(request: LockRequest) -> list[str]:
    """The roots as requirement texts, with the extra or group of each in its marker."""
    return sorted({root_text(root, request) for root in request.roots if not root.region.is_empty})


def root_text(root: RootRequirement, request: LockRequest) -> str:
    """The text of `root`."""
    default = MarkerSet.group(request.default_group) if request.default_group else MarkerSet.any()
    # The default group is implied.
    region = root.region.given(default) if root.region.implies(default) else root.region
    marker = region.text()
    return root.dependency.text if marker is None else f"{root.dependency.text} ; {marker}"
