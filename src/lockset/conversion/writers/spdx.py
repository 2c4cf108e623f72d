"""Write an SPDX 2.3 bill of materials. The only module that imports spdx-tools."""

from __future__ import annotations

import json
import re
import uuid
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts, file_name

if TYPE_CHECKING:
    from datetime import datetime

    from lockset.conversion.writers.entries import ExportedEntry, ExportedLock
    from lockset.lockfile.model import Artifact

__all__ = ["to_spdx"]

_ALGORITHMS = {
    "md5": "MD5",
    "sha1": "SHA1",
    "sha224": "SHA224",
    "sha256": "SHA256",
    "sha384": "SHA384",
    "sha512": "SHA512",
    "sha3_256": "SHA3_256",
    "sha3_384": "SHA3_384",
    "sha3_512": "SHA3_512",
}
_DOCUMENT = "SPDXRef-DOCUMENT"


def to_spdx(exported: ExportedLock, *, name: str, tool_version: str, now: datetime) -> str:
    """The JSON document. Equal for equal input and `now`.

    Raises:
        LocksetError: `library-missing`.
    """
    try:
        spdx = _model()
        converter: Any = import_module("spdx_tools.spdx.jsonschema.document_converter").DocumentConverter()
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            "Writing SPDX requires spdx-tools, which is not installed",
            hint="Install `lockset[sbom]`",
        ) from error
    packages: list[Any] = []
    links: list[Any] = []
    ids = [_spdx_id(entry, number) for number, entry in enumerate(exported.entries)]
    for spdx_id, entry in zip(ids, exported.entries, strict=True):
        packages.append(_package(spdx_id, entry))
        links.append(spdx.Relationship(_DOCUMENT, spdx.RelationshipType.DESCRIBES, spdx_id))
        links += [spdx.Relationship(spdx_id, spdx.RelationshipType.DEPENDS_ON, ids[number]) for number in entry.needs]
        for number, artifact in enumerate(artifacts(entry.package)):
            part = _part(f"{spdx_id}-file-{number}", artifact)
            if part is not None:
                packages.append(part)
                links.append(spdx.Relationship(spdx_id, spdx.RelationshipType.DISTRIBUTION_ARTIFACT, part.spdx_id))
    marks = "\n".join(f"{e.package.name} {e.package.version} {e.marker}" for e in exported.entries)
    space = uuid.uuid5(uuid.NAMESPACE_URL, f"{name}\n{marks}\n{now.isoformat()}")
    document = spdx.Document(
        creation_info=spdx.CreationInfo(
            spdx_version="SPDX-2.3",
            spdx_id=_DOCUMENT,
            name=name,
            document_namespace=f"https://spdx.org/spdxdocs/lockset-{space}",
            creators=[spdx.Actor(spdx.ActorType.TOOL, f"lockset-{tool_version}")],
            created=now.replace(microsecond=0, tzinfo=None),
        ),
        packages=packages,
        relationships=links,
    )
    return json.dumps(converter.convert(document), indent=2) + "\n"


def _model() -> Any:
    """The model of spdx-tools, which is not typed."""
    return import_module("spdx_tools.spdx.model")


def _spdx_id(entry: ExportedEntry, number: int) -> str:
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", f"{entry.package.name}-{entry.package.version or 'tree'}")
    return f"SPDXRef-{number}-{plain}"


def _package(spdx_id: str, entry: ExportedEntry) -> Any:
    spdx = _model()

    package = entry.package
    references = []
    if package.version is not None and not package.is_direct:
        purl = f"pkg:pypi/{package.name}@{str(package.version).replace('+', '%2B')}"
        references.append(spdx.ExternalPackageRef(spdx.ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl))
    return spdx.Package(
        spdx_id=spdx_id,
        name=package.name,
        version=None if package.version is None else str(package.version),
        download_location=spdx.SpdxNoAssertion(),
        files_analyzed=False,
        external_references=references,
        comment=entry.comment,
    )


def _part(spdx_id: str, artifact: Artifact) -> Any:
    """A file or source tree of an entry; None if it has no location."""
    spdx = _model()

    url = getattr(artifact, "url", None)
    commit = getattr(artifact, "commit_id", None)
    if url is not None and commit is not None:
        url = f"{getattr(artifact, 'type', 'git')}+{url}@{commit}"
    checksums = [
        spdx.Checksum(spdx.ChecksumAlgorithm[_ALGORITHMS[algorithm]], value)
        for algorithm, value in sorted((getattr(artifact, "hashes", None) or {}).items())
        if algorithm in _ALGORITHMS
    ]
    name = file_name(artifact)
    return spdx.Package(
        spdx_id=spdx_id,
        name=name or artifact.path or str(url),
        download_location=url or spdx.SpdxNoAssertion(),
        file_name=name,
        files_analyzed=False,
        checksums=checksums,
    )
