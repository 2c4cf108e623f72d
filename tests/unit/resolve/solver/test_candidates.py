"""What the search is offered for one cell, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.index.pages.project_page import VersionList
from lockset.markers import MarkerSet
from lockset.resolve.problem.request import Preference, ReleasePolicy
from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin, Specifier, parse_dependency
from lockset.resolve.releases.repository import Releases
from lockset.resolve.solver.candidate import ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.candidates import CandidateMaker
from support.fakes.fake_repository import FakeRelease, FakeRepository

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = MarkerSet.of_python(">=3.10")
LINUX = MarkerSet.parse("sys_platform == 'linux'") & ALL
KEY: Key = ("a", ALL)
WORLD = {
    "a": {"1": FakeRelease(), "2": FakeRelease(), "3": FakeRelease(requires_python=">=3.12")},
    "b": {"1": FakeRelease(requires=("c ; os_name == 'nt'",))},
}


def requirement(
    specifier: str = "", region: MarkerSet = ALL, *, extras: Sequence[str] = (), key: Key = KEY
) -> Requirement:
    return Requirement(
        key=key,
        specifier=Specifier.of(SpecifierSet(specifier)),
        extras=frozenset(extras),
        region=region,
        origin=RequirementOrigin(name="project", version=None, text=f"{key[0]}{specifier}"),
    )


def maker(
    *, policy: ReleasePolicy | None = None, pins: Sequence[Preference] = (), forks: dict[Key, MarkerSet] | None = None
) -> CandidateMaker:
    return CandidateMaker(
        repository=FakeRepository(WORLD),
        policy=policy or ReleasePolicy(),
        preferences={"a": tuple(pins)},
        locked_for=MarkerSet.none(),
        forks=forks or {},
    )


def offered(made: CandidateMaker, *wanted: Requirement) -> list[str | MarkerSet]:
    """Versions, and the boundaries of forks."""
    result = made.candidates(wanted[0].key, wanted)
    return [c.fork_point if isinstance(c, ForkCandidate) else str(c.version) for c in result]


NEWER = MarkerSet.of_python(">=3.12") & ALL


def test_a_release_for_a_part_splits_before_any_older_one() -> None:
    assert offered(maker(), requirement()) == [NEWER, "2", "1"]


def test_with_the_fewest_the_split_comes_last() -> None:
    assert offered(maker(policy=ReleasePolicy(fork="fewest")), requirement()) == ["2", "1", NEWER]


def test_a_remembered_split_is_offered_first() -> None:
    made = maker(forks={KEY: LINUX})
    result = offered(made, requirement())
    assert result[0] is LINUX
    assert result.count(LINUX) == 1


def test_requirements_that_no_version_meets_are_separated_where_both_sides_then_have_one() -> None:
    windows = MarkerSet.parse("sys_platform == 'win32'") & ALL
    wanted = [requirement(">=2", LINUX), requirement("<2", windows), requirement("<3")]
    result = offered(maker(), *wanted)
    assert result[0] in {LINUX, windows}
    assert all(isinstance(c, MarkerSet) for c in result)


def test_a_boundary_that_cuts_nothing_off_the_guard_is_no_split() -> None:
    assert offered(maker(), requirement("<2", LINUX)) == ["1"]


def test_the_last_splits_are_on_markers_of_the_releases_own_requirements() -> None:
    result = offered(maker(), requirement(key=("b", ALL)))
    assert result == ["1", MarkerSet.parse("os_name == 'nt'") & ALL]


def test_pins_of_the_old_lock_come_first_and_split_where_they_did() -> None:
    one = Preference(version=Version("1"), region=LINUX, binding=True)
    two = Preference(version=Version("2"), region=~LINUX, binding=True)
    assert offered(maker(pins=[one]), requirement("<3", LINUX)) == ["1", "2"]
    assert offered(maker(pins=[one, two]), requirement("<3"))[0] is LINUX
    assert offered(maker(pins=[one]), requirement(">=2,<3", LINUX)) == ["2"]


def test_pins_of_a_probe_do_not_hold_newer_pythons_back() -> None:
    probed = Preference(version=Version("1"), region=MarkerSet.any(), binding=False)
    assert offered(maker(pins=[probed]), requirement()) == [NEWER, "1", "2"]


def test_constraints_count_where_they_apply() -> None:
    constraint = (Specifier.of(SpecifierSet("<2")), LINUX)
    made = maker(policy=ReleasePolicy(constraints={"a": (constraint,)}))
    assert offered(made, requirement("<3", ALL - LINUX)) == ["2", "1"]
    assert offered(made, requirement("<3", LINUX)) == ["1"]


def test_the_guard_holds_all_regions_and_each_extra_its_own() -> None:
    wanted = [requirement("<3"), requirement("", LINUX, extras=["x"])]
    first = next(c for c in maker().candidates(KEY, wanted) if isinstance(c, ReleaseCandidate))
    assert first.guard is ALL
    assert dict(first.extras) == {"x": LINUX}
    assert first.meets(requirement("", LINUX, extras=["x"]))
    assert not first.meets(requirement("", ALL, extras=["x"]))
    assert not first.meets(requirement("", LINUX, extras=["y"]))
    assert not first.meets(requirement(">=3", LINUX))
    assert not first.meets(requirement("", MarkerSet.any()))


def test_the_same_candidate_is_the_same_object() -> None:
    made = maker()
    first, second = (list(made.candidates(KEY, [requirement("<3")])) for _ in range(2))
    assert [c for c in first if isinstance(c, ReleaseCandidate)] == [
        c for c in second if isinstance(c, ReleaseCandidate)
    ]


def test_a_dependency_applies_where_its_release_and_its_extra_are_needed() -> None:
    made = maker()
    plain = parse_dependency("d ; sys_platform == 'linux'")
    of_extra = parse_dependency("d ; extra == 'x' and python_version >= '3.12'")
    assert made.region(ALL, (), plain) is LINUX
    assert made.region(ALL, (), of_extra).is_empty
    assert made.region(ALL, (("x", LINUX),), of_extra) is LINUX & NEWER


class _LongList(FakeRepository):
    """Has thousands of releases of every project, of which those of `world` are looked at."""

    versions = VersionList([str(number) for number in range(5_000, 0, -1)])

    def releases(self, name: str) -> Releases:
        return Releases(name=name, versions=self.versions, stable=(1 << 5_000) - 1, yanked=0)


def test_a_locked_version_among_thousands_is_found_without_parsing_them() -> None:
    repository = _LongList({"a": {"4000": FakeRelease()}})
    pin = Preference(version=Version("4000"), region=ALL, binding=True)
    made = CandidateMaker(
        repository=repository,
        policy=ReleasePolicy(),
        preferences={"a": (pin,)},
        locked_for=MarkerSet.none(),
        forks={},
    )
    first = next(made.candidates(KEY, [requirement()]))
    assert isinstance(first, ReleaseCandidate)
    assert first.version == pin.version
    assert sum(version is not None for version in repository.versions._parsed) <= 14, "those of a binary search"
