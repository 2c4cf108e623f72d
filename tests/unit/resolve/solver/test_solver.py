"""One run of the solver: what it chooses, what it learns from a conflict, and that no run goes in circles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from lockset.markers import MarkerSet
from lockset.progress import NullListener
from lockset.resolve.problem.request import ReleasePolicy
from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, parse_dependency
from lockset.resolve.solver import solver
from lockset.resolve.solver.candidate import Candidate, ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.incompatibility import Incompatibilities, Incompatibility, Term
from lockset.resolve.solver.provider import Provider
from lockset.resolve.solver.solver import BudgetExceeded, Solver, Unsatisfiable
from support.fakes.fake_repository import FakeRelease, FakeRepository
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.progress import ProgressListener
    from lockset.resolve.problem.requirement import Key
    from lockset.resolve.releases.repository import ReleaseFacts

ALL = MarkerSet.of_python(">=3.10,<3.14")
LINUX = MarkerSet.parse("sys_platform == 'linux'") & ALL
NEWER = MarkerSet.of_python(">=3.12") & ALL

World = dict[str, dict[str, tuple[str, ...] | FakeRelease]]


@dataclass(slots=True)
class RecordingRepository(FakeRepository):
    """Records which facts are read, among the hints."""

    def facts(self, name: str, version: Version) -> ReleaseFacts | None:
        self.asked.append(f"facts of {name} {version}")
        return FakeRepository.facts(self, name, version)


class StepListener(NullListener):
    """Records the steps of a run: each release chosen, and the name of each one rejected."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, what: str, *, done: int = 1) -> None:
        assert done == 1
        self.steps.append(what)


def released(release: tuple[str, ...] | FakeRelease) -> FakeRelease:
    if isinstance(release, FakeRelease):
        return release
    return FakeRelease(requires=release, extras=frozenset({"x", "y"}))


class SolverRuns:
    """A world, the incompatibilities of its universe, and one run at a time over them."""

    def __init__(self, world: World, *roots: str) -> None:
        releases = {name: {v: released(r) for v, r in versions.items()} for name, versions in world.items()}
        self.repository = RecordingRepository(releases)
        self.provider = Provider(
            repository=self.repository,
            policy=ReleasePolicy(),
            universe=ALL,
            preferences={},
            locked_for=MarkerSet.none(),
        )
        self.incompatibilities = Incompatibilities(self.provider.dependencies, self.provider.matching)
        self.roots = [
            RootRequirement(
                dependency=d, region=d.marker, origin=RequirementOrigin(name="project", version=None, text=d.text)
            )
            for d in map(parse_dependency, roots)
        ]

    def run(self, most_rejections: int = 1000, listener: ProgressListener | None = None) -> Solver:
        listener = listener or NullListener()
        return Solver(
            self.provider, self.incompatibilities, listener, most_rejections=most_rejections, most_rounds=10_000
        )

    def solve(self) -> dict[str, str]:
        result = self.run().solve(self.provider.roots(self.roots))
        return {c.name: str(c.version) for c in result.values() if isinstance(c, ReleaseCandidate)}


def test_one_conflict_puts_a_package_before_those_that_were_required_earlier() -> None:
    provider = SolverRuns({"a": {"1": ()}, "b": {"1": ()}, "c": {"1": ()}}, "a", "b", "c").provider
    provider.roots(SolverRuns({}, "a", "b", "c").roots)
    names = ["c", "a", "b"]
    assert sorted(names, key=provider.priority) == ["a", "b", "c"]
    provider.count_conflict("c")
    assert sorted(names, key=provider.priority) == ["c", "a", "b"]
    provider.count_conflict("b")
    assert sorted(names, key=provider.priority) == ["b", "c", "a"]
    provider.count_conflict("c")
    assert sorted(names, key=provider.priority) == ["c", "b", "a"]


PAGE = (
    (ROOT / "docs" / "pages" / "development" / "solver.md")
    .read_text("utf-8")
    .partition("## A worked example")[2]
    .partition("\n## ")[0]
)
MODULE = str(solver.__doc__).partition("A worked example")[2].partition("Literature")[0]
# Each has two examples, which begin with the releases: where a choice gives way, and where a conflict is learned.
FIRST = "web 2 requires"
EXAMPLES = [
    pytest.param(FIRST + part, roots, id=f"{where}-{what}")
    for where, text in {"page": PAGE, "module": MODULE}.items()
    for part, (what, roots) in zip(
        text.split(FIRST)[1:],
        {"gives way": ("web", "num", "log"), "is learned": ("web", "num")}.items(),
        strict=True,
    )
]


