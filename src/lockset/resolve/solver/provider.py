"""The solver's view of packages: the candidates of a decision, their dependencies, and the order of decisions.

The role is that of `DependencyProvider` in PubGrub and of the provider in resolvelib. Requirements and candidates are
interned here, so that the solver compares them by identity.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lockset.resolve.problem.requirement import Key, Requirement
from lockset.resolve.solver.candidate import Candidate, ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.candidates import CandidateMaker
from lockset.resolve.solver.fork_points import environment_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.resolve.problem.request import Preference, ReleasePolicy
    from lockset.resolve.problem.requirement import RequirementOrigin, RootRequirement, Specifier
    from lockset.resolve.releases.repository import Repository

__all__ = ["Provider"]

# A name that no project can have: a requirement on it always fails, which rejects the candidate that brings it.
_NOWHERE = "!"

# Releases of which the metadata is fetched ahead, at most, where one after another is rejected.
_MOST_EXPECTED = 24


class Provider:
    """The provider of one universe, for one run after another.

    Attributes:
        universe: The environments this provider decides for.
    """

    def __init__(
        self,
        *,
        repository: Repository,
        policy: ReleasePolicy,
        universe: MarkerSet,
        preferences: Mapping[str, tuple[Preference, ...]],
        locked_for: MarkerSet,
        conflicts: dict[str, int] | None = None,
        not_opted_in: set[str] | None = None,
    ) -> None:
        self.universe = universe
        self._conflicts: dict[str, int] = {} if conflicts is None else conflicts
        self._forks: dict[Key, MarkerSet] = {}
        self._repository = repository
        self._lowest_first = policy.order == "lowest"
        self._conflict_regions = policy.conflict_regions
        self._maker = CandidateMaker(
            repository=repository,
            policy=policy,
            preferences=preferences,
            locked_for=locked_for,
            forks=self._forks,
            not_opted_in=not_opted_in,
            universe=universe,
        )
        self._requirements: dict[tuple[object, ...], Requirement] = {}
        self._dependencies: dict[Candidate, tuple[Requirement, ...]] = {}
        self._candidates: dict[tuple[object, ...], _Lazy] = {}
        self._seen: dict[str, int] = {}
        self._expected: dict[str, int] = {}  # releases whose metadata was fetched ahead, as bits

    def roots(self, roots: Iterable[RootRequirement]) -> list[Requirement]:
        """The requirements of `roots`, without those that never apply in the universe."""
        requirements = []
        for root in roots:
            region = root.region & self.universe
            if not region.is_empty:
                d = root.dependency
                requirements.append(self.require((d.name, self.universe), d.specifier, d.extras, region, root.origin))
        self._repository.hint(r.name for r in requirements)
        return requirements

    def dependencies(self, candidate: Candidate) -> tuple[Requirement, ...]:
        """The requirements that a candidate brings, each in its region, without those that never apply there."""
        known = self._dependencies.get(candidate)
        if known is None:
            made = (
                self._divide(candidate)
                if isinstance(candidate, ForkCandidate)
                else self._release_dependencies(candidate)
            )
            known = self._dependencies[candidate] = tuple(made)
            self._repository.hint(dict.fromkeys(r.name for r in known if r.name != _NOWHERE))
        return known

    def candidates(self, key: Key, requirements: tuple[Requirement, ...]) -> Iterator[Candidate]:
        """Candidates for a decision that meet all of `requirements`, best first; made lazily."""
        memo = (key, requirements, self._forks.get(key))
        known = self._candidates.get(memo)
        if known is None:
            made = iter(()) if key[0] == _NOWHERE else self._maker.candidates(key, requirements)
            known = self._candidates[memo] = _Lazy(made)
        return known()

    def matching(self, requirement: Requirement) -> int:
        """The releases that match, as bits."""
        return 0 if requirement.name == _NOWHERE else self._maker.matching(requirement)

    def without_release(
        self, name: str, requirements: Sequence[Requirement], excluded: Mapping[Version, MarkerSet]
    ) -> tuple[MarkerSet, tuple[Version, ...]] | None:
        """A part of the guard in each environment of which no release is possible, however the guard is divided.

        Comes with the releases that the requirements admit there, all of them in `excluded`; None where none is sure.
        """
        return None if name == _NOWHERE else self._maker.without_release(name, requirements, excluded)

    def is_behind(self, name: str, version: Version) -> bool:
        """Whether a project has a release that is tried before this one."""
        return not self._maker.is_first(name, version)

    def admits_newer(self, name: str, version: Version, specifier: Specifier) -> bool:
        """Whether `specifier` admits a release that is tried before this one, as far as versions go."""
        return self._maker.admits_before(name, version, specifier)

    def needs_opt_in(self, candidate: Candidate) -> bool:
        """Whether a requirement must opt in to it: a pre-release or a yanked release."""
        return isinstance(candidate, ReleaseCandidate) and self._maker.needs_opt_in(candidate)

    def same_choice(self, pin: Candidate, requirements: tuple[Requirement, ...]) -> Iterator[Candidate]:
        """The release or fork of `pin` as a candidate for `requirements`; empty where it does not meet them all."""
        if isinstance(pin, ForkCandidate):
            yield ForkCandidate(key=pin.key, fork_point=pin.fork_point, requirements=dict.fromkeys(requirements))
            return
        yield from (c for c in self.candidates(pin.key, requirements) if c.choice == pin.choice)

    def add_fork(self, candidate: Candidate) -> None:
        """Divide the region of a fork in the same way whenever its decision is open again."""
        if isinstance(candidate, ForkCandidate):
            self._forks[candidate.key] = candidate.fork_point

    def priority(self, name: str) -> tuple[int, int]:
        """The sort key of a package: most conflicts first, then in the order in which they were first required."""
        return -self._conflicts.get(name, 0), self._seen[name]

    def count_conflict(self, name: str) -> None:
        """Count a conflict of `name`, which raises its priority."""
        self._conflicts[name] = self._conflicts.get(name, 0) + 1

    def prefetch_next(self, rejected: Candidate, requirements: Sequence[Requirement], excluded: int) -> None:
        """Prefetch the metadata of the releases that are next, the more the more were rejected.

        `requirements` are those that they must meet, `excluded` counts the candidates that none of these exclude.
        """
        if isinstance(rejected, ReleaseCandidate):
            name = rejected.name
            count = min(max(self._conflicts.get(name, 0), excluded), _MOST_EXPECTED)
            expected = self._expected.get(name, 0)
            for position in islice(self._maker.following(rejected, requirements), count):
                if not expected >> position & 1:
                    expected |= 1 << position
                    self._repository.hint_release(name, self._repository.releases(name).versions[position])
            self._expected[name] = expected

    def prefetch(self, candidates: Iterable[ReleaseCandidate]) -> None:
        """Prefetch the metadata of these releases."""
        for candidate in candidates:
            self._repository.hint_release(candidate.name, candidate.version)

    def prefetch_required(self, decisions: Iterable[tuple[str, Sequence[Requirement]]]) -> None:
        """Prefetch the metadata of the releases that will probably be chosen for open decisions.

        The first guesses of the repository are right until a conflict shows that not every requirement counts.
        """
        if not self._conflicts or self._lowest_first:
            return
        for name, requirements in decisions:
            if name != _NOWHERE:
                self._repository.hint_matching(name, {r.specifier for r in requirements})

    def suggest_forks(self, refused: Candidate, fork_points: Iterable[MarkerSet]) -> None:
        """Offer forks before releases older than `refused`, which may be possible on one side of them."""
        if isinstance(refused, ReleaseCandidate):
            self._maker.suggest_forks(refused, fork_points)

    def fork_points_of(self, candidate: Candidate) -> Iterator[MarkerSet]:
        """The fork point of a fork, where it may help other packages too: environments and declared conflicts."""
        if isinstance(candidate, ForkCandidate):
            yield from self.fork_points_at(candidate.fork_point, candidate.key)

    def fork_points_at(self, region: MarkerSet, key: Key) -> Iterator[MarkerSet]:
        """Where a fork at `region` of the decision on `key` may help other packages too."""
        yield from environment_part(region, key[1])
        yield from (member for member in self._conflict_regions if member & key[1] is region)

    def is_locked_with(self, candidate: ReleaseCandidate, requirement: Requirement) -> bool:
        """Whether the old lock has the release in all of its guard, with releases that meet its `requirement`."""
        return self._maker.is_locked_with(candidate, requirement)

    def is_kept_apart(self, part: MarkerSet, guard: MarkerSet) -> bool:
        """Whether `part` belongs to a member of a declared conflict that not all of `guard` belongs to."""
        return any(part.implies(member) and not guard.implies(member) for member in self._conflict_regions)

    def require(
        self, key: Key, specifier: Specifier, extras: frozenset[str], region: MarkerSet, origin: RequirementOrigin
    ) -> Requirement:
        """The interned requirement with these values."""
        memo = (key, specifier, extras, region, origin)
        known = self._requirements.get(memo)
        if known is None:
            known = Requirement(key=key, specifier=specifier, extras=extras, region=region, origin=origin)
            self._requirements[memo] = known
            self._seen.setdefault(key[0], len(self._seen))
        return known

    def _divide(self, fork: ForkCandidate) -> Iterator[Requirement]:
        for half in fork.halves:
            for r in fork.requirements:
                region = r.region & half
                if not region.is_empty:
                    yield self.require((r.name, half), r.specifier, r.extras, region, r.origin)

    def _release_dependencies(self, candidate: ReleaseCandidate) -> Iterator[Requirement]:
        facts = self._repository.facts(candidate.name, candidate.version)
        if facts is None or not candidate.guard.implies(facts.serves):
            if facts is not None and not candidate.guard.is_disjoint(facts.serves):
                # The index page listed more Pythons than the metadata.
                self._maker.suggest_forks(candidate, (facts.serves,))
            yield self._impossible(candidate)
            return
        extras = self._maker.closed(candidate, facts)
        for dependency in facts.dependencies.with_extras(dict(extras)):
            region = self._maker.region(candidate.guard, extras, dependency)
            if region.is_empty:
                continue
            if dependency.url is not None:
                yield self._impossible(candidate)
            elif dependency.name != candidate.name:
                origin = self._maker.origin(candidate, dependency)
                key = (dependency.name, self.universe)
                yield self.require(key, dependency.specifier, dependency.extras, region, origin)
            elif not dependency.specifier.admits(candidate.version):
                # Its own extras are part of the candidate. Another version of itself is impossible.
                self._maker.suggest_forks(candidate, (region.without_extras_and_groups(),))
                yield self._impossible(candidate)

    def _impossible(self, candidate: ReleaseCandidate) -> Requirement:
        origin = self._maker.impossible_origin(candidate)
        return self.require((_NOWHERE, self.universe), self._maker.nothing, frozenset(), candidate.guard, origin)


class _Lazy:
    """A sequence that is computed while it is iterated, once for all iterators."""

    __slots__ = ("_made", "_source")

    def __init__(self, source: Iterator[Candidate]) -> None:
        self._source: Iterator[Candidate] | None = source
        self._made: list[Candidate] = []

    def __call__(self) -> Iterator[Candidate]:
        position = 0
        while True:
            if position < len(self._made):
                yield self._made[position]
                position += 1
                continue
            if self._source is None:
                return
            following = next(self._source, None)
            if following is None:
                self._source = None
                return
            self._made.append(following)
