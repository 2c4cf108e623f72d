"""Which versions an advisory affects, by `versions` and `ranges` of the OSV schema."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from lockset.advisories.version_ranges import AffectedVersions, affected_versions


def entry(*ranges: list[dict[str, Any]], versions: tuple[str, ...] = (), kind: str = "ECOSYSTEM") -> AffectedVersions:
    problems: list[str] = []
    made = affected_versions(
        {"ranges": [{"type": kind, "events": events} for events in ranges], "versions": list(versions)}, problems
    )
    assert problems == []
    return made


def affected(made: AffectedVersions, *versions: str) -> list[str]:
    return [text for text in versions if made.contains(Version(text))]


def test_a_range_begins_where_it_is_introduced_and_ends_before_the_fix() -> None:
    made = entry([{"introduced": "1.2"}, {"fixed": "1.5"}])
    assert affected(made, "1.1", "1.2rc1", "1.2", "1.4.9", "1.5rc1", "1.5", "2.0") == ["1.2", "1.4.9", "1.5rc1"]


def test_zero_is_before_every_version() -> None:
    made = entry([{"introduced": "0"}, {"fixed": "1"}])
    assert affected(made, "0.dev0", "0a1", "0.9", "1") == ["0.dev0", "0a1", "0.9"]


def test_the_last_affected_version_is_affected_with_its_local_versions() -> None:
    made = entry([{"introduced": "0"}, {"last_affected": "1.0"}])
    assert affected(made, "1.0", "1.0+cpu", "1.0.post1", "1.1") == ["1.0", "1.0+cpu"]


def test_one_range_may_begin_and_end_several_times_in_any_order() -> None:
    made = entry([{"fixed": "2.3"}, {"introduced": "2.0"}, {"introduced": "0"}, {"fixed": "1.4"}])
    assert affected(made, "1.3", "1.4", "1.9", "2.0", "2.2", "2.3") == ["1.3", "2.0", "2.2"]


def test_a_range_that_begins_where_another_one_ends_goes_on() -> None:
    made = entry([{"introduced": "0"}, {"fixed": "2"}, {"introduced": "2"}, {"fixed": "3"}])
    assert affected(made, "1", "2", "3") == ["1", "2"]


def test_several_ranges_and_the_listed_versions_count_together() -> None:
    made = entry([{"introduced": "1"}, {"fixed": "2"}], [{"introduced": "3"}, {"fixed": "4"}], versions=("5.0", "6.1"))
    assert affected(made, "1", "2.5", "3.1", "5", "6.1+local", "6.2") == ["1", "3.1", "5", "6.1+local"]


def test_ranges_of_commits_do_not_count() -> None:
    assert affected(entry([{"introduced": "0"}, {"fixed": "9f8e"}], kind="GIT"), "1.0") == []


def test_a_limit_ends_every_range() -> None:
    assert affected(entry([{"introduced": "0"}, {"limit": "2"}]), "1", "2", "3") == ["1"]


def test_the_fix_of_the_branch_is_the_one_that_counts() -> None:
    made = entry([{"introduced": "0"}, {"fixed": "1.26.19"}, {"introduced": "2.0"}, {"fixed": "2.5"}])
    assert list(made.fixed_after(Version("1.26.5"))) == [Version("1.26.19")]
    assert list(made.fixed_after(Version("2.1"))) == [Version("2.5")]
    assert list(made.fixed_after(Version("3.0"))) == []


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([{"introduced": "0"}, {"fixed": "the next one"}], "`fixed` is 'the next one', which is not a valid version"),
        ([{"introduced": "some"}, {"fixed": "9"}], "`introduced` is 'some', which is not a valid version"),
        ([{"introduced": "0"}, {"last_affected": 3}], "`last_affected` is 3, which is not a valid version"),
        ([{"introduced": "0"}, {"limit": "x"}], "`limit` is 'x', which is not a valid version"),
        ([{"introduced": "0"}, "fixed"], "`events` has an item that is not an event"),
        ([{"introduced": "0"}, {"fixed": "9" * 5000}], "`fixed` is '999"),
    ],
)
def test_what_is_not_a_version_never_hides_one_and_is_reported(events: list[Any], problem: str) -> None:
    problems: list[str] = []
    made = affected_versions({"ranges": [{"type": "ECOSYSTEM", "events": events}]}, problems)
    assert made.contains(Version("1.0"))
    assert len(problems) == 1
    assert problems[0].startswith(problem)


def test_a_version_that_is_not_valid_is_compared_as_it_is_written() -> None:
    made = entry(versions=("2004d", "1.0"))
    assert made.contains("2004d")
    assert not made.contains("2004e")


VERSIONS = st.builds(lambda a, b: Version(f"{a}.{b}"), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(st.tuples(VERSIONS, VERSIONS), max_size=4), VERSIONS)
def test_ranges_mean_half_open_intervals(pairs: list[tuple[Version, Version]], version: Version) -> None:
    ranges = [[{"introduced": str(a)}, {"fixed": str(b)}] for a, b in pairs if a < b]
    assert entry(*ranges).contains(version) == any(a <= version < b for a, b in pairs if a < b)


@given(st.lists(st.tuples(VERSIONS, VERSIONS), max_size=4), VERSIONS)
def test_a_fix_comes_later_and_is_outside_of_the_range_that_it_ends(
    pairs: list[tuple[Version, Version]], version: Version
) -> None:
    for a, b in pairs:
        if a < b:
            fixes = list(entry([{"introduced": str(a)}, {"fixed": str(b)}]).fixed_after(version))
            assert fixes == ([b] if a <= version < b else [])
