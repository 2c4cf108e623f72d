"""The decisions made so far, with the trail by which they are undone (partial solution in PubGrub, trail in CDCL)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.resolve.solver.incompatibility import Cause, Term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Decision", "Edge", "PartialSolution", "causes_of", "chain_of", "terms_of"]


class Edge(NamedTuple):
    """One requirement on a decision, and where it comes from.

    Attributes:
        requirement: The requirement.
        parent: The decision whose candidate brings it, None for a root requirement.
    """

    requirement: Requirement
    parent: Decision | None


class Decision:
    """One package in one region: the requirements on it, and the candidate chosen for it.

    Attributes:
        key: Package name and region.
        number: Position in the order in which decisions were first needed.
        edges: The requirements, in the order in which they came.
        pin: The chosen candidate, None while undecided.
        level: Number of decisions that were made when the pin was chosen, this one included; 0 while undecided.
    """

    __slots__ = ("edges", "key", "level", "number", "pin")

    def __init__(self, key: Key, number: int) -> None:
        self.key = key
        self.number = number
        self.edges: tuple[Edge, ...] = ()
        self.pin: Candidate | None = None
        self.level = 0

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements, each once."""
        return tuple(dict.fromkeys(requirement for requirement, _ in self.edges))


def terms_of(edges: Iterable[Edge]) -> Iterator[Term]:
    """For each edge that is not a root's, the term "its parent requires this"."""
    return (Term(key=parent.key, requirements=(r,)) for r, parent in edges if parent is not None)


def causes_of(edges: Iterable[Edge]) -> Iterator[Cause]:
    """The edges as causes of an incompatibility."""
    for requirement, parent in edges:
        pin = None if parent is None else parent.pin
        yield Cause(requirement=requirement, parent=pin, chain=chain_of(requirement, parent))


def chain_of(requirement: Requirement, parent: Decision | None) -> tuple[RequirementOrigin, ...]:
    """The origins on the way from a root down to `requirement`, which `parent` brings."""
    chain = [requirement.origin]
    seen: set[Key] = set()
    while parent is not None and parent.key not in seen and parent.edges:
        seen.add(parent.key)
        above, parent = parent.edges[0]
        if above.origin != chain[-1]:  # a fork hands requirements on with their origin
            chain.append(above.origin)
    return tuple(reversed(chain))


Priority = tuple[int, int]


class PartialSolution:
    """Decisions by key, the undecided ones by priority, and the states that `backtrack` restores.

    Every change of a decision goes through `update`, which records the state before it on the trail: once for each
    decision and level.

    Attributes:
        decisions: Every decision that was needed so far.
        undecided: Those with requirements and without a pin.
        decided: The decision of each level, the first level first; one may have lost its pin since.
    """

    def __init__(self, priority: Callable[[str], Priority]) -> None:
        self.decisions: dict[Key, Decision] = {}
        self.undecided: dict[Decision, None] = {}
        self.decided: list[Decision] = []
        self._priority = priority
        # A heap of the undecided. Some in it are decided by now: those are skipped when they come up.
        self._queue: list[tuple[Priority, int, Decision]] = []
        self._trail: list[tuple[Decision, tuple[Edge, ...], Candidate | None, int]] = []
        # For each level, the length of the trail when it began.
        self._level_starts: list[int] = []
        # Decisions whose state before the current level is on the trail.
        self._recorded: set[Decision] = set()

    def decision(self, key: Key) -> Decision:
        """The decision on `key`, made where there is none yet."""
        known = self.decisions.get(key)
        if known is None:
            known = self.decisions[key] = Decision(key, len(self.decisions))
        return known

    def pin_of(self, key: Key) -> Candidate | None:
        """The candidate chosen for `key`."""
        decision = self.decisions.get(key)
        return None if decision is None else decision.pin

    def requirements_on(self, key: Key) -> tuple[Requirement, ...]:
        """The requirements on `key`, which is known."""
        return self.decisions[key].requirements

    def pins(self) -> dict[Key, Candidate]:
        """The candidates of all decisions that something requires."""
        return {key: d.pin for key, d in self.decisions.items() if d.edges and d.pin is not None}

    def next_undecided(self) -> Decision:
        """The undecided decision of highest priority; there is one."""
        while (decision := self._queue[0][-1]) not in self.undecided:
            heappop(self._queue)
        return decision

    def reorder(self) -> None:
        """Sort the undecided anew after a change of priorities."""
        self._queue = sorted(map(self._queued, self.undecided))

    def begin_level(self, decision: Decision) -> None:
        """Begin the level of `decision`: what is updated from here on is undone with it."""
        self.decided.append(decision)
        self._level_starts.append(len(self._trail))
        self._recorded = set()

    def update(self, decision: Decision, edges: tuple[Edge, ...], pin: Candidate | None, level: int) -> None:
        """Give a decision new requirements or another pin, and record its state before."""
        if decision not in self._recorded:
            self._recorded.add(decision)
            self._trail.append((decision, decision.edges, decision.pin, decision.level))
        self._set(decision, edges, pin, level)

    def backtrack(self, level: int) -> None:
        """Restore the state before the decision of `level`."""
        start = self._level_starts[level - 1]
        while len(self._trail) > start:
            self._set(*self._trail.pop())
        self._recorded = set()
        del self._level_starts[level - 1 :], self.decided[level - 1 :]

    def _set(self, decision: Decision, edges: tuple[Edge, ...], pin: Candidate | None, level: int) -> None:
        decision.edges, decision.pin, decision.level = edges, pin, level
        if edges and pin is None:
            if decision not in self.undecided:
                self.undecided[decision] = None
                heappush(self._queue, self._queued(decision))
        else:
            self.undecided.pop(decision, None)

    def _queued(self, decision: Decision) -> tuple[Priority, int, Decision]:
        return self._priority(decision.key[0]), decision.number, decision
