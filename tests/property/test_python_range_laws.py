"""Random worlds with bounds on Pythons: a lock serves the whole range, and is narrowed only by what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.markers import Environment
from support.worlds.one_environment import OneEnvironment
from support.worlds.small_world import SmallWorld, selected

if TYPE_CHECKING:
    from lockset.composition.lock_assembly import LockResult

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2", "3")
MARKERS = (
    "python_version < '3.12'",
    "python_version >= '3.12'",
    "python_version < '3.13'",
    "python_version >= '3.14'",
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
)
PYTHON_BOUNDS = ("", "", "", ">=3.12", ">=3.13", "<3.12", "<3.13", "<3.14", ">=3.10,<3.13", "!=3.13.*", "<4")
CLOSED = (">=3.11,<3.15", ">=3.12,<3.14", ">=3.11,<=3.14.3", ">=3.11,<3.16", ">=3.11,!=3.12.*,<3.15")
OPEN = (">=3.11", ">=3.12", ">=3.11,<4", ">=3.11,!=3.12.*")
SAMPLES = tuple(
    (f"{python} {platform}", Environment.of_platform(platform, python, "cpython"))
    for python in ("3.11", "3.12", "3.13", "3.14", "3.15")
    for platform in ("linux", "windows")
)


@st.composite
def requirements(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(NAMES))
    specifier = draw(st.sampled_from(("", "", "", "", ">=2", "<2", "<3", "==1", "!=2")))
    marker = draw(st.sampled_from(("", "", "", *MARKERS)))
    return f"{name}{specifier}" + (f" ; {marker}" if marker else "")


@st.composite
def worlds(draw: st.DrawFn, pythons: tuple[str, ...]) -> SmallWorld:
    packages = {
        name: {
            version: {
                "requires": draw(st.lists(requirements(), max_size=2)),
                "requires-python": draw(st.sampled_from(PYTHON_BOUNDS)),
            }
            for version in draw(st.lists(st.sampled_from(VERSIONS), min_size=2, max_size=3, unique=True))
        }
        for name in NAMES
    }
    roots = draw(st.lists(requirements(), min_size=1, max_size=3))
    project = {"requires-python": draw(st.sampled_from(pythons)), "dependencies": roots}
    return SmallWorld({"project": project, "packages": packages})


def locked(world: SmallWorld) -> LockResult | None:
    try:
        return world.lock()
    except LocksetError as error:
        if error.diagnostic.code != "no-resolution":
            raise
        return None


def has_answer(world: SmallWorld, environment: Environment) -> bool:
    return OneEnvironment(world, environment).has_answer(world.data["project"]["dependencies"])


def in_range(world: SmallWorld) -> list[tuple[str, Environment]]:
    requests = SpecifierSet(world.data["project"]["requires-python"])
    return [(name, environment) for name, environment in SAMPLES if environment.python_full_version in requests]


@given(world=worlds(CLOSED))
def test_a_lock_serves_all_of_a_closed_range_wherever_each_python_has_an_answer(world: SmallWorld) -> None:
    note(repr(world.data))
    solvable = all(has_answer(world, environment) for _, environment in in_range(world))
    result = locked(world)
    assert solvable == (result is not None)
    if result is not None:
        assert result.lock.requires_python == SpecifierSet(world.data["project"]["requires-python"])
        for name, _ in in_range(world):
            selected(result.lock, name)


@given(world=worlds(OPEN))
def test_an_open_range_is_narrowed_only_by_releases_that_serve_the_pythons_below(world: SmallWorld) -> None:
    note(repr(world.data))
    solvable = all(has_answer(world, environment) for _, environment in in_range(world))
    result = locked(world)
    if not solvable:
        return
    assert result is not None
    pythons = result.lock.requires_python or SpecifierSet()
    if all(environment.python_full_version in pythons for _, environment in in_range(world)):
        return
    # A release that is needed only where it admits no Python costs the lock these Pythons and serves nobody.
    kept = [f"{package.name} {package.version}" for package in result.lock.packages]
    assert any(release in text for text in result.notes if "support" in text for release in kept), result.notes