def documented_world(text: str) -> World:
    """The releases of a worked example: `NAME VERSION`, and what each requires."""
    world: World = {}
    for line in text[: text.index("core 2") + 6].splitlines():
        for release in re.split(r"\s{2,}|, ", line.strip()):
            name, version, *requires = release.split(maxsplit=2)
            rest = requires[0].removeprefix("requires ") if requires else ""
            python = re.fullmatch(r"Python (\S+) or later", rest)
            facts = (
                FakeRelease(requires_python=f">={python[1]}") if python else tuple(filter(None, rest.split(" and ")))
            )
            world.setdefault(name, {})[version] = facts
    return world


def documented_choices(text: str) -> tuple[list[str], set[str]]:
    """The releases of the decisions, and the packages for which none is left. Forks are no releases."""
    page = [tuple(cell.strip() for cell in line.split("|")[1:5]) for line in text.splitlines() if line.startswith("| ")]
    module = [tuple(re.split(r"\s{2,}", line.strip())[:4]) for line in text.splitlines() if re.match(r"\s+\d ", line)]
    rows = [row for row in page or module if row[0].isdigit() and not row[3].startswith("fork")]
    left = {name for _, name, _, choice in rows if choice.startswith("none left")}
    return [f"{name} {choice}" for _, name, _, choice in rows if not choice.startswith("none left")], left


def learned(incompatibilities: Incompatibilities) -> set[str]:
    """The terms of everything that is learned."""
    by_required = [kept for one in incompatibilities._by_requirement.values() for kept in one.values()]
    terms = [term for kept in by_required for one in kept for term in one.terms]
    return {f"{term.key[0]} brings {' and '.join(r.origin.text for r in term.requirements)}" for term in terms}


@pytest.mark.parametrize(("text", "roots"), EXAMPLES)
def test_the_worked_example_runs_as_it_is_documented(text: str, roots: tuple[str, ...]) -> None:
    runs = SolverRuns(documented_world(text), *roots)
    listener = StepListener()
    run = runs.run(listener=listener)
    pins = run.solve(runs.provider.roots(runs.roots))
    chosen, none_left = documented_choices(text)
    assert [step for step in listener.steps if " " in step] == chosen
    assert none_left <= set(listener.steps)
    assert [(c.name, c.fork_point & ALL) for c in pins.values() if isinstance(c, ForkCandidate)] == [("num", NEWER)]
    assert learned(runs.incompatibilities) == set(re.findall(r"\{ (\w+ brings [^}]*) \}", text))


def test_the_newest_that_fit_together_are_chosen() -> None:
    world: World = {"a": {"1": (), "2": ("b<2",)}, "b": {"1": (), "2": ()}}
    assert SolverRuns(world, "a", "b").solve() == {"a": "2", "b": "1"}


def test_packages_that_no_requirement_reaches_are_dropped() -> None:
    world: World = {"a": {"1": (), "2": ("c",)}, "b": {"1": ("a<2",)}, "c": {"1": ()}}
    assert SolverRuns(world, "a", "b").solve() == {"a": "1", "b": "1"}


def test_a_choice_grows_for_more_extras_and_what_it_asked_for_stays() -> None:
    # Each of two projects asks the first for another extra: taken off for the one, it would lose the other.
    world: World = {
        "a": {"1": ("b", "c", "d ; extra == 'x'", "e ; extra == 'y'")},
        "b": {"1": ("a[x]",)},
        "c": {"1": ("a[y]",)},
        "d": {"1": ()},
        "e": {"1": ()},
    }
    runs = SolverRuns(world, "a")
    run = runs.run()
    result = run.solve(runs.provider.roots(runs.roots))
    assert {key[0] for key in result} == {"a", "b", "c", "d", "e"}
    assert run.rounds == 5


def test_a_split_grows_for_more_requirements() -> None:
    world: World = {"a": {"1": (), "2": ()}, "b": {"1": ("a",)}, "c": {"1": ("a",)}}
    runs = SolverRuns(world, "a<2 ; sys_platform == 'linux'", "a>=2 ; sys_platform != 'linux'", "b", "c")
    run = runs.run()
    result = run.solve(runs.provider.roots(runs.roots))
    assert sorted(str(c.version) for k, c in result.items() if k[0] == "a" and isinstance(c, ReleaseCandidate)) == [
        "1",
        "2",
    ]
    assert sum(isinstance(c, ForkCandidate) for c in result.values()) == 1
    assert run.rounds == 5


