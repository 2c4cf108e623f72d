"""A project and choices as one question."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.markers import KNOWN_PYTHONS, MarkerSet
from lockset.resolve.problem.build_problem import ResolutionProblem, build_problem
from lockset.resolve.problem.python_range import SETTLED, SETTLED_PYTHONS, maintained_pythons, python_range
from lockset.sources.pyproject import read_pyproject
from support.worlds.small_world import NOW, choices_of_table, old_lock


def asked(
    *dependencies: str,
    python: str | None = ">=3.10",
    extras: dict[str, list[str]] | None = None,
    groups: dict[str, list[str]] | None = None,
    settings: dict[str, Any] | None = None,
    old: tuple[str, ...] | None = None,
    old_python: str | None = None,
    now: datetime = NOW,
    **choices: Any,
) -> ResolutionProblem:
    project: dict[str, Any] = {"name": "app", "dependencies": list(dependencies)}
    if python is not None:
        project["requires-python"] = python
    if extras:
        project["optional-dependencies"] = extras
    data = {"project": project, "dependency-groups": groups or {}, "tool": {"lockset": settings or {}}}
    lock = None if old is None else old_lock(old, requires_python=old_python)
    return build_problem(
        read_pyproject(tomli_w.dumps(data), base=Path("/project")), choices_of_table(choices), old=lock, now=now
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.12", "==3.12.*"),
        ("3", "==3.*"),
        (" 3.12.4 ", ">=3.12.4,==3.12.*"),
        (">=3.10,<3.14", ">=3.10,<3.14"),
        ("~=3.11", "~=3.11"),
    ],
)
def test_pythons_are_named_as_range_series_or_release(text: str, expected: str) -> None:
    assert python_range(text) == SpecifierSet(expected)


@pytest.mark.parametrize("text", ["python3", ">=", "3.12.4.1", "3.x"])
def test_an_invalid_range_of_pythons_is_refused(text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        python_range(text)
    assert caught.value.diagnostic.code == "python-range"


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ("2024-10-31", "3.8"),
        ("2024-11-01", "3.9"),
        ("2026-01-01", "3.10"),
        ("2030-12-01", "3.15"),
        ("2040-01-01", "3.15"),
    ],
)
def test_without_any_word_of_pythons_the_maintained_ones_are_locked_for(day: str, first: str) -> None:
    question = asked("a", python=None, now=datetime.fromisoformat(day).replace(tzinfo=timezone.utc))
    assert question.request.requires_python == SpecifierSet(f">={first}")
    assert [f">={first}" in note for note in question.notes] == [True]


def test_the_newest_python_is_maintained_and_not_yet_expected_to_be_supported() -> None:
    newest = KNOWN_PYTHONS[-1]
    assert maintained_pythons(date(2026, 11, 30)) == ("3.11", "3.12", "3.13", "3.14", "3.15")
    assert maintained_pythons(None) == KNOWN_PYTHONS
    assert MarkerSet.of_python(f"<{newest}") == SETTLED
    assert frozenset(KNOWN_PYTHONS) - SETTLED_PYTHONS == {newest}


def test_requires_python_comes_from_the_old_lock_as_a_last_resort() -> None:
    assert asked("a", python=None, old=("a 1.0",), old_python=">=3.9").request.requires_python == SpecifierSet(">=3.9")
    assert asked("a", old=("a 1.0",), old_python=">=3.9").request.requires_python == SpecifierSet(">=3.10")


def test_a_chosen_range_is_cut_to_what_the_project_runs_on() -> None:
    chosen = ask_with_python(">=3.12", choice=">=3.9")
    assert MarkerSet.of_python(chosen) is MarkerSet.of_python(">=3.12")
    assert ask_with_python(">=3.10", choice="3.12") == SpecifierSet("==3.12.*")


def ask_with_python(project: str, *, choice: str) -> SpecifierSet:
    data = {"project": {"name": "app", "requires-python": project}}
    question = build_problem(
        read_pyproject(tomli_w.dumps(data), base=Path("/project")),
        choices_of_table({"python": choice}),
        old=None,
        now=NOW,
    )
    assert question.request.requires_python is not None
    return question.request.requires_python


@pytest.mark.parametrize(
    ("python", "expected"),
    [(">=3.10", True), (">=3.10,<3.14", False), (">=3.10,<4", True), ("~=3.10", True), (">=3.10,<3.16", False)],
)
def test_a_range_is_open_above_or_not(python: str, *, expected: bool) -> None:
    question = asked("a", python=python)
    assert question.request.open_above is expected
    assert question.rules.ignore_caps is expected


def test_platforms_bound_the_universe_and_the_samples() -> None:
    question = asked("a", platforms=["linux", "windows"])
    assert {s.environment.sys_platform for s in question.samples} == {"linux", "win32"}
    assert question.request.environments == ("sys_platform == 'linux'", "sys_platform == 'win32'")
    assert question.request.universe.is_disjoint(MarkerSet.parse("sys_platform == 'darwin'"))


def test_without_platforms_all_are_served_and_three_are_looked_at() -> None:
    question = asked("a")
    assert question.request.environments == ()
    assert not question.request.universe.is_disjoint(MarkerSet.parse("sys_platform == 'freebsd14'"))
    assert {s.environment.sys_platform for s in question.samples} == {"linux", "win32", "darwin"}


def test_platforms_and_environments_bound_together() -> None:
    question = asked("a", platforms=["linux"], environments=["python_version >= '3.12'"])
    (marker,) = question.request.environments
    wanted = MarkerSet.parse("sys_platform == 'linux' and python_version >= '3.12'")
    assert MarkerSet.parse(marker) is wanted


def test_choices_that_leave_nothing_are_refused() -> None:
    with pytest.raises(LocksetError) as caught:
        asked(
            "a",
            platforms=["linux"],
            environments=["sys_platform == 'win32' and python_version < '3.9'"],
            python=">=3.10",
        )
    assert caught.value.diagnostic.code == "no-environment"


@pytest.mark.parametrize(
    ("choice", "code"), [({"extras": ["nope"]}, "unknown-extra"), ({"groups": ["nope"]}, "unknown-group")]
)
def test_an_unknown_extra_or_group_is_refused_with_those_there_are(choice: dict[str, Any], code: str) -> None:
    data = {"project": {"name": "app", "optional-dependencies": {"cli": ["b"]}}, "dependency-groups": {"test": ["c"]}}
    project = read_pyproject(tomli_w.dumps(data), base=Path("/project"))
    with pytest.raises(LocksetError) as caught:
        build_problem(project, choices_of_table(choice), old=None, now=NOW)
    assert caught.value.diagnostic.code == code
    assert caught.value.diagnostic.hint is not None
    assert ("cli" if code == "unknown-extra" else "test") in caught.value.diagnostic.hint


def test_a_declared_environment_that_is_everything_bounds_nothing() -> None:
    environments = ["sys_platform == 'linux'", "sys_platform != 'linux' or os_name == 'posix' or os_name != 'posix'"]
    question = asked("a", environments=environments)
    assert question.request.environments == ()
    assert not question.request.universe.is_disjoint(MarkerSet.parse("sys_platform == 'win32'"))


def test_declared_conflicts_are_no_part_of_the_universe() -> None:
    conflicts = [[{"extra": "x"}, {"extra": "y"}, {"group": "g"}]]
    question = asked("a", extras={"x": ["b"], "y": ["c"]}, groups={"g": ["d"]}, settings={"conflicts": conflicts})
    x, y, g = MarkerSet.extra("x"), MarkerSet.extra("y"), MarkerSet.group("g")
    universe = question.request.universe
    assert all(universe.is_disjoint(both) for both in (x & y, x & g, y & g))
    assert not universe.is_disjoint(x - y - g)


def test_roots_apply_where_their_extra_or_group_is_chosen() -> None:
    question = asked("a ; sys_platform == 'win32'", extras={"x": ["b"]}, groups={"g": ["c"]})
    regions = {r.dependency.name: r.region for r in question.request.roots}
    default = question.request.default_group
    assert default == "default"
    assert regions["a"] is MarkerSet.group(default) & MarkerSet.parse("sys_platform == 'win32'")
    assert regions["b"] is MarkerSet.extra("x")
    assert regions["c"] is MarkerSet.group("g")


def test_the_default_group_takes_a_name_that_is_free() -> None:
    assert asked("a", groups={"default": ["b"]}).request.default_group == "project"
    assert asked("a").request.default_group is None


def test_only_groups_leaves_the_project_out() -> None:
    project = {"name": "app", "requires-python": ">=3.10", "dependencies": ["a"]}
    data = {"project": project, "dependency-groups": {"g": ["c"], "h": ["d"]}}
    question = build_problem(
        read_pyproject(tomli_w.dumps(data), base=Path("/project")),
        choices_of_table({"groups": ["g"], "only-groups": True}),
        old=None,
        now=NOW,
    )
    assert [r.dependency.name for r in question.request.roots] == ["c"]
    assert question.request.groups == ("g",)


def test_excluded_projects_are_no_roots() -> None:
    question = asked("a", "b", settings={"excludes": ["b"]})
    assert [r.dependency.name for r in question.request.roots] == ["a"]
    assert question.rules.excludes == {"b"}


def test_a_url_that_cannot_be_a_source_is_refused() -> None:
    with pytest.raises(LocksetError) as caught:
        asked("a @ ftp://files.example.org/a-1.0-py3-none-any.whl")
    assert caught.value.diagnostic.code == "source-not-supported"


def test_the_pins_of_the_old_lock_are_preferences() -> None:
    pins = ("a 1.0 ; sys_platform == 'win32'", "a 2.0 ; sys_platform != 'win32'", "b 1.0")
    result = asked("a", "b", old=pins).request.preferences
    assert [(str(p.version), p.binding) for p in result["a"]] == [("1.0", True), ("2.0", True)]
    assert result["a"][0].region is MarkerSet.parse("sys_platform == 'win32'")
    assert result["b"][0].region.is_full
    assert set(asked("a", old=pins, upgrade_packages=["a"]).request.preferences) == {"b"}
    assert asked("a", old=pins, upgrade=True).request.preferences == {}


def test_the_command_line_goes_before_the_settings() -> None:
    settings = {"resolution": "lowest", "prerelease": "allow", "fork-strategy": "fewest"}
    policy = asked("a", settings=settings).request.policy
    assert (policy.order, policy.prerelease, policy.fork) == ("lowest", "allow", "fewest")
    policy = asked("a", settings=settings, resolution="highest", prerelease="disallow", fork="newest").request.policy
    assert (policy.order, policy.prerelease, policy.fork) == ("highest", "disallow", "newest")


def test_lowest_direct_names_what_the_project_asks_for() -> None:
    policy = asked("a", extras={"x": ["b"]}, resolution="lowest-direct").request.policy
    assert policy.order == "highest"
    assert policy.lowest == {"a", "b"}


def test_an_age_counts_from_now() -> None:
    settings = {"exclude-newer": "7 days", "exclude-newer-package": {"b": False}}
    rules = asked("a", settings=settings).rules
    assert rules.limit("a") == NOW - timedelta(days=7)
    assert rules.limit("b") is None


def test_the_newest_and_the_oldest_python_are_probed() -> None:
    probes = asked("a", python=">=3.10,<3.14").request.probes
    assert [p.python_version for p in probes] == ["3.13", "3.10"]
    assert len({p.sys_platform for p in probes}) == 1
