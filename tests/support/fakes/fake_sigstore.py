"""A Sigstore of the tests' own: it signs attestations (PEP 740) as Fulcio, Rekor and a certificate log would."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.x509 import Certificate, CertificateBuilder

__all__ = ["PUBLISHERS", "FakeSigstore", "provenance_of"]

# One publisher of each kind that can be verified.
PUBLISHERS: Mapping[str, Mapping[str, str]] = {
    "GitHub": {"kind": "GitHub", "repository": "org/sample", "workflow": "release.yml", "environment": "pypi"},
    "GitLab": {"kind": "GitLab", "repository": "org/team/sample", "workflow_filepath": ".gitlab-ci.yml"},
    "Google": {"kind": "Google", "email": "builder@org.example.org"},
    "CircleCI": {
        "kind": "CircleCI",
        "project_id": "11111111-2222-4333-8444-555555555555",
        "pipeline_definition_id": "66666666-7777-4888-8999-aaaaaaaaaaaa",
        "vcs_origin": "github.com/org/sample",
        "vcs_ref": "refs/tags/v1",
    },
}
# Put together, since no file names the registry.
_PUBLISH = f"https://docs.{'pypi'}.org/attestations/publish/v1"
_SIGNED = datetime(2025, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
_FOREVER = (datetime(2020, 1, 1, tzinfo=timezone.utc), datetime(2060, 1, 1, tzinfo=timezone.utc))
_FULCIO = "1.3.6.1.4.1.57264.1"
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ECDSA = ec.ECDSA(hashes.SHA256())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + struct.pack(">H", size)
    return bytes([tag]) + length + content


def _claims(publisher: Mapping[str, str]) -> tuple[str, dict[int, str], x509.GeneralName]:
    """The issuer of a publisher's identity, the claims of its certificates by the last number, and their subject."""
    kind, sha, ref = publisher["kind"], "c" * 40, "refs/heads/main"
    if kind == "GitHub":
        source = f"https://github.com/{publisher['repository']}"
        build = f"{source}/.github/workflows/{publisher['workflow']}@{ref}"
        issuer = "https://token.actions.githubusercontent.com"
    elif kind == "GitLab":
        source = f"https://gitlab.com/{publisher['repository']}"
        build = f"{source}//{publisher['workflow_filepath']}@{ref}"
        issuer = "https://gitlab.com"
    elif kind == "CircleCI":
        project, pipeline = publisher["project_id"], publisher["pipeline_definition_id"]
        build = f"https://circleci.com/api/v2/projects/{project}/pipeline-definitions/{pipeline}"
        source, ref, issuer = publisher["vcs_origin"], publisher["vcs_ref"], "https://oidc.circleci.com"
        claims = {9: build, 12: source, 14: ref}
        return issuer, claims, x509.UniformResourceIdentifier(build)
    else:
        return "https://accounts.google.com", {}, x509.RFC822Name(publisher["email"])
    return issuer, {12: source, 13: sha, 14: ref, 18: build}, x509.UniformResourceIdentifier(build)


