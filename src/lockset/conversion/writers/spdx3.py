"""Write an SPDX 3.0 bill of materials (JSON-LD). The only module that imports spdx-python-model."""

from __future__ import annotations

import io
import json
import uuid
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts, file_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lockset.conversion.writers.entries import ExportedEntry, ExportedLock
    from lockset.lockfile.model import Artifact

__all__ = ["to_spdx3"]

_ALGORITHMS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}
)


def to_spdx3(exported: ExportedLock, *, name: str, tool_version: str, now: datetime) -> str:
    """The JSON-LD document. Equal for equal input and `now`.

    Raises:
        LocksetError: `library-missing`.
    """
    try:
        spdx: Any = import_module("spdx_python_model").v3_0_1
    except ModuleNotFoundError as error:
        raise LocksetError(
            "library-missing",
            "Writing SPDX 3.0 requires spdx-python-model, which is not installed",
            hint="Install `lockset[sbom]`, or write SPDX 2.3 with `--format spdx`",
        ) from error
    marks = "\n".join(f"{e.package.name} {e.package.version} {e.marker}" for e in exported.entries)
    space = uuid.uuid5(uuid.NAMESPACE_URL, f"3.0\n{name}\n{marks}\n{now.isoformat()}")
    writing = _Spdx3Writer(spdx=spdx, base=f"urn:uuid:{space}#")
    writing.begin(tool_version, now)
    return writing.document(name, exported)


@dataclass(slots=True, kw_only=True)
class _Spdx3Writer:
    """Writer of one document. `base` is the prefix of all ids."""

    spdx: Any
    base: str
    creation: Any = None
    elements: Any = None
    graph: Any = None

    def begin(self, tool_version: str, now: datetime) -> None:
        """Add the creation info: lockset and the time."""
        spdx = self.spdx
        self.graph = spdx.SHACLObjectSet()
        self.elements = []
        self.creation = spdx.CreationInfo(
            specVersion="3.0.1", created=now.replace(microsecond=0), createdUsing=[], createdBy=[]
        )
        agent = self._new(spdx.SoftwareAgent, "agent", name=f"lockset-{tool_version}")
        self.creation.createdBy = [agent]
        self.graph.add(self.creation)

    def document(self, name: str, exported: ExportedLock) -> str:
        """The text of the document."""
        spdx = self.spdx
        purpose = spdx.software_SoftwarePurpose
        root = self._new(spdx.software_Package, "root", name=name, software_primaryPurpose=purpose.application)
        packages = [self._package(entry, number) for number, entry in enumerate(exported.entries)]
        relations = spdx.RelationshipType
        roots = [packages[number] for number in exported.roots]
        self._relate("root", root, relations.dependsOn, roots)
        for number, (package, entry) in enumerate(zip(packages, exported.entries, strict=True)):
            self._relate(f"{number}", package, relations.dependsOn, [packages[need] for need in entry.needs])
            parts = [self._part(artifact, f"{number}-{at}") for at, artifact in enumerate(artifacts(entry.package))]
            self._relate(f"{number}-files", package, relations.hasDistributionArtifact, parts)
        sbom = self._new(
            spdx.software_Sbom,
            "sbom",
            rootElement=[root],
            element=list(self.elements),
            profileConformance=[spdx.ProfileIdentifierType.core, spdx.ProfileIdentifierType.software],
            software_sbomType=[spdx.software_SbomType.build],
        )
        self._new(
            spdx.SpdxDocument,
            "document",
            name=name,
            rootElement=[sbom],
            element=list(self.elements),
            profileConformance=[spdx.ProfileIdentifierType.core, spdx.ProfileIdentifierType.software],
        )
        data = io.BytesIO()
        spdx.JSONLDSerializer().write(self.graph, data)
        return _ordered(json.loads(data.getvalue()))

    def _new(self, kind: Any, mark: str, **values: Any) -> Any:
        element = kind(spdxId=f"{self.base}{mark}", creationInfo=self.creation, **values)
        self.graph.add(element)
        self.elements.append(element)
        return element

    def _relate(self, mark: str, source: Any, kind: Any, targets: Sequence[Any]) -> None:
        if targets:
            name = str(kind).rpartition("/")[2]
            element = self.spdx.Relationship
            self._new(element, f"relation-{name}-{mark}", from_=source, relationshipType=kind, to=list(targets))

    def _package(self, entry: ExportedEntry, number: int) -> Any:
        package = entry.package
        values: dict[str, Any] = {"name": package.name}
        if package.version is not None:
            values["software_packageVersion"] = str(package.version)
            if not package.is_direct:
                shown = str(package.version).replace("+", "%2B").replace("!", "%21")
                values["software_packageUrl"] = f"pkg:pypi/{package.name}@{shown}"
        if entry.comment is not None:
            values["comment"] = entry.comment
        purpose = self.spdx.software_SoftwarePurpose.library
        return self._new(self.spdx.software_Package, f"package-{number}", software_primaryPurpose=purpose, **values)

    def _part(self, artifact: Artifact, mark: str) -> Any:
        """A file or source tree of an entry."""
        url, commit = getattr(artifact, "url", None), getattr(artifact, "commit_id", None)
        if url is not None and commit is not None:
            url = f"{getattr(artifact, 'type', 'git')}+{url}@{commit}"
        known = {a: v for a, v in sorted((getattr(artifact, "hashes", None) or {}).items()) if a in _ALGORITHMS}
        algorithms = self.spdx.HashAlgorithm
        hashes = [self.spdx.Hash(algorithm=getattr(algorithms, a), hashValue=value) for a, value in known.items()]
        values: dict[str, Any] = {"verifiedUsing": hashes} if hashes else {}
        if url is not None:
            values["software_downloadLocation"] = url
        name = file_name(artifact) or artifact.path or str(url)
        purpose = self.spdx.software_SoftwarePurpose
        kind = purpose.archive if file_name(artifact) else purpose.source
        return self._new(self.spdx.software_Package, f"part-{mark}", name=name, software_primaryPurpose=kind, **values)


def _ordered(data: Any) -> str:
    """The text with sorted elements, since the library keeps them in sets."""
    data["@graph"].sort(key=lambda one: (one.get("spdxId") or one.get("@id") or "", one.get("type", "")))
    for one in data["@graph"]:
        for key in ("element", "to"):
            if isinstance(one.get(key), list):
                one[key].sort()
    return json.dumps(data, indent=2) + "\n"
