"""Propagation: what follows from a decision for all others.

Unit propagation in PubGrub narrows the version range of each package until nothing changes. Here the constraint on a
decision is the list of requirements on it, and what propagates are those requirements. A pin brings requirements to
other decisions; a pin there that does not meet them grows, if the same release or fork meets all requirements on its
decision. Else it is displaced: dropped with the requirements that it brought, and decided anew. A pin that nothing
requires any more is dropped, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.incompatibility import Incompatibility, Term
from lockset.resolve.solver.partial_solution import Edge, causes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lockset.progress import ProgressListener
    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate
    from lockset.resolve.solver.conflict_analysis import ConflictAnalysis, Displacements
    from lockset.resolve.solver.partial_solution import Decision, PartialSolution
    from lockset.resolve.solver.provider import Provider

__all__ = ["Propagation"]


class Propagation:
    """Changes the partial solution of one run.

    `assign` and `require` change decisions and note which pins to check again; `run` checks those until none is left.
    """

    def __init__(
        self,
        provider: Provider,
        solution: PartialSolution,
        analysis: ConflictAnalysis,
        displacements: Displacements,
        listener: ProgressListener,
    ) -> None:
        self._provider = provider
        self._solution = solution
        self._analysis = analysis
        self._displacements = displacements
        self._listener = listener
        # Pinned decisions to check, with the edges that are new on each; the latest is checked first.
        self._pending: dict[Decision, list[Edge]] = {}

    def decide(self, decision: Decision, candidate: Candidate) -> Incompatibility | None:
        """Choose `candidate` at the level of `decision`, and propagate it. Returns the conflict, if there is one."""
        self.assign(decision, candidate)
        # `run` leaves the latest choice alone where nothing requires it: what required it may just be decided anew
        # because of it. It is checked now, one decision later.
        for before in self._solution.decided[-2:-1]:
            self._pending.setdefault(before, [])
        return self.run()

    def assign(self, decision: Decision, candidate: Candidate | None) -> None:
        """Replace the pin of a decision, and the requirements that it brought by those of `candidate`."""
        pin, solution = decision.pin, self._solution
        old = () if pin is None else self._provider.dependencies(pin)
        new = () if candidate is None else self._provider.dependencies(candidate)
        solution.update(decision, decision.edges, candidate, 0 if candidate is None else len(solution.decided))
        if candidate is not None:
            self._provider.add_fork(candidate)
            if isinstance(candidate, ReleaseCandidate):
                self._listener.step(f"{candidate.name} {candidate.version}")
        before, after = set(old), set(new)
        changes: dict[Key, list[Requirement]] = {r.key: [] for r in (*new, *old)}
        for requirement in new:
            if requirement not in before:
                changes[requirement.key].append(requirement)
        for key, added in changes.items():
            self.require(key, decision, added, lambda requirement: requirement in before and requirement not in after)

    def require(
        self,
        key: Key,
        parent: Decision | None,
        added: Iterable[Requirement],
        is_dropped: Callable[[Requirement], bool] = lambda _: False,
    ) -> None:
        """Add requirements of `parent` (None: the roots) to the decision on `key`, and drop others of it."""
        decision = self._solution.decision(key)
        kept = [edge for edge in decision.edges if edge.parent is not parent or not is_dropped(edge.requirement)]
        new = [Edge(requirement, parent) for requirement in added]
        self._solution.update(decision, (*kept, *new), decision.pin, decision.level)
        if decision.pin is not None:
            self._pending.setdefault(decision, []).extend(new)

    def run(self) -> Incompatibility | None:
        """Check pins until none is left to check. Returns the first conflict, if there is one."""
        while self._pending:
            conflict = self._check(*self._pending.popitem())
            if conflict is not None:
                self._pending.clear()
                return conflict
        return None

    def _check(self, decision: Decision, new: list[Edge]) -> Incompatibility | None:
        """Keep, replace or drop the pin of a decision, given the `new` edges on it."""
        pin = decision.pin
        if pin is None:
            return None
        if not decision.edges:
            if decision is not self._solution.decided[-1]:
                self.assign(decision, None)
            return None
        unmet_by = [parent for requirement, parent in new if not pin.meets(requirement)]
        if unmet_by:
            return self._replace(decision, pin, unmet_by)
        if self._provider.needs_opt_in(pin) and not any(
            True for _ in self._provider.same_choice(pin, decision.requirements)
        ):
            self.assign(decision, None)  # nothing opts in to this release any more
        return None

    def _replace(
        self, decision: Decision, pin: Candidate, unmet_by: Iterable[Decision | None]
    ) -> Incompatibility | None:
        """Grow the pin of a decision; where it cannot grow, drop it, so that the decision is open again.

        Where it was dropped too often for the same parents, it stays if it may, or is in conflict with them.
        """
        provider, analysis, requirements = self._provider, self._analysis, decision.requirements
        best = analysis.first_possible(provider.candidates(decision.key, requirements))
        if best is None or best.choice != pin.choice:
            displacing = [parent.pin for parent in unmet_by if parent is not None and parent.pin is not None]
            insisting = next((other for other in displacing if self._displacements.is_exhausted(other, pin)), None)
            best = None
            if insisting is not None:
                best = analysis.first_possible(provider.same_choice(pin, requirements))
                if best is None:
                    known = analysis.all_excluded(provider.same_choice(pin, requirements), insisting)
                    terms = () if known is None else known.terms()
                    both = Term.whole(pin), Term.whole(insisting)
                    return Incompatibility.of((*both, *terms), causes_of(decision.edges))
            for other in displacing:
                self._displacements.count(other, pin)
        self.assign(decision, best)
        return None
