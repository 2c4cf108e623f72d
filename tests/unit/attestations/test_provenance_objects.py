"""Provenance objects (PEP 740) of which only version 1, with publishers and attestations, is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockset.attestations.provenance import InvalidAttestation, read_bundles

PUBLISHER = {"kind": "GitHub", "repository": "owner/project", "workflow": "release.yml"}
BUNDLE = {"publisher": PUBLISHER, "attestations": [{"version": 1}]}


def provenance(**changes: Any) -> bytes:
    return json.dumps({"version": 1, "attestation_bundles": [BUNDLE]} | changes).encode()


def test_version_1_is_read() -> None:
    assert [bundle.publisher for bundle in read_bundles(provenance())] == [PUBLISHER]


@pytest.mark.parametrize("version", [None, True, 0, 2, 1.0, "1", [1], {}])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(InvalidAttestation, match="the provenance has the unknown version"):
        read_bundles(provenance(version=version))


@pytest.mark.parametrize(
    "bundle",
    [
        None,
        [],
        BUNDLE | {"publisher": None},
        BUNDLE | {"publisher": {}},
        BUNDLE | {"publisher": {"kind": ""}},
        BUNDLE | {"attestations": None},
        BUNDLE | {"attestations": []},
        BUNDLE | {"attestations": {}},
        BUNDLE | {"attestations": ["x"]},
    ],
)
def test_a_bundle_without_a_publisher_or_attestations_is_refused(bundle: object) -> None:
    with pytest.raises(InvalidAttestation):
        read_bundles(provenance(attestation_bundles=[BUNDLE, bundle]))
