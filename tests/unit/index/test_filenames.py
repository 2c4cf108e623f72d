"""Names of distribution files, as installers read them for the project that is asked for."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name, parse_sdist_filename
from packaging.version import Version

from lockset.index.filenames import SDIST, FileNames, standard_sdist_name


@pytest.mark.parametrize(
    ("project", "filename", "version"),
    [
        ("sample", "sample-1.0-1.tar.gz", "1.0-1"),
        ("sample", "Sample-1.0-2.zip", "1.0-2"),
        ("python-sample", "python-sample-1.0-1.tar.gz", "1.0-1"),
        ("python-sample", "Python.Sample-1.0.tar.gz", "1.0"),
        ("sample", "python-sample-1.0.tar.gz", None),
        ("sample", "sample-extra-1.0.tar.gz", None),
        ("sample-2", "sample-2-1.tar.gz", "1"),
        ("sample", "sample-2-1.tar.gz", "2-1"),
        ("sample", "sample--1.tar.gz", None),
        ("sample", "sample.tar.gz", None),
        ("sample", "-1.0-1.tar.gz", None),
    ],
)
def test_the_name_of_the_project_shows_where_the_version_begins(
    project: str, filename: str, version: str | None
) -> None:
    assert FileNames(project).version(filename) == (None if version is None else (version, SDIST))


@pytest.mark.parametrize(
    ("project", "filename", "version", "standard"),
    [
        ("sample", "sample-1.0.tar.gz", "1.0", "sample-1.0.tar.gz"),
        ("my-sample", "My-Sample-1.0.tar.gz", "1.0", "My-Sample-1.0.tar.gz"),
        ("sample", "sample-1.0-1.zip", "1.0.post1", "sample-1.0.post1.zip"),
        ("my-sample", "My-Sample-1.0-1.tar.gz", "1.0.post1", "my_sample-1.0.post1.tar.gz"),
    ],
)
def test_a_lock_file_has_a_name_that_its_readers_can_split(
    project: str, filename: str, version: str, standard: str
) -> None:
    assert standard_sdist_name(filename, project, Version(version)) == standard
    assert parse_sdist_filename(standard) == (canonicalize_name(project), Version(version))
