"""Forms of findings hold to their schemas, settings count, and every file has its own findings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    found = cli("validate", *FILES, "--json", "--for", "3.12/linux").json()
    jsonschema.validate(found, schema(SCHEMAS / "validate-output.schema.json"))


def test_sarif_is_as_its_schema_says(cli: Command, project: Path) -> None:
    found = cli("validate", *FILES, project / "pylock.toml", "--format", "sarif").json()
    jsonschema.validate(found, schema(HERE / "sarif-2.1.0.schema.json"))
    run = found["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["artifacts"][-1]["location"]["uri"].startswith("file:///")


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
    assert "The nearest is `hash-weak`" in cli.refused("validate", "pylock.warned.toml", code=2)
    settings(project, "strikt = true")
    assert "strikt" in cli("validate", "pylock.warned.toml").stdout


def test_the_caret_stands_below_what_is_meant(cli: Command, project: Path) -> None:
    lines = cli("validate", "pylock.toml").stdout.splitlines()
    pairs = [(lines[at - 1], line) for at, line in enumerate(lines) if line.lstrip(" |").startswith("^")]
    assert len(pairs) == 7
    marked = [above[below.index("^") : below.rindex("^") + 1] for above, below in pairs]
    assert marked == ["requires-python", "create_by", "name", "url", "upload-time", "sha256", "[[packages]]"]


def test_colours_are_only_shown_where_asked_for(cli: Command, project: Path) -> None:
    assert "\x1b" not in cli("validate", "pylock.toml").stdout
    assert (
        "\x1b[31m" in cli("validate", "pylock.toml", "--color", "always").stdout
        or "\x1b[1;31m" in cli("validate", "pylock.toml", "--color", "always").stdout
    )
