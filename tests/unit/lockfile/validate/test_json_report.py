"""JSON reports against their schemas, with every finding where it stands in the text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.lockfile.validate.json_report import json_spans, validate_json_report

CHECK = {"lock": "pylock.toml", "current": True, "findings": []}
LOCK: dict[str, Any] = {
    "lock": None, "packages": [{"name": "a", "version": "1", "marker": None}], "gaps": [], "skipped": {}, "behind": {},
    "statistics": {"entries": 1, "splits": 0, "rounds": 1, "conflicts": 0, "restarts": 0, "parts": 1},
}  # fmt: skip
SYNC: dict[str, Any] = {
    "format": 1, "target": {"path": "a", "kind": "venv", "python": "b"}, "changed": True, "outdated": [],
    "overlaps": [], "steps": [],
}  # fmt: skip
VALIDATE = {"files": [{"path": "pylock.toml", "valid": True, "diagnostics": []}]}


def found(value: object) -> list[tuple[str, str]]:
    return [(issue.path, issue.message) for issue in validate_json_report(json.dumps(value, indent=2)).issues]


@pytest.mark.parametrize("value", [CHECK, LOCK, SYNC, VALIDATE])
def test_a_report_as_it_is_has_no_finding(value: object) -> None:
    assert found(value) == []


def test_every_fault_is_found_with_its_line() -> None:
    report = {**LOCK, "packages": [{"name": 1, "version": "1", "marker": None}, {"name": "b", "extra": 1}], "gaps": {}}
    shown = validate_json_report(json.dumps(report, indent=1))
    assert [(issue.path, issue.line, issue.message) for issue in shown.issues] == [
        ("packages[0].name", 5, "This must be a string, not an integer"),
        ("packages[1]", 9, "The key `marker` is missing"),
        ("packages[1]", 9, "The key `version` is missing"),
        ("packages[1].extra", 11, "The schema has no key `extra` here"),
        ("gaps", 14, "This must be an array, not an object"),
    ]
    assert {issue.code for issue in shown.issues} == {"report-schema"}


@pytest.mark.parametrize("value", [[], 1, "x", None, {}, {"answer": 42}, {"name": "x", "scripts": {}}])
def test_json_that_is_not_a_report_is_refused(value: object) -> None:
    (issue,) = validate_json_report(json.dumps(value)).issues
    assert issue.code == "report-kind"


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b'{"files": [}', "This is not JSON: "),
        (b"", "This is not JSON: "),
        (b'{"a": "\xff"}', "The byte 0xff is not UTF-8"),
        (b"\xff\xfe{", "The file is UTF-16, and JSON is UTF-8"),
        (b"[" * 200_000, "This cannot be read as JSON: objects or arrays are nested too deep"),
        (b'{"lock": ' + b"1" * 5000 + b"}", "This cannot be read as JSON: a number is too long"),
    ],
)
def test_invalid_json_is_one_finding(data: bytes, part: str) -> None:
    (issue,) = validate_json_report(data).issues
    assert issue.code == "report-syntax"
    assert issue.message.startswith(part)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=12,
)


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(each for key, below in items for each in paths(below, (*path, key)))]


@given(VALUES, st.sampled_from([{}, {"indent": 1}, {"ensure_ascii": False}]))
def test_the_span_of_each_path_is_the_text_of_its_value(value: object, form: dict[str, Any]) -> None:
    text = json.dumps(value, **form)
    wanted = dict(paths(value))
    spans = json_spans(text, wanted)
    assert {path: json.loads(text[span.start : span.end]) for path, span in spans.items()} == wanted


def test_a_path_that_is_missing_has_the_span_of_what_it_is_missing_from() -> None:
    text = '{"a": [1]}'
    spans = json_spans(text, [("a", 3, "x"), ("b",)])
    assert {path: text[span.start : span.end] for path, span in spans.items()} == {("a", 3, "x"): "[1]", ("b",): text}