def test_there_is_no_way_where_all_was_tried_and_its_causes_name_the_requirements() -> None:
    world: World = {"a": {"1": ("c==1",), "2": ("c==1",)}, "b": {"1": ("c==2",)}, "c": {"1": (), "2": ()}}
    runs = SolverRuns(world, "a", "b")
    with pytest.raises(Unsatisfiable) as caught:
        runs.solve()
    requested = {(c.origin.name, c.origin.text) for c in caught.value.causes}
    assert {("a", "c==1"), ("b", "c==2")} <= requested
    chains = {tuple(o.text for o in c.chain) for c in caught.value.causes}
    assert ("a", "c==1") in chains


def test_learned_conflicts_hold_for_the_next_run() -> None:
    world: World = {
        "a": {str(v): ("b", f"c=={v}") for v in range(1, 9)},
        "b": {str(v): ("c==9",) for v in range(1, 9)},
        "c": {str(v): () for v in range(1, 10)},
    }
    runs = SolverRuns(world, "a")
    with pytest.raises(BudgetExceeded):
        runs.run(most_rejections=4).solve(runs.provider.roots(runs.roots))
    again = runs.run()
    with pytest.raises(Unsatisfiable):
        again.solve(runs.provider.roots(runs.roots))
    anew = SolverRuns(world, "a")
    first = anew.run()
    with pytest.raises(Unsatisfiable):
        first.solve(anew.provider.roots(anew.roots))
    assert again.rejections < first.rejections


def test_where_one_reason_excludes_many_releases_the_choice_that_it_names_gives_way() -> None:
    world: World = {
        "b": {"1": (), "2": ("c<2",)},
        "a": {"1": (), **{str(v): ("c>=2",) for v in range(2, 30)}},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "b", "a").solve() == {"a": "29", "b": "1", "c": "2"}


def test_where_every_release_is_excluded_the_choice_that_the_reason_names_gives_way_and_others_stay() -> None:
    world: World = {
        "b": {"1": (), "2": ("c<2",)},
        "r": {"1": (), "2": ("a",)},
        "s": {"1": ()},
        "a": {"1": ("c>=2",), "2": ("c>=2",)},
        "c": {"1": (), "2": ()},
    }
    runs, listener = SolverRuns(world, "b", "r", "s"), StepListener()
    run = runs.run(listener=listener)
    run.solve(runs.provider.roots(runs.roots))
    assert [step for step in listener.steps if " " in step] == ["b 2", "r 2", "s 1", "c 1", "a 2", "b 1", "c 2"]
    assert run.conflicts == 0


def test_a_choice_without_another_stays() -> None:
    world: World = {
        "b": {"1": (), "2": ("c<2",)},
        "r": {"1": (), "2": ("a",)},
        "a": {"1": ("c>=2",), "2": ("c>=2",)},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "b==2", "r").solve() == {"b": "2", "r": "1", "c": "1"}


def test_a_choice_stays_where_one_reason_excludes_a_few_releases() -> None:
    world: World = {
        "b": {"1": (), "2": ("c<2",)},
        "a": {"1": (), **{str(v): ("c>=2",) for v in range(2, 8)}},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "b", "a").solve() == {"a": "1", "b": "2", "c": "1"}


def test_a_choice_stays_where_several_reasons_exclude_a_few_releases_each() -> None:
    world: World = {
        "b": {"1": (), "2": ("c<2",)},
        "a": {"1": (), **{str(v): ("c>=2",) if v < 7 else ("missing",) for v in range(2, 12)}},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "b", "a").solve() == {"a": "1", "b": "2", "c": "1"}


def test_two_packages_do_not_give_way_to_each_other_in_turns() -> None:
    world: World = {
        "a": {"1": (), **{str(v): ("c<2",) for v in range(2, 30)}},
        "b": {str(v): ("c==2",) if v < 30 else ("c>=2",) for v in range(1, 31)},
        "c": {"1": (), "2": ()},
    }
    runs = SolverRuns(world, "a", "b")
    run = runs.run()
    run.solve(runs.provider.roots(runs.roots))
    assert run.rounds < 20


