"""Forms of findings hold to their schemas, settings count, and every file has its own findings."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

if TYPE_CHECKING:
    from support.command import Command

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[2] / "schemas"
GOOD = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'
WARNED = GOOD + "create-by = 1\n"


def schema(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(HERE / "broken.toml", tmp_path / "pylock.toml")
    (tmp_path / "pylock.warned.toml").write_text(WARNED)
    return tmp_path


FILES = ("pylock.toml", "pylock.warned.toml", "missing.toml", ".")


def test_json_is_as_its_schema_says(cli: Command, project: Path) -> None:
    result = cli("validate", *FILES, "--json", "--for", "3.12/linux").json()
    jsonschema.validate(result, schema(SCHEMAS / "validate-output.schema.json"))


def test_sarif_is_as_its_schema_says(cli: Command, project: Path) -> None:
    results = cli("validate", *FILES, project / "pylock.toml", "--format", "sarif").json()
    jsonschema.validate(results, schema(HERE / "sarif-2.1.0.schema.json"))
    run = results["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["artifacts"][-1]["location"]["uri"].startswith("file:///")


GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/.]"},
                    "lines": {"type": "object", "required": ["begin"], "additionalProperties": {"minimum": 1}},
                },
            },
        },
    },
}
POSITION = {"type": "object", "required": ["line", "column"], "additionalProperties": {"type": "integer", "minimum": 1}}
RANGE = {"type": "object", "required": ["start", "end"], "additionalProperties": POSITION}
RDJSON = {
    "type": "object",
    "required": ["source", "diagnostics"],
    "properties": {
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "source": {"type": "object", "required": ["name"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location", "severity", "code"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string"},
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {"type": "object", "required": ["value"]},
                    "location": {"type": "object", "required": ["path"], "properties": {"range": RANGE}},
                },
            },
        },
    },
}


def test_a_report_for_gitlab_has_what_gitlab_reads(cli: Command, project: Path) -> None:
    entries = cli("validate", "pylock.toml", f"{project}/pylock.warned.toml", "--format", "gitlab").json()
    jsonschema.validate(entries, GITLAB)
    assert {entry["location"]["path"] for entry in entries} == {"pylock.toml", "pylock.warned.toml"}


def test_fingerprints_are_unique_and_stay_when_lines_are_added_above(cli: Command, project: Path) -> None:
    path = project / "pylock.toml"
    path.write_text(path.read_text() + 'x = 1\n\n[[packages]]\nname = "other"\n[[packages]]\nname = "other"\n')

    def fingerprints() -> list[str]:
        return [one["fingerprint"] for one in cli("validate", "--format", "gitlab", "pylock.toml").json()]

    before = fingerprints()
    assert len(set(before)) == len(before) > 7
    path.write_text("# a comment\n\n" + path.read_text())
    assert fingerprints() == before


def test_a_report_for_reviewdog_has_what_reviewdog_reads(cli: Command, project: Path) -> None:
    text = (project / "pylock.toml").read_text().replace("upload-time", 'x = "日本", upload-time')
    (project / "pylock.toml").write_text(text, "utf-8")
    report = cli("validate", *FILES, "--format", "rdjson").json()
    jsonschema.validate(report, RDJSON)
    line = text.splitlines()[9].encode()
    [result] = [one for one in report["diagnostics"] if one["code"]["value"] == "wheel-upload-time-type"]
    span = result["location"]["range"]
    assert line[span["start"]["column"] - 1 : span["end"]["column"] - 1] == b'"2025"'


def test_junit_has_a_case_for_each_finding_and_counts_its_failures(cli: Command, project: Path) -> None:
    (project / "pylock.good.toml").write_text(GOOD)
    files = ("pylock.toml", "pylock.warned.toml", "pylock.good.toml", "missing.toml")
    for strict in ((), ("--strict",)):
        root = ET.fromstring(cli("validate", *files, "--format", "junit", *strict).stdout)
        assert root.tag == "testsuites"
        assert [suite.get("name") for suite in root] == list(files)
        assert [len(suite) for suite in root] == [7, 1, 1, 1]
        for suite in root:
            assert int(suite.attrib["tests"]) == len(suite)
            assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
            assert all({"name", "classname"} <= case.attrib.keys() for case in suite)
        assert int(root.attrib["failures"]) == len(root.findall("*/testcase/failure")) == (9 if strict else 7)


def test_values_of_a_file_do_not_end_an_element_of_junit(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(
        GOOD.replace('"1.0"', '"\\u001b</failure><x a=\\"1\\">&\\uFFFE 日\\n"'), "utf-8"
    )
    root = ET.fromstring(cli("validate", "--format", "junit").stdout)
    assert {element.tag for element in root.iter()} == {"testsuites", "testsuite", "testcase", "failure"}


def test_concise_has_one_line_for_each_finding(cli: Command, project: Path) -> None:
    result = cli("validate", "--format", "concise", "pylock.toml", "pylock.warned.toml")
    lines = result.stdout.splitlines()
    assert len(lines) == 8
    assert lines[0] == "pylock.toml:3:19: requires-python-specifier `3.12` is not a valid version specifier"
    assert all(re.match(r"pylock(\.warned)?\.toml:\d+:\d+: [a-z-]+ ", line) for line in lines)
    assert result.stderr == "Found 6 errors and 2 warnings in 2 files (1 fixable with --fix)\n"


def test_annotations_have_their_ends_and_columns_only_on_one_line(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(GOOD.replace("[]", "[\n{name = 'a'},\n1]").replace('"1.0"', "1"))
    lines = cli("validate", "--format", "github").stdout.splitlines()
    assert "line=1,col=16,endLine=1,endColumn=17," in lines[0]
    (tmp_path / "pylock.toml").write_text(GOOD + "extras = 1\ndefault-groups = [[\n1\n]]\n")
    lines = cli("validate", "--format", "github").stdout.splitlines()
    assert any(re.search(r"line=5,endLine=7,title=default-groups-item-type", line) for line in lines)


@pytest.mark.parametrize(
    ("files", "options", "summary"),
    [
        (["pylock.toml"], [], "Found 6 errors and 1 warning in 1 file (1 fixable with --fix)"),
        (["pylock.warned.toml"], [], "Found 1 warning in 1 file"),
        (["pylock.warned.toml"], ["--strict"], "Found 1 warning in 1 file; warnings are errors with --strict"),
        (["pylock.good.toml"], [], "Checked 1 file: no errors"),
        (["pylock.good.toml", "pylock.warned.toml"], [], "Found 1 warning in 1 of 2 files"),
        (["pylock.good.toml", "pylock.good.toml"], [], "Checked 2 files: no errors"),
    ],
)
def test_the_summary_counts_errors_warnings_and_files(
    cli: Command, project: Path, files: list[str], options: list[str], summary: str
) -> None:
    (project / "pylock.good.toml").write_text(GOOD)
    assert cli("validate", *files, *options).stderr.strip().splitlines()[0] == summary


def settings(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.lockset.validate]\n{text}\n")


def test_settings_of_the_nearest_pyproject_count(cli: Command, project: Path) -> None:
    settings(project, "strict = true")
    assert cli("validate", "pylock.warned.toml").code == 1
    assert cli("validate", "pylock.warned.toml", "--no-config").code == 0
    settings(project, 'strict = true\nignore = ["unknown-key"]')
    assert cli("validate", "pylock.warned.toml").code == 0
    settings(project, 'strict = true\nselect = ["hash-weak"]')
    assert cli("validate", "pylock.warned.toml").code == 0
    assert cli("validate", "pylock.warned.toml", "--select", "unknown-key").code == 1
    (project / "sub").mkdir()
    shutil.move(project / "pylock.warned.toml", project / "sub" / "pylock.toml")
    assert cli("validate", "sub/pylock.toml").code == 0


def test_settings_that_name_no_rule_are_refused(cli: Command, project: Path) -> None:
    settings(project, 'ignore = ["hash-weka"]')
    assert "Did you mean `hash-weak`?" in cli.refused("validate", "pylock.warned.toml", code=2)
    settings(project, "strikt = true")
    assert "strikt" in cli("validate", "pylock.warned.toml").stdout


def test_the_caret_stands_below_the_wrong_value(cli: Command, project: Path) -> None:
    lines = cli("validate", "pylock.toml").stdout.splitlines()
    pairs = [(lines[at - 1], line) for at, line in enumerate(lines) if line.lstrip(" |").startswith("^")]
    assert len(pairs) == 7
    marked = [above[below.index("^") : below.rindex("^") + 1] for above, below in pairs]
    url = '"https://files.example.org/my_sample-1.1-py3-none-any.whl"'
    assert marked == ['"3.12"', "create_by", '"My.Sample"', url, '"2025"', '"12"', "[[packages]]"]


def test_colours_are_only_shown_where_requested(cli: Command, project: Path) -> None:
    assert "\x1b" not in cli("validate", "pylock.toml").stdout
    assert (
        "\x1b[31m" in cli("validate", "pylock.toml", "--color", "always").stdout
        or "\x1b[1;31m" in cli("validate", "pylock.toml", "--color", "always").stdout
    )
