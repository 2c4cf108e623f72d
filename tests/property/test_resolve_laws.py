"""Random worlds: the search finds a lock whenever each environment alone has an answer, and what it finds holds."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given, note
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.progress import NullListener
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search
from support.fakes.fake_repository import FakeRelease, FakeRepository
from support.strategies.resolve_worlds import (
    SAMPLES,
    OneEnvironment,
    World,
    check_sound,
    request_for,
    resolved,
    roots_lists,
    searched,
    selected,
    worlds,
    worlds_with_prereleases,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.markers import Environment
    from lockset.resolve.solver.resolution import Resolution


@given(world=worlds(), roots=roots_lists)
def test_a_lock_is_found_exactly_when_every_environment_has_an_answer_and_it_holds(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    request = request_for(roots)
    repository = FakeRepository(world)
    solvable = [OneEnvironment(world, e).solvable(roots) for e in SAMPLES]
    pins, failure = searched(request, repository)
    if pins is None:
        assert not all(solvable), "every environment has an answer"
        assert failure is not None
        assert failure.exhausted
        return
    assert all(solvable), "an environment has no answer"
    resolution = resolution_graph(pins, request.roots, request.universe, repository)
    for environment in SAMPLES:
        check_sound(world, roots, environment, selected(resolution, environment))


@given(world=worlds_with_prereleases(), roots=roots_lists)
def test_a_prerelease_is_chosen_only_where_somebody_names_it_or_no_final_release_fits(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    resolution = resolved(world, roots)
    if resolution is None:
        return
    for environment in SAMPLES:
        chosen = selected(resolution, environment)
        check_sound(world, roots, environment, chosen)
        for (name, version), node in resolution.nodes.items():
            if not version.is_prerelease or not node.region.evaluate(environment):
                continue
            requests = [e for e in resolution.edges if e.target == (name, version) and e.region.evaluate(environment)]
            specifiers = [e.dependency.specifier for e in requests]
            python = Version(environment.python_full_version)
            final = [
                v
                for v, release in world[name].items()
                if not Version(v).is_prerelease
                and python in SpecifierSet(release.requires_python)
                and all(s.admits(Version(v)) for s in specifiers)
            ]
            assert not final or any(s.names_prerelease for s in specifiers), f"{name} {version} for {final}"


def newer_alone_or_in_pairs(world: World, resolution: Resolution) -> Iterator[dict[tuple[str, str], str]]:
    entries = [(name, str(version)) for name, version in resolution.nodes]
    newer = {(n, v): [x for x in world[n] if Version(x) > Version(v)] for n, v in entries}
    for entry in entries:
        yield from ({entry: version} for version in newer[entry])
    for one, other in combinations(entries, 2):
        yield from ({one: x, other: y} for x in newer[one] for y in newer[other])


def holds(world: World, roots: list[str], environment: Environment, chosen: dict[str, str]) -> bool:
    """Whether what is chosen meets everything; what it has beyond that does not count."""
    try:
        check_sound(world, roots, environment, chosen, exactly=False)
    except AssertionError:
        return False
    return True


@given(world=worlds(), roots=roots_lists)
def test_no_entry_and_no_two_entries_together_could_be_newer_with_all_others_as_they_are(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    resolution = resolved(world, roots)
    if resolution is None:
        return
    chosen = {environment: selected(resolution, environment) for environment in SAMPLES}
    for newer in newer_alone_or_in_pairs(world, resolution):
        changed = {e: {n: newer.get((n, v), v) for n, v in c.items()} for e, c in chosen.items()}
        seen = {item for c in chosen.values() for item in c.items()}
        assert not newer.keys() <= seen or not all(
            c == chosen[e] or holds(world, roots, e, c) for e, c in changed.items()
        ), f"{newer} in {list(resolution.nodes)}"


def test_answers_of_two_probes_are_not_mixed_into_one_that_is_older_than_either() -> None:
    # As s3fs, aiobotocore, botocore and boto3: `s` 2 allows `b` 30, without it `b` 60 fits; never old `s` and old `b`.
    world: World = {
        "s": {"1": FakeRelease(requires=("k",)), "2": FakeRelease(requires=("m",))},
        "m": {str(i): FakeRelease(requires=(f"k=={i}",)) for i in range(1, 31)},
        "k": {str(i): FakeRelease() for i in range(1, 61)},
        "b": {str(i): FakeRelease(requires=(f"k=={i}",)) for i in range(1, 61)},
    }
    request = request_for(["s", "b"])
    pins, _ = searched(request, FakeRepository(world))
    assert pins is not None
    resolution = resolution_graph(pins, request.roots, request.universe, FakeRepository(world))
    for environment in SAMPLES:
        assert selected(resolution, environment) == {"s": "2", "m": "30", "k": "30", "b": "30"}


@given(world=worlds(), roots=roots_lists)
def test_the_same_question_has_the_same_answer(world: World, roots: list[str]) -> None:
    def answer() -> object:
        try:
            pins, _ = search(request_for(roots), FakeRepository(world), NullListener())
        except ResolutionImpossible:
            return None
        request = request_for(roots)
        resolution = resolution_graph(pins, request.roots, request.universe, FakeRepository(world))
        return [(key, node.region) for key, node in resolution.nodes.items()]

    assert answer() == answer()
