"""Attestations of every kind of publisher verify over their file, and forged ones do not."""

from __future__ import annotations

import base64
import copy
import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.attestations.identity import KINDS, PublisherIdentity
from lockset.attestations.provenance import MOST_BYTES, ProvenanceVerdict, verify_provenance
from lockset.attestations.sigstore_verifier import SigstoreVerifier
from lockset.errors import LocksetError
from support.fakes.fake_sigstore import PUBLISHERS, FakeSigstore, provenance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAME, SHA256 = "sample-1.0.tar.gz", "ab" * 32
GITHUB = PUBLISHERS["GitHub"]
SIGNED = datetime(2025, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def sigstore() -> FakeSigstore:
    return FakeSigstore()


@pytest.fixture(scope="module")
def verifier(sigstore: FakeSigstore, tmp_path_factory: pytest.TempPathFactory) -> SigstoreVerifier:
    return SigstoreVerifier(sigstore.write_root(tmp_path_factory.mktemp("root") / "trusted_root.json"))


def verdict(verifier: SigstoreVerifier, data: bytes, *, name: str = NAME, sha256: str = SHA256) -> ProvenanceVerdict:
    return verify_provenance(data, verifier, filename=name, sha256=sha256)


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_an_attestation_proves_its_publisher(kind: str, sigstore: FakeSigstore, verifier: SigstoreVerifier) -> None:
    publisher = PUBLISHERS[kind]
    result = verdict(verifier, provenance_of(publisher, sigstore.attest(publisher, NAME, SHA256)))
    assert result == ProvenanceVerdict((PublisherIdentity.of(publisher),))  # type: ignore[arg-type]
    assert result.identities[0].table == publisher


def test_every_kind_that_can_be_verified_is_known() -> None:
    assert PUBLISHERS.keys() == SigstoreVerifier.kinds
    assert SigstoreVerifier.kinds <= KINDS.keys()


@pytest.mark.parametrize("kind", PUBLISHERS)
def test_a_publisher_cannot_be_swapped_for_another(
    kind: str, sigstore: FakeSigstore, verifier: SigstoreVerifier
) -> None:
    attestation = sigstore.attest(PUBLISHERS[kind], NAME, SHA256)
    others: list[Mapping[str, str]] = [publisher for other, publisher in PUBLISHERS.items() if other != kind]
    proven = KINDS[kind].required
    others += [{**PUBLISHERS[kind], key: f"x{PUBLISHERS[kind][key]}"} for key in proven]
    for other in others:
        result = verdict(verifier, provenance_of(other, attestation))
        assert result.identities == ()
        assert result.problems


Forgery = "Callable[[FakeSigstore], dict[str, Any]]"


def altered(change: Callable[[dict[str, Any]], object]) -> Callable[[FakeSigstore], dict[str, Any]]:
    def forged(sigstore: FakeSigstore) -> dict[str, Any]:
        attestation = sigstore.attest(GITHUB, NAME, SHA256)
        change(attestation)
        return attestation

    return forged


def entry(attestation: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = attestation["verification_material"]["transparency_entries"][0]
    return result


def other_statement(attestation: dict[str, Any]) -> None:
    statement = base64.b64decode(attestation["envelope"]["statement"]).replace(b"publish", b"publisj")
    attestation["envelope"]["statement"] = base64.b64encode(statement).decode()


def entry_of_another(sigstore: FakeSigstore) -> dict[str, Any]:
    mine, other = sigstore.attest(GITHUB, NAME, SHA256), sigstore.attest(GITHUB, NAME, SHA256)
    mine["verification_material"]["transparency_entries"] = other["verification_material"]["transparency_entries"]
    return mine


def certificate_of_another(sigstore: FakeSigstore) -> dict[str, Any]:
    mine, other = sigstore.attest(GITHUB, NAME, SHA256), sigstore.attest(GITHUB, NAME, SHA256)
    mine["verification_material"]["certificate"] = other["verification_material"]["certificate"]
    return mine


FORGERIES: Mapping[str, Callable[[FakeSigstore], dict[str, Any]]] = {
    "another file": lambda s: s.attest(GITHUB, "sample-1.1.tar.gz", SHA256),
    "a wheel of the release": lambda s: s.attest(GITHUB, "sample-1.0-py3-none-any.whl", SHA256),
    "another content": lambda s: s.attest(GITHUB, NAME, "cd" * 32),
    "two files": lambda s: s.attest(GITHUB, NAME, SHA256, subjects=[{"name": NAME, "digest": {"sha256": SHA256}}] * 2),
    "no file": lambda s: s.attest(GITHUB, NAME, SHA256, subjects=[]),
    "a file without hash": lambda s: s.attest(GITHUB, NAME, SHA256, subjects=[{"name": NAME, "digest": {}}]),
    "a file without name": lambda s: s.attest(
        GITHUB, NAME, SHA256, subjects=[{"name": "", "digest": {"sha256": SHA256}}]
    ),
    "an unknown type": lambda s: s.attest(GITHUB, NAME, SHA256, predicate_type="https://example.org/fine/v1"),
    "an authority that is not trusted": lambda _: FakeSigstore().attest(GITHUB, NAME, SHA256),
    "logged after the certificate expired": lambda s: s.attest(
        GITHUB, NAME, SHA256, logged=SIGNED + timedelta(minutes=11)
    ),
    "logged before the certificate": lambda s: s.attest(GITHUB, NAME, SHA256, logged=SIGNED - timedelta(minutes=1)),
    "the log entry of another": entry_of_another,
    "the certificate of another": certificate_of_another,
    "a changed statement": altered(other_statement),
    "a signature of zeros": altered(lambda a: a["envelope"].update(signature=base64.b64encode(bytes(70)).decode())),
    "no promise of the log": altered(lambda a: entry(a).pop("inclusionPromise")),
    "a promise for another time": altered(lambda a: entry(a).update(integratedTime=str(int(SIGNED.timestamp()) + 60))),
    "no proof of inclusion": altered(lambda a: entry(a).pop("inclusionProof")),
    "a forged checkpoint": altered(
        lambda a: entry(a)["inclusionProof"]["checkpoint"].update(envelope="log\n1\nAAAA\n\n\u2014 log AAAAAAAA\n")
    ),
    "a log that is not trusted": altered(
        lambda a: entry(a)["logId"].update(keyId=base64.b64encode(bytes(32)).decode())
    ),
    "no log entry": altered(lambda a: a["verification_material"].update(transparency_entries=[])),
    "a certificate that is none": altered(lambda a: a["verification_material"].update(certificate="AAAA")),
    "an unknown version": altered(lambda a: a.update(version=2)),
    "nothing": altered(lambda a: a.clear()),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_attestation_proves_nobody(forgery: str, sigstore: FakeSigstore, verifier: SigstoreVerifier) -> None:
    result = verdict(verifier, provenance_of(GITHUB, FORGERIES[forgery](sigstore)))
    assert result.identities == ()
    assert len(result.problems) == 1
    assert "\n" not in result.problems[0]


def test_a_forged_bundle_next_to_a_genuine_one_adds_no_publisher(
    sigstore: FakeSigstore, verifier: SigstoreVerifier
) -> None:
    genuine = sigstore.attest(GITHUB, NAME, SHA256)
    thief = {**GITHUB, "repository": "thief/sample"}
    bundles = [{"publisher": publisher, "attestations": [genuine]} for publisher in (thief, GITHUB)]
    result = verdict(verifier, json.dumps({"version": 1, "attestation_bundles": bundles}).encode())
    assert [str(one) for one in result.identities] == ["GitHub org/sample release.yml"]
    assert result.problems


def test_publishers_of_other_kinds_are_neither_proven_nor_refused(
    sigstore: FakeSigstore, verifier: SigstoreVerifier
) -> None:
    attestation = sigstore.attest(GITHUB, NAME, SHA256)
    for publisher in ({"kind": "ActiveState", "organization": "o", "project": "p"}, {"kind": "Forge", "x": "y"}):
        assert verdict(verifier, provenance_of(publisher, attestation)) == ProvenanceVerdict(
            (), unsupported=(publisher["kind"],)
        )


def test_what_the_index_adds_to_a_publisher_is_not_recorded(sigstore: FakeSigstore, verifier: SigstoreVerifier) -> None:
    publisher: dict[str, Any] = {**GITHUB, "claims": {"sub": "x"}, "environment": None, "note": "trust me"}
    (result,) = verdict(verifier, provenance_of(publisher, sigstore.attest(GITHUB, NAME, SHA256))).identities
    assert result.table == {"kind": "GitHub", "repository": "org/sample", "workflow": "release.yml"}


def test_project_and_version_may_be_spelled_in_other_ways(sigstore: FakeSigstore, verifier: SigstoreVerifier) -> None:
    attestation = sigstore.attest(GITHUB, "My.Sample-1.0.0.tar.gz", SHA256)
    result = verdict(verifier, provenance_of(GITHUB, attestation), name="my_sample-1.0.0.tar.gz")
    assert result.identities


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"<html>not found</html>",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'{"version": 1}',
        b'{"version": true, "attestation_bundles": []}',
        b'{"version": 2, "attestation_bundles": [{}]}',
        b'{"version": 1, "attestation_bundles": []}',
        b'{"version": 1, "attestation_bundles": {}}',
        b'{"version": 1, "attestation_bundles": [1]}',
        b'{"version": 1, "attestation_bundles": [{"publisher": {}, "attestations": [{}]}]}',
        b'{"version": 1, "attestation_bundles": [{"publisher": {"kind": 1}, "attestations": [{}]}]}',
        b'{"version": 1, "attestation_bundles": [{"publisher": {"kind": "GitHub"}, "attestations": []}]}',
        b'{"version": 1, "attestation_bundles": [{"publisher": {"kind": "GitHub"}, "attestations": [1]}]}',
        b'{"version": 1, "attestation_bundles": [%b]}' % b",".join([b"{}"] * 100),
        b" " * (MOST_BYTES + 1),
        b'{"version": 1%b}' % (b"0" * 10_000),
    ],
)
def test_what_is_no_provenance_object_is_one_problem(verifier: SigstoreVerifier, data: bytes) -> None:
    result = verdict(verifier, data)
    assert (result.identities, len(result.problems)) == ((), 1)


SCALARS: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just([]) | st.just({})
)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = [leaf for key, inner in items for leaf in leaves(inner, (*path, key))]
    return [path, *below] if path else below


