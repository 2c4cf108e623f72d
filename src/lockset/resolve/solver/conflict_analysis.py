"""Conflict analysis: why a candidate cannot be chosen, and what to learn where none can.

Each result is an incompatibility. It names only choices that take part in the conflict, so that the backjump goes past
all others, and as few of them as possible, so that it excludes much.

Of two root requirements whose newest releases do not fit together, the first one gets its newest release. With the
roots `starlette` and `fastapi`, which bounds starlette, a slightly older fastapi that fits the newest starlette goes
before an older starlette. Only a few releases back: otherwise, what bounds another package is the newest, as everywhere
else.

Two choices that displaced each other too often are in conflict as well, so that no two do so for ever.
"""

from __future__ import annotations

from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.markers import MarkerSet
from lockset.resolve.solver.candidate import ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.fork_points import partial_regions
from lockset.resolve.solver.incompatibility import Cause, Derivation, Incompatibility, Term
from lockset.resolve.solver.partial_solution import Edge, causes_of, chain_of, terms_of
from lockset.resolve.solver.relevance import relevant_in_one_environment, relevant_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate
    from lockset.resolve.solver.incompatibility import Incompatibilities
    from lockset.resolve.solver.partial_solution import Decision, PartialSolution
    from lockset.resolve.solver.provider import Provider


__all__ = ["ConflictAnalysis", "Displacements", "RootOrder"]

# Releases of either package to go back for the sake of the order, at most.
_NEAR = 5


class RootOrder:
    """The packages of the roots, in their order."""

    def __init__(self, provider: Provider, roots: Iterable[Requirement]) -> None:
        self._provider = provider
        names = dict.fromkeys(requirement.name for requirement in roots)
        self._rank = {name: position for position, name in enumerate(names)}

    def earlier_pin(
        self,
        candidate: Candidate,
        requirements_on: Callable[[Key], tuple[Requirement, ...]],
        pin_of: Callable[[Key], Candidate | None],
    ) -> tuple[Requirement, ReleaseCandidate] | None:
        """The pin of an earlier root package that `candidate` does not fit, with the requirement on it.

        None where there is no such pin, or where no release near `candidate` fits it either.

        Args:
            candidate: The candidate to choose.
            requirements_on: The requirements on a decision.
            pin_of: The pin of a decision.
        """
        rank = self._rank.get(candidate.name)
        if not rank or not isinstance(candidate, ReleaseCandidate):
            return None
        for requirement in self._provider.dependencies(candidate):
            if self._rank.get(requirement.name, rank) >= rank:
                continue
            pin = pin_of(requirement.key)
            if not isinstance(pin, ReleaseCandidate) or requirement.specifier.admits(pin.version):
                continue
            # What the old lock has together stays together.
            if self._provider.is_locked_with(candidate, requirement):
                continue
            # A member of a declared conflict has a release of its own, and all others keep theirs.
            if self._provider.is_kept_apart(requirement.region, pin.guard):
                continue
            # Where `candidate` does not require it, the newest may stay: offered before anything older is tried.
            self._provider.suggest_forks(pin, partial_regions([requirement], pin))
            if self._fit_nearby(candidate, requirements_on(candidate.key), pin, requirements_on(pin.key)):
                return requirement, pin
        return None

    def _fit_nearby(
        self,
        candidate: ReleaseCandidate,
        requirements: tuple[Requirement, ...],
        pin: ReleaseCandidate,
        requirements_on_pin: tuple[Requirement, ...],
    ) -> bool:
        """Whether a release a little older than `candidate` fits `pin`; where none does, a little older than `pin`."""
        later = self._following(candidate, requirements, _NEAR + 1)
        if any(self._admits(one, pin) for one in self._in_turn(later[:_NEAR])):
            return True
        if len(later) > _NEAR:
            return False
        older = self._following(pin, requirements_on_pin, _NEAR)
        return any(self._admits(one, other) for other in older for one in (candidate, *later))

    def _in_turn(self, releases: Sequence[ReleaseCandidate]) -> Iterator[ReleaseCandidate]:
        """`releases` one by one; once the first is not enough, the metadata of the others is prefetched."""
        for number, release in enumerate(releases):
            if number == 1:
                self._provider.prefetch(releases[1:])
            yield release

    def _following(
        self, candidate: ReleaseCandidate, requirements: tuple[Requirement, ...], most: int
    ) -> Sequence[ReleaseCandidate]:
        """Releases that are tried after `candidate`, the next first."""
        releases = (
            c for c in self._provider.candidates(candidate.key, requirements) if isinstance(c, ReleaseCandidate)
        )
        return list(islice(dropwhile(lambda c: c.version != candidate.version, releases), 1, most + 1))

    def _admits(self, one: ReleaseCandidate, other: ReleaseCandidate) -> bool:
        requirements = (r for r in self._provider.dependencies(one) if r.key == other.key)
        return all(requirement.specifier.admits(other.version) for requirement in requirements)


