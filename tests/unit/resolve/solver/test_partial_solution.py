"""The trail of a search: going back to a level restores the state before it, whatever was decided and undone since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.resolve.solver.partial_solution import Edge, PartialSolution

if TYPE_CHECKING:
    from lockset.resolve.problem.requirement import Key
    from lockset.resolve.solver.candidate import Candidate

NAMES = "abc"
# Begin a level with a name; change edges and pin of a name; go back some levels.
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.sampled_from(NAMES), st.just(0)),
        st.tuples(st.just("update"), st.sampled_from(NAMES), st.integers(0, 5)),
        st.tuples(st.just("back"), st.just(""), st.integers(1, 3)),
    ),
    min_size=8,
    max_size=40,
)


def key_of(name: str) -> Key:
    return cast("Key", (name, None))


def state(solution: PartialSolution) -> object:
    decisions = {key[0]: (d.edges, d.pin, d.level) for key, d in solution.decisions.items() if d.edges or d.pin}
    return decisions, {d.key[0] for d in solution.undecided}, [d.key[0] for d in solution.decided]


# What it takes to go wrong is a sequence of about ten steps.
@settings(max_examples=1000)
@given(_STEPS)
def test_going_back_restores_the_state_before_a_level(steps: list[tuple[str, str, int]]) -> None:
    solution = PartialSolution(lambda name: (0, NAMES.index(name)))
    before: list[object] = []
    for what, name, number in steps:
        if what == "begin":
            before.append(state(solution))
            solution.begin_level(solution.decision(key_of(name)))
        elif what == "update" and before:
            edges = tuple(Edge(cast("Any", f"requirement {n}"), None) for n in range(number % 3))
            pin = cast("Candidate | None", f"candidate {number}" if number > 2 else None)
            solution.update(solution.decision(key_of(name)), edges, pin, len(before))
        elif what == "back" and before:
            level = max(1, len(before) - number + 1)
            solution.backtrack(level)
            assert state(solution) == before[level - 1]
            del before[level - 1 :]
        waiting = sorted(d.key[0] for d in solution.undecided)
        assert waiting == sorted(key[0] for key, d in solution.decisions.items() if d.edges and d.pin is None)
        if waiting:
            assert solution.next_undecided().key[0] == waiting[0]