@given(st.data())
def test_no_change_of_a_provenance_object_ends_in_an_error_or_in_another_publisher(
    sigstore: FakeSigstore, verifier: SigstoreVerifier, data: st.DataObject
) -> None:
    whole = json.loads(provenance_of(GITHUB, sigstore.attest(GITHUB, NAME, SHA256)))
    changed = copy.deepcopy(whole)
    *path, last = data.draw(st.sampled_from(leaves(whole)))
    holder: Any = changed
    for key in path:
        holder = holder[key]
    holder[last] = data.draw(SCALARS)
    result = verdict(verifier, json.dumps(changed).encode())
    assert {identity.subject for identity in result.identities} <= {("GitHub", "org/sample", "release.yml")}


def test_a_root_of_trust_that_is_none_is_refused_in_one_sentence(tmp_path: Path, sigstore: FakeSigstore) -> None:
    path = tmp_path / "root.json"
    attestation = provenance_of(GITHUB, sigstore.attest(GITHUB, NAME, SHA256))
    for content in (b"", b"{}", b"[]", b"\xff", sigstore.trusted_root()[:-20]):
        path.write_bytes(content)
        with pytest.raises(LocksetError) as caught:
            verdict(SigstoreVerifier(path), attestation)
        assert caught.value.diagnostic.code == "trusted-root"
        assert caught.value.diagnostic.location == str(path)
    with pytest.raises(LocksetError):
        SigstoreVerifier(tmp_path / "missing.json")


def test_the_root_of_the_public_instance_trusts_nobody_else(sigstore: FakeSigstore) -> None:
    result = verdict(SigstoreVerifier(), provenance_of(GITHUB, sigstore.attest(GITHUB, NAME, SHA256)))
    assert (result.identities, len(result.problems)) == ((), 1)


@pytest.mark.parametrize("name", ["sigstore.models", "pypi_attestations"])
def test_without_the_library_the_extra_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, sigstore: FakeSigstore
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(LocksetError) as caught:
        verdict(SigstoreVerifier(), provenance_of(GITHUB, sigstore.attest(GITHUB, NAME, SHA256)))
    assert caught.value.diagnostic.code == "library-missing"
    assert caught.value.diagnostic.hint == "Install `lockset[attestations]`"


def test_verdicts_over_another_root_of_trust_are_others(tmp_path: Path, verifier: SigstoreVerifier) -> None:
    other = SigstoreVerifier(FakeSigstore().write_root(tmp_path / "root.json"))
    assert len({verifier.fingerprint, other.fingerprint, SigstoreVerifier().fingerprint}) == 3
