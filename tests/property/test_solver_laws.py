"""Random worlds: one run of the solver finds an answer where there is one, and what it learns is true."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from hypothesis import given, note
from hypothesis import strategies as st
from packaging.requirements import Requirement

from lockset.markers import MarkerSet
from lockset.progress import NullListener
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.incompatibility import Incompatibilities, Incompatibility
from lockset.resolve.solver.provider import Provider
from lockset.resolve.solver.solver import Solver, Unsatisfiable
from support.fakes.fake_repository import FakeRelease, FakeRepository
from support.strategies.resolve_worlds import (
    SAMPLES,
    UNIVERSE,
    OneEnvironment,
    World,
    request_for,
    roots_lists,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.resolve.solver.incompatibility import Term

HERE = SAMPLES[0]
NAMES = ("a", "b", "c", "d", "e", "f", "g")
# Answers to compare with, at most.
MANY = 300

texts = st.builds(
    "{}{}".format, st.sampled_from(NAMES), st.sampled_from((">=2", "<2", "<3", ">=3", "==1", "==3", "!=2", ">=4"))
)


@st.composite
def tight_worlds(draw: st.DrawFn) -> World:
    """Worlds in which almost every requirement excludes something."""
    return {
        name: {
            str(version): FakeRelease(requires=tuple(draw(st.lists(texts, max_size=3))))
            for version in range(1, draw(st.integers(2, 5)))
        }
        for name in NAMES
    }


class _Recorded(Incompatibilities):
    def __init__(self, provider: Provider) -> None:
        super().__init__(provider.dependencies, provider.matching)
        self.learned: list[Incompatibility] = []

    def learn(self, incompatibility: Incompatibility) -> None:
        self.learned.append(incompatibility)
        super().learn(incompatibility)


def one_run(world: World, roots: list[str], universe: MarkerSet) -> tuple[dict[str, str] | None, list[Incompatibility]]:
    """What one run chooses, None where it says that there is no answer; and what it learned."""
    request = request_for(roots)
    provider = Provider(
        repository=FakeRepository(world),
        policy=request.policy,
        universe=universe,
        preferences={},
        locked_for=MarkerSet.none(),
    )
    recorded = _Recorded(provider)
    run = Solver(provider, recorded, NullListener(), most_rejections=10_000, most_rounds=100_000)
    try:
        pins = run.solve(provider.roots(request.roots))
    except Unsatisfiable:
        return None, recorded.learned
    return {c.name: str(c.version) for c in pins.values() if isinstance(c, ReleaseCandidate)}, recorded.learned


def satisfies(world: World, answer: Mapping[str, str], term: Term) -> bool:
    name = term.key[0]
    if name not in answer:
        return False
    required = {requirement.origin.text for requirement in term.requirements}
    chosen = all(isinstance(c, ReleaseCandidate) and str(c.version) == answer[name] for c in term.candidates)
    return chosen and required <= set(world[name][answer[name]].requires)


@given(world=tight_worlds(), roots=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
def test_one_run_finds_an_answer_exactly_where_there_is_one_and_learns_what_holds_for_every_answer(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    pins, learned = one_run(world, roots, UNIVERSE & environment_region(HERE))
    required = [(Requirement(root), frozenset[str]()) for root in roots]
    answers = list(islice(OneEnvironment(world, HERE).answers(required, {}, {}), MANY))
    assert (pins is None) == (not answers)
    assert pins is None or pins in answers or len(answers) == MANY
    for incompatibility in learned:
        for answer in answers:
            assert not all(satisfies(world, answer, term) for term in incompatibility.terms)


@given(world=worlds(), roots=roots_lists)
def test_one_run_over_all_environments_says_no_only_where_one_of_them_has_no_answer(
    world: World, roots: list[str]
) -> None:
    note(f"{roots} {world}")
    pins, _ = one_run(world, roots, UNIVERSE)
    assert pins is not None or not all(OneEnvironment(world, e).solvable(roots) for e in SAMPLES)
