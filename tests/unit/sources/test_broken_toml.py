"""A pyproject.toml that is not TOML is refused in plain words, at the error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import main
from lockset.errors import LocksetError
from lockset.files.read_file import decode_utf8
from lockset.sources.toml_table import parse_settings_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('[project]\nname = "a"\n<<<<<<< HEAD\n', "3:1", "The file has an unresolved merge conflict"),
        ("[project]\n[project]\n", "2:9", "This is not valid TOML: `[project]` is declared twice"),
        ('[project]\nname = "a"\nname = "b"\n', "3:1", "This is not valid TOML: `name` already has a value"),
        ("a = 1\r\nb = \r\n", "2:5", "This is not valid TOML: invalid value"),
    ],
)
def test_broken_toml_is_refused_in_plain_words(text: str, place: str, message: str) -> None:
    with pytest.raises(LocksetError) as caught:
        parse_settings_file(text, location="pyproject.toml")
    assert caught.value.diagnostic.code == "toml-syntax"
    assert caught.value.diagnostic.location == f"pyproject.toml:{place}"
    assert caught.value.diagnostic.message == message


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_called_that(encoding: str) -> None:
    with pytest.raises(LocksetError) as caught:
        decode_utf8("\ufeff[project]".encode(encoding), location="pyproject.toml")
    assert caught.value.diagnostic.code == "encoding"
    assert caught.value.diagnostic.message == "The file is UTF-16, and must be UTF-8"


@pytest.mark.parametrize("name", ["uv.lock", "poetry.lock"])
def test_a_lock_file_of_another_tool_in_utf_16_is_called_that(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "version = 1\n[[package]]\n" if name == "uv.lock" else '[[package]]\n[metadata]\ncontent-hash = "c"\n'
    (tmp_path / name).write_bytes(text.encode("utf-16"))
    assert main(["convert", name]) == 1
    assert capsys.readouterr().err.startswith(f"{name}: error: The file is UTF-16, and lock files are UTF-8\n")


def test_an_endless_line_is_not_quoted_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("[" * 100_000)
    assert main(["convert", "requirements.txt"]) == 1
    shown = capsys.readouterr().err
    assert "is not a requirement" in shown
    assert len(shown) < 1000
