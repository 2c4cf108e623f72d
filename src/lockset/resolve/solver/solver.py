"""The solver: one run of conflict-driven search over the packages and environments of one universe.

A lock serves many environments at once, and may hold two versions of one package for different ones. So the solver
does not decide on packages, as a resolver for one environment does. Its variables are pairs of a package and a region
(a set of environments); the value of a variable is a candidate. The main loop, `Solver.solve`, repeats four steps:

1. **Decide.** Take the undecided decision of highest priority, and choose its best candidate. The priority is the
   number of conflicts that the package was part of, then the order in which packages were first required. If every
   candidate is excluded, an earlier choice may **give way**: it alone is dropped, and made again after this one.
2. **Propagate** (`propagation`). The candidate brings requirements to other decisions. Pins there that do not meet
   them grow, are dropped, or are in conflict.
3. **Learn** (`conflict_analysis`). Where every candidate of a decision is excluded and no choice gives way, the reasons
   together derive an incompatibility: a set of terms that cannot all hold, whatever is decided elsewhere. It is kept
   for good, for later runs over the same universe as well.
4. **Backjump.** Undo everything from the latest decision on that satisfies a term of the incompatibility
   (`partial_solution`). Decisions that have no part in the conflict do not hold the search up.

There is no solution where an incompatibility without terms is derived. There is one where nothing is undecided.

A candidate is a release, or a **fork**: the choice to divide the region of a decision in two. A fork brings no new
packages; it hands each requirement of its decision on to the decisions on both halves that the requirement concerns.
Forks are candidates like releases (`candidates` has their order), so they are tried, excluded, learned from and undone
by the same four steps.

A worked example
----------------
The project supports Python 3.10 and later, and requires `web`, `num` and `log`::

    web 2 requires core>=2        num 2 requires Python 3.12 or later
    web 1 requires core           num 1
    log 1 requires core<2         core 1, core 2

The run, with one line for each decision::

    level  package  region         choice        brings
    1      web      3.10 and up    2             core>=2
    2      num      3.10 and up    fork at 3.12  num on both halves
    3      num      3.12 and up    2
    4      num      3.10 and 3.11  1
    5      log      3.10 and up    none left: log 1 brings core<2, and web brings core>=2. So web gives way
    5      log      3.10 and up    1             core<2
    6      web      3.10 and up    1             core            (web 2 brings core>=2)
    7      core     3.10 and up    1

The decisions on `num` have no part in the conflict, and stay. Now suppose that not the project requires `log`::

    web 2 requires log and core>=2        num 2 requires Python 3.12 or later
    web 1 requires core                   num 1
    log 1 requires core<2                 core 1, core 2

Without `web`, nothing would require `log`. So `web` cannot give way to it, and the solver learns something::

    level  package  region         choice        brings
    1      web      3.10 and up    2             log, core>=2
    2      num      3.10 and up    fork at 3.12  num on both halves
    3      num      3.12 and up    2
    4      num      3.10 and 3.11  1
    5      log      3.10 and up    none left: log 1 brings core<2, and web brings core>=2

    learned    { web brings log and core>=2 }
    backjump   to before level 1, past num

    1      web      3.10 and up    1             core            (web 2 would satisfy the incompatibility)
    2      num      3.10 and up    fork at 3.12  num on both halves
    3      num      3.12 and up    2
    4      num      3.10 and 3.11  1
    5      core     3.10 and up    2

Literature
----------
The loop is that of CDCL SAT solvers (conflict-driven clause learning: Marques-Silva and Sakallah, GRASP, 1996) in the
form that PubGrub gave it for packages (Weizenbaum, 2018), with the jump of conflict-directed backjumping (Prosser,
1993). It differs from PubGrub in these points:

- **Variables have a region**, and forks divide it. This is the one step beyond; the others follow from it.
- **Constraints are lists of requirements**, not version ranges. Each requirement has its own region and extras, and two
  that never hold in one environment do not contradict each other.
- **Pins grow.** A release candidate has a guard: the environments in which it was needed when it was made. A
  requirement from outside the guard replaces the pin by the same release with a larger guard, without a backjump.
- **Forks of a package are no part of what is certain.** In an environment where no release is possible, none is in
  either half of a fork. What is learned there names the packages that required this one before it was divided.
- **Terms name what a candidate brings**, not its version (`incompatibility`). All releases with a requirement are
  excluded at once, and an incompatibility stays true when a guard grows.
- **A dependency may displace a pin.** Where `a` requires another version of `b` than the one chosen before, `b` is
  decided again and `a` stays, as resolvelib and pip do it. That keeps the newest version of what bounds others.
  Two choices that displace each other again and again count as incompatible.
- **Incompatibilities are checked when a candidate is considered.** They are not propagated to exclude versions ahead of
  time: candidates are made lazily, since to look at one may cost a request.
- **A choice gives way before anything is undone with it.** This is the step of dynamic backtracking (Ginsberg, 1993).
  Where every candidate of a decision is excluded, or ten in a row for one reason, the latest choice that the reason
  names is dropped and decided after it; all decisions in between stay. It happens once for two decisions. After that,
  the conflict is learned, so the search stays complete. uv reorders packages after five conflicts, and undoes the rest.
- **Pre-releases and yanked releases need an opt-in** by a requirement that is part of the solution. A complete solution
  without one is opened again (`minimal`).

Runs that exceed their budget are restarted with the conflict counts and incompatibilities kept, as SAT solvers do
(`search`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.conflict_analysis import ConflictAnalysis, Displacements, RootOrder
from lockset.resolve.solver.incompatibility import Cause, Derivation, Incompatibility, Term
from lockset.resolve.solver.minimal import minimal_pins
from lockset.resolve.solver.partial_solution import Edge, PartialSolution, causes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lockset.progress import ProgressListener
    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate
    from lockset.resolve.solver.incompatibility import Incompatibilities
    from lockset.resolve.solver.partial_solution import Decision
    from lockset.resolve.solver.provider import Provider

__all__ = ["BudgetExceeded", "Solver", "Unsatisfiable"]

# Rounds without a conflict after which a run is going in circles: so many, and so many more for each decision. Runs
# that end need about one and a half rounds for each decision.
_MOST_CALM_ROUNDS = 400
_MOST_CALM_ROUNDS_PER_DECISION = 20
# Releases of a decision that one reason may exclude in a row before the choice that it names gives way.
_MOST_ALIKE = 10
# Decisions for each of which a run may reject one candidate more: in a large project, more of them are in conflict.
_DECISIONS_PER_REJECTION = 16
# How often a complete solution may turn out to hold a release that nothing opts in to.
_MOST_REOPENED = 12


class BudgetExceeded(Exception):
    """The run rejected more candidates or took more rounds than it may."""


class Unsatisfiable(Exception):
    """The root requirements have no solution; `causes` are the requirements of the last incompatibility."""

    def __init__(self, causes: tuple[Cause, ...]) -> None:
        super().__init__("the root requirements have no solution")
        self.causes = causes


class Solver:
    """One run over one universe. Its counts can also be read after an exception.

    Attributes:
        rounds: Decisions taken, those undone later included.
        conflicts: Incompatibilities learned.
        rejections: Candidates rejected because one of their dependencies could not be met. Of those that one reason
            excludes in a row, the first counts, and each one after the tenth.
        causes: Causes of the last conflict.
        displacements: How often one choice made the solver replace another.
    """

    def __init__(
        self,
        provider: Provider,
        incompatibilities: Incompatibilities,
        listener: ProgressListener,
        *,
        most_rejections: int,
        most_rounds: int,
    ) -> None:
        self.rounds = self.conflicts = self.rejections = 0
        self.causes: tuple[Cause, ...] = ()
        self.displacements = Displacements()
        self._provider = provider
        self._incompatibilities = incompatibilities
        self._listener = listener
        self._most_rejections, self._most_rounds = most_rejections, most_rounds
        self._last_conflict = self._reopened = 0
        # Pairs of decisions, one of which gave way to the other.
        self._reordered: set[frozenset[Decision]] = set()
        self._solution = PartialSolution(provider.priority)
        self._analysis = ConflictAnalysis(provider, self._solution, incompatibilities, self.displacements)
        self._propagation = _Propagation(provider, self._solution, self._analysis, self.displacements, listener)

    def solve(self, roots: Sequence[Requirement]) -> dict[Key, Candidate]:
        """A candidate for each decision that `roots` reach.

        Raises:
            Unsatisfiable: no choice of candidates meets all requirements.
            BudgetExceeded: the run rejected too many candidates, took too many rounds or goes in circles.
        """
        solution = self._solution
        self._require_roots(roots)
        while solution.undecided or self._reopens(roots):
            self._check_budget()
            self.rounds += 1
            decision = solution.next_undecided()
            solution.begin_level(decision)
            candidate, conflict = self._choose(decision)
            if candidate is not None:
                conflict = self._propagation.decide(decision, candidate)
            if conflict is not None:
                self._backjump(conflict)
        return solution.pins()

    def _require_roots(self, roots: Sequence[Requirement]) -> None:
        self._analysis.root_order = RootOrder(self._provider, roots)
        for requirement in roots:
            self._propagation.require(requirement.key, None, [requirement])
        for decision in list(self._solution.undecided):
            if next(self._provider.candidates(decision.key, decision.requirements), None) is None:
                raise Unsatisfiable(tuple(causes_of(decision.edges)))

    def _check_budget(self) -> None:
        if self.rounds >= self._most_rounds or self._reopened > _MOST_REOPENED:
            raise BudgetExceeded
        calm = self.rounds - self._last_conflict
        if calm > _MOST_CALM_ROUNDS + _MOST_CALM_ROUNDS_PER_DECISION * len(self._solution.decisions):
            name = self.displacements.most_displaced()
            if name is not None:
                self._provider.count_conflict(name)  # the next run decides it earlier
            raise BudgetExceeded

    def _choose(self, decision: Decision) -> tuple[Candidate, None] | tuple[None, Incompatibility]:
        """The best candidate that nothing excludes, or the incompatibility derived where every one is excluded.

        An earlier choice may give way first, so that the incompatibility is about those that remain.
        """
        derivation = Derivation()
        unmet: list[Incompatibility] = []
        alike = 0
        for excluded, candidate in enumerate(self._provider.candidates(decision.key, decision.requirements)):
            if excluded:
                self._provider.prefetch_next(candidate, decision.requirements, excluded)
            reason = self._analysis.known_conflict(candidate)
            if reason is None:
                reason = self._analysis.unmet_dependency(candidate)
                if reason is None:
                    return candidate, None
                alike = alike + 1 if unmet and reason.terms == unmet[-1].terms else 1
                unmet.append(reason)
                self._count_rejection(candidate, alike)
                if alike >= _MOST_ALIKE and self._gives_way(reason, decision):
                    return self._choose(decision)
            self._provider.suggest_forks(candidate, reason.fork_points)
            self._analysis.exclude(derivation, candidate, reason)
        if any(self._gives_way(reason, decision) for reason in unmet):
            return self._choose(decision)
        return None, self._analysis.no_candidate(decision, derivation)

    def _count_rejection(self, rejected: Candidate, alike: int) -> None:
        """Give the package of `rejected` a higher priority: decided earlier, it makes the others give way.

        Only this side of the conflict is counted. Counting both alike would leave them in their order, in which one of
        them goes through all its old releases. `alike` is the number of those rejected for the same reason in a row.
        """
        self.rejections += not 1 < alike <= _MOST_ALIKE
        self._listener.step(f"{rejected.name}")
        self._provider.count_conflict(rejected.name)
        self._solution.reorder()
        if self.rejections > self._most_rejections + len(self._solution.decisions) // _DECISIONS_PER_REJECTION:
            raise BudgetExceeded

    def _gives_way(self, reason: Incompatibility, decision: Decision) -> bool:
        """Drop the latest choice that `reason` names. It is made again after `decision`, and everything else stays.

        Once for two decisions, or they would take turns. A choice stays if there is no other for its package, and if
        nothing but what it requires needs `decision`.
        """
        solution = self._solution
        named = (solution.decisions[term.key] for term in reason.terms)
        latest = max(named, key=lambda other: other.level, default=None)
        if latest is None or frozenset((decision, latest)) in self._reordered or not self._has_another(latest):
            return False
        self._reordered.add(frozenset((decision, latest)))
        self._propagation.assign(latest, None)
        if self._propagation.run() is None and decision.edges:
            return True
        solution.backtrack(len(solution.decided))
        solution.begin_level(decision)
        return False

    def _has_another(self, decision: Decision) -> bool:
        """Whether the decision has a release as its pin, and its requirements match another one.

        Its candidates are not looked through for that: those after the pin depend on the forks that are suggested when
        the pin is rejected.
        """
        matching = -1
        for requirement in decision.requirements:
            matching &= self._provider.matching(requirement)
        return isinstance(decision.pin, ReleaseCandidate) and matching.bit_count() > 1

    def _backjump(self, conflict: Incompatibility) -> None:
        """Learn `conflict`, and undo everything from the latest decision on that takes part in it."""
        self.conflicts += 1
        self.causes = conflict.causes
        self._last_conflict = self.rounds
        if not conflict.terms:
            raise Unsatisfiable(conflict.causes)
        self._incompatibilities.learn(conflict)
        self._solution.backtrack(max(self._solution.decisions[term.key].level for term in conflict.terms))

    def _reopens(self, roots: Sequence[Requirement]) -> bool:
        """Whether a complete solution holds a pre-release or yanked release that nothing opts in to in the end.

        Such a pin is dropped, with all that the roots do not reach, and its decision is open again.
        """
        solution, provider = self._solution, self._provider
        if not any(d.pin is not None and provider.needs_opt_in(d.pin) for d in solution.decisions.values()):
            return False

        def same_choice(key: Key, requirements: tuple[Requirement, ...]) -> Iterator[Candidate]:
            pin = solution.pin_of(key)
            return iter(()) if pin is None else provider.same_choice(pin, requirements)

        minimal = minimal_pins(roots, same_choice, provider.dependencies)
        for decision in list(solution.decisions.values()):
            if decision.pin is not None:
                self._propagation.assign(decision, minimal.get(decision.key))
        conflict = self._propagation.run()
        if conflict is not None:
            self._backjump(conflict)
        self._reopened += bool(solution.undecided)
        return bool(solution.undecided)


class _Propagation:
    """What follows from a decision for all others; changes the partial solution of one run.

    Unit propagation in PubGrub narrows the version range of each package until nothing changes. Here the constraint on
    a decision is the list of requirements on it, and what propagates are those requirements. A pin brings requirements
    to other decisions; a pin there that does not meet them grows, if the same release or fork meets all requirements on
    its decision. Else it is displaced: dropped with the requirements that it brought, and decided again. A pin that
    nothing requires any more is dropped, too.

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
        self._provider.prefetch_required(self._to_be_chosen(candidate))
        # `run` leaves the latest choice alone where nothing requires it: what required it may just be decided again
        # because of it. It is checked now, one decision later.
        for before in self._solution.decided[-2:-1]:
            self._pending.setdefault(before, [])
        return self.run()

    def _to_be_chosen(self, candidate: Candidate) -> Iterator[tuple[str, Sequence[Requirement]]]:
        """Packages that `candidate` requires and that have no pin that meets it, with all requirements on them."""
        new: dict[Key, list[Requirement]] = {}
        for requirement in self._provider.dependencies(candidate):
            new.setdefault(requirement.key, []).append(requirement)
        for key, requirements in new.items():
            decision = self._solution.decision(key)
            if decision.pin is None or not all(map(decision.pin.meets, requirements)):
                yield key[0], decision.requirements

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
