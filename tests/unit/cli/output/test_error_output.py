"""An error as people and programs see it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import tomli

from lockset.cli.main import main
from lockset.cli.output.help.documentation import DOCUMENTATION, error_url
from lockset.cli.output.streams import Output
from lockset.errors import Diagnostic
from support.output_schema import check_output

ROOT = Path(__file__).parents[4]
ERROR = Diagnostic(
    code="hash-mismatch", message="It differs", location="https://me:secret@x.example.org/?token=s", context=("sha256",)
)
COMMANDS = (
    "lock", "lock --check", "sync", "install", "check-env", "download --dest d", "export", "convert none.lock",
    "validate", "validate none.toml --fix --nonsense", "tree", "why x", "why", "why-not x", "diff none.toml",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_fails_prints_its_error_as_json(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main([*command.split(), "--json"])
    printed = capsys.readouterr()
    error = json.loads(printed.out)
    check_output(error, "error")
    assert code in {1, 2}
    assert error["error"]["message"] in printed.err.replace("\n  ", " ")
    assert error["error"]["url"] == error_url(error["error"]["code"])


def test_without_json_an_error_leaves_stdout_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sync"]) == 1
    assert capsys.readouterr().out == ""


def test_there_is_one_json_document_where_the_result_was_written_before(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json_errors=True)
    out.json({"a": 1})
    out.error(ERROR)
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_no_secret_is_in_the_json_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json_errors=True).error(ERROR)
    printed = capsys.readouterr()
    assert "secret" not in printed.out + printed.err
    assert json.loads(printed.out)["error"]["location"] == "https://x.example.org/?token=****"


def test_verbose_output_names_the_code_and_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    Output(verbose=True, color="never").error(ERROR)
    assert capsys.readouterr().err.endswith(f"  code: hash-mismatch ({DOCUMENTATION}/errors/hash-mismatch.html)\n")


def test_the_word_error_is_a_link_where_the_terminal_shows_links(capsys: pytest.CaptureFixture[str]) -> None:
    Output(color="always", environ={"FORCE_HYPERLINK": "1"}).error(ERROR)
    assert f"\x1b]8;;{DOCUMENTATION}/errors/hash-mismatch.html\x1b\\" in capsys.readouterr().err
    Output(color="never", environ={"FORCE_HYPERLINK": "1"}).error(ERROR)
    assert "\x1b" not in capsys.readouterr().err


def test_the_address_of_the_documentation_is_that_of_the_project() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["urls"]["Documentation"] == DOCUMENTATION
    site = re.search(r"^site_url: (\S+)$", (ROOT / "docs" / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert site is not None
    assert site[1].rstrip("/") == DOCUMENTATION
