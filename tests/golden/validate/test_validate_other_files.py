"""`lockset validate` on files that are not lock files, in every form of its output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

if TYPE_CHECKING:
    from support.command import Command

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[2] / "schemas"
PROJECT = """\
[project]
name = "app"
version = "1"
dependencies = ["a=1"]

[tool.lockset]
pyton = ">=3.10"
"""
TEXT = """\
pyproject.toml:4:17: error[requirement-syntax] `a=1` is not a requirement: \
Expected semicolon (after name with no version specifier) or end
  4 | dependencies = ["a=1"]
    |                 ^^^^^
  hint: Write `==` for an exact version

pyproject.toml:7:1: error[settings-unknown-key] `tool.lockset.pyton` is not a known setting
  7 | pyton = ">=3.10"
    | ^^^^^
  hint: Did you mean `python`?
"""
GITHUB = """\
::error file=pyproject.toml,line=4,col=17,endLine=4,endColumn=22,title=requirement-syntax::`a=1` is not a requirement: \
Expected semicolon (after name with no version specifier) or end. Write `==` for an exact version
::error file=pyproject.toml,line=7,col=1,endLine=7,endColumn=6,title=settings-unknown-key::\
`tool.lockset.pyton` is not a known setting. \
Did you mean `python`?
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def schema(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize(("form", "expected"), [("text", TEXT), ("github", GITHUB)])
def test_findings_about_a_project_are_written_as_those_about_a_lock(
    cli: Command, project: Path, form: str, expected: str
) -> None:
    result = cli("validate", "--format", form, "pyproject.toml")
    assert result.code == 1
    assert result.stdout == expected
    assert result.stderr.strip().splitlines()[0] == "Found 2 errors in 1 file"


def test_json_and_sarif_of_a_project_are_as_their_schemas_say(cli: Command, project: Path) -> None:
    shown = cli("validate", "--json", "pyproject.toml").json()
    jsonschema.validate(shown, schema(SCHEMAS / "validate-output.schema.json"))
    assert [one["section"] is None for one in shown["files"][0]["diagnostics"]] == [False, True]
    sarif = cli("validate", "--format", "sarif", "pyproject.toml").json()
    jsonschema.validate(sarif, schema(HERE / "sarif-2.1.0.schema.json"))
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    assert [(rule["id"], "helpUri" in rule) for rule in rules] == [
        ("requirement-syntax", True),
        ("settings-unknown-key", True),
    ]


def test_rules_of_projects_are_selected_ignored_and_explained(cli: Command, project: Path) -> None:
    shown = cli("validate", "--json", "--ignore", "requirement-syntax", "pyproject.toml").json()
    assert [one["rule"] for one in shown["files"][0]["diagnostics"]] == ["settings-unknown-key"]
    cli.ok("validate", "--select", "group-cycle", "pyproject.toml")
    assert cli.ok("validate", "--explain", "settings-unknown-key").stdout.startswith("# settings-unknown-key\n")
    assert "`settings-value`" in cli.refused("validate", "--explain", "setting-value", code=2)


def test_the_settings_of_a_sound_project_count_for_its_own_file(cli: Command, project: Path) -> None:
    text = PROJECT.replace("pyton", "python") + '[tool.lockset.validate]\nignore = ["requirement-syntax"]\n'
    (project / "pyproject.toml").write_text(text)
    cli.ok("validate", "pyproject.toml")
    assert cli("validate", "--no-config", "pyproject.toml").code == 1


def test_a_project_comes_from_the_standard_input_too(cli: Command, tmp_path: Path) -> None:
    result = cli("validate", "--json", "-", stdin=PROJECT)
    assert [one["rule"] for one in result.json()["files"][0]["diagnostics"]] == [
        "requirement-syntax",
        "settings-unknown-key",
    ]


def test_a_missing_project_is_a_finding_and_hides_no_other_file(cli: Command, project: Path) -> None:
    files = cli("validate", "--json", "gone/pyproject.toml", "pyproject.toml").json()["files"]
    assert [file["diagnostics"][0]["rule"] for file in files] == ["source-missing", "requirement-syntax"]


def test_a_report_of_validate_is_valid_and_a_changed_one_is_not(cli: Command, project: Path) -> None:
    shown = cli("validate", "--json", "pyproject.toml").stdout
    (project / "report.json").write_text(shown)
    cli.ok("validate", "report.json")
    (project / "report.json").write_text(shown.replace('"valid": false', '"valid": "no"'))
    result = cli("validate", "report.json")
    assert result.code == 1
    assert "report.json:5:16: error[report-schema] This must be a boolean, not a string" in result.stdout


def test_every_command_points_to_validate_at_the_first_fault(cli: Command, project: Path) -> None:
    paragraph = cli.refused("lock", "--offline")
    assert "pyproject.toml:7:1: error: `tool.lockset.pyton` is not a known setting" in paragraph
    assert "hint: Did you mean `python`? `lockset validate pyproject.toml` lists every finding" in paragraph


def test_fix_leaves_a_project_as_it_is(cli: Command, project: Path) -> None:
    assert cli("validate", "--fix", "pyproject.toml").code == 1
    assert (project / "pyproject.toml").read_text() == PROJECT
