"""The JSON Schema: itself valid, and strict where the published one is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.validate.schema import load_schema
from support.lock_schema import SCHEMA_NAME, schema_findings
from support.repository import SCHEMAS, SPEC_EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = SPEC_EXAMPLES
QUOTED = "2025-01-25T11:30:10Z"
TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
URL = 'url = "https://files.example.org/sample-1.0-py3-none-any.whl"'


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema(SCHEMA_NAME))
    assert load_schema(SCHEMA_NAME) == json.loads((SCHEMAS / SCHEMA_NAME).read_text("utf-8"))


@pytest.mark.parametrize("path", sorted((EXAMPLES / "valid").glob("*.toml")), ids=lambda path: path.name)
def test_valid_examples_pass(path: Path) -> None:
    assert schema_findings(read_document(path.read_bytes())) == []


@pytest.mark.parametrize(
    ("body", "path", "line"),
    [
        ('packages = [{name = "a"}]\n', "packages[0]", 3),
        ('packages = [{name = "a", directory = {path = "."}, vcs = {}}]\n', "packages[0]", 3),
        (f'packages = [{{name = "a", wheels = [{{{URL}}}]}}]\n', "packages[0].wheels[0]", 3),
        (f'packages = [{{name = "a", wheels = [{{{URL}, hashes = {{}}}}]}}]\n', "packages[0].wheels[0].hashes", 3),
        (
            f'packages = [{{name = "a", archive = {{{URL}, size = 1.0, hashes = {{x = ""}}}}}}]\n',
            "packages[0].archive.size",
            3,
        ),
        (
            f'packages = [{{name = "a", archive = {{{URL}, upload-time = "{QUOTED}", hashes = {{x = ""}}}}}}]\n',
            "packages[0].archive.upload-time",
            3,
        ),
        (
            f'packages = [{{name = "a", archive = {{{URL}, upload-time = 2025-01-25, hashes = {{x = ""}}}}}}]\n',
            "packages[0].archive.upload-time",
            3,
        ),
        ('[[packages]]\nname = "a"\n\n[packages.vcs]\ntype = "git"\nurl = "x"\n', "packages[0].vcs", 6),
    ],
)
def test_what_the_published_schema_lets_pass_is_found(body: str, path: str, line: int) -> None:
    assert (path, line) in {finding[:2] for finding in schema_findings(read_document(TOP + body))}


def test_a_key_that_the_specification_does_not_define_is_no_more_than_a_warning_of_validate() -> None:
    package = 'packages = [{name = "a", directory = {path = ".", y = 1}, x = 1}]\n'
    text = TOP + "unknown = 1\n" + package + "[tool]\nx = 1\n"
    assert validate_document(text).ok
    assert {issue.code for issue in validate_document(text).warnings} >= {"unknown-key", "tool-entry-type"}
    assert schema_findings(read_document(text)) == []


def test_publishers_of_attestations_may_have_keys_of_their_own() -> None:
    text = TOP + 'packages = [{name = "a", directory = {path = "."}, attestation-identities = [{kind = "x", y = 1}]}]\n'
    assert schema_findings(read_document(text)) == []
