"""The schemas of `schemas/`: their addresses, what editors show, and what other tools make of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from lockset.sources.settings import KEYS
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = sorted((ROOT / "schemas").glob("*.json"))
PYLOCK = ROOT / "schemas" / "pylock-1.0.schema.json"
SETTINGS = ROOT / "schemas" / "tool-lockset.schema.json"
VALID = sorted((ROOT / "spec-examples" / "valid").glob("*.toml"))
# What other tools refuse, too.
INVALID = ROOT / "spec-examples" / "invalid" / "pylock.package-name-required.toml"


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every property that the schema names, however deep, with what it says about it."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties":
                yield from ((f"{path}.{name}", below) for name, below in value.items())
            if key not in {"if", "then"}:
                yield from properties(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for number, item in enumerate(schema):
            yield from properties(item, f"{path}[{number}]")


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_each_schema_is_one_and_has_an_address_of_its_own(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"https://lockset.example.org/schemas/{path.name}"


def test_every_setting_has_a_description() -> None:
    schema = json.loads(SETTINGS.read_text("utf-8"))
    assert [path for path, below in properties(schema) if not below.get("description")] == []
    assert set(KEYS) == set(schema["properties"])


def run(tool: str, *arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """The tool of that name, where it is installed beside the interpreter or on the path."""
    result = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    if result is None:
        pytest.skip(f"{tool} is not installed")
    command = [result, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    """A folder with every valid example."""
    for path in VALID:
        shutil.copy(path, tmp_path)
    return tmp_path


def tombi(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "tombi.toml").write_text(
        '[schema]\nstrict = true\ncatalog = { paths = [] }\n[[schemas]]\npath = "'
        f'{PYLOCK.as_posix()}"\ninclude = ["pylock*.toml"]\n'
    )
    return run("tombi", "lint", "--offline", "--error-on-warnings", ".", folder=folder)


def test_tombi_warns_of_nothing_in_good_locks_in_its_strict_mode(locks: Path) -> None:
    done = tombi(locks)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr


def test_tombi_warns_of_a_key_that_the_specification_does_not_define(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "hand"\npackages = []\nunknown = 1\n')
    assert "unknown" in (done := tombi(tmp_path)).stdout + done.stderr


def test_tombi_refuses_a_bad_lock(tmp_path: Path) -> None:
    shutil.copy(INVALID, tmp_path / "pylock.toml")
    assert tombi(tmp_path).returncode != 0


def test_taplo_has_no_finding_in_good_locks(locks: Path) -> None:
    done = run("taplo", "lint", "--schema", PYLOCK.as_uri(), *(path.name for path in VALID), folder=locks)
    assert done.returncode == 0, done.stdout + done.stderr


def test_taplo_refuses_a_bad_lock(tmp_path: Path) -> None:
    shutil.copy(INVALID, tmp_path / "pylock.toml")
    assert run("taplo", "lint", "--schema", PYLOCK.as_uri(), "pylock.toml", folder=tmp_path).returncode != 0


def test_check_jsonschema_has_no_finding_in_good_locks(locks: Path) -> None:
    done = run("check-jsonschema", "--schemafile", PYLOCK, *(path.name for path in VALID), folder=locks)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_jsonschema_refuses_a_bad_lock(tmp_path: Path) -> None:
    shutil.copy(INVALID, tmp_path / "pylock.toml")
    assert run("check-jsonschema", "--schemafile", PYLOCK, "pylock.toml", folder=tmp_path).returncode != 0


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_check_jsonschema_takes_each_schema_for_one(tmp_path: Path, path: Path) -> None:
    done = run("check-jsonschema", "--check-metaschema", path, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
