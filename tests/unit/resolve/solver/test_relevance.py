"""Which requirements matter to a conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from lockset.markers import MarkerSet
from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin, Specifier
from lockset.resolve.solver.relevance import relevant_in_one_environment, relevant_requirements

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = MarkerSet.of_python(">=3.10,<3.14")
REGIONS = (ALL, MarkerSet.of_python("<3.12") & ALL, MarkerSet.of_python(">=3.12") & ALL)
KEY: Key = ("a", ALL)
VERSIONS = ("1", "2", "3")


def requirement(specifier: str, region: MarkerSet = ALL, extras: Sequence[str] = ()) -> Requirement:
    return Requirement(
        key=KEY,
        specifier=Specifier.of(SpecifierSet(specifier)),
        extras=frozenset(extras),
        region=region,
        origin=RequirementOrigin(name="project", version=None, text=f"a{specifier}"),
    )


def fits(one: Requirement) -> int:
    return sum(1 << i for i, v in enumerate(VERSIONS) if v in one.specifier.specifiers)


def telling_of(*requests: Requirement, fixed: Sequence[Requirement] = ()) -> list[Requirement]:
    return relevant_requirements(requests, fixed, fits)


def test_two_that_contradict_are_enough() -> None:
    any_version, low, high = requirement(""), requirement("<2"), requirement(">=3")
    assert set(telling_of(any_version, low, high, requirement(">=2"))) == {low, high}
    assert telling_of(any_version, low, requirement(">=1"), fixed=[high]) == [low]


def test_requirements_of_disjoint_regions_do_not_conflict() -> None:
    low, high = requirement("<2", REGIONS[1]), requirement(">=3", REGIONS[2])
    assert telling_of(low, high) == [low, high]


def test_the_first_of_equivalent_requirements_is_kept() -> None:
    first, again, wider, with_extra = requirement("<2"), requirement("<2"), requirement("<3"), requirement("", ALL, "x")
    assert telling_of(first, again, wider) == [first]
    assert telling_of(wider, with_extra, first) == [with_extra, first]


requirements = st.builds(
    requirement,
    st.sampled_from(("", "<2", "<3", ">=2", ">=3", "==2", "!=2")),
    st.sampled_from(REGIONS),
    st.sampled_from(((), ("x",), ("x", "y"))),
)


def releases(some: Sequence[Requirement], part: MarkerSet) -> int:
    """What fits all that is required in a part of the environments."""
    mask = (1 << len(VERSIONS)) - 1
    for one in some:
        if not one.region.is_disjoint(part):
            mask &= fits(one)
    return mask


def extras(some: Sequence[Requirement], part: MarkerSet) -> set[str]:
    return {e for one in some if not one.region.is_disjoint(part) for e in one.extras}


@given(asked=st.lists(requirements, min_size=1, max_size=6), fixed=st.lists(requirements, max_size=2))
def test_the_relevant_requirements_have_the_same_solutions(asked: list[Requirement], fixed: list[Requirement]) -> None:
    results = [*fixed, *telling_of(*asked, fixed=fixed)]
    parts = REGIONS[1:]
    if all(releases(results, part) for part in parts):
        for part in parts:
            assert releases(results, part) == releases([*fixed, *asked], part)
            assert extras(results, part) == extras([*fixed, *asked], part)


@given(st.lists(requirements, max_size=5), st.lists(requirements, max_size=2))
def test_in_one_environment_the_relevant_requirements_match_the_same_releases(
    asked: list[Requirement], fixed: list[Requirement]
) -> None:
    relevant = relevant_in_one_environment(asked, fixed, fits)
    assert _matched([*relevant, *fixed]) == _matched([*asked, *fixed])
    for one in relevant:
        others = [r for r in (*relevant, *fixed) if r is not one]
        assert _matched(others) != _matched(asked + fixed) or not one.extras <= _extras(others)


def _matched(asked: Sequence[Requirement]) -> int:
    matched = -1
    for one in asked:
        matched &= fits(one)
    return matched


def _extras(asked: Sequence[Requirement]) -> frozenset[str]:
    return frozenset().union(*(one.extras for one in asked))
