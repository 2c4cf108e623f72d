"""A resolution as a lock file: entries with markers, files that some environment can use, who needs whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock
from lockset.markers import MarkerSet, wheel_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.index.page import DistributionFile
    from lockset.resolve.request import LockRequest
    from lockset.resolve.resolution import Node, NodeKey, Resolution

__all__ = ["Artifacts", "LockTerms", "assemble", "root_texts"]


class Artifacts(Protocol):
    """Knows the files of releases."""

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """Files of the release that may be used: none that is yanked unless all are, none that options exclude."""

    def index_url(self, name: str) -> str:
        """The index the project comes from, without credentials."""

    def hashes(self, file: DistributionFile) -> Mapping[str, str]:
        """Strong hashes of the file, as the index gives them; where it gives none, of the bytes, fetched for that."""

    def requires_python(self, name: str, version: Version) -> str | None:
        """Requires-Python of the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockTerms:
    """What the lock says of itself.

    Attributes:
        requires_python: Pythons it serves, None for all.
        universe: The same with the declared environments, as a region.
        sdists: Whether sdists are recorded.
    """

    requires_python: SpecifierSet | None
    universe: MarkerSet
    sdists: bool = True


def assemble(resolution: Resolution, request: LockRequest, terms: LockTerms, artifacts: Artifacts) -> Pylock:
    """The lock file of `resolution`. Packages and files are in canonical order.

    Raises:
        LocksetError: `no-usable-file`: a release has no file that may be used.
    """
    versions: dict[str, set[Version]] = {}
    for name, version in resolution.nodes:
        versions.setdefault(name, set()).add(version)
    dependencies = _dependencies(resolution, versions)
    packages = [
        _package(node, dependencies.get(key, []), terms, artifacts) for key, node in sorted(resolution.nodes.items())
    ]
    multi = request.extras is not None
    return Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(e) for e in request.environments] or None,
        requires_python=terms.requires_python,
        extras=[canonicalize_name(e) for e in sorted(request.extras or ())] if multi else None,
        dependency_groups=sorted(request.groups) if multi else None,
        default_groups=[request.default_group] if request.default_group else None,
        created_by="lockset",
        packages=packages,
        tool={"lockset": {**request.recorded, "roots": root_texts(request)}},
    )


def _dependencies(resolution: Resolution, versions: Mapping[str, set[Version]]) -> dict[NodeKey, list[dict[str, Any]]]:
    found: dict[NodeKey, set[tuple[str, str]]] = {}
    for edge in resolution.edges:
        if edge.source is not None and edge.target[0] != edge.source[0]:
            name, version = edge.target
            told = str(version) if len(versions[name]) > 1 else ""
            found.setdefault(edge.source, set()).add((name, told))
    return {
        key: [{"name": name, "version": version} if version else {"name": name} for name, version in sorted(targets)]
        for key, targets in found.items()
    }


def _package(node: Node, dependencies: list[dict[str, Any]], terms: LockTerms, artifacts: Artifacts) -> Package:
    name, version = node.key
    marker = node.region.text(terms.universe)
    files = artifacts.files(name, version)
    platform_region = node.region.without_extras_and_groups()
    wheels = [f for f in files if f.is_wheel and not wheel_region(f.tags).is_disjoint(platform_region)]
    sdist = next((f for f in files if not f.is_wheel), None) if terms.sdists else None
    if not wheels and sdist is None:
        raise LocksetError(
            "no-usable-file",
            f"{name} {version} has no file that can be used where it is needed",
            hint="Allow source distributions, or narrow the lock with `--platform` or `--python`",
        )
    return Package(
        name=canonicalize_name(name),
        version=version,
        marker=Marker(marker) if marker is not None else None,
        requires_python=_specifiers(artifacts.requires_python(name, version)),
        dependencies=dependencies or None,
        index=artifacts.index_url(name),
        sdist=_sdist(sdist, artifacts) if sdist is not None else None,
        wheels=[_wheel(f, artifacts) for f in sorted(wheels, key=lambda f: f.filename)] or None,
    )


def _wheel(file: DistributionFile, artifacts: Artifacts) -> PackageWheel:
    return PackageWheel(
        name=file.filename,
        url=file.url,
        upload_time=file.upload_time,
        size=file.size,
        hashes=dict(artifacts.hashes(file)),
    )


def _sdist(file: DistributionFile, artifacts: Artifacts) -> PackageSdist:
    return PackageSdist(
        name=file.filename,
        url=file.url,
        upload_time=file.upload_time,
        size=file.size,
        hashes=dict(artifacts.hashes(file)),
    )


def _specifiers(text: str | None) -> SpecifierSet | None:
    if not text:
        return None
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def root_texts(request: LockRequest) -> list[str]:
    """What was asked, as requirement texts; with the extra or group a requirement belongs to in its marker."""
    texts = set()
    default = MarkerSet.group(request.default_group) if request.default_group else MarkerSet.any()
    for root in request.roots:
        if root.region.is_empty:
            continue
        # Within the default group its own membership goes without saying.
        said = root.region.given(default) if root.region.implies(default) else root.region
        marker = said.text()
        texts.add(root.dependency.text if marker is None else f"{root.dependency.text} ; {marker}")
    return sorted(texts)
