"""The examples: one smallest file for each rule, found at the line that the file names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lockset.lockfile.rule_table import RULES
from lockset.lockfile.validate import validate

EXAMPLES = Path(__file__).parents[3] / "spec-examples"
INVALID = sorted((EXAMPLES / "invalid").glob("*.toml"))
VALID = sorted((EXAMPLES / "valid").glob("*.toml"))
ANNOTATION = re.compile(r"# rule: ([a-z0-9-]+), line: (\d+)\n")


def annotation(path: Path) -> tuple[str, int]:
    matched = ANNOTATION.match(path.read_text("utf-8"))
    assert matched is not None, path.name
    return matched[1], int(matched[2])


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_an_invalid_example_breaks_the_rule_it_names_and_no_other(path: Path) -> None:
    report = validate(path.read_bytes(), path=path.name)
    assert {(issue.code, issue.line) for issue in report.errors} == {annotation(path)}
    assert report.lock is None


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_example_breaks_no_rule(path: Path) -> None:
    report = validate(path.read_bytes(), path=path.name)
    assert report.issues == ()
    assert report.lock is not None


def test_every_rule_on_validity_has_an_example() -> None:
    named = {annotation(path)[0] for path in INVALID}
    assert {code for code, rule in RULES.items() if rule.severity == "error"} == named
