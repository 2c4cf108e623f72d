"""Which releases are admitted, and in which order they are tried."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from lockset.resolve.problem.request import ReleasePolicy
from lockset.resolve.problem.requirement import Specifier
from lockset.resolve.releases.admission import Admission, bits
from support.fakes.fake_repository import FakeRelease, FakeRepository

PLAIN = FakeRelease()
YANKED = FakeRelease(yanked=True)
REPOSITORY = FakeRepository(
    {
        "a": {"1.0": PLAIN, "1.5": YANKED, "2.0rc1": PLAIN, "2.0": PLAIN, "3.0b1": PLAIN},
        "early": {"1.0a1": PLAIN, "1.0a2": PLAIN},
        "withdrawn": {"1.0": YANKED, "2.0b1": PLAIN},
        "local": {"1.0": PLAIN, "1.0+cpu": PLAIN},
    }
)


def admitted(
    name: str, *specifiers: str, policy: ReleasePolicy | None = None, locked: tuple[str, ...] = ()
) -> list[str]:
    policy = policy or ReleasePolicy()
    admission = Admission(REPOSITORY, policy)
    releases = REPOSITORY.releases(name)
    preferred = sum(1 << i for i, v in enumerate(releases.versions) if str(v) in locked)
    wanted = [Specifier.of(SpecifierSet(s)) for s in specifiers]
    mask = admission.admitted(releases, wanted, preferred=preferred)
    return [str(releases.versions[i]) for i in admission.ordered(name, mask)]


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        ([""], ["2.0", "1.0"]),
        (["<2"], ["1.0"]),
        (["==1.5"], ["1.5"]),
        (["===1.5"], ["1.5"]),
        (["==1.*"], ["1.0"]),
        ([">=1.5", "==1.5"], ["1.5"]),
        ([">=2.0rc1"], ["2.0", "3.0b1", "2.0rc1"]),
        (["==2.0rc1"], ["2.0rc1"]),
        ([">=3.0b1"], ["3.0b1"]),
        ([">2.0"], ["3.0b1"]),
        ([">1.5", "<2.0"], []),
        ([">1.5", "<2.0.1", "!=2.0"], ["2.0rc1"]),
        ([">2.0", ">=2.0rc1"], ["3.0b1"]),
        (["<1", ">2"], []),
    ],
)
def test_final_releases_go_first_and_others_where_named_or_none_fits(
    specifiers: list[str], expected: list[str]
) -> None:
    assert admitted("a", *specifiers) == expected


def test_a_project_with_nothing_but_prereleases_is_taken_as_it_is() -> None:
    assert admitted("early", "") == ["1.0a2", "1.0a1"]
    assert admitted("withdrawn", "") == ["2.0b1"]


def test_a_local_version_fits_a_pin_of_its_public_one() -> None:
    assert admitted("local", "==1.0") == ["1.0+cpu", "1.0"]
    assert admitted("local", "==1.0+cpu") == ["1.0+cpu"]


def test_prereleases_can_be_allowed_or_not_for_all_and_for_one() -> None:
    allowed = ReleasePolicy(prerelease="allow")
    assert admitted("a", ">=2", policy=allowed) == ["3.0b1", "2.0"]
    assert admitted("a", ">=3.0b1", policy=ReleasePolicy(prerelease="disallow")) == []
    assert admitted("early", "", policy=ReleasePolicy(prerelease="disallow")) == []
    assert admitted("a", ">=2", policy=ReleasePolicy(prerelease_of={"a": "allow"})) == ["3.0b1", "2.0"]
    assert admitted("a", ">=2", policy=ReleasePolicy(prerelease="allow", prerelease_of={"a": "if-necessary"})) == [
        "2.0"
    ]


def test_a_locked_release_is_admitted_where_it_fits() -> None:
    assert admitted("a", "<2", locked=("1.5",)) == ["1.5", "1.0"]
    assert admitted("a", ">=2", locked=("1.5",)) == ["2.0"]


def test_the_lowest_comes_first_where_requested() -> None:
    assert admitted("a", "", policy=ReleasePolicy(order="lowest")) == ["1.0", "2.0"]
    assert admitted("a", "", policy=ReleasePolicy(lowest=frozenset({"a"}))) == ["1.0", "2.0"]
    assert admitted("a", "", policy=ReleasePolicy(lowest=frozenset({"b"}))) == ["2.0", "1.0"]


def test_which_releases_need_to_be_named() -> None:
    def named(name: str, policy: ReleasePolicy) -> list[str]:
        releases = REPOSITORY.releases(name)
        return [str(releases.versions[i]) for i in bits(Admission(REPOSITORY, policy).needing_opt_in(releases))]

    assert named("a", ReleasePolicy()) == ["3.0b1", "2.0rc1", "1.5"]
    assert named("a", ReleasePolicy(prerelease="allow")) == ["1.5"]
    assert named("early", ReleasePolicy()) == []
