"""Provenance objects (PEP 740): read the JSON that an index serves for a file, and verify it over the file's hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from lockset._named_tuple import NamedTuple
from lockset.attestations.identity import PublisherIdentity, identities_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MOST_BYTES",
    "AttestationVerifier",
    "InvalidAttestation",
    "ProvenanceBundle",
    "ProvenanceVerdict",
    "read_bundles",
    "verify_provenance",
]

# The most bytes of a provenance object. Real ones have some 10 KB for each attestation.
MOST_BYTES = 1 << 20
# Limits for the bundles of an object, and the attestations of a bundle: each takes milliseconds to verify.
_MOST_BUNDLES, _MOST_ATTESTATIONS = 8, 8
# Limit for the reasons in one message.
_REASONS = 3


class InvalidAttestation(Exception):
    """The attestation does not prove what it claims; the text says why, as one clause."""


class ProvenanceBundle(NamedTuple):
    """The attestations of one publisher, as read from JSON: nothing in it has been verified."""

    publisher: Mapping[str, Any]
    attestations: tuple[Mapping[str, Any], ...]


class AttestationVerifier(Protocol):
    """Verifies single attestations. Implementation: `lockset.attestations.sigstore_verifier.SigstoreVerifier`."""

    @property
    def fingerprint(self) -> str:
        """Changes with everything that a verdict depends on besides its arguments, such as the root of trust."""

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of publishers whose attestations can be verified."""

    def verify(
        self, attestation: Mapping[str, Any], publisher: Mapping[str, Any], *, filename: str, sha256: str
    ) -> None:
        """Verify that the publisher attests the file with this name and hash.

        Raises:
            InvalidAttestation: It does not, or the attestation is malformed.
        """


class ProvenanceVerdict(NamedTuple):
    """The result of verifying the provenance of a file.

    Attributes:
        identities: Publishers with at least one attestation that verifies, sorted.
        unsupported: Kinds of publishers, whose attestations cannot be verified, sorted.
        problems: Why attestations do not verify, one clause each.
    """

    identities: tuple[PublisherIdentity, ...]
    unsupported: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_bundles(data: bytes) -> tuple[ProvenanceBundle, ...]:
    """The bundles of the provenance object in `data`.

    Raises:
        InvalidAttestation: It is not a provenance object of version 1 (PEP 740, "Provenance objects").
    """
    if len(data) > MOST_BYTES:
        raise InvalidAttestation(f"the provenance has more than {MOST_BYTES} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidAttestation("the provenance is not valid JSON") from error
    if not isinstance(value, dict):
        raise InvalidAttestation("the provenance is not a JSON object")
    if type(value.get("version")) is not int or value["version"] != 1:
        raise InvalidAttestation(f"the provenance has the unknown version {str(value.get('version'))[:20]}")
    listed = value.get("attestation_bundles")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_BUNDLES:
        raise InvalidAttestation(f"`attestation_bundles` is not an array of 1 to {_MOST_BUNDLES} bundles")
    return tuple(map(_bundle, listed))


def _bundle(value: object) -> ProvenanceBundle:
    publisher = value.get("publisher") if isinstance(value, dict) else None
    attestations = value.get("attestations") if isinstance(value, dict) else None
    if not isinstance(publisher, dict) or PublisherIdentity.of(publisher) is None:
        raise InvalidAttestation("a bundle has no publisher with a `kind`")
    if not isinstance(attestations, list) or not 0 < len(attestations) <= _MOST_ATTESTATIONS:
        raise InvalidAttestation(f"`attestations` is not an array of 1 to {_MOST_ATTESTATIONS} attestations")
    if not all(isinstance(one, dict) for one in attestations):
        raise InvalidAttestation("an attestation is not a JSON object")
    return ProvenanceBundle(publisher=publisher, attestations=tuple(attestations))


def verify_provenance(data: bytes, verifier: AttestationVerifier, *, filename: str, sha256: str) -> ProvenanceVerdict:
    """Verify the provenance object in `data` for the file with this name and hash (64 hexadecimal digits).

    A publisher counts if one of its attestations verifies: others may be of an unknown type. Never
    raises for what `data` holds: that it cannot be read is a problem of the verdict.
    """
    proven: list[Mapping[str, Any]] = []
    problems: dict[str, None] = {}
    unsupported: set[str] = set()
    try:
        bundles = read_bundles(data)
    except InvalidAttestation as error:
        return ProvenanceVerdict(identities=(), problems=(str(error),))
    for bundle in bundles:
        kind = str(bundle.publisher["kind"])
        if kind not in verifier.kinds:
            unsupported.add(kind[:50])
            continue
        for attestation in bundle.attestations:
            problem = _problem(attestation, bundle.publisher, verifier, filename=filename, sha256=sha256.lower())
            if problem is None:
                proven.append(bundle.publisher)
            else:
                problems[problem] = None
    return ProvenanceVerdict(identities_of(proven), tuple(sorted(unsupported)), tuple(problems)[:_REASONS])


def _problem(
    attestation: Mapping[str, Any],
    publisher: Mapping[str, Any],
    verifier: AttestationVerifier,
    *,
    filename: str,
    sha256: str,
) -> str | None:
    try:
        verifier.verify(attestation, publisher, filename=filename, sha256=sha256)
    except InvalidAttestation as error:
        return str(error)
    return None
