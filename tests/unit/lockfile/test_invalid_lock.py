"""The first error of an invalid lock file: in the words of TOML, at the value."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.lockfile.read import TomlError, read_document

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
HULL = '[[packages]]\nname = "hull"\nversion = "1.0"\n'


@pytest.mark.parametrize(
    ("text", "location", "reason"),
    [
        (TOP + "packages = {a = 1}\n", ":3:12", "`packages` must be an array, not a table"),
        (TOP + "packages = [3]\n", ":3:13", "the entry of package number 1 must be a table, not an integer"),
        (TOP + "[[packages]]\nname = 3\n", ":4:8", "`name` of package number 1 must be a string, not an integer"),
        (TOP + HULL + "wheels = 1\n", ":6:10", "`wheels` of package `hull` must be an array, not an integer"),
        (
            TOP + HULL + 'sdist = {name = "hull-1.0.tar.gz", url = "https://files.example.org/hull-1.0.tar.gz"}\n',
            ":6:1",
            "`sdist.hashes` of package `hull` is missing",
        ),
        ('lock-version = "1.0"\npackages = []\n', "", "`created-by` is missing"),
    ],
)
def test_an_invalid_lock_file_is_refused_at_the_value_in_the_words_of_toml(
    text: str, location: str, reason: str
) -> None:
    with pytest.raises(LocksetError) as caught:
        _ = read_document(text, path="pylock.toml").lock
    assert caught.value.diagnostic.message == f"This is not a valid lock file: {reason}"
    assert caught.value.diagnostic.location == f"pylock.toml{location}"


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_called_empty(text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        _ = read_document(text, path="pylock.toml").lock
    assert caught.value.diagnostic.message == "This is not a valid lock file: it is empty"
    assert "version control" in (caught.value.diagnostic.hint or "")


@pytest.mark.parametrize("end", ['sdist = {name = "hull-1.0', "wheels = [\n", 'marker = "os'])
def test_a_file_that_ends_too_early_is_to_be_restored(end: str) -> None:
    with pytest.raises(TomlError) as caught:
        read_document(TOP + HULL + end, path="pylock.toml")
    assert (caught.value.diagnostic.hint or "").startswith("The file ends in the middle")
