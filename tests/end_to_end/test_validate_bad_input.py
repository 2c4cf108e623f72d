"""Whatever is named as a lock file: findings or one clear paragraph, soon, and the other files all the same."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

HEAD = b'lock-version = "1.0"\ncreated-by = "hand"\n'
GOOD = HEAD + b"packages = []\n"
LONG = 5_000_000
# Seconds that no file may take, the start of the interpreter included; most take a tenth of one.
BOUND = 60

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "lock-version-required"),
    "byte-order-mark": (b"\xef\xbb\xbf" + GOOD, "toml-syntax"),
    "bad-utf-8": (HEAD + b'x = "\xff"', "toml-syntax"),
    "nul": (HEAD + b"\x00", "toml-syntax"),
    "long-line": (HEAD + b'x = "' + b"a" * LONG + b'"\npackages = []\n', "unknown-key"),
    "long-key": (HEAD + b"a" * LONG + b" = 1\npackages = []\n", "unknown-key"),
    "long-marker": (HEAD + b'[[packages]]\nname = "a"\nmarker = "' + b"(" * LONG + b'"\n', "package-marker-syntax"),
    "long-garbage": (b"a" * LONG, "toml-syntax"),
    "deep-arrays": (HEAD + b"x = " + b"[" * 1000 + b"]" * 1000 + b"\n", "toml-syntax"),
    "deep-tables": (HEAD + b"x = " + b"{a = " * 1000 + b"1" + b"}" * 1000 + b"\n", "toml-syntax"),
    "deep-keys": (HEAD + b"a" + b".a" * 1000 + b" = 1\npackages = []\n", "toml-syntax"),
    "many-digits": (HEAD + b"x = " + b"1" * 5000 + b"\n", "toml-syntax"),
    "requirements": (b"sample==1.0 --hash=sha256:00\n", "toml-syntax"),
    "poetry": (b'[[package]]\nname = "a"\n[metadata]\ncontent-hash = "x"\n', "lock-version-required"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_reported_quickly_and_other_files_are_checked(cli: Command, tmp_path: Path, name: str) -> None:
    data, rule = BAD[name]
    (tmp_path / "pylock.toml").write_bytes(data)
    (tmp_path / "pylock.good.toml").write_bytes(GOOD)
    began = time.monotonic()
    result = cli("validate", "pylock.toml", "pylock.good.toml", "--json")
    assert time.monotonic() - began < BOUND
    assert "Traceback" not in result.stderr
    bad, good = result.json()["files"]
    assert good == {"path": "pylock.good.toml", "valid": True, "diagnostics": []}
    assert rule in {one["rule"] for one in bad["diagnostics"]}
    shown = cli("validate", "pylock.toml")
    assert "Traceback" not in shown.stderr
    assert len(shown.stdout) < 50_000


def test_windows_line_ends_are_fine(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_bytes(GOOD.replace(b"\n", b"\r\n"))
    cli.ok("validate", "--strict")


def test_the_error_for_a_requirements_file_says_how_to_convert_it(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_bytes(BAD["requirements"][0])
    text = cli("validate").stdout
    assert "This looks like a requirements file" in text
    assert "lockset convert" in text


def test_folders_missing_files_and_pipes_are_reported_without_blocking(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.good.toml").write_bytes(GOOD)
    (tmp_path / "pylock.folder.toml").mkdir()
    names = ["pylock.folder.toml", "pylock.missing.toml"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pylock.pipe.toml")
        names.append("pylock.pipe.toml")
    files = cli("validate", *names, "pylock.good.toml", "--json").json()["files"]
    assert [file["valid"] for file in files] == [False] * len(names) + [True]
    codes = {"lock-unreadable", "lock-not-found"}
    assert all(file["diagnostics"][0]["rule"] in codes for file in files[:-1])