def test_of_releases_that_one_reason_excludes_in_a_row_the_first_counts_and_those_after_the_tenth() -> None:
    world: World = {"a": {"1": (), **{str(v): ("missing",) for v in range(2, 30)}}}
    runs = SolverRuns(world, "a")
    run = runs.run()
    run.solve(runs.provider.roots(runs.roots))
    assert run.rejections == 1 + (28 - 10)


def test_a_choice_gives_way_only_once_to_a_package_that_nothing_else_fits() -> None:
    world: World = {
        "b": {"1": ("c<2",), "2": ("c<2",)},
        "a": {"1": (), **{str(v): ("c>=2",) for v in range(2, 30)}},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "b", "a").solve() == {"a": "1", "b": "2", "c": "1"}


def test_where_releases_are_rejected_one_by_one_more_and_more_are_fetched_ahead() -> None:
    world: World = {"a": {str(v): ("c==2",) for v in range(1, 30)}, "b": {"1": ("c==1",)}, "c": {"1": (), "2": ()}}
    runs = SolverRuns(world, "b", "a")
    with pytest.raises(Unsatisfiable):
        runs.solve()
    heard = runs.repository.asked
    first_hint = {what: heard.index(what) for what in reversed(heard)}
    # By the time the tenth is looked at, many after it are on their way.
    tenth = first_hint["facts of a 20"]
    assert first_hint["a 12"] < tenth
    assert first_hint["a 1"] > tenth


def test_releases_that_a_learned_conflict_excludes_are_fetched_ahead_too() -> None:
    # Ten rejections make the solver learn the conflict of `a` with `b`, which excludes all others by what they require.
    world: World = {
        "a": {**{str(v): ("c==2",) for v in range(2, 30)}, "1": ()},
        "b": {"1": ("c==1",), "2": ("a", "c==1", "d==2")},
        "c": {"1": (), "2": ()},
        "d": {"1": ("a",), "2": ("a",)},
    }
    runs = SolverRuns(world, "d", "b", "a")
    assert runs.solve()["a"] == "1"
    heard = runs.repository.asked
    late = {v for v in range(1, 28) if f"a {v}" not in heard[: heard.index(f"facts of a {v}")]}
    assert not late


def test_what_an_older_release_pins_is_fetched_ahead_although_newer_ones_pinned_other_releases() -> None:
    world: World = {
        "base": {"1": ("core<2", "one", "two", "app")},
        "core": {"1": (), "2": ()},
        "app": {str(v): (f"core=={v}", f"one=={v}", f"two=={v}") for v in (2, 1)},
        "one": {"1": (), "2": ()},
        "two": {"1": (), "2": ()},
    }
    runs = SolverRuns(world, "base")
    assert runs.solve()["app"] == "1"
    heard = runs.repository.asked
    first_read = min(heard.index(f"facts of {name} 1") for name in ("one", "two"))
    assert max(heard.index("one matching , ==1"), heard.index("two matching , ==1")) < first_read


def test_releases_near_one_that_does_not_fit_an_earlier_root_are_fetched_together() -> None:
    world: World = {
        "a": {str(v): () for v in range(1, 40)},
        "b": {str(v): (f"a=={v}",) for v in range(1, 30)},
    }
    runs = SolverRuns(world, "a", "b")
    assert runs.solve() == {"a": "29", "b": "29"}
    heard = runs.repository.asked
    assert {f"b {v}" for v in range(24, 28)} <= set(heard[: heard.index("facts of b 27")])


def test_nothing_is_matched_again_while_there_is_no_conflict() -> None:
    runs = SolverRuns({"a": {"1": ("b<2", "c")}, "b": {"1": ("c<2",), "2": ()}, "c": {"1": (), "2": ()}}, "a")
    assert runs.solve() == {"a": "1", "b": "1", "c": "1"}
    assert not [what for what in runs.repository.asked if "matching" in what]


def test_releases_that_make_each_other_yield_do_not_do_so_for_ever() -> None:
    # Each a asks for the b that asks for the other a.
    world: World = {
        "a": {"1": ("b==3",), "2": ("b==2",)},
        "b": {"1": (), "2": ("a<2",), "3": ("a>=2",)},
    }
    runs = SolverRuns(world, "a")
    run = runs.run()
    with pytest.raises(Unsatisfiable):
        run.solve(runs.provider.roots(runs.roots))
    assert run.rounds < 100


