"""check(): each thing in which a lock may not serve its sources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockset.lockfile.model import Pylock
from lockset.resolve.lock.staleness import outdated_parts
from support.worlds.small_world import NOW, SmallWorld, choices_of_table

PROJECT: dict[str, Any] = {
    "requires-python": ">=3.10",
    "dependencies": ["a>=1", "w ; sys_platform == 'win32'"],
    "optional-dependencies": {"x": ["b"]},
}
GROUPS = {"test": ["c"]}
PACKAGES: dict[str, Any] = {
    "a": {"1.0": {"requires": ["d"]}, "2.0": {"requires": ["d"]}},
    "b": {"1.0": {}},
    "c": {"1.0": {}},
    "d": {"1.0": {"requires-python": "<3.15"}},
    "w": {"1.0": {}},
}


def world(
    *, groups: dict[str, Any] | None = None, settings: dict[str, Any] | None = None, **project: Any
) -> SmallWorld:
    return SmallWorld(
        {
            "project": PROJECT | {k.replace("_", "-"): v for k, v in project.items()},
            "dependency-groups": GROUPS if groups is None else groups,
            "tool": {"lockset": settings or {}},
            "packages": PACKAGES,
        }
    )


@pytest.fixture(scope="module")
def locked() -> Pylock:
    return world().lock().lock


def findings(small_world: SmallWorld, lock: Pylock, **choices: Any) -> list[str]:
    return list(outdated_parts(small_world.project, choices_of_table(choices), lock, now=NOW))


def test_a_fresh_lock_is_current_though_it_was_narrowed_by_a_cap(locked: Pylock) -> None:
    assert str(locked.requires_python) == "<3.15,>=3.10"
    assert findings(world(), locked) == []


def test_more_pythons_than_the_lock_serves(locked: Pylock) -> None:
    (result,) = findings(world(requires_python=">=3.9"), locked)
    assert result == "the project runs on Python >=3.9, the lock on <3.15,>=3.10"


def test_a_closed_range_beyond_the_lock(locked: Pylock) -> None:
    (result,) = findings(world(requires_python=">=3.10,<3.16"), locked)
    assert "<3.16" in result


def test_fewer_pythons_are_served(locked: Pylock) -> None:
    assert findings(world(requires_python=">=3.12"), locked) == []


def test_other_environments(locked: Pylock) -> None:
    assert findings(world(), locked, platforms=["linux"]) == [
        "the requested environments differ from those of the lock"
    ]


def test_an_extra_or_group_more(locked: Pylock) -> None:
    extras = PROJECT["optional-dependencies"] | {"y": ["a"]}
    assert "the extra y is not in the lock" in findings(world(optional_dependencies=extras), locked)
    assert "the dependency group docs is not in the lock" in findings(world(groups=GROUPS | {"docs": ["a"]}), locked)


def test_an_extra_or_group_less(locked: Pylock) -> None:
    assert "the lock has the extra x, the project does not" in findings(world(optional_dependencies={}), locked)
    assert "the lock has the dependency group test, the project does not" in findings(world(groups={}), locked)


def test_a_requirement_that_the_pin_does_not_meet(locked: Pylock) -> None:
    result = findings(world(dependencies=["a<2", "w ; sys_platform == 'win32'"]), locked)
    assert result == ["a<2 (pyproject.toml [project.dependencies]): 2.0 is locked"]


def test_a_requirement_that_nothing_serves_everywhere(locked: Pylock) -> None:
    result = findings(world(dependencies=["a>=1", "w"]), locked)
    assert "w (pyproject.toml [project.dependencies]): nothing is locked" in result


def test_removed_and_new_requirements_are_reported(locked: Pylock) -> None:
    assert findings(world(dependencies=["a>=1"]), locked) == [
        "w ; sys_platform == 'win32' is locked, but no longer required"
    ]
    result = findings(world(dependencies=["a>=1.0", "w ; sys_platform == 'win32'"]), locked)
    assert result == ["a>=1.0 is required, but the lock was created for a>=1"]


def test_a_requirement_of_an_extra_is_looked_at_with_it(locked: Pylock) -> None:
    result = findings(world(optional_dependencies={"x": ["b>=2"]}), locked)
    assert result[0] == "b>=2 (pyproject.toml [project.optional-dependencies.x]): 1.0 is locked"


def test_locks_of_other_tools_are_checked_without_recorded_roots(locked: Pylock) -> None:
    foreign = Pylock(
        **{f: getattr(locked, f) for f in ("lock_version", "created_by", "packages", "extras")}
        | {
            "dependency_groups": locked.dependency_groups,
            "default_groups": locked.default_groups,
            "requires_python": locked.requires_python,
        }
    )
    assert findings(world(), foreign) == []
    assert findings(world(dependencies=["a>=3"]), foreign) == [
        "a>=3 (pyproject.toml [project.dependencies]): 2.0 is locked"
    ]


@pytest.mark.parametrize(
    "settings", [{"constraints": ["a<2"]}, {"overrides": ["d==2"]}, {"excludes": ["d"]}, {"prerelease": "allow"}]
)
def test_settings_that_the_lock_does_not_follow(settings: dict[str, Any], locked: Pylock) -> None:
    requests = SmallWorld({**world().data, "tool": {"lockset": settings}})
    assert findings(requests, locked) != []


def test_an_entry_that_another_needs_is_missing(locked: Pylock) -> None:
    packages = [p for p in locked.packages if p.name != "d"]
    assert findings(world(), replace(locked, packages=packages)) != []
