"""Random worlds: the universal search and resolvelib say the same of each environment, and hold the other's answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, note

from lockset.errors import LocksetError
from lockset.progress import NullListener
from lockset.resolve.one_environment.engine import Budget, NoSolution, resolve_one, unmet
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.releases.direct_repository import DirectRepository
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search, solve_environment
from support.fakes.fake_repository import FakeRepository
from support.strategies.resolve_worlds import (
    SAMPLES,
    UNIVERSE,
    World,
    request_for,
    roots_lists,
    searched,
    worlds,
    worlds_with_prereleases,
)
from support.strategies.source_worlds import ENVIRONMENTS, has_answer
from support.strategies.source_worlds import worlds as worlds_with_sources
from support.worlds.small_world import NOW, SmallSources, described, small_repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from lockset.markers import Environment, MarkerSet
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.solver.resolution import Resolution
    from support.worlds.small_world import SmallWorld

PLENTY = Budget(steps=20_000, seconds=60)
# The rest are alike to one of these for the markers of the worlds.
SAMPLED = SAMPLES[::5]


def region_of(environment: Environment) -> MarkerSet:
    return UNIVERSE & environment_region(environment)


def resolved(
    request: LockRequest, environment: Environment, repository: FakeRepository
) -> Mapping[str, Version] | None:
    try:
        return resolve_one(request, region_of(environment), repository, PLENTY)
    except NoSolution:
        return None


def chosen_in(resolution: Resolution, environment: Environment) -> dict[str, Version]:
    return {name: version for (name, version), node in resolution.nodes.items() if node.region.evaluate(environment)}


@given(world=worlds(), roots=roots_lists)
def test_both_engines_find_an_answer_or_neither_does(world: World, roots: list[str]) -> None:
    note(f"{roots} {world}")
    request, repository = request_for(roots), FakeRepository(world)
    for environment in SAMPLED:
        alone = solve_environment(request, region_of(environment), request.roots, repository, NullListener())
        result = resolved(request, environment, repository)
        assert (alone is None) == (result is not None), environment
        assert result is None or not unmet(result, request, region_of(environment), repository)


@given(world=worlds(), roots=roots_lists)
def test_what_the_universal_lock_selects_is_an_answer_for_resolvelib(world: World, roots: list[str]) -> None:
    note(f"{roots} {world}")
    request, repository = request_for(roots), FakeRepository(world)
    pins, _ = searched(request, repository)
    if pins is None:
        assert any(resolved(request, environment, repository) is None for environment in SAMPLES)
        return
    resolution = resolution_graph(pins, request.roots, request.universe, repository)
    for environment in SAMPLED:
        assert not unmet(chosen_in(resolution, environment), request, region_of(environment), repository)
        assert resolved(request, environment, repository) is not None


@given(world=worlds_with_prereleases(), roots=roots_lists)
def test_both_engines_agree_on_prereleases(world: World, roots: list[str]) -> None:
    note(f"{roots} {world}")
    request, repository = request_for(roots), FakeRepository(world)
    for environment in SAMPLED:
        region = region_of(environment)
        one = replace(request, universe=region)
        try:
            pins, _ = search(one, repository, NullListener())
        except ResolutionImpossible:
            continue
        chosen = chosen_in(resolution_graph(pins, one.roots, region, repository), environment)
        assert not unmet(chosen, request, region, repository)
        result = resolved(request, environment, repository)
        assert result is not None
        assert not unmet(result, request, region, repository)


@given(world=worlds_with_sources())
def test_resolvelib_finds_an_answer_where_there_is_one_with_releases_at_urls(world: SmallWorld) -> None:
    try:
        problem = build_problem(world.project, world.choices, old=None, now=NOW)
    except LocksetError:
        return  # two URLs for one project in one environment
    index = small_repository(
        world.packages, problem.rules, metadata=world.metadata, sources=SmallSources(world.sources)
    )
    repository = DirectRepository(index, problem.direct)
    request = problem.request
    for name in ENVIRONMENTS:
        groups = request.all_groups
        environment = environment_region(described(name)[0], groups=groups, all_groups=groups)
        region = request.universe & environment
        try:
            chosen = resolve_one(request, region, repository, PLENTY)
        except NoSolution:
            assert not has_answer(world, name), name
        else:
            assert has_answer(world, name), name
            assert not unmet(chosen, request, region, repository)
