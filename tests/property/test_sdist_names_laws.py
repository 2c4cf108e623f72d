"""Laws of the names of sdists whose version may have a dash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import parse_sdist_filename
from packaging.version import Version

from lockset.index.filenames import SDIST, FileNames, standard_sdist_name

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z][a-z0-9]{0,5}){0,2}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}(-[0-9]{1,3})?", fullmatch=True)
SEPARATORS, SUFFIXES = st.sampled_from("-_."), st.sampled_from([".tar.gz", ".zip"])


@given(
    name=NAMES, version=VERSIONS, separator=SEPARATORS, upper=st.booleans(), suffix=st.sampled_from([".tar.gz", ".zip"])
)
def test_the_version_is_what_follows_the_name_and_lock_files_have_a_name_that_splits_so(
    *,
    name: str,
    version: str,
    separator: str,
    upper: bool,
    suffix: str,
) -> None:
    spelled = name.replace("-", separator)
    filename = f"{spelled.upper() if upper else spelled}-{version}{suffix}"
    assert FileNames(name).version(filename) == (version, SDIST)
    standard = standard_sdist_name(filename, name, Version(version))
    assert parse_sdist_filename(standard) == (name, Version(version))


@given(name=NAMES, other=NAMES, version=VERSIONS)
def test_an_sdist_of_another_project_is_not_taken(name: str, other: str, version: str) -> None:
    parsed = FileNames(name).version(f"{other}-{version}.tar.gz")
    assert (parsed is None) == (name != other)
