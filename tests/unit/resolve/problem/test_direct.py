"""Sources by URL and path, and the versions that come from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.resolve.problem.direct_source import DirectSource, DirectVersion, host_of, source_of
from lockset.resolve.problem.requirement import Specifier
from lockset.sources.requirements.requirement_line import parse_requirement


def source(text: str, *, folder: str = "/project") -> DirectSource:
    return source_of(parse_requirement(text, origin="here"), base=Path("/project"), folder=Path(folder))


ONE = source("a @ https://example.org/one/a-1.0-py3-none-any.whl")
OTHER = source("a @ https://example.org/other/a-1.0-py3-none-any.whl")
VERSIONS = st.sampled_from(["1.0", "1.0.0", "1.0+local", "2.0", "2.0b1", "1!0.5"])
ANY = VERSIONS.flatmap(
    lambda text: st.sampled_from([Version(text), DirectVersion(text, ONE), DirectVersion(text, OTHER)])
)


@given(ANY, ANY, ANY)
def test_versions_with_sources_are_in_one_total_order(a: Version, b: Version, c: Version) -> None:
    assert (a < b) + (b < a) + (a == b) == 1
    assert (a <= b) == (a < b or a == b)
    assert (a > b) == (b < a)
    assert (a >= b) == (b <= a)
    assert not (a < b < c) or a < c
    assert (a == b) == (b == a)
    assert a != b or hash(a) == hash(b)


@given(VERSIONS, st.sampled_from(["", "==1.0", "==1.0+local", ">=1,<2", "!=1.0", "<=2.0", "===1.0"]))
def test_a_version_from_a_source_fits_as_its_number_does(text: str, specifiers: str) -> None:
    specifier = Specifier.of(SpecifierSet(specifiers))
    plain, direct = Version(text), DirectVersion(text, ONE)
    assert specifier.admits(direct) == specifier.admits(plain)
    assert list(specifier.filter([plain, direct])) == ([plain, direct] if specifier.admits(plain) else [])


def test_a_requirement_of_a_source_only_matches_that_source() -> None:
    requests = Specifier.of_source(ONE)
    assert requests is Specifier.of_source(source("a @ https://user:word@example.org/one/a-1.0-py3-none-any.whl"))
    assert list(requests.filter([Version("1.0"), DirectVersion("1.0", ONE), DirectVersion("1.0", OTHER)])) == [
        DirectVersion("1.0", ONE)
    ]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("a @ https://u:p@example.org/a-1.0.zip", "archive", "https://example.org/a-1.0.zip"),
        ("a @ file:///project/libs/a", "directory", "./libs/a"),
        ("a @ ./libs/a", "directory", "./libs/a"),
        ("a @ ../a-1.0.tar.gz", "archive", "../a-1.0.tar.gz"),
        ("a @ git+https://token@example.org/r.git@v1", "vcs", "git+https://example.org/r.git@v1"),
        ("a @ git+ssh://git@example.org/r", "vcs", "git+ssh://git@example.org/r"),
        ("a @ git+https://example.org/r#subdirectory=x/y", "vcs", "git+https://example.org/r#subdirectory=x/y"),
    ],
)
def test_sources_are_shown_without_secrets_and_relative(text: str, kind: str, shown: str) -> None:
    result = source(text)
    assert (result.kind, result.shown) == (kind, shown)
    assert "token" not in repr(result)


def test_a_repository_is_split_into_url_revision_and_subdirectory() -> None:
    result = source("a @ git+https://token@example.org:8443/group/r.git@feature/x#subdirectory=pkg&egg=a")
    assert (result.url, result.revision, result.subdirectory) == (
        "https://example.org:8443/group/r.git",
        "feature/x",
        "pkg",
    )
    assert result.fetched == "https://token@example.org:8443/group/r.git"


@pytest.mark.parametrize(
    "text",
    [
        "a @ ftp://example.org/a-1.0.tar.gz",
        "a @ https://example.org/",
        "a @ https://example.org/a-1.0.tar.xz",
        "a @ file://host/share/a",
        "a @ svn+https://example.org/r",
        "a @ git+ext::sh",
        "a @ git+git://example.org/r",
        "a @ git+https://-option/r",
        "a @ git+https://example.org/r@-b",
        "a @ git+https://example.org/r@$(x)",
        "a @ git+https://example.org/r#subdirectory=/etc",
        "a @ git+https://example.org/r#subdirectory=a/../..",
        "a @ git+https://example.org/r#subdirectory=c:x",
        f"a @ file:///project/tree#sha256={'0' * 64}",
    ],
)
def test_an_unsupported_source_is_refused(text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        source(text)
    assert caught.value.diagnostic.code == "source-not-supported"


def test_a_host_has_no_user_and_keeps_its_port() -> None:
    assert host_of("https://Me:x@Example.org:8443/a") == "example.org:8443"
