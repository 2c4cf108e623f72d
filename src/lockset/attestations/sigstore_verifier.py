"""Verify attestations with pypi-attestations and sigstore. The only module that imports them."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cached_property
from hashlib import sha256 as sha256_of
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from lockset.attestations.provenance import InvalidAttestation
from lockset.dependency_specifiers import read_sdist_name, read_wheel_name
from lockset.errors import LocksetError
from lockset.files.read_file import read_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["SigstoreVerifier"]

# The root of trust of the public Sigstore instance, as sigstore ships it: the folder is the quoted address.
_STORE, _INSTANCE, _ROOT = "sigstore._store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json"
# In-toto statements (https://in-toto.io/Statement/v1), the payload of every attestation.
_PAYLOAD, _STATEMENT = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
# Limit for what a library says of a hostile attestation.
_LONGEST = 300


class SigstoreVerifier:
    """An `AttestationVerifier` over a root of trust: certificates of Fulcio, keys of Rekor and of certificate logs.

    It uses neither the network nor files of the user: `Verifier.production` of sigstore would update the root over the
    network, and offline trust whatever the user's cache folder holds. The libraries are imported at the first use.

    Args:
        root: A file with another root of trust (`trusted_root.json` of Sigstore), such as that of a private instance;
            None for that of the public instance, which the installed sigstore ships.

    Raises:
        LocksetError: `library-missing`; `source-missing`, `source-unreadable` if the file cannot be read.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._path = root
        try:
            versions = [metadata.version("pypi-attestations"), metadata.version("sigstore")]
            self._root = _shipped_root() if root is None else read_file(root, location=str(root))
        except (ModuleNotFoundError, FileNotFoundError) as error:
            raise _library_missing() from error
        self.fingerprint = sha256_of(" ".join([*versions, sha256_of(self._root).hexdigest()]).encode()).hexdigest()

    @cached_property
    def _libraries(self) -> tuple[Any, Any]:
        """pypi-attestations, and a verifier of sigstore over the root of trust."""
        try:
            import pypi_attestations
            from sigstore.models import TrustedRoot
            from sigstore.verify import Verifier
        except ModuleNotFoundError as error:
            raise _library_missing() from error
        try:
            with tempfile.TemporaryDirectory(prefix="lockset-root-") as folder:
                copy = os.path.join(folder, _ROOT)  # of the bytes that the fingerprint is over
                with open(copy, "wb") as file:
                    file.write(self._root)
                return pypi_attestations, Verifier(trusted_root=TrustedRoot.from_file(copy))
        except Exception as error:
            raise LocksetError(
                "trusted-root",
                f"The root of trust cannot be read: {_first_line(error)}",
                location=None if self._path is None else str(self._path),
                hint="Install sigstore again" if self._path is None else "Name a `trusted_root.json` of Sigstore",
            ) from error

    kinds = frozenset({"GitHub", "GitLab", "Google", "CircleCI"})

    def verify(
        self, attestation: Mapping[str, Any], publisher: Mapping[str, Any], *, filename: str, sha256: str
    ) -> None:
        """See `AttestationVerifier.verify`."""
        library, verifier = self._libraries
        try:
            bundle = library.AttestationBundle.model_validate(
                {"publisher": dict(publisher), "attestations": [dict(attestation)]}
            )
            signed = bundle.attestations[0].to_bundle()
        except Exception as error:
            raise InvalidAttestation(f"an attestation is malformed: {_first_line(error)}") from error
        try:
            # Certificate, its logs, time and publisher, and the signature over the payload.
            kind, payload = verifier.verify_dsse(signed, bundle.publisher._as_policy())  # noqa: SLF001
        except Exception as error:
            raise InvalidAttestation(
                f"the signature of {publisher.get('kind')} is refused: {_first_line(error)}"
            ) from error
        types = frozenset(one.value for one in library.AttestationType)
        _check_statement(kind, payload, filename=filename, sha256=sha256, types=types)


def _check_statement(kind: str, payload: bytes, *, filename: str, sha256: str, types: frozenset[str]) -> None:
    """Check that a signed statement is about this file (PEP 740, "Attestation objects")."""
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidAttestation("the signed statement is not valid JSON") from error
    if kind != _PAYLOAD or not isinstance(statement, dict) or statement.get("_type") != _STATEMENT:
        raise InvalidAttestation("the signed statement is not an in-toto statement")
    if statement.get("predicateType") not in types:
        raise InvalidAttestation(f"the attestation has an unknown type: {statement.get('predicateType')}"[:200])
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise InvalidAttestation("the signed statement is not about exactly one file")
    digests = subjects[0].get("digest")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if not isinstance(digest, str) or digest.lower() != sha256:
        raise InvalidAttestation(f"it attests different content: sha256 {str(digest)[:64]}, locked {sha256}")
    _check_name(subjects[0].get("name"), filename)


def _check_name(name: object, filename: str) -> None:
    """Compare file names as the library does, since projects may spell their names in several ways."""

    def parsed(text: str) -> object:
        return read_wheel_name(text) if text.endswith(".whl") else read_sdist_name(text)

    try:
        same = isinstance(name, str) and parsed(name) == parsed(filename)
    except ValueError:
        same = False
    if not same:
        raise InvalidAttestation(f"it attests a different file: {str(name)[:200]}")


def _first_line(error: BaseException) -> str:
    details = getattr(error, "errors", None)
    if callable(details) and (listed := details()):  # of pydantic, whose own text has several lines and an address
        where = ".".join(map(str, listed[0].get("loc", ())))
        text = f"{where}: {listed[0].get('msg')}" if where else str(listed[0].get("msg"))
    else:
        text = str(error)
    text = " ".join(text.split())
    return text[:_LONGEST] or type(error).__name__


def _shipped_root() -> bytes:
    return resources.files(_STORE).joinpath(_INSTANCE).joinpath(_ROOT).read_bytes()


def _library_missing() -> LocksetError:
    return LocksetError(
        "library-missing",
        "Verifying attestations requires pypi-attestations, which is not installed",
        hint="Install `lockset[attestations]`",
    )
