"""The examples: one smallest file for each rule, found at the line that the file names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from lockset.lockfile.fix.fix import fix_text
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.catalogue import RULES
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.validate.rule_pages import note, page
from support.lock_schema import schema_findings
from support.repository import SPEC_EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = SPEC_EXAMPLES
INVALID = sorted((EXAMPLES / "invalid").glob("*.toml"))
WARNED = sorted((EXAMPLES / "warned").glob("*.toml"))
VALID = sorted((EXAMPLES / "valid").glob("*.toml"))
ANNOTATION = re.compile(r"# rule: ([a-z0-9-]+), line: (\d+)\n")
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
MANIFEST = json.loads((EXAMPLES / "manifest.json").read_text("utf-8"))


def annotation(path: Path) -> tuple[str, int]:
    matched = ANNOTATION.match(path.read_text("utf-8"))
    assert matched is not None, path.name
    return matched[1], int(matched[2])


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_an_invalid_example_breaks_the_rule_it_names_and_no_other(path: Path) -> None:
    report = validate_document(path.read_bytes(), path=path.name)
    assert {(issue.code, issue.line) for issue in report.errors} == {annotation(path)}
    assert report.lock is None


@pytest.mark.parametrize("path", WARNED, ids=lambda path: path.name)
def test_a_warned_example_gives_the_warning_it_names_and_no_other(path: Path) -> None:
    report = validate_document(path.read_bytes(), path=path.name, now=NOW)
    assert [(issue.code, issue.line) for issue in report.issues] == [annotation(path)]
    assert report.lock is not None
    assert schema_findings(read_document(path.read_bytes())) == []


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_example_breaks_no_rule(path: Path) -> None:
    report = validate_document(path.read_bytes(), path=path.name)
    assert report.issues == ()
    assert report.lock is not None
    assert schema_findings(read_document(path.read_bytes())) == []


def test_every_rule_has_an_example() -> None:
    for paths, severity in ((INVALID, "error"), (WARNED, "warning")):
        named = {annotation(path)[0] for path in paths}
        assert {code for code, rule in RULES.items() if rule.severity == severity} == named


def test_the_manifest_tells_of_every_example_and_names_one_that_keeps_each_rule() -> None:
    files = {case["file"] for case in MANIFEST["cases"]}
    assert files == {f"{path.parent.name}/{path.name}" for path in (*INVALID, *WARNED, *VALID)}
    assert all(case["kept"] in files for case in MANIFEST["cases"] if case["rule"])


def test_manifest_pages_and_shown_examples_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, EXAMPLES / "make.py", "--check"], check=False)
    assert done.returncode == 0, "run spec-examples/make.py"


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_rule_has_a_page_with_reason_example_fix_and_references(code: str) -> None:
    text = page(code)
    titles = ("Why is this bad?", "Example", "How to fix it", "References")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [*titles]
    why, fix = note(code)
    assert len(why) > 60
    assert why.endswith(".")
    assert fix.endswith(".")


@pytest.mark.parametrize("code", sorted(RULES))
def test_the_first_example_of_a_page_violates_the_rule_and_the_second_is_valid(code: str) -> None:
    wrong, right = re.findall(r"```toml\n(.*?)```", page(code), re.DOTALL)
    name = re.search(r"named `(.*?)`:", page(code))
    report = validate_document(wrong, path=name[1] if name else None, now=NOW)
    assert code in {issue.code for issue in report.issues}
    valid = validate_document(right, path="pylock.toml", now=NOW)
    assert valid.ok
    assert code not in {issue.code for issue in valid.issues}


@pytest.mark.parametrize("code", sorted(RULES))
def test_a_page_says_that_a_rule_is_fixable_where_its_example_is(code: str) -> None:
    wrong = re.findall(r"```toml\n(.*?)```", page(code), re.DOTALL)[0]
    fixed = fix_text(wrong)
    is_fixed = bool(fixed.changes) and code not in {
        issue.code for issue in validate_document(fixed.text, now=NOW).issues
    }
    if is_fixed and not code.startswith("file-name"):
        assert "`lockset validate --fix` fixes" in page(code)


def test_the_offending_part_is_marked_below_its_line() -> None:
    assert 'name = "My.Sample"\n#      ^^^^^^^^^^^\n' in page("package-name-normalized")