@dataclass
class FakeSigstore:
    """Certificate authority, certificate log and transparency log with keys of their own."""

    _authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    _certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    _transparency_log: ec.EllipticCurvePrivateKey = field(default_factory=_key)

    @cached_property
    def _root(self) -> Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root of the tests")])
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        public = self._authority.public_key()
        return (
            x509.CertificateBuilder(name, name, public, 1, *_FOREVER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._authority, hashes.SHA256())
        )

    def trusted_root(self, *, until: datetime | None = None) -> bytes:
        """The root of trust as JSON; with `until`, the certificate authority was trusted up to then."""
        always = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, Any]:
            public = {"rawBytes": _b64(_public(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": always}
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": {"keyId": _b64(_log_id(key))},
            }

        authority = {
            "subject": {"organization": "tests", "commonName": "root of the tests"},
            "uri": "https://fulcio.example.org",
            "certChain": {"certificates": [{"rawBytes": _b64(self._root.public_bytes(serialization.Encoding.DER))}]},
            "validFor": always if until is None else {**always, "end": until.isoformat().replace("+00:00", "Z")},
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(self._transparency_log, "https://rekor.example.org")],
            "certificateAuthorities": [authority],
            "ctlogs": [log(self._certificate_log, "https://ctfe.example.org")],
            "timestampAuthorities": [],
        }
        return json.dumps(root).encode()

    def write_root(self, path: Path) -> Path:
        """Write the root of trust to `path`; the path."""
        path.write_bytes(self.trusted_root())
        return path

    def attest(
        self,
        publisher: Mapping[str, str],
        filename: str,
        sha256: str,
        *,
        logged: datetime = _SIGNED,
        predicate_type: str = _PUBLISH,
        subjects: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """The attestation (PEP 740) of a file by `publisher`, whose certificate lives ten minutes from 2025-03-04 on.

        `logged` is the time at which the signature was logged.
        """
        key = _key()
        certificate = self._issue(publisher, key)
        about = [{"name": filename, "digest": {"sha256": sha256}}] if subjects is None else subjects
        statement = json.dumps({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": about,
            "predicateType": predicate_type,
            "predicate": None,
        }).encode()  # fmt: skip
        kind = b"application/vnd.in-toto+json"
        encoded = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(statement), statement)
        signature = key.sign(encoded, _ECDSA)
        return {
            "version": 1,
            "verification_material": {
                "certificate": _b64(certificate.public_bytes(serialization.Encoding.DER)),
                "transparency_entries": [self._logged(certificate, statement, signature, logged)],
            },
            "envelope": {"statement": _b64(statement), "signature": _b64(signature)},
        }

    def _issue(self, publisher: Mapping[str, str], key: ec.EllipticCurvePrivateKey) -> Certificate:
        issuer, claims, subject = _claims(publisher)
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder(
                self._root.subject,
                x509.Name([]),
                key.public_key(),
                x509.random_serial_number(),
                _SIGNED - timedelta(seconds=30),
                _SIGNED + timedelta(minutes=10),
            )
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority.public_key()), critical=False
            )
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
            .add_extension(_extension(1, issuer.encode()), critical=False)
            .add_extension(_extension(8, _der(0x0C, issuer.encode())), critical=False)
        )
        for number, text in claims.items():
            builder = builder.add_extension(_extension(number, _der(0x0C, text.encode())), critical=False)
        return self._with_certificate_log(builder)

    def _with_certificate_log(self, builder: CertificateBuilder) -> Certificate:
        """The certificate with the promise of the certificate log to include it (RFC 6962, 3.2 and 3.3)."""
        before = builder.sign(self._authority, hashes.SHA256()).tbs_certificate_bytes
        moment = int(_SIGNED.timestamp() * 1000)
        entry = _log_id(self._authority) + struct.pack(">I", len(before))[1:] + before
        signed = struct.pack(">BBQH", 0, 0, moment, 1) + entry + struct.pack(">H", 0)
        signature = self._certificate_log.sign(signed, _ECDSA)
        promise = struct.pack(">B32sQH", 0, _log_id(self._certificate_log), moment, 0)
        promise += struct.pack(">BBH", 4, 3, len(signature)) + signature
        listed = struct.pack(">H", len(promise)) + promise
        listed = struct.pack(">H", len(listed)) + listed
        promises = x509.UnrecognizedExtension(_SCTS, _der(0x04, listed))
        return builder.add_extension(promises, critical=False).sign(self._authority, hashes.SHA256())

    def _logged(self, certificate: Certificate, statement: bytes, signature: bytes, moment: datetime) -> dict[str, Any]:
        """The entry of the transparency log, whose only entry it is."""
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        body = _canonical({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
                "signatures": [{"signature": _b64(signature), "verifier": _b64(pem)}],
            },
        })  # fmt: skip
        seconds, log = int(moment.timestamp()), _log_id(self._transparency_log)
        promised = _canonical({"body": _b64(body), "integratedTime": seconds, "logID": log.hex(), "logIndex": 0})
        top = hashlib.sha256(b"\0" + body).digest()
        note = f"rekor.example.org - 1\n1\n{_b64(top)}\n"
        checked = log[:4] + self._transparency_log.sign(note.encode(), _ECDSA)
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": _b64(self._transparency_log.sign(promised, _ECDSA))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(top),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 rekor.example.org {_b64(checked)}\n"},
            },
            "canonicalizedBody": _b64(body),
        }


def _extension(number: int, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO}.{number}"), value)


def _canonical(value: object) -> bytes:
    """JSON Canonicalization Scheme (RFC 8785), for ASCII and integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def provenance_of(publisher: Mapping[str, Any], *attestations: Mapping[str, Any]) -> bytes:
    """The provenance object with one bundle."""
    bundle = {"publisher": dict(publisher), "attestations": list(attestations)}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()
