"""The version in the name of a file."""

from __future__ import annotations

import pytest

from lockset.index.filenames import SDIST, FileNames


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("qpid-python-1.36.0-1.tar.gz", "1.36.0-1"),
        ("Qpid_Python-1.36.0-1.zip", "1.36.0-1"),
        ("qpid-python-1.36.0.tar.gz", "1.36.0"),
        ("qpid_python-1.36.0.post1.tar.gz", "1.36.0.post1"),
    ],
)
def test_an_old_sdist_may_have_a_dash_in_its_version(filename: str, version: str) -> None:
    assert FileNames("qpid-python").version(filename) == (version, SDIST)


@pytest.mark.parametrize(
    "filename", ["qpid-python-tools-1.0.tar.gz", "qpid-python-1-x.tar.gz", "qpid-1.0-1.tar.gz", "qpid-python.tar.gz"]
)
def test_what_follows_the_name_of_the_project_is_a_version(filename: str) -> None:
    assert FileNames("qpid-python").version(filename) is None
