"""Which names a lock file may have."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.lockfile.file_name import is_lock_file_name, lock_file_name, name_of
from lockset.lockfile.validate.report import validate_document

EMPTY = 'lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n'


@pytest.mark.parametrize(
    "name", ["pylock.toml", "pylock.dev.toml", "pylock.Dev-2_x.toml", "pylock.é.toml", "pylock. .toml"]
)
def test_these_are_names_of_lock_files(name: str) -> None:
    assert is_lock_file_name(name)
    assert validate_document(EMPTY, path=f"folder/{name}").issues == ()


@pytest.mark.parametrize(
    "name",
    [
        *("pylock", "pylock..toml", "pylock.a.b.toml", "pylock.dev.TOML", "Pylock.toml", "my-pylock.toml"),
        *("pylock.dev.toml\n", "pylock.a\nb.toml", "uv.lock", "pylock.toml.bak"),
    ],
)
def test_these_are_none(name: str) -> None:
    assert not is_lock_file_name(name)
    [issue] = validate_document(EMPTY, path=name).issues
    assert issue.code in {"file-name", "file-name-lowercase"}
    assert (issue.line, issue.column, issue.path) == (1, 1, "")


@given(st.lists(st.sampled_from(["pylock", ".toml", *".a-/\\\n\ré"]), max_size=6).map("".join))
def test_the_name_is_all_between_two_dots(text: str) -> None:
    match = re.fullmatch(r"pylock\.([^.\n\r/\\]+)\.toml", text)
    assert name_of(text) == (match and match[1])


def test_a_wrong_case_is_distinguished_from_a_wrong_name() -> None:
    assert [issue.code for issue in validate_document(EMPTY, path="PyLock.Dev.TOML").issues] == ["file-name-lowercase"]


def test_without_a_path_no_name_is_checked() -> None:
    assert validate_document(EMPTY).ok


def test_names_are_made_and_read_back() -> None:
    assert lock_file_name(None) == "pylock.toml"
    assert lock_file_name("dev") == "pylock.dev.toml"
    assert lock_file_name("my.script") == "pylock.my-script.toml"
    assert name_of("pylock.dev.toml") == "dev"
    assert name_of("pylock.toml") is None


@pytest.mark.parametrize("name", ["", "a/b", "a\nb"])
def test_a_name_that_fits_no_file_is_refused(name: str) -> None:
    with pytest.raises(LocksetError) as caught:
        lock_file_name(name)
    assert caught.value.diagnostic.code == "file-name"
