"""The engine for one environment: the same rules of admission as the universal search, answered to resolvelib."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.composition import lock_assembly
from lockset.composition.lock_pipeline import lock_project
from lockset.errors import LocksetError
from lockset.markers import Environment, MarkerSet
from lockset.resolve.lock import one_environment_resolution
from lockset.resolve.one_environment.engine import Budget, NoSolution, Undecided, resolve_one, unmet
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.problem.request import Preference, ReleasePolicy
from lockset.resolve.problem.requirement import parse_dependency
from support.fakes.fake_repository import FakeRelease, FakeRepository
from support.strategies.resolve_worlds import UNIVERSE, request_for
from support.worlds.small_world import NOW, SmallWorld, entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.resolve.problem.request import LockRequest

PLENTY = Budget(steps=1_000, seconds=60)
LINUX = UNIVERSE & environment_region(Environment.of_platform("linux", "3.11"))


def release(*requires: str, **facts: Any) -> FakeRelease:
    return FakeRelease(requires=requires, extras=frozenset({"x", "y"}), **facts)


def answer(
    world: Mapping[str, Mapping[str, FakeRelease]], request: LockRequest, budget: Budget = PLENTY
) -> dict[str, str]:
    result = resolve_one(request, LINUX, FakeRepository(world), budget)
    assert not unmet(result, request, LINUX, FakeRepository(world))
    return {name: str(version) for name, version in result.items()}


def test_the_newest_release_that_fits_everything_is_chosen() -> None:
    world = {"a": {"1": release(), "2": release("b<3")}, "b": {"1": release(), "2": release(), "3": release()}}
    assert answer(world, request_for(["a", "b"])) == {"a": "2", "b": "2"}


def test_only_requirements_that_apply_there_count() -> None:
    world = {"a": {"1": release("b ; sys_platform == 'win32'", "c ; python_version >= '3.11'")}, "c": {"1": release()}}
    assert answer(world, request_for(["a", "b ; sys_platform == 'win32'"])) == {"a": "1", "c": "1"}


def test_a_release_for_other_pythons_is_passed_over() -> None:
    world = {"a": {"1": release(), "2": release(requires_python=">=3.12")}}
    assert answer(world, request_for(["a"])) == {"a": "1"}


def test_a_release_with_broken_metadata_is_passed_over() -> None:
    assert answer({"a": {"1": release(), "2": release(broken=True)}}, request_for(["a"])) == {"a": "1"}


def test_extras_bring_in_what_they_require_also_those_of_a_release_itself() -> None:
    world = {
        "a": {"1": release("a[y] ; extra == 'x'", "b ; extra == 'y'")},
        "b": {"1": release()},
        "c": {"1": release("a[x]")},
    }
    assert answer(world, request_for(["a", "c"])) == {"a": "1", "b": "1", "c": "1"}
    assert answer(world, request_for(["a"])) == {"a": "1"}


def test_a_release_that_requires_another_version_of_itself_cannot_be_used() -> None:
    assert answer({"a": {"1": release(), "2": release("a<2")}}, request_for(["a"])) == {"a": "1"}


def test_a_yanked_release_counts_only_where_it_is_pinned() -> None:
    world = {"a": {"1": release(), "2": release(yanked=True)}, "b": {"1": release("a==2")}}
    assert answer(world, request_for(["a"])) == {"a": "1"}
    assert answer(world, request_for(["a", "b"])) == {"a": "2", "b": "1"}


def test_a_prerelease_counts_where_it_is_named_by_whoever_comes_later() -> None:
    world = {"a": {"1": release(), "2a1": release()}, "b": {"1": release("a>=2a1")}, "c": {"1": release("a>=1")}}
    assert answer(world, request_for(["c"])) == {"a": "1", "c": "1"}
    assert answer(world, request_for(["c", "b"])) == {"a": "2a1", "b": "1", "c": "1"}


def test_a_prerelease_that_nobody_names_in_the_end_is_not_chosen() -> None:
    # `b` names it, and `b` itself comes by way of `a` 2 alone.
    world = {"a": {"2": release("b"), "1": release(), "1a1": release("a")}, "b": {"1": release("a==1a1")}}
    assert answer(world, request_for(["a"])) == {"a": "1"}


def test_constraints_hold_without_bringing_anything_in() -> None:
    world = {"a": {"1": release(), "2": release()}, "b": {"1": release()}}
    below = parse_dependency("a<2").specifier
    everywhere, elsewhere = (below, MarkerSet.any()), (below, MarkerSet.parse("sys_platform == 'win32'"))
    request = request_for(["a"])
    for constraints, chosen in (({"a": (everywhere,), "b": (everywhere,)}, "1"), ({"a": (elsewhere,)}, "2")):
        assert answer(world, replace(request, policy=ReleasePolicy(constraints=constraints))) == {"a": chosen}


def test_the_lowest_come_first_where_requested() -> None:
    world = {"a": {"1": release(), "2": release()}}
    assert answer(world, replace(request_for(["a"]), policy=ReleasePolicy(order="lowest"))) == {"a": "1"}


def test_preferred_versions_come_first_where_they_fit() -> None:
    world = {"a": {"1": release(), "2": release()}}
    pin = Preference(version=Version("1"), region=MarkerSet.any(), binding=True)
    assert answer(world, replace(request_for(["a"]), preferences={"a": (pin,)})) == {"a": "1"}
    assert answer(world, replace(request_for(["a>1"]), preferences={"a": (pin,)})) == {"a": "2"}


def test_there_is_no_answer_where_nothing_fits() -> None:
    with pytest.raises(NoSolution):
        answer({"a": {"1": release("b>=2")}, "b": {"1": release()}}, request_for(["a"]))
    with pytest.raises(NoSolution):
        answer({}, request_for(["a"]))


def test_an_answer_is_found_that_resolvelib_jumps_over() -> None:
    # `a` has no answer beside any `e`, and is there because of `e` 3 alone, by way of `b`.
    world = {
        "a": {"1": release("e<2")},
        "b": {"2": release(), "3": release("a")},
        "c": {"2": release("e")},
        "e": {"2": release(), "3": release("b!=2")},
    }
    assert answer(world, request_for(["c"])) == {"c": "2", "e": "2"}


def test_a_circle_of_projects_that_are_no_longer_required_does_no_harm() -> None:
    world = {
        "a": {"1": release(), "2": release("b")},
        "b": {"1": release("c")},
        "c": {"1": release("b", "a<2")},
    }
    assert answer(world, request_for(["a"])) == {"a": "1"}


def circle_in_hard_world() -> dict[str, dict[str, FakeRelease]]:
    """No `b` fits, and each `a` asks for another one."""
    return {
        "a": {str(n): release(f"b=={n}") for n in range(1, 30)},
        "b": {str(n): release(f"c>{n}", f"d=={n}") for n in range(1, 30)},
        "c": {str(n): release(f"d>{n}") for n in range(1, 30)},
        "d": {str(n): release() for n in range(1, 30)},
    }


def test_a_resolution_ends_with_its_steps() -> None:
    with pytest.raises(Undecided):
        answer(circle_in_hard_world(), request_for(["a"]), Budget(steps=5, seconds=60))


def test_a_resolution_ends_with_its_time() -> None:
    times = iter(range(100))
    with pytest.raises(Undecided):
        resolve_one(
            request_for(["a"]),
            LINUX,
            FakeRepository(circle_in_hard_world()),
            Budget(steps=1_000, seconds=5),
            clock=lambda: next(times),
        )


@pytest.mark.parametrize(("missing", "lacking"), [("b", {"b"}), ("c", {"c"}), (None, set())])
def test_unmet_names_the_missing_projects(missing: str | None, lacking: set[str]) -> None:
    repository = FakeRepository({"a": {"1": release("b", "c<2")}, "b": {"1": release()}, "c": {"1": release()}})
    chosen = {name: Version("1") for name in "abc" if name != missing}
    assert unmet(chosen, request_for(["a"]), LINUX, repository) == lacking


BUILD = """
[project]
dependencies = ["backend>=2", "plugin"]
[choices]
python = "3.12.4"
environments = [
    "sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython'",
]
[packages.backend]
"1.0" = {}
"2.0" = { requires = ["tool ; os_name == 'posix'", "other ; os_name == 'nt'"] }
"3.0" = { wheels = ["cp312-cp312-win_amd64"] }
[packages.plugin]
"1.0" = { requires = ["backend[fast]"] }
[packages.tool]
"1.0" = {}
"""


def locked(text: str) -> list[str]:
    world = SmallWorld.read(text)
    result = lock_project(world.project, world.choices, open_repository=world.opener(), now=NOW, one_environment=True)
    return entries(result.lock)


def test_a_lock_for_one_environment_is_decided_by_resolvelib_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(lock_assembly, "resolution_of", not_asked)
    assert locked(BUILD) == ["backend 2.0", "plugin 1.0", "tool 1.0"]


def test_both_engines_make_the_same_lock_of_what_a_build_requires() -> None:
    assert locked(BUILD) == entries(SmallWorld.read(BUILD).lock().lock)


def test_the_universal_search_decides_where_resolvelib_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_environment_resolution, "_BUDGET", Budget(steps=0, seconds=60))
    assert locked(BUILD) == ["backend 2.0", "plugin 1.0", "tool 1.0"]


def test_a_build_whose_requirements_cannot_hold_says_why() -> None:
    with pytest.raises(LocksetError, match=r"No version of backend fits backend>=4 on Python 3.12, Linux"):
        locked(BUILD.replace("backend>=2", "backend>=4"))