def pinned(*candidates: Candidate) -> Mapping[Key, Candidate]:
    return {c.key: c for c in candidates}


def release(name: str, version: str, guard: MarkerSet = ALL, **extras: MarkerSet) -> ReleaseCandidate:
    return ReleaseCandidate(key=(name, ALL), version=Version(version), guard=guard, extras=tuple(extras.items()))


def test_a_conflict_is_met_by_what_covers_its_members_and_by_nothing_less() -> None:
    incompatibilities = SolverRuns({}).incompatibilities
    members = map(Term.whole, (release("a", "1", LINUX), release("b", "2", ALL, x=LINUX)))
    incompatibilities.learn(Incompatibility.of(members, causes=()))
    one, other = release("a", "1"), release("b", "2", ALL, x=ALL)
    met = incompatibilities.violated_by(one, pinned(other).get)
    assert met is not None
    assert [m.key for m in met.terms] == [one.key, other.key]
    assert incompatibilities.violated_by(other, pinned(one).get) is not None
    assert incompatibilities.violated_by(release("a", "1", NEWER), pinned(other).get) is None
    assert incompatibilities.violated_by(release("a", "2"), pinned(other).get) is None
    assert incompatibilities.violated_by(one, pinned(release("b", "2")).get) is None
    assert incompatibilities.violated_by(one, pinned().get) is None


def test_a_conflict_over_what_is_asked_holds_for_every_release_that_asks_as_much() -> None:
    world: World = {
        "a": {"1": ("c<2",), "2": ("c<=1",), "3": ("c<3",), "4": ("c<2 ; sys_platform == 'linux'",), "5": ("c[x]<2",)},
        "b": {"1": ("c>=2",)},
        "c": {"1": (), "2": ()},
    }
    runs = SolverRuns(world)
    (requests,) = runs.provider.dependencies(release("a", "1"))
    other = release("b", "1")
    members = Term(key=("a", ALL), requirements=(requests,)), Term.whole(other)
    runs.incompatibilities.learn(Incompatibility.of(members, causes=()))
    met = [v for v in "12345" if runs.incompatibilities.violated_by(release("a", v), pinned(other).get) is not None]
    assert met == ["1", "2", "5"]
    assert runs.incompatibilities.violated_by(other, pinned(release("a", "2")).get) is not None
    assert runs.incompatibilities.violated_by(other, pinned(release("a", "3")).get) is None
    assert runs.incompatibilities.violated_by(other, pinned().get) is None


def test_releases_that_ask_the_same_are_not_tried_one_by_one() -> None:
    # Every a needs b, every b the old c; the newest d needs the new one, and gives way.
    many = [str(v) for v in range(1, 60)]
    world: World = {
        "a": dict.fromkeys(many, ("b>=2",)),
        "b": {v: ("c<2",) if v != "1" else () for v in many},
        "c": {"1": (), "2": ()},
        "d": {"1": (), "2": ("c>=2",)},
    }
    runs = SolverRuns(world, "d", "a")
    run = runs.run()
    results = {c.name: str(c.choice) for c in run.solve(runs.provider.roots(runs.roots)).values()}
    assert results == {"a": "59", "b": "59", "c": "1", "d": "1"}
    assert run.conflicts <= 3


def test_a_split_covers_one_that_hands_on_less() -> None:
    runs = SolverRuns({"a": {"1": ()}}, "a", "a<2")
    requirements = runs.provider.roots(runs.roots)
    less = ForkCandidate(key=("a", ALL), fork_point=LINUX, requirements=dict.fromkeys(requirements[:1]))
    more = ForkCandidate(key=("a", ALL), fork_point=LINUX, requirements=dict.fromkeys(requirements))
    assert more.covers(less)
    assert not less.covers(more)
    assert not more.covers(release("a", "1"))
    assert not release("a", "1").covers(more)


def test_what_both_halves_of_a_fork_require_is_part_of_the_conflict() -> None:
    world: World = {
        "a": {
            "1": (),
            "2": ("c<2",),
            "3": FakeRelease(requires=("c<2",), requires_python=">=3.12"),
        },
        "b": {"1": ("c>=2",), "2": ("c>=2",)},
        "c": {"1": (), "2": ()},
    }
    assert SolverRuns(world, "a", "b").solve() == {"a": "1", "b": "2", "c": "2"}
