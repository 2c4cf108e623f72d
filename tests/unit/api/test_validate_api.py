"""`lockset.validate` as a library: texts and paths, findings as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from pathlib import Path

GOOD = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'


def test_a_text_and_the_file_that_holds_it_give_the_same_findings(tmp_path: Path) -> None:
    text = GOOD.replace("hand", "Hand")
    path = tmp_path / "pylock.toml"
    path.write_text(text)
    reports = [lockset.validate(one) for one in (text, text.encode(), path, str(path))]
    assert len({report.issues for report in reports}) == 1
    [issue] = reports[0].issues
    assert isinstance(issue, lockset.Issue)
    assert (issue.code, issue.severity, issue.line, issue.column) == ("created-by-normalized", "warning", 2, 1)
    assert reports[2].ok
    assert reports[2].lock is not None


def test_an_empty_text_is_a_text() -> None:
    assert {issue.code for issue in lockset.validate("").errors} >= {"lock-version-required", "packages-required"}
    assert lockset.validate_text("garbage").issues[0].code == "toml-syntax"


def test_a_file_that_is_not_there_is_an_error_not_a_finding(tmp_path: Path) -> None:
    with pytest.raises(lockset.LocksetError) as caught:
        lockset.validate(tmp_path / "pylock.toml")
    assert caught.value.diagnostic.code == "lock-not-found"
