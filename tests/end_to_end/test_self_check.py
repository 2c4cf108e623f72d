"""`lockset self-check`: what it shows of the machine, what counts as a fault, and what it hides."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.output_schema import check_output

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


def facts(cli: Command, *options: str, code: int = 0, **more: Any) -> dict[tuple[str, str], dict[str, str]]:
    result = cli("self-check", "--json", *options, **more)
    assert result.code == code, str(result)
    data = result.json()
    check_output(data, "self-check")
    assert data["faults"] == sum(fact["state"] == "fault" for fact in data["facts"])
    return {(fact["section"], fact["name"]): fact for fact in data["facts"]}


def test_an_index_is_reached_and_its_pages_are_described(cli: Command, local_index: LocalIndex) -> None:
    local_index.world.add("packaging", "1.0")
    result = facts(cli, "-i", local_index.url)
    value = result["indexes", "default"]["value"]
    assert "reached in" in value
    assert "JSON pages" in value
    assert "with hashes, metadata, sizes" in value
    assert "without provenance" in value
    assert result["cache", "writable"]["value"] == "yes"
    assert "copy" in result["cache", "links"]["value"]
    assert result["certificates", "trusted"]["value"]
    assert {section for section, _ in result} == {
        "versions", "pythons", "indexes", "cache", "certificates", "proxies", "settings", "terminal",
    }  # fmt: skip


def test_a_project_of_the_lock_file_is_requested(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("some-package", "1.0")
    (tmp_path / "requirements.in").write_text("some-package\n")
    cli.ok("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10")
    assert "has no project" not in facts(cli, "-i", local_index.url)["indexes", "default"]["value"]
    (tmp_path / "pylock.toml").unlink()
    assert "it has no project `packaging`" in facts(cli, "-i", local_index.url)["indexes", "default"]["value"]


def test_an_index_that_does_not_answer_is_a_fault(cli: Command) -> None:
    result = facts(cli, "-i", "http://127.0.0.1:9/simple/", code=1)
    assert result["indexes", "default"]["state"] == "fault"
    assert result["indexes", "default"]["hint"]
    shown = cli("self-check", "-i", "http://127.0.0.1:9/simple/")
    assert (shown.code, "Found 1 fault" in shown.stderr) == (1, True)


def test_offline_asks_nothing(cli: Command, local_index: LocalIndex) -> None:
    result = facts(cli, "-i", local_index.url, "--offline")
    assert "not checked (offline)" in result["indexes", "default"]["value"]
    assert local_index.seen == []


def test_secrets_are_hidden_everywhere(cli: Command) -> None:
    env = {
        "LOCKSET_INDEX": "inner=http://someone:geheim1@127.0.0.1:9/simple/",
        "LOCKSET_INDEX_INNER_PASSWORD": "geheim2",
        "LOCKSET_INDEX_INNER_USERNAME": "geheim3",
        "HTTPS_PROXY": "http://u:geheim4@127.0.0.1:9",
        "PIP_INDEX_URL": "https://u:geheim5@index.example.org/simple",
    }
    for options in ((), ("--json",), ("--offline",), ("-v",)):
        result = cli("self-check", *options, env=env)
        assert "geheim" not in result.stdout + result.stderr
        assert "LOCKSET_INDEX_INNER_PASSWORD" in result.stdout


def test_a_variable_of_another_tool_is_a_note_and_no_fault(cli: Command) -> None:
    env = {"PIP_INDEX_URL": "https://index.example.org/simple", "LOCKSET_DEFAULT_INDEX": ""}
    result = facts(cli, "--offline", env=env)
    assert ("settings", "PIP_INDEX_URL") in result


@pytest.mark.skipif(sys.platform == "win32", reason="the layout of environments is another one")
def test_a_broken_environment_is_a_fault_and_a_whole_one_is_shown(cli: Command, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    assert facts(cli, "--offline")["pythons", ".venv"]["state"] == "ok"
    for python in (tmp_path / ".venv" / "bin").glob("python*"):
        python.unlink()
    assert facts(cli, "--offline", code=1)["pythons", ".venv"]["state"] == "fault"


def test_settings_that_are_not_valid_are_a_fault(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lockset]\nindex = 3\n")
    assert facts(cli, "--offline", code=1)["settings", "[tool.lockset]"]["state"] == "fault"
    assert facts(cli, "--offline", "--no-config")["settings", "[tool.lockset]"]["value"] == "ignored (--no-config)"


def test_a_cache_that_is_something_else_is_a_fault_and_none_is_a_note(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    result = facts(cli, "--offline", "--cache-dir", str(tmp_path / "other"), code=1)
    assert result["cache", "folder"]["state"] == "fault"
    assert facts(cli, "--offline", "--no-cache")["cache", "folder"]["state"] == "note"
    missing = facts(cli, "--offline", "--cache-dir", str(tmp_path / "missing"))
    assert "does not exist yet" in missing["cache", "folder"]["value"]
    assert not (tmp_path / "missing").exists()
    assert [path.name for path in tmp_path.iterdir() if "check" in path.name] == []


def test_a_broken_lock_file_is_left_to_validate(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text("[[")
    facts(cli, "--offline")
