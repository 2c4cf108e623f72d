"""`lockset validate`, byte for byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.command import Command

HERE = Path(__file__).parent
SPECIFICATION = "https://packaging.python.org/en/latest/specifications/pylock-toml/"
GOOD = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'
WARNED = GOOD + "create-by = 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(HERE / "broken.toml", tmp_path / "pylock.toml")
    (tmp_path / "pylock.good.toml").write_text(GOOD)
    (tmp_path / "pylock.warned.toml").write_text(WARNED)
    return tmp_path


@pytest.mark.parametrize(
    ("form", "name"),
    [("text", "broken.txt"), ("json", "broken.json"), ("github", "broken.github"), ("sarif", "broken.sarif")],
)
def test_every_finding_is_written_in_the_requested_format(cli: Command, project: Path, form: str, name: str) -> None:
    result = cli("validate", "--format", form, "pylock.toml")
    assert result.code == 1
    assert result.stdout == (HERE / name).read_text("utf-8")


def test_the_json_has_exactly_its_keys(cli: Command, project: Path) -> None:
    result = cli("validate", "--json", "pylock.warned.toml", "pylock.good.toml")
    assert result.code == 0
    assert json.loads(result.stdout) == {
        "files": [
            {
                "path": "pylock.warned.toml",
                "valid": True,
                "diagnostics": [
                    {
                        "rule": "unknown-key",
                        "level": "warning",
                        "message": "The file has a key `create-by` that the specification does not define",
                        "path": "create-by",
                        "line": 4,
                        "column": 1,
                        "section": SPECIFICATION + "#pylock-file-name",
                        "hint": "Did you mean `created-by`?",
                    }
                ],
            },
            {"path": "pylock.good.toml", "valid": True, "diagnostics": []},
        ]
    }


def test_without_files_those_of_the_folder_are_checked(cli: Command, project: Path) -> None:
    result = cli("validate")
    assert result.code == 1
    _, summary, hint = result.stderr.splitlines()
    assert summary == "Found 6 errors and 2 warnings in 2 of 3 files (1 fixable with --fix)"
    assert hint.startswith("hint: `lockset validate --explain requires-python-specifier` ")


def test_one_bad_file_does_not_hide_the_others(cli: Command, project: Path) -> None:
    result = cli("validate", "missing.toml", ".", "pylock.toml", "pylock.good.toml", "--json")
    assert result.code == 1
    files = result.json()["files"]
    assert [file["valid"] for file in files] == [False, False, False, True]
    assert [file["diagnostics"][0]["rule"] for file in files[:2]] == ["lock-not-found", "lock-unreadable"]


def test_the_standard_input_has_no_name_to_check(cli: Command, project: Path) -> None:
    result = cli.ok("validate", "-", stdin=GOOD)
    assert (result.stdout, result.stderr) == ("", "Checked 1 file: no errors\n")


def test_the_name_that_counts_is_the_base_name(cli: Command, project: Path) -> None:
    (project / "a.b").mkdir()
    shutil.copy(project / "pylock.good.toml", project / "a.b" / "pylock.good.toml")
    cli.ok("validate", "a.b/pylock.good.toml")
    shutil.copy(project / "pylock.good.toml", project / "good.toml")
    assert "good.toml:1:1: error[file-name] " in cli("validate", "good.toml").stdout


def test_strict_turns_warnings_into_failure(cli: Command, project: Path) -> None:
    assert cli("validate", "pylock.warned.toml").code == 0
    assert cli("validate", "--strict", "pylock.warned.toml").code == 1
    assert cli("validate", "--strict", "--ignore", "unknown-key", "pylock.warned.toml").code == 0
    assert cli("validate", "--strict", "--select", "toml-syntax", "pylock.warned.toml").code == 0


def test_a_rule_is_explained(cli: Command, project: Path) -> None:
    result = cli.ok("validate", "--explain", "hash-weak")
    assert result.stdout == (HERE.parents[2] / "docs" / "pages" / "rules" / "hash-weak.md").read_text("utf-8")
    assert result.stdout.startswith("# hash-weak\n\nAt least one hash has a strong algorithm. ")


def test_wrong_usage_ends_with_two(cli: Command, tmp_path: Path) -> None:
    assert "Did you mean `hash-weak`?" in cli.refused("validate", "--ignore", "hash-weka", "x", code=2)
    assert cli("validate", "--format", "xml").code == 2


def test_what_a_file_says_does_not_reach_the_terminal_as_it_is(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(GOOD.replace('"1.0"', '"\\u001b[31m\\nx.toml:1:1: error[x] y"'))
    result = cli("validate")
    assert result.code == 1
    assert "\x1b" not in result.stdout
    begins = ("pylock.toml:1:16: ", "  hint: ", "  1 | ", "    | ")
    assert all(line.startswith(begins) for line in result.stdout.splitlines())


def test_a_plain_run_needs_no_json_schema_library(cli: Command, project: Path) -> None:
    result = cli("validate", "pylock.toml", env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "lockset.lockfile.validate.report" in loaded
    assert not loaded & {
        "lockset.markers",
        "lockset.sources",
        "jsonschema",
        "httpx",
        "rich",
        "tomli_w",
        "installer",
    }
