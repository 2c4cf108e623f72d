"""Genuine provenance of three kinds of publishers, as the source of pypi-attestations carries it, and changes of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from lockset.attestations.provenance import verify_provenance
from lockset.attestations.sigstore_verifier import SigstoreVerifier
from support.fakes.fake_sigstore import provenance_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network
RELEASE = "0.0.30"
FILES = {
    "GitHub trailofbits/pypi-attestations release.yml": "pypi_attestations-0.0.19.tar.gz",
    "Google 919436158236-compute@developer.gserviceaccount.com": "gcb_attestation_test-0.0.0.tar.gz",
    "CircleCI fdd9283f-e619-46af-8f9c-851f7d3e8b2b 8e4f8ab2-8d7c-4827-9f15-de076d6d647f": (
        "circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl"
    ),
}


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with files and provenance in the source distribution."""
    folder = tmp_path_factory.mktemp("material")
    options = ["--no-deps", "--no-binary", ":all:", "-q", "-d", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, f"pypi-attestations=={RELEASE}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / f"pypi_attestations-{RELEASE}" / "test" / "assets"


@pytest.mark.parametrize("publisher", FILES)
def test_genuine_provenance_verifies_and_proves_its_publisher(publisher: str, material: Path) -> None:
    name = FILES[publisher]
    data = (material / f"{name}.provenance").read_bytes()
    digest = sha256((material / name).read_bytes()).hexdigest()
    verdict = verify_provenance(data, SigstoreVerifier(), filename=name, sha256=digest)
    assert ([str(one) for one in verdict.identities], verdict.problems) == ([publisher], ())


def test_a_genuine_attestation_of_gitlab_verifies(material: Path) -> None:
    name = "gitlab_oidc_project-0.0.3.tar.gz"
    publisher = {
        "kind": "GitLab",
        "repository": "facutuesca/gitlab-oidc-project",
        "workflow_filepath": ".gitlab-ci.yml",
    }
    attestation = json.loads((material / f"{name}.publish.attestation").read_bytes())
    digest = sha256((material / name).read_bytes()).hexdigest()
    verdict = verify_provenance(provenance_of(publisher, attestation), SigstoreVerifier(), filename=name, sha256=digest)
    assert (verdict.problems, [one.table for one in verdict.identities]) == ((), [publisher])


@pytest.mark.parametrize("publisher", FILES)
def test_genuine_provenance_proves_nothing_of_another_file_or_by_another_publisher(
    publisher: str, material: Path
) -> None:
    name = FILES[publisher]
    data = (material / f"{name}.provenance").read_bytes()
    digest = sha256((material / name).read_bytes()).hexdigest()
    verifier = SigstoreVerifier()
    others = [other for other in FILES.values() if other != name]
    for filename, content in ((name, "0" * 64), *((other, digest) for other in others)):
        assert verify_provenance(data, verifier, filename=filename, sha256=content).identities == ()
    whole = json.loads(data)
    for other in FILES.values():
        if other != name:
            taken = json.loads((material / f"{other}.provenance").read_bytes())["attestation_bundles"][0]["publisher"]
            whole["attestation_bundles"][0]["publisher"] = taken
            swapped = json.dumps(whole).encode()
            assert verify_provenance(swapped, verifier, filename=name, sha256=digest).identities == ()
