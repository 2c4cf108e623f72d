"""One run of the search: cells are decided one after another, and conflicts are learned from.

A run holds, for every cell, the requirements on it with the cells they come from, and the candidate chosen for it. To
choose a candidate adds its requirements to other cells. A choice there that does not meet them grows where the same
release or split does for all that is now asked; else it is taken off, with the requirements it brought, and made anew:
what bounds another is the newest. A choice that nobody asks for any more is taken off as well.

Where no candidate of a cell is left, the choices that took part are a conflict. It is learned, and the run goes back to
before the latest of them (conflict-directed backjumping); that combination is never chosen again. Every change is
written down, so that going back is to undo.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from lockset.resolve.solver.candidate import ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.decision import Decision, causes_of, chain_of, terms_of
from lockset.resolve.solver.fork_points import asked_apart
from lockset.resolve.solver.incompatibility import Cause, Incompatibility, Term
from lockset.resolve.solver.minimal import lean
from lockset.resolve.solver.relevance import telling
from lockset.resolve.solver.root_order import RootOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lockset.markers import MarkerSet
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate
    from lockset.resolve.solver.decision import Asked
    from lockset.resolve.solver.incompatibility import Incompatibilities
    from lockset.resolve.solver.provider import Provider

__all__ = ["BudgetExceeded", "Solver", "Unsatisfiable"]

# How often one choice may make another yield that does not meet what it asks, before the two count as tried: each in
# turn could make the other yield for ever.
_YIELDS = 6

# Decisions without a new conflict after which a run goes round in a circle, beyond so many for each of its cells.
# Worlds with an answer need about one and a half for each cell.
_PATIENT_DECISIONS = 400
_DECISIONS_PER_CELL = 20
# How often a run may turn out to stand on a release that nobody names in the end.
_MOST_UNNAMED = 12


class BudgetExceeded(Exception):  # noqa: N818 (an outcome of a run)
    """The run met more rejections than it had patience for, or took more decisions than it may."""


class Unsatisfiable(Exception):  # noqa: N818 (an outcome of a run)
    """Everything was tried; `causes` are the requirements of the conflict that is left."""

    def __init__(self, causes: tuple[Cause, ...]) -> None:
        super().__init__("no way")
        self.causes = causes


class Solver:
    """One run; its counts tell how it went, also where it ends in an exception.

    Attributes:
        rounds: Decisions taken.
        conflicts: How often a cell had no candidate left.
        rejections: Candidates that asked for something nothing meets.
        causes: Of the last conflict.
        yielded: How often one choice made another yield.
    """

    def __init__(
        self,
        provider: Provider,
        nogoods: Incompatibilities,
        listener: ProgressListener,
        *,
        patience: int,
        most_rounds: int,
    ) -> None:
        self.rounds = self.conflicts = self.rejections = 0
        self.causes: tuple[Cause, ...] = ()
        self._provider = provider
        self._nogoods = nogoods
        self._listener = listener
        self._patience, self._most_rounds = patience, most_rounds
        self._cells: dict[Key, Decision] = {}
        self._open: dict[Decision, None] = {}
        # A heap of the undecided by rank; some in it are decided by now.
        self._queue: list[tuple[tuple[int, int], int, Decision]] = []
        self._log: list[tuple[Decision, tuple[Asked, ...], Candidate | None, int]] = []
        self._marks: list[int] = []
        # Cells whose state at the last mark is in the log.
        self._written: set[Decision] = set()
        self._decided: list[Decision] = []
        self._unsettled: dict[Decision, list[Asked]] = {}
        self._last_conflict = self._unnamed = 0
        self._precedence = RootOrder(provider, ())
        self.yielded: dict[tuple[Key, object, Key, object], int] = {}

    def solve(self, roots: Sequence[Requirement]) -> dict[Key, Candidate]:
        """What is chosen for every cell that is asked for.

        Raises:
            NoWay: there is nothing to choose.
            GivenUp: it would take too long.
        """
        self._precedence = RootOrder(self._provider, roots)
        for requirement in roots:
            self._ask(requirement.key, None, [requirement], lambda _: False)
        for cell in list(self._open):
            if next(self._provider.candidates(cell.key, cell.wanted), None) is None:
                raise Unsatisfiable(tuple(causes_of(cell.asked)))
        while self._open or self._is_unnamed(roots):
            self._check_progress()
            self.rounds += 1
            self._go_back(self._decide(self._next()))
        return {key: cell.pin for key, cell in self._cells.items() if cell.asked and cell.pin is not None}

    def _check_progress(self) -> None:
        if self.rounds >= self._most_rounds or self._unnamed > _MOST_UNNAMED:
            raise BudgetExceeded
        if self.rounds - self._last_conflict > _PATIENT_DECISIONS + _DECISIONS_PER_CELL * len(self._cells):
            # Round in a circle: what yields most often is decided first the next time.
            if self.yielded:
                self._provider.blame(max(self.yielded, key=self.yielded.__getitem__)[2][0])
            raise BudgetExceeded

    def _next(self) -> Decision:
        """The undecided cell that comes first by rank."""
        while (cell := self._queue[0][-1]) not in self._open:
            heappop(self._queue)
        return cell

    def _queued(self, cell: Decision) -> tuple[tuple[int, int], int, Decision]:
        return self._provider.rank(cell.key[0]), cell.number, cell

    def _decide(self, cell: Decision) -> Incompatibility | None:
        """Choose the best candidate; the conflict where none is left."""
        members: list[Term] = []
        causes: list[Cause] = []
        boundaries: list[MarkerSet] = []
        for candidate in self._provider.candidates(cell.key, cell.wanted):
            refused = self._nogoods.met_by(candidate, self._pin_of) or self._held_off(candidate)
            if refused is None:
                refused = self._blocked(candidate)
                if refused is None:
                    return self._pin(cell, candidate)
                self._count(candidate)
            self._provider.expect_apart(candidate, refused.boundaries)
            members += (m for m in refused.members if m.key != cell.key)
            causes += (*refused.causes, *self._own_causes(candidate, refused))
            boundaries += [*self._provider.boundaries_of(candidate), *refused.boundaries]
        mattering = self._telling(cell.asked)
        return Incompatibility.of([*terms_of(mattering), *members], causes or causes_of(mattering), boundaries)

    def _telling(self, asked: tuple[Asked, ...], fixed: Sequence[Requirement] = ()) -> list[Asked]:
        """What of `asked` matters beside `fixed`, so that nothing can be chosen: the earliest decided, if it may be."""
        order = sorted(asked, key=lambda pair: 0 if pair[1] is None else pair[1].level)
        return telling(order, fixed, self._provider.fits)

    def _count(self, rejected: Candidate) -> None:
        """Blame the name whose candidate was rejected: decided earlier, it makes those it meets yield instead.

        Blaming both sides alike leaves them in the order in which one of them walks through all its old releases.
        """
        self.rejections += 1
        self._listener.step(f"{rejected.name}")
        self._provider.blame(rejected.name)
        self._provider.expect_next(rejected)
        self._queue = sorted(map(self._queued, self._open))
        if self.rejections > self._patience:
            raise BudgetExceeded

    def _go_back(self, conflict: Incompatibility | None) -> None:
        if conflict is None:
            return
        self.conflicts += 1
        self.causes = conflict.causes
        self._last_conflict = self.rounds
        if not conflict.members:
            raise Unsatisfiable(conflict.causes)
        self._nogoods.learn(conflict)
        self._undo(max(self._cells[member.key].level for member in conflict.members))

    # What stands in the way of a candidate.

    def _held_off(self, candidate: Candidate) -> Incompatibility | None:
        found = self._precedence.standing(candidate, lambda key: self._cells[key].wanted, self._pin_of)
        if found is None:
            return None
        requirement, pin = found
        met = self._met_in(self._cells[pin.key].asked, [requirement], candidate)
        return Incompatibility.of((Term.whole(pin),), met, asked_apart([requirement], pin))

    def _blocked(self, candidate: Candidate) -> Incompatibility | None:
        """Why what `candidate` asks for cannot be had beside what is chosen; None where it can, as far as is seen."""
        by_key: dict[Key, list[Requirement]] = {}
        for requirement in self._provider.dependencies(candidate):
            by_key.setdefault(requirement.key, []).append(requirement)
        for key, requirements in by_key.items():
            found = self._unmeetable(key, requirements, candidate)
            if found is not None:
                return found
        return None

    def _unmeetable(self, key: Key, requirements: list[Requirement], asking: Candidate) -> Incompatibility | None:
        cell = self._cells.get(key)
        asked, pin = ((), None) if cell is None else (cell.asked, cell.pin)
        wanted = tuple(dict.fromkeys([*(requirement for requirement, _ in asked), *requirements]))
        if pin is not None:
            if all(map(pin.meets, requirements)):
                return None
            if self._has_yielded(pin, asking):
                known = self._all_refused(self._grown(pin, wanted), asking)
                met = self._met_in(asked, requirements, asking)
                members = () if known is None else (Term.whole(pin), *known.members)
                return None if known is None else Incompatibility.of(members, [*met, *known.causes])
        known = self._all_refused(self._provider.candidates(key, wanted), asking)
        if known is None:
            return None
        mattering = self._telling(asked, requirements)
        others = [m for m in (*terms_of(mattering), *known.members) if m.key != asking.key]
        met = self._met_in(mattering, requirements, asking)
        apart = [*known.boundaries, *asked_apart(requirements, asking)]
        return Incompatibility.of(others, [*met, *known.causes], apart)

    def _all_refused(self, candidates: Iterable[Candidate], asking: Candidate) -> Incompatibility | None:
        """What known conflicts have against all of `candidates` beside `asking`; None where one may be chosen."""
        members: list[Term] = []
        causes: list[Cause] = []
        boundaries: list[MarkerSet] = []
        for candidate in candidates:
            known = self._nogoods.met_by(candidate, self._pin_beside(asking))
            if known is None:
                return None
            members += (m for m in known.members if m.key not in {asking.key, candidate.key})
            causes += known.causes
            boundaries += [*self._provider.boundaries_of(candidate), *known.boundaries]
        return Incompatibility.of(members, causes, boundaries)

    def _grown(self, pin: Candidate | None, wanted: tuple[Requirement, ...]) -> Iterator[Candidate]:
        """The same release or split for all of `wanted`, where there is such a candidate."""
        if pin is None:
            return
        if isinstance(pin, ForkCandidate):
            yield ForkCandidate(key=pin.key, boundary=pin.boundary, requirements=dict.fromkeys(wanted))
            return
        yield from (c for c in self._provider.candidates(pin.key, wanted) if c.choice == pin.choice)

    def _has_yielded(self, pin: Candidate, asking: Candidate) -> bool:
        return self.yielded.get((asking.key, asking.choice, pin.key, pin.choice), 0) >= _YIELDS

    def _pin_of(self, key: Key) -> Candidate | None:
        cell = self._cells.get(key)
        return None if cell is None else cell.pin

    def _pin_beside(self, candidate: Candidate) -> Callable[[Key], Candidate | None]:
        return lambda key: candidate if key == candidate.key else self._pin_of(key)

    # Changes, each of which is written down.

    def _pin(self, cell: Decision, candidate: Candidate) -> Incompatibility | None:
        """Choose a candidate, and bring what follows from it to all cells it concerns; a conflict that it meets."""
        before = self._decided[-1] if self._decided else None
        self._decided.append(cell)
        self._marks.append(len(self._log))
        self._written = set()
        self._choose(cell, candidate)
        if before is not None:
            # The latest choice may stay for one more decision though nobody asks for it, while who asked for it is
            # decided anew because of it.
            self._unsettled.setdefault(before, [])
        return self._settle_all()

    def _is_unnamed(self, roots: Sequence[Requirement]) -> bool:
        """Whether a release that has to be asked for by name is not, when all is said and done: then it is open."""
        if not any(c.pin is not None and self._provider.needs_naming(c.pin) for c in self._cells.values()):
            return False
        needed = lean(roots, lambda key, wanted: self._grown(self._pin_of(key), wanted), self._provider.dependencies)
        for cell in list(self._cells.values()):
            if cell.pin is not None:
                self._choose(cell, needed.get(cell.key))
        self._go_back(self._settle_all())
        self._unnamed += bool(self._open)
        return bool(self._open)

    def _settle_all(self) -> Incompatibility | None:
        while self._unsettled:
            conflict = self._settle(*self._unsettled.popitem())
            if conflict is not None:
                self._unsettled.clear()
                return conflict
        return None

    def _choose(self, cell: Decision, candidate: Candidate | None) -> None:
        """Put `candidate` in the place of what is chosen for `cell`, and what it brings in the place of that."""
        pin = cell.pin
        old = () if pin is None else self._provider.dependencies(pin)
        new = () if candidate is None else self._provider.dependencies(candidate)
        self._write(cell, cell.asked, candidate, 0 if candidate is None else len(self._decided))
        if candidate is not None:
            self._provider.chosen(candidate)
            if isinstance(candidate, ReleaseCandidate):
                self._listener.step(f"{candidate.name} {candidate.version}")
        before, after = set(old), set(new)
        changes: dict[Key, list[Requirement]] = {r.key: [] for r in (*new, *old)}
        for requirement in new:
            if requirement not in before:
                changes[requirement.key].append(requirement)
        for key, added in changes.items():
            self._ask(key, cell, added, lambda requirement: requirement in before and requirement not in after)

    def _ask(
        self, key: Key, parent: Decision | None, added: Iterable[Requirement], gone: Callable[[Requirement], bool]
    ) -> None:
        """Add requirements of `parent` on a cell, and take others of it off."""
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Decision(key, len(self._cells))
        kept = [(r, p) for r, p in cell.asked if p is not parent or not gone(r)]
        fresh = [(r, parent) for r in added]
        self._write(cell, (*kept, *fresh), cell.pin, cell.level)
        if cell.pin is not None:
            self._unsettled.setdefault(cell, []).extend(fresh)

    def _settle(self, cell: Decision, fresh: list[Asked]) -> Incompatibility | None:
        """Let the choice of a cell stand, grow or go, now that `fresh` requirements are on it.

        The conflict where it can do none of this.
        """
        pin = cell.pin
        if pin is None:
            return None
        if not cell.asked:
            if cell is not self._decided[-1]:
                self._choose(cell, None)
            return None
        wanted = cell.wanted
        unmet = [parent for requirement, parent in fresh if not pin.meets(requirement)]
        if not unmet:
            if self._provider.needs_naming(pin) and not any(True for _ in self._grown(pin, wanted)):
                self._choose(cell, None)  # who named it is gone
            return None
        best = self._first(self._provider.candidates(cell.key, wanted))
        if best is None or best.choice != pin.choice:
            asking = [parent.pin for parent in unmet if parent is not None and parent.pin is not None]
            insisting = next((other for other in asking if self._has_yielded(pin, other)), None)
            best = None if insisting is None else self._first(self._grown(pin, wanted))
            if insisting is not None and best is None:
                known = self._all_refused(self._grown(pin, wanted), insisting)
                members = () if known is None else known.members
                both = Term.whole(pin), Term.whole(insisting)
                return Incompatibility.of((*both, *members), causes_of(cell.asked))
            for other in asking:
                pair = (other.key, other.choice, pin.key, pin.choice)
                self.yielded[pair] = self.yielded.get(pair, 0) + 1
        # Where it grows it is the same release for more environments or extras, or the same split of more requirements.
        self._choose(cell, best)
        return None

    def _first(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """The first of `candidates` that no known conflict speaks against."""
        return next((c for c in candidates if self._nogoods.met_by(c, self._pin_of) is None), None)

    def _write(self, cell: Decision, asked: tuple[Asked, ...], pin: Candidate | None, level: int) -> None:
        if cell not in self._written:
            self._written.add(cell)
            self._log.append((cell, cell.asked, cell.pin, cell.level))
        self._set(cell, asked, pin, level)

    def _set(self, cell: Decision, asked: tuple[Asked, ...], pin: Candidate | None, level: int) -> None:
        cell.asked, cell.pin, cell.level = asked, pin, level
        if asked and pin is None:
            if cell not in self._open:
                self._open[cell] = None
                heappush(self._queue, self._queued(cell))
        else:
            self._open.pop(cell, None)

    def _undo(self, level: int) -> None:
        """Back to before the decision of that number."""
        mark = self._marks[level - 1]
        while len(self._log) > mark:
            self._set(*self._log.pop())
        self._written = set()
        del self._marks[level - 1 :], self._decided[level - 1 :]

    # Explanations.

    def _met_in(
        self, asked: Iterable[Asked], requirements: Iterable[Requirement], asking: Candidate
    ) -> Iterator[Cause]:
        yield from causes_of(asked)
        cell = self._cells[asking.key]
        for requirement in requirements:
            yield Cause(requirement=requirement, parent=asking, chain=chain_of(requirement, cell))

    def _own_causes(self, candidate: Candidate, conflict: Incompatibility) -> Iterator[Cause]:
        """What `candidate` asks for that takes part in a conflict, learned of another release that asks the same."""
        keys = {r.key for member in conflict.members if member.key == candidate.key for r in member.asks}
        told = {cause.origin for cause in conflict.causes}
        asked = (r for r in self._provider.dependencies(candidate) if r.key in keys and r.origin not in told)
        return self._met_in((), asked, candidate)
