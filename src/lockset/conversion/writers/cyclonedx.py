"""Write a CycloneDX 1.6 bill of materials. The only module that imports cyclonedx-python-lib."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts, file_name
from lockset.lockfile.publishers import recorded_identities

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lockset.advisories.severity import Severity
    from lockset.advisories.vulnerabilities import AssessedVulnerability
    from lockset.conversion.writers.entries import ExportedEntry, ExportedLock
    from lockset.lockfile.model import Artifact

__all__ = ["to_cyclonedx"]

_ALGORITHMS = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "sha3_256": "SHA3-256",
    "sha3_384": "SHA3-384",
    "sha3_512": "SHA3-512",
}


def to_cyclonedx(
    exported: ExportedLock,
    *,
    name: str,
    tool_version: str,
    now: datetime,
    vulnerabilities: Sequence[AssessedVulnerability] = (),
) -> str:
    """The JSON document, with the `vulnerabilities` of its components. Equal for equal input and `now`.

    Raises:
        LocksetError: `library-missing`.
    """
    try:
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.dependency import Dependency
        from cyclonedx.output.json import JsonV1Dot6
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            "Writing CycloneDX requires cyclonedx-python-lib, which is not installed",
            hint="Install `lockset[sbom]`",
        ) from error
    components = [_component(entry) for entry in exported.entries]
    root = Component(name=name, type=ComponentType.APPLICATION, bom_ref=f"application:{name}")
    bom = Bom(components=components)
    bom.metadata.component = root
    bom.metadata.timestamp = now
    bom.metadata.tools.components.add(
        Component(name="lockset", version=tool_version, type=ComponentType.APPLICATION, bom_ref="tool:lockset")
    )
    bom.vulnerabilities = _vulnerabilities(exported, components, vulnerabilities)
    refs = "\n".join(sorted(str(part.bom_ref) for part in (*components, *bom.vulnerabilities)))
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}\n{refs}\n{now.isoformat()}")
    # Not by `register_dependency`, which looks for a component among all that it has.
    needs: dict[Any, list[Any]] = {root.bom_ref: [components[number].bom_ref for number in exported.roots]}
    for component, entry in zip(components, exported.entries, strict=True):
        needs.setdefault(component.bom_ref, []).extend(components[number].bom_ref for number in entry.needs)
    bom.dependencies = [
        Dependency(ref, [Dependency(needed) for needed in all_needed]) for ref, all_needed in needs.items()
    ]
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _component(entry: ExportedEntry) -> Any:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    package = entry.package
    version = None if package.version is None else str(package.version)
    references = []
    for artifact in artifacts(package):
        location = _location(artifact)
        if location is None:
            continue
        hashes = [
            HashType(alg=HashAlgorithm(_ALGORITHMS[algorithm]), content=value)
            for algorithm, value in (getattr(artifact, "hashes", None) or {}).items()
            if algorithm in _ALGORITHMS
        ]
        kind = ExternalReferenceType.VCS if hasattr(artifact, "commit_id") else ExternalReferenceType.DISTRIBUTION
        comment = file_name(artifact)
        references.append(ExternalReference(type=kind, url=XsUri(location), hashes=hashes, comment=comment))
    properties = [Property(name="lockset:marker", value=entry.marker)] if entry.marker is not None else []
    properties += [
        Property(name="lockset:publisher", value=json.dumps(identity.table, sort_keys=True, ensure_ascii=False))
        for identity in recorded_identities([package])
    ]
    direct = package.is_direct
    qualifiers = {"vcs_url": _location(package.vcs) or ""} if package.vcs is not None else None
    return Component(
        name=package.name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{package.name}@{version or 'unversioned'}#{entry.marker or ''}",
        purl=None if direct and qualifiers is None else PackageURL("pypi", None, package.name, version, qualifiers),
        external_references=references,
        properties=properties,
    )


def _vulnerabilities(
    exported: ExportedLock, components: Sequence[Any], assessed: Sequence[AssessedVulnerability]
) -> list[Any]:
    """Each vulnerability once, with all components that it affects."""
    refs: dict[tuple[str, str], list[str]] = {}
    for component, entry in zip(components, exported.entries, strict=True):
        key = (entry.package.name, str(entry.package.version))
        refs.setdefault(key, []).append(str(component.bom_ref))
    by_id: dict[str, tuple[AssessedVulnerability, list[str]]] = {}
    for one in assessed:
        affected = refs.get((one.vulnerability.name, one.vulnerability.version), [])
        if affected:
            by_id.setdefault(one.vulnerability.id, (one, []))[1].extend(affected)
    return [_vulnerability(one, affected) for one, affected in by_id.values()]


def _vulnerability(assessed: AssessedVulnerability, affected: Sequence[str]) -> Any:
    from cyclonedx.model import XsUri
    from cyclonedx.model.impact_analysis import ImpactAnalysisState
    from cyclonedx.model.vulnerability import (
        BomTarget,
        Vulnerability,
        VulnerabilityAdvisory,
        VulnerabilityAnalysis,
        VulnerabilityReference,
        VulnerabilitySource,
    )

    one = assessed.vulnerability
    analysis = None
    if assessed.state is not None:
        analysis = VulnerabilityAnalysis(state=ImpactAnalysisState(assessed.state), detail=assessed.detail)
    return Vulnerability(
        bom_ref=f"vulnerability:{one.id}",
        id=one.id,
        source=VulnerabilitySource(name=_database(one.id), url=None if one.url is None else XsUri(one.url)),
        references=[
            VulnerabilityReference(id=alias, source=VulnerabilitySource(name=_database(alias))) for alias in one.aliases
        ],
        ratings=_ratings(one.severity),
        description=one.summary or None,
        detail=one.details or None,
        recommendation=f"Upgrade {one.name} to {' or '.join(one.fixed)}" if one.fixed else None,
        advisories=[] if one.url is None else [VulnerabilityAdvisory(url=XsUri(one.url))],
        published=one.published,
        updated=one.modified,
        analysis=analysis,
        affects=[BomTarget(ref=ref) for ref in affected],
    )


def _ratings(severity: Severity) -> list[Any]:
    from cyclonedx.model.vulnerability import VulnerabilityRating, VulnerabilityScoreSource, VulnerabilitySeverity

    if not severity.is_known:
        return []
    method = None
    if severity.kind is not None:
        is_v31 = (severity.vector or "").startswith("CVSS:3.1")
        method = VulnerabilityScoreSource("CVSSv31" if is_v31 else severity.kind.replace("CVSS_V", "CVSSv"))
    return [
        VulnerabilityRating(
            score=None if severity.score is None else Decimal(str(severity.score)),
            severity=VulnerabilitySeverity(severity.level or "unknown"),
            method=method,
            vector=severity.vector,
        )
    ]


def _database(own: str) -> str:
    """The name of the database that an id is of."""
    names = {"PYSEC": "PyPA", "GHSA": "GitHub", "CVE": "CVE", "MAL": "OpenSSF"}
    return names.get(own.partition("-")[0], "OSV")


def _location(artifact: Artifact) -> str | None:
    url = getattr(artifact, "url", None) or artifact.path
    commit = getattr(artifact, "commit_id", None)
    if url is None:
        return None
    return f"{getattr(artifact, 'type', 'git')}+{url}@{commit}" if commit is not None else str(url)
