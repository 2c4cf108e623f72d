"""Where each release is reached, and what upper bounds leave of the range of Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.resolve.lock.lock_resolution import PythonBound, narrowing
from lockset.resolve.problem.requirement import Key, RequirementOrigin, RootRequirement, parse_dependency
from lockset.resolve.solver.candidate import Candidate, ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.resolution import Pins, Resolution, resolution_graph
from support.fakes.fake_repository import FakeRelease, FakeRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIVERSE = MarkerSet.of_python(">=3.10")
WINDOWS = MarkerSet.parse("sys_platform == 'win32'")


def root(text: str) -> RootRequirement:
    dependency = parse_dependency(text)
    return RootRequirement(
        dependency=dependency,
        region=dependency.marker,
        origin=RequirementOrigin(name="project", version=None, text=dependency.text),
    )


def pins(*chosen: str, universe: MarkerSet = UNIVERSE, splits: Mapping[str, MarkerSet] | None = None) -> Pins:
    """`a 1` for the whole universe; a name in `splits` has its first version inside the boundary, the next outside."""
    mapping: dict[Key, Candidate] = {}
    for text in chosen:
        name, version = text.split()
        boundary = (splits or {}).get(name)
        cell = universe
        if boundary is not None:
            mapping[name, universe] = ForkCandidate(key=(name, universe), fork_point=boundary, requirements={})
            cell = universe & boundary if (name, universe & boundary) not in mapping else universe - boundary
        mapping[name, cell] = ReleaseCandidate(key=(name, cell), version=Version(version), guard=cell, extras=())
    return Pins(parts=((universe, mapping),))


def regions(resolution: Resolution) -> dict[str, MarkerSet]:
    return {f"{name} {version}": node.region for (name, version), node in resolution.nodes.items()}


def test_regions_are_what_the_roots_reach_whatever_was_pinned() -> None:
    repository = FakeRepository(
        {
            "a": {"1": FakeRelease(requires=("b ; sys_platform == 'win32'", "c ; extra == 'x'"))},
            "b": {"1": FakeRelease(requires=("a[x]",))},
            "c": {"1": FakeRelease()},
            "unused": {"1": FakeRelease()},
        }
    )
    result = resolution_graph(pins("a 1", "b 1", "c 1", "unused 1"), [root("a")], UNIVERSE, repository)
    inside = UNIVERSE & WINDOWS
    assert regions(result) == {"a 1": UNIVERSE, "b 1": inside, "c 1": inside}
    assert dict(result.nodes["a", Version("1")].extras) == {"x": inside}


def test_edges_lead_to_every_release_that_answers() -> None:
    repository = FakeRepository(
        {"a": {"1": FakeRelease(requires=("b",))}, "b": {"1": FakeRelease(), "2": FakeRelease()}}
    )
    result = resolution_graph(pins("a 1", "b 1", "b 2", splits={"b": WINDOWS}), [root("a")], UNIVERSE, repository)
    edges = {(e.source[0] if e.source else None, f"{e.target[0]} {e.target[1]}"): e.region for e in result.edges}
    assert edges == {
        (None, "a 1"): UNIVERSE,
        ("a", "b 1"): UNIVERSE & WINDOWS,
        ("a", "b 2"): UNIVERSE - WINDOWS,
    }


def test_a_hole_in_the_pins_is_a_bug_that_is_not_passed_on() -> None:
    repository = FakeRepository({"a": {"1": FakeRelease(requires=("b",))}, "b": {"1": FakeRelease()}})
    with pytest.raises(LocksetError) as caught:
        resolution_graph(pins("a 1"), [root("a")], UNIVERSE, repository)
    assert caught.value.diagnostic.code == "internal-uncovered"


def narrowed(world: Mapping[str, Mapping[str, FakeRelease]], *roots: str) -> PythonBound | None:
    repository = FakeRepository(world, ignore_caps=True)
    chosen = pins(*(f"{name} {version}" for name, releases in world.items() for version in releases))
    return narrowing(
        resolution_graph(chosen, [root(r) for r in roots], UNIVERSE, repository), repository.strictly_serves
    )


def test_the_lowest_cap_bounds_the_lock_and_all_who_set_it_are_named() -> None:
    world = {
        "a": {"1": FakeRelease(requires_python=">=3.8,<3.15")},
        "b": {"1": FakeRelease(requires_python="<3.14")},
        "c": {"1": FakeRelease(requires_python=">=3.9,<3.14.0")},
        "d": {"1": FakeRelease(requires_python=">=3.9")},
    }
    result = narrowed(world, "a", "b", "c", "d")
    assert result is not None
    assert result.below == "3.14"
    assert [name for name, _ in result.releases] == ["b", "c"]
    assert result.apply(SpecifierSet(">=3.10")) == SpecifierSet(">=3.10,<3.14")
    assert result.apply(None) == SpecifierSet("<3.14")
    assert result.region is MarkerSet.of_python("<3.14")


def test_a_bound_inside_a_series_keeps_its_third_number() -> None:
    result = narrowed({"a": {"1": FakeRelease(requires_python="<3.13.2")}}, "a")
    assert result is not None
    assert result.below == "3.13.2"


def test_releases_without_caps_narrow_nothing() -> None:
    assert narrowed({"a": {"1": FakeRelease(requires_python=">=3.8")}}, "a") is None


def test_a_cap_beyond_which_nobody_needs_the_release_narrows_nothing() -> None:
    assert narrowed({"a": {"1": FakeRelease(requires_python="<3.12")}}, "a ; python_version < '3.12'") is None


def test_a_bound_below_every_requested_python_is_refused() -> None:
    with pytest.raises(LocksetError) as caught:
        narrowed({"a": {"1": FakeRelease(requires_python="<3.9")}}, "a")
    assert caught.value.diagnostic.code == "no-python-left"
    assert "a 1" in caught.value.diagnostic.message
