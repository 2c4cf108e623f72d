"""Incompatibilities: sets of choices that exclude each other, learned from conflicts (PubGrub; "nogoods" in CDCL).

PubGrub states a term as a version range of a package. Here a term names what makes a choice take part in the conflict:
a requirement that it brings, or everything that it brings. Releases that share a requirement are thus excluded
together, and an incompatibility stays true when the region of a choice grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field
from lockset.markers import MarkerSet
from lockset.resolve.solver.candidate import ReleaseCandidate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from packaging.version import Version

    from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Cause", "Derivation", "Incompatibilities", "Incompatibility", "Term"]

# Causes kept with an incompatibility: one derived from many others would keep the causes of them all.
_MOST_CAUSES = 200
_MOST_FORK_POINTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One requirement that takes part in a conflict, for the explanation of a failure.

    Attributes:
        requirement: The requirement.
        parent: The candidate that brings it, None for a root requirement.
        chain: Origins from a root down to `requirement` itself; shorter where the solver no longer knew them.
    """

    requirement: Requirement
    parent: Candidate | None
    chain: tuple[RequirementOrigin, ...] = ()

    @property
    def origin(self) -> RequirementOrigin:
        """Where the requirement is written."""
        return self.requirement.origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A set of candidates of one decision: those that bring all `requirements` and cover all `candidates`.

    Attributes:
        key: The decision.
        requirements: Most often a single one, which many releases share.
        candidates: Candidates that take part by everything they bring.
    """

    key: Key
    requirements: tuple[Requirement, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @classmethod
    def whole(cls, candidate: Candidate) -> Term:
        """The term of `candidate` and all that cover it."""
        return cls(key=candidate.key, candidates=(candidate,))

    def joined(self, other: Term) -> Term:
        """The intersection with another term of the same decision."""
        requirements = dict.fromkeys((*self.requirements, *other.requirements))
        candidates = dict.fromkeys((*self.candidates, *other.candidates))
        return Term(key=self.key, requirements=tuple(requirements), candidates=tuple(candidates))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incompatibility:
    """Terms that cannot all be satisfied.

    Attributes:
        terms: At most one for each decision; none where the roots alone are unsatisfiable.
        causes: The requirements at odds, for explanations.
        fork_points: Regions on one side of which the conflict may not exist.
        certain: Environments in each of which the terms exclude each other, however regions are divided.
    """

    terms: tuple[Term, ...]
    causes: tuple[Cause, ...]
    fork_points: tuple[MarkerSet, ...] = ()
    certain: MarkerSet = field(default_factory=MarkerSet.none)

    @classmethod
    def of(
        cls,
        terms: Iterable[Term],
        causes: Iterable[Cause],
        fork_points: Iterable[MarkerSet] = (),
        certain: MarkerSet | None = None,
    ) -> Incompatibility:
        """Join the terms of each decision, and drop repeated causes and fork points."""
        by_key: dict[Key, Term] = {}
        for term in terms:
            known = by_key.get(term.key)
            by_key[term.key] = term if known is None else known.joined(term)
        by_requirement = {id(c.requirement): c for c in causes}
        return cls(
            terms=tuple(by_key.values()),
            causes=tuple(by_requirement.values())[:_MOST_CAUSES],
            fork_points=tuple(dict.fromkeys(fork_points))[:_MOST_FORK_POINTS],
            certain=MarkerSet.none() if certain is None else certain,
        )

    def certain_for(self, chosen: Collection[Key]) -> MarkerSet:
        """The certain environments, without those that the requirements of the `chosen` decisions do not reach."""
        certain = self.certain
        for term in self.terms:
            if term.key in chosen:
                for requirement in term.requirements:
                    certain &= requirement.region
                if term.candidates:
                    return MarkerSet.none()
        return certain


class Derivation:
    """Collects why each candidate of a decision is excluded; together they derive a new incompatibility.

    This is the rule of resolution: where every candidate of a decision is excluded, the choices that exclude them
    cannot hold together, whichever candidate is taken.

    Attributes:
        causes: Those of all reasons.
        fork_points: Those of all reasons.
        excluded: For each release, environments in each of which it is excluded, however regions are divided.
    """

    __slots__ = ("_terms", "causes", "excluded", "fork_points")

    def __init__(self) -> None:
        self.causes: list[Cause] = []
        self.fork_points: list[MarkerSet] = []
        self.excluded: dict[Version, MarkerSet] = {}
        self._terms: list[tuple[object, list[Term]]] = []

    def exclude(
        self,
        candidate: Candidate,
        reason: Incompatibility,
        *,
        resolved: Collection[Key],
        fork_points: Iterable[MarkerSet],
    ) -> None:
        """Add the reason why `candidate` is excluded, without the terms of the `resolved` decisions."""
        self._terms.append((candidate.choice, [term for term in reason.terms if term.key not in resolved]))
        self.causes += reason.causes
        self.fork_points += (*fork_points, *reason.fork_points)
        if isinstance(candidate, ReleaseCandidate):
            self.excluded[candidate.version] = reason.certain_for(resolved)

    def terms(self, versions: Collection[Version] | None = None) -> Iterator[Term]:
        """The terms of all reasons, or of those that exclude `versions`."""
        for choice, terms in self._terms:
            if versions is None or choice in versions:
                yield from terms


class Incompatibilities:
    """Every incompatibility learned in one universe. They hold for all runs in it, in whatever order these decide."""

    def __init__(
        self, dependencies_of: Callable[[Candidate], Iterable[Requirement]], matching: Callable[[Requirement], int]
    ) -> None:
        self._dependencies_of = dependencies_of
        self._matching = matching
        self._by_choice: dict[tuple[Key, object], list[Incompatibility]] = {}
        # By the decision of a term, and by the decision that the term's first requirement is on.
        self._by_requirement: dict[Key, dict[Key, list[Incompatibility]]] = {}
        self._brings: dict[tuple[Candidate, Requirement], bool] = {}

    def learn(self, incompatibility: Incompatibility) -> None:
        """Keep `incompatibility`, which has terms."""
        for term in incompatibility.terms:
            if term.candidates:
                # A candidate covers all of them, so they are one choice in different regions.
                choice = term.candidates[0].choice
                self._by_choice.setdefault((term.key, choice), []).append(incompatibility)
            else:
                required = term.requirements[0].key
                self._by_requirement.setdefault(term.key, {}).setdefault(required, []).append(incompatibility)

    def violated_by(self, candidate: Candidate, pin_of: Callable[[Key], Candidate | None]) -> Incompatibility | None:
        """The first incompatibility whose terms `candidate` and the pins of other decisions would all satisfy."""
        for incompatibility in self._concerning(candidate):
            if all(
                self._satisfies(candidate if term.key == candidate.key else pin_of(term.key), term)
                for term in incompatibility.terms
            ):
                return incompatibility
        return None

    def _concerning(self, candidate: Candidate) -> Iterator[Incompatibility]:
        yield from self._by_choice.get((candidate.key, candidate.choice), ())
        by_required = self._by_requirement.get(candidate.key)
        if by_required is not None:
            for key in dict.fromkeys(r.key for r in self._dependencies_of(candidate)):
                yield from by_required.get(key, ())

    def _satisfies(self, pin: Candidate | None, term: Term) -> bool:
        if pin is None:
            return False
        return all(map(pin.covers, term.candidates)) and all(self._requires(pin, r) for r in term.requirements)

    def _requires(self, pin: Candidate, requirement: Requirement) -> bool:
        """Whether `pin` brings `requirement` or one that implies it."""
        known = self._brings.get((pin, requirement))
        if known is None:
            known = self._brings[pin, requirement] = any(
                r is requirement
                or (
                    r.key == requirement.key
                    and r.extras >= requirement.extras
                    and not self._matching(r) & ~self._matching(requirement)
                    and requirement.region.implies(r.region)
                )
                for r in self._dependencies_of(pin)
            )
        return known