class _Certain(NamedTuple):
    """Why no release of a package is possible in some environments, in whatever way its region is divided.

    These environments are in one of the halves of each fork. So no fork of the package has a term here: what requires
    the package has, before forks handed the requirement on.

    Attributes:
        region: The environments.
        terms: What excludes all releases there.
        fork_points: Where forks of other packages may help.
    """

    region: MarkerSet
    terms: list[Term]
    fork_points: list[MarkerSet]


class ConflictAnalysis:
    """Reads the partial solution of one run, and changes nothing.

    Attributes:
        root_order: The order of the root requirements, by which one release may be refused for the sake of another.
    """

    def __init__(
        self,
        provider: Provider,
        solution: PartialSolution,
        incompatibilities: Incompatibilities,
        displacements: Displacements,
    ) -> None:
        self.root_order = RootOrder(provider, ())
        self._provider = provider
        self._solution = solution
        self._incompatibilities = incompatibilities
        self._displacements = displacements

    def known_conflict(self, candidate: Candidate) -> Incompatibility | None:
        """The incompatibility, learned or from the order of the roots, that `candidate` would violate."""
        pin_of = self._solution.pin_of
        return self._incompatibilities.violated_by(candidate, pin_of) or self._conflict_with_root_order(candidate)

    def unmet_dependency(self, candidate: Candidate) -> Incompatibility | None:
        """Why the dependencies of `candidate` cannot be met with the pins; None where, one by one, they can."""
        by_key: dict[Key, list[Requirement]] = {}
        for requirement in self._provider.dependencies(candidate):
            by_key.setdefault(requirement.key, []).append(requirement)
        for key, requirements in by_key.items():
            conflict = self._unmet(key, requirements, candidate)
            if conflict is not None:
                return conflict
        return None

    def exclude(self, derivation: Derivation, candidate: Candidate, reason: Incompatibility) -> None:
        """Add to `derivation` that `candidate`, of the decision at hand, is excluded by `reason`."""
        fork_points = self._provider.fork_points_of(candidate)
        derivation.exclude(candidate, reason, resolved=(candidate.key,), fork_points=fork_points)
        derivation.causes += self._own_causes(candidate, reason)

    def no_candidate(self, decision: Decision, derivation: Derivation) -> Incompatibility:
        """The incompatibility where `derivation` excludes every candidate of `decision`."""
        relevant = self._relevant(decision.edges)
        certain = self._certain(decision.key, decision.edges, (), derivation) or _Certain(
            MarkerSet.none(), [*terms_of(relevant), *derivation.terms()], derivation.fork_points
        )
        causes = derivation.causes or causes_of(relevant)
        return Incompatibility.of(certain.terms, causes, certain.fork_points, certain.region)

    def all_excluded(self, candidates: Iterable[Candidate], parent: Candidate) -> Derivation | None:
        """Why known incompatibilities exclude all `candidates` once `parent` is chosen; None where they leave one."""
        derivation = Derivation()
        for candidate in candidates:
            reason = self._incompatibilities.violated_by(candidate, self._pin_with(parent))
            if reason is None:
                return None
            derivation.exclude(
                candidate,
                reason,
                resolved=(parent.key, candidate.key),
                fork_points=self._provider.fork_points_of(candidate),
            )
        return derivation

    def first_possible(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """The first of `candidates` that violates no known incompatibility."""
        pin_of = self._solution.pin_of
        return next((c for c in candidates if self._incompatibilities.violated_by(c, pin_of) is None), None)

    def _conflict_with_root_order(self, candidate: Candidate) -> Incompatibility | None:
        solution = self._solution
        earlier = self.root_order.earlier_pin(candidate, solution.requirements_on, solution.pin_of)
        if earlier is None:
            return None
        requirement, pin = earlier
        causes = self._causes(solution.decisions[pin.key].edges, [requirement], candidate)
        return Incompatibility.of((Term.whole(pin),), causes, partial_regions([requirement], pin))

    def _unmet(self, key: Key, requirements: list[Requirement], parent: Candidate) -> Incompatibility | None:
        """Why the `requirements` of `parent` on one decision cannot be met with those on it already."""
        decision = self._solution.decisions.get(key)
        edges, pin = ((), None) if decision is None else (decision.edges, decision.pin)
        every = tuple(dict.fromkeys([*(requirement for requirement, _ in edges), *requirements]))
        if pin is not None:
            if all(map(pin.meets, requirements)):
                return None
            if self._displacements.is_exhausted(parent, pin):
                known = self.all_excluded(self._provider.same_choice(pin, every), parent)
                causes = self._causes(edges, requirements, parent)
                terms = () if known is None else (Term.whole(pin), *known.terms())
                return None if known is None else Incompatibility.of(terms, [*causes, *known.causes])
        known = self.all_excluded(self._provider.candidates(key, every), parent)
        if known is None:
            return None
        relevant = self._relevant(edges, requirements)
        certain = self._certain(key, edges, requirements, known) or _Certain(
            MarkerSet.none(), [*terms_of(relevant), *known.terms()], known.fork_points
        )
        return Incompatibility.of(
            (term for term in certain.terms if term.key != parent.key),
            [*self._causes(relevant, requirements, parent), *known.causes],
            [*certain.fork_points, *partial_regions(requirements, parent)],
            certain.region,
        )

    def _certain(
        self, key: Key, edges: tuple[Edge, ...], fixed: Sequence[Requirement], derivation: Derivation
    ) -> _Certain | None:
        """What excludes every release in some environment, given what `derivation` says of releases; None if unknown.

        `edges` and `fixed` are the requirements on the decision; the terms are those of the edges alone.
        """
        every = tuple(dict.fromkeys([*(requirement for requirement, _ in edges), *fixed]))
        without = self._provider.without_release(key[0], every, derivation.excluded)
        if without is None:
            return None
        region, versions = without
        region = _where_each_applies(every, region)
        here: dict[Requirement, Edge] = {}
        for edge in _earliest_first(edges):
            if region.implies(edge.requirement.region):
                here.setdefault(edge.requirement, edge)
        fixed = [r for r in fixed if region.implies(r.region)]
        relevant = relevant_in_one_environment(here, fixed, self._provider.matching)
        guard = MarkerSet.union([r.region for r in every])
        fork_points = [
            p
            for r in (*fixed, *relevant)
            if r.region is not guard
            for p in self._provider.fork_points_at(r.region, key)
        ]
        terms = terms_of(_before_forks(here[r], region) for r in relevant)
        return _Certain(region, [*terms, *derivation.terms(versions)], [*fork_points, *derivation.fork_points])

    def _relevant(self, edges: tuple[Edge, ...], fixed: Sequence[Requirement] = ()) -> list[Edge]:
        """The edges that leave no candidate together with `fixed`; of equal ones the earliest decided."""
        earliest: dict[Requirement, Edge] = {}
        for edge in _earliest_first(edges):
            earliest.setdefault(edge.requirement, edge)
        return [earliest[r] for r in relevant_requirements(earliest, fixed, self._provider.matching)]

    def _pin_with(self, candidate: Candidate) -> Callable[[Key], Candidate | None]:
        """`pin_of` as if `candidate` were chosen."""
        pin_of = self._solution.pin_of
        return lambda key: candidate if key == candidate.key else pin_of(key)

    def _causes(self, edges: Iterable[Edge], requirements: Iterable[Requirement], parent: Candidate) -> Iterator[Cause]:
        """Causes of `edges`, and of the `requirements` that `parent` would bring."""
        yield from causes_of(edges)
        decision = self._solution.decisions[parent.key]
        for requirement in requirements:
            yield Cause(requirement=requirement, parent=parent, chain=chain_of(requirement, decision))

    def _own_causes(self, candidate: Candidate, reason: Incompatibility) -> Iterator[Cause]:
        """Requirements of `candidate` in an incompatibility that was learned of another release with the same ones."""
        keys = {r.key for term in reason.terms if term.key == candidate.key for r in term.requirements}
        origins = {cause.origin for cause in reason.causes}
        own = (r for r in self._provider.dependencies(candidate) if r.key in keys and r.origin not in origins)
        return self._causes((), own, candidate)


def _earliest_first(edges: Iterable[Edge]) -> list[Edge]:
    return sorted(edges, key=lambda edge: 0 if edge.parent is None else edge.parent.level)


def _where_each_applies(requirements: Sequence[Requirement], region: MarkerSet) -> MarkerSet:
    """A part of `region` in which each of `requirements` applies everywhere or nowhere.

    Every specifier applies in all of `region` or nowhere in it, but several requirements may bring it, each for a part:
    the halves of a fork, say. The first of them counts.
    """
    covered = {r.specifier for r in requirements if region.implies(r.region)}
    for requirement in requirements:
        if requirement.specifier not in covered and not region.is_disjoint(requirement.region):
            covered.add(requirement.specifier)
            region &= requirement.region
    return region


def _before_forks(edge: Edge, part: MarkerSet) -> Edge:
    """The edge from which forks hand on `edge` to the decision on `part`."""
    requirement, parent = edge
    while parent is not None and isinstance(parent.pin, ForkCandidate):
        handed_on = (e for e in parent.edges if requirement.is_part_of(e.requirement))
        above = next((e for e in handed_on if part.implies(e.requirement.region)), None)
        if above is None:
            break
        requirement, parent = above
    return Edge(requirement, parent)


# Each of two choices could displace the other for ever. After so many times they count as incompatible.
_MOST_DISPLACEMENTS = 6


class Displacements:
    """Counts, for pairs of choices, how often a requirement of the first made the solver replace the second.

    The counts outlive backjumps: they are about the run, not about its partial solution.

    Attributes:
        counts: By key and choice of the candidate that required something else, and of the pin that was replaced.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[Key, object, Key, object], int] = {}

    def count(self, displacing: Candidate, pin: Candidate) -> None:
        """Count one more displacement of `pin`."""
        pair = (displacing.key, displacing.choice, pin.key, pin.choice)
        self.counts[pair] = self.counts.get(pair, 0) + 1

    def is_exhausted(self, displacing: Candidate, pin: Candidate) -> bool:
        """Whether `pin` was displaced so often that the two count as incompatible."""
        return self.counts.get((displacing.key, displacing.choice, pin.key, pin.choice), 0) >= _MOST_DISPLACEMENTS

    def most_displaced(self) -> str | None:
        """Name of the package that was displaced most often by one other."""
        return max(self.counts, key=self.counts.__getitem__)[2][0] if self.counts else None
