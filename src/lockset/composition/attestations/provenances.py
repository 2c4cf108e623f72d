"""Provenance objects (PEP 740) of a run: fetched from an index, kept by the hash of their file, and verified."""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.attestations.identity import identities_of
from lockset.attestations.provenance import MOST_BYTES, ProvenanceVerdict, verify_provenance
from lockset.composition.attestations.trust_policy import file_bytes
from lockset.errors import DownloadTooLargeError, LocksetError
from lockset.index.http.local import local_path
from lockset.index.http.transport import Incoming, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lockset.attestations.provenance import AttestationVerifier
    from lockset.composition.connections import Connection

__all__ = ["AttestedFile", "Provenances", "attestation_refused", "verifier_of"]

# Kinds of cache entries. The key has the sha256 of the file; provenance that is kept has been verified once.
_OBJECTS, _VERDICTS = "provenance-v1", "attested-v1"
_ACCEPT = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
# The server has no provenance for the file.
_ABSENT = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedFile:
    """A locked file, and where its provenance is.

    Attributes:
        package: Normalised name.
        release: Name and version, for messages.
        filename: A valid wheel or sdist name.
        sha256: The locked hash; None if only others are locked, over which nothing is attested.
        url: Address of the provenance, if the index offers it.
        local: Returns the provenance that lies next to a local file; None if there is none.
    """

    package: str
    release: str
    filename: str
    sha256: str | None
    url: str | None = None
    local: Callable[[], bytes | None] | None = None


def verifier_of(root: str | None, base: Any) -> Callable[[], AttestationVerifier]:
    """Makes the verifier over the root of trust at `root`, relative to `base`; None for that of the public instance."""

    def made() -> AttestationVerifier:
        from lockset.attestations.sigstore_verifier import SigstoreVerifier  # its imports take half a second

        return SigstoreVerifier(None if root is None else base / root)

    return made


class Provenances:
    """The provenance objects of files.

    Args:
        connection: Connects to the index, and has the cache.
        verifier: Creates the verifier, for the first file whose provenance has to be verified.
    """

    def __init__(self, connection: Connection, verifier: Callable[[], AttestationVerifier]) -> None:
        self._connection = connection
        self._make_verifier = verifier
        self._fetched: dict[AttestedFile, bytes | None] = {}

    @cached_property
    def _verifier(self) -> AttestationVerifier:
        return self._make_verifier()

    def verdicts(self, files: Sequence[AttestedFile], *, anew: Collection[str] = ()) -> list[ProvenanceVerdict | None]:
        """The verdict on the provenance of each file; None if it has none.

        Objects are fetched at the same time. Verdicts of earlier runs are used, except for the packages that are to be
        verified `anew` (over kept objects).

        Raises:
            LocksetError: `library-missing`, `trusted-root`, and errors of the network.
        """
        known = {
            file: kept for file in files if file.package not in anew and (kept := self._kept_verdict(file)) is not None
        }
        missing = [file for file in files if file not in known]
        jobs = {file: self._connection.workers.start(partial(self.provenance, file)) for file in missing}
        self._connection.transport.listener.phase("Verifying attestations", total=len(missing))
        verdicts: list[ProvenanceVerdict | None] = []
        for file in files:
            if file in known:
                verdicts.append(known[file])
                continue
            verdicts.append(self._verdict(file, jobs[file].result()))
            self._connection.transport.listener.step(file.filename)
        return verdicts

    def provenance(self, file: AttestedFile) -> bytes | None:
        """The provenance object, kept or fetched, not verified; None if there is none.

        Raises:
            LocksetError: The network is off, or the server cannot be reached or refuses the request.
        """
        kept = self.kept(file)
        if kept is not None or file.url is None:
            return kept
        if file in self._fetched:
            return self._fetched[file]
        if file.url.startswith("file:"):  # on a page of a local folder: no other may link there
            return file_bytes(str(local_path(file.url)), MOST_BYTES + 1) or None
        request = Request(
            url=file.url, headers={"accept": _ACCEPT}, accepted=frozenset({200, *_ABSENT}), compressed=True
        )
        self._fetched[file] = self._connection.transport.exchange(request, _body)
        return self._fetched[file]

    def kept(self, file: AttestedFile) -> bytes | None:
        """The provenance object next to the file, or kept by an earlier run; None if it would have to be fetched."""
        local = file.local() if file.local is not None else None
        if local is not None or file.sha256 is None:
            return local
        return self._connection.cache.get(_OBJECTS, _key(file))

    def _verdict(self, file: AttestedFile, data: bytes | None) -> ProvenanceVerdict | None:
        if data is None:
            return None
        if file.sha256 is None:
            return ProvenanceVerdict(
                (), problems=("attestations are for sha256 hashes, and none of this file is locked",)
            )
        verdict = verify_provenance(data, self._verifier, filename=file.filename, sha256=file.sha256)
        if verdict.identities:
            self._connection.cache.put(_OBJECTS, _key(file), data)
            self._connection.cache.put(_VERDICTS, self._verdict_key(file), _dump(verdict))
        return verdict

    def _kept_verdict(self, file: AttestedFile) -> ProvenanceVerdict | None:
        # If no object may be requested, there is nothing to verify, and no reason to load the verifier.
        if file.sha256 is None or self._connection.cache.get(_OBJECTS, _key(file)) is None:
            return None
        data = self._connection.cache.get(_VERDICTS, self._verdict_key(file))
        return None if data is None else _load(data)

    def _verdict_key(self, file: AttestedFile) -> str:
        return f"{_key(file)} {self._verifier.fingerprint}"


def _key(file: AttestedFile) -> str:
    return f"{file.sha256} {file.filename}"


def _body(incoming: Incoming) -> bytes | None:
    if incoming.status != 200:
        return None
    try:
        return incoming.body(MOST_BYTES)
    except DownloadTooLargeError:
        return b" " * (MOST_BYTES + 1)  # refused when it is read, as every provenance of this size


def _dump(verdict: ProvenanceVerdict) -> bytes:
    return json.dumps([identity.table for identity in verdict.identities]).encode()


def _load(data: bytes) -> ProvenanceVerdict | None:
    try:
        tables: Iterable[Mapping[str, Any]] = json.loads(data)
        return ProvenanceVerdict(identities_of(tables))
    except (ValueError, TypeError, AttributeError):
        return None


def attestation_refused(file: AttestedFile, problems: tuple[str, ...]) -> LocksetError:
    """The error for a file whose provenance proves no publisher although it claims to; `problems` say why."""
    return LocksetError(
        "attestation-refused",
        f"The attestations of `{file.filename}` of {file.release} are refused",
        location=file.url,
        context=problems,
        hint="Somebody may have tampered with the file or its provenance: find out why before you use it",
    )
