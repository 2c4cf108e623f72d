"""The candidates of a decision, best first: releases that serve the whole guard, and forks where none does.

The guard is the union of the regions of all requirements on the decision.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from lockset._dataclass import dataclass
from lockset.markers import MarkerSet
from lockset.resolve.problem.python_range import SETTLED
from lockset.resolve.problem.requirement import RequirementOrigin, Specifier
from lockset.resolve.releases.admission import Admission, bits
from lockset.resolve.solver.candidate import ForkCandidate, ReleaseCandidate
from lockset.resolve.solver.fork_points import ForkPoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.resolve.problem.request import Preference, ReleasePolicy
    from lockset.resolve.problem.requirement import Dependency, Key, Requirement
    from lockset.resolve.releases.repository import ReleaseFacts, Releases, Repository
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["CandidateMaker"]

Extras = tuple[tuple[str, MarkerSet], ...]


@dataclass(frozen=True, slots=True)
class _ForkPoint:
    """Where a fork may help.

    Attributes:
        region: The set whose inside and outside would become regions of their own.
        late: Whether releases for the whole guard go before it with the fork strategy `fewest`.
    """

    region: MarkerSet
    late: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How a release fits a guard.

    Attributes:
        fork_points: Where forks may help, to be tried before it.
        whole: Whether it serves all of the guard.
        without_files: Whether it does but for files that others have: it comes last.
        late: Forks that leave the release only environments in which it is of no use; tried after everything else.
    """

    fork_points: tuple[_ForkPoint, ...]
    whole: bool = False
    without_files: bool = False
    late: tuple[_ForkPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pins:
    """Preferred versions for one guard.

    Attributes:
        locked: Positions of those in the old lock.
        probed: Positions of those chosen by probes.
        fork_point: Where the old lock had two versions in the guard.
    """

    locked: list[int]
    probed: list[int]
    fork_point: MarkerSet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Admitted releases for one guard.

    Attributes:
        mask: All of them, as the bits at their positions.
        first: Positions of those in the old lock.
        rest: The others.
        probed: Positions of those chosen by probes.
    """

    mask: int
    first: list[int]
    rest: int
    probed: list[int]


# Releases to check for the one whose facts will be needed first.
_MOST_HINTED = 20
_NO_PINS = _Pins(locked=[], probed=[], fork_point=None)


class CandidateMaker:
    """Makes and interns candidates. Results depend on the arguments and the repository alone."""

    def __init__(
        self,
        *,
        repository: Repository,
        policy: ReleasePolicy,
        preferences: Mapping[str, tuple[Preference, ...]],
        locked_for: MarkerSet,
        forks: Mapping[Key, MarkerSet],
        not_opted_in: set[str] | None = None,
        universe: MarkerSet | None = None,
    ) -> None:
        self.nothing = Specifier.of(SpecifierSet("<0"))
        self._repository = repository
        self._policy = policy
        self._preferences = preferences
        self._locked_for = locked_for
        self._forks = forks
        self._admission = Admission(repository, policy, preferences, not_opted_in)
        self._universe = universe
        self._interned: dict[tuple[object, ...], ReleaseCandidate] = {}
        self._suggested_forks: dict[tuple[str, Version], dict[MarkerSet, None]] = {}
        self._origins: dict[tuple[object, ...], RequirementOrigin] = {}

    @cached_property
    def _fork_points(self) -> ForkPoints:
        return ForkPoints(self._repository, self._policy, self._admission, self._universe)

    def candidates(self, key: Key, requirements: Sequence[Requirement]) -> Iterator[Candidate]:
        """All candidates for `key` that meet every one of `requirements`, best first."""
        region = key[1]
        guard = MarkerSet.union([r.region for r in requirements])
        known_fork = self._forks.get(key)
        in_order = dict.fromkeys(requirements)
        tried: set[MarkerSet] = set()

        def fork(fork_point: MarkerSet) -> Iterator[Candidate]:
            inside = fork_point & region
            if inside in tried or region - inside in tried:
                return
            if (guard & inside).is_empty or guard.implies(inside):
                return
            if not tried and self._fork_points.without_release(key[0], requirements, guard) is not None:
                return
            tried.add(inside)
            yield ForkCandidate(key=key, fork_point=inside, requirements=in_order)

        if known_fork is not None:
            yield from fork(known_fork)
        for option in self._in_order(self._releases(key, requirements, guard)):
            if isinstance(option, MarkerSet):
                yield from fork(option)
            else:
                yield option
        separating = self._fork_points.separating(key[0], requirements, guard)
        for fork_point in chain(separating, self._fork_points.of_dependencies(key[0], requirements)):
            yield from fork(fork_point)

    def _in_order(
        self, options: Iterable[ReleaseCandidate | _ForkPoint | None]
    ) -> Iterator[ReleaseCandidate | MarkerSet]:
        """Releases and the fork points between them; late fork points come last with the fork strategy `fewest`."""
        late: list[MarkerSet] = []
        for option in options:
            if option is None:
                yield from late
                late.clear()
            elif not isinstance(option, _ForkPoint):
                yield option
            elif option.late and self._policy.fork == "fewest":
                late.append(option.region)
            else:
                yield option.region
        yield from late

    def following(self, candidate: ReleaseCandidate, requirements: Iterable[Requirement]) -> Iterator[int]:
        """Positions of releases that may be tried after `candidate`, the next first; none that needs an opt-in."""
        releases = self._repository.releases(candidate.name)
        mask = releases.stable & ~releases.yanked
        for requirement in requirements:
            mask &= self.matching(requirement)
        position = releases.versions.index(candidate.version)
        if self._admission.highest_first(candidate.name):
            return bits(mask & -(2 << position))
        return reversed(list(bits(mask & ((1 << position) - 1))))

    def matching(self, requirement: Requirement) -> int:
        """The releases that match the specifier, as bits."""
        return self._admission.matching(self._repository.releases(requirement.name), requirement.specifier)

    def without_release(
        self, name: str, requirements: Sequence[Requirement], excluded: Mapping[Version, MarkerSet]
    ) -> tuple[MarkerSet, tuple[Version, ...]] | None:
        """A part of the guard in which no release is possible, as `ForkPoints.without_release` has it."""
        guard = MarkerSet.union([r.region for r in requirements])
        locked = sum({1 << p for p in self._pins(self._repository.releases(name), guard).locked})
        return self._fork_points.without_release(name, requirements, guard, excluded, preferred=locked)

    def admits_before(self, name: str, version: Version, specifier: Specifier) -> bool:
        """Whether `specifier` admits a release that is tried before this one.

        Preferred releases and those that need an opt-in may be tried out of order: then every release counts.
        """
        releases = self._repository.releases(name)
        position = releases.versions.index(version)
        before = self._admission.before(releases, position)
        in_order = releases.stable >> position & 1 and name not in self._preferences
        return bool(self._admission.matching(releases, specifier) & (before if in_order else -1))

    def suggest_forks(self, refused: ReleaseCandidate, fork_points: Iterable[MarkerSet]) -> None:
        """Offer forks at `fork_points` after the release of `refused`, if the newest come first."""
        if self._admission.highest_first(refused.name):
            self._suggested_forks.setdefault((refused.name, refused.version), {}).update(dict.fromkeys(fork_points))

    def is_first(self, name: str, version: Version) -> bool:
        """Whether no release of the project is tried before this one, as far as versions go."""
        releases = self._repository.releases(name)
        if self.highest_first(name):
            return version == releases.versions[0]
        return version == releases.versions[releases.starts[0] - 1 if releases.starts else -1]

    def highest_first(self, name: str) -> bool:
        """Whether the highest versions of the project are tried first."""
        return self._admission.highest_first(name)

    def needs_opt_in(self, candidate: ReleaseCandidate) -> bool:
        """Whether the release is used only where a requirement opts in to it."""
        if candidate.name in self._policy.opted_in:
            return False
        releases = self._repository.releases(candidate.name)
        mask = self._admission.needing_opt_in(releases)
        return bool(mask) and bool(mask >> releases.versions.index(candidate.version) & 1)

    def region(self, guard: MarkerSet, extras: Extras, dependency: Dependency) -> MarkerSet:
        """Where `dependency` applies, given where its release and the extras of it are needed."""
        marker = dependency.marker
        if marker.is_full:
            return guard
        result = guard & marker.with_metadata_extra(None)
        for extra, region in extras:
            result |= region & marker.with_metadata_extra(extra)
        return result

    def origin(self, candidate: ReleaseCandidate, dependency: Dependency) -> RequirementOrigin:
        """The origin of `dependency` as one of `candidate`."""
        memo = (candidate.name, candidate.version, dependency.text)
        known = self._origins.get(memo)
        if known is None:
            known = self._origins[memo] = RequirementOrigin(
                name=candidate.name, version=candidate.version, text=dependency.text
            )
        return known

    def impossible_origin(self, candidate: ReleaseCandidate) -> RequirementOrigin:
        """The origin of the requirement that excludes an unusable `candidate`."""
        return RequirementOrigin(name=candidate.name, version=candidate.version, text="(its metadata cannot be used)")

    def _releases(
        self, key: Key, requirements: Sequence[Requirement], guard: MarkerSet
    ) -> Iterator[ReleaseCandidate | _ForkPoint | None]:
        """Releases that serve the guard, and, between them, fork points at those that serve a part of it.

        None marks where releases without files begin: late fork points go before them.

        Upper bounds on Pythons may not count (`Repository.serves`): a release that admits no Python of the guard when
        they do comes after all that admit some.
        """
        releases = self._repository.releases(key[0])
        pins = self._pins(releases, guard)
        if pins.fork_point is not None:
            yield _ForkPoint(pins.fork_point, late=False)
        row = self._row(releases, pins, requirements, guard)
        # A release chosen by a probe of a Python in development may admit none of the other Pythons.
        probed = [p for p in row.probed if self._policy.outgrown or not self._is_outgrown(releases, p, guard)]
        forks_offered = False
        done: set[int] = set()
        without_files: list[int] = []
        late: list[_ForkPoint] = []
        waiting: deque[int] = deque()
        order = self._outgrown_last(releases, self._in_turn(releases, row), guard)
        while (position := waiting.popleft() if waiting else next(order, None)) is not None:
            if position in done:
                continue
            if not forks_offered and position not in row.first:
                forks_offered = True
                if position:  # there are newer releases
                    yield from map(_ForkPoint, self._fork_points.of_newer(releases, requirements, guard, position))
                    yield from map(_ForkPoint, self._fork_points.of_conflicts(releases, requirements, guard, position))
            done.add(position)
            fit = self._fit(releases, row, position, guard)
            yield from fit.fork_points
            late += fit.late
            if fit.without_files or (fit.whole and without_files and self._needs_build(releases, position)):
                without_files.append(position)
            elif fit.whole and probed and position not in row.first:
                # This one last, if a probe had it: where another probe had an older one, that may be all that fits
                # there, and serves both.
                waiting.extend([*(p for p in probed if p not in done), position])
                done.discard(position)
                probed = []
            elif fit.whole:
                yield self._intern(key, releases.versions[position], guard, requirements)
                yield from map(
                    _ForkPoint, tuple(self._suggested_forks.get((releases.name, releases.versions[position]), ()))
                )
        yield None
        for position in without_files:
            yield self._intern(key, releases.versions[position], guard, requirements)
        yield from late

    def _needs_build(self, releases: Releases, position: int) -> bool:
        """Whether the metadata needs a build. No older release is built because a newer one lacks files."""
        version = releases.versions[position]
        serves = self._repository.wheels_serve(releases.name, version)
        return serves is None and not self._repository.has_static_metadata(releases.name, version)

    def _fit(self, releases: Releases, row: _Row, position: int, guard: MarkerSet) -> _Fit:
        version = releases.versions[position]
        serves = self._repository.serves(releases.name, version)
        if not guard.implies(serves):
            return self._fit_in_part(releases, row, position, guard)
        before: tuple[_ForkPoint, ...] = ()
        strict = self._repository.strictly_serves(releases.name, version)
        settled = self._locked_in(releases.name, version) if position in row.first else MarkerSet.none()
        beyond = guard - strict - settled
        if not beyond.is_empty and self._fork_points.is_continued(releases, row.mask, position, beyond):
            before = (_ForkPoint(strict, late=False),)
        wheels = self._repository.wheels_serve(releases.name, version)
        needed = self._repository.target_region & (guard - settled)
        if wheels is None or (missing := needed - wheels).is_empty:
            return _Fit(fork_points=before, whole=True)
        fork_point = self._fork_points.of_files(releases, row.mask, wheels, missing)
        if fork_point is None:
            return _Fit(fork_points=before, whole=True)
        if not self._fork_points.is_of_use(releases, row.mask, position, guard & fork_point):
            return _Fit(fork_points=before, without_files=True, late=(_ForkPoint(fork_point),))
        return _Fit(fork_points=(*before, _ForkPoint(fork_point)), without_files=True)

    def is_locked_with(self, candidate: ReleaseCandidate, requirement: Requirement) -> bool:
        """Whether the old lock has the release in all of its guard, with releases that meet its `requirement`."""
        if candidate.name not in self._preferences or requirement.name not in self._preferences:
            return False
        locked = [p for p in self._locked(requirement.name) if not p.region.is_disjoint(requirement.region)]
        return (
            candidate.guard.implies(self._locked_in(candidate.name, candidate.version))
            and bool(locked)
            and all(requirement.specifier.admits(p.version) for p in locked)
        )

    def _locked(self, name: str) -> list[Preference]:
        return [p for p in self._preferences.get(name, ()) if p.binding]

    def _locked_in(self, name: str, version: Version) -> MarkerSet:
        """Where the old lock has the release."""
        return self._locked_for & MarkerSet.union([p.region for p in self._locked(name) if p.version == version])

    def _fit_in_part(self, releases: Releases, row: _Row, position: int, guard: MarkerSet) -> _Fit:
        """How a release fits that serves only a part of the guard: by a fork at what it serves."""
        version = releases.versions[position]
        serves = self._repository.serves(releases.name, version)
        if guard.is_disjoint(serves):
            return _Fit(fork_points=())
        fork_point = _ForkPoint(serves)
        lacking = not self._repository.lacks_files(releases.name, version).is_disjoint(guard)
        if lacking and not self._fork_points.is_of_use(releases, row.mask, position, guard & serves):
            return _Fit(fork_points=(), late=(fork_point,))
        return _Fit(fork_points=(fork_point,))

    def _row(self, releases: Releases, pins: _Pins, requirements: Sequence[Requirement], guard: MarkerSet) -> _Row:
        name = releases.name
        specifiers = {r.specifier for r in requirements}
        specifiers.update(s for s, region in self._policy.constraints.get(name, ()) if not region.is_disjoint(guard))
        locked = sum({1 << p for p in pins.locked})
        mask = self._admission.admitted(releases, specifiers, guard, preferred=locked)
        mask = self._admission.without_leaks(releases, mask, requirements, guard)
        first = [p for p in pins.locked if mask >> p & 1]
        # A release chosen by a probe goes before the first one that serves the whole guard, and after the forks at
        # newer ones that serve a part of it: those give each Python its newest release.
        probed = [p for p in pins.probed if mask >> p & 1 and p not in first]
        row = _Row(mask=mask, first=first, rest=mask & ~sum({1 << p for p in first}), probed=probed)
        for position in islice(self._in_turn(releases, row), _MOST_HINTED):
            if not guard.is_disjoint(self._repository.serves(name, releases.versions[position])):
                self._repository.hint_release(name, releases.versions[position])
                break
        return row

    def _in_turn(self, releases: Releases, row: _Row) -> Iterator[int]:
        """The positions of a row in the order in which they are tried."""
        yield from row.first
        yield from self._admission.ordered(releases.name, row.rest)

    def _outgrown_last(self, releases: Releases, positions: Iterable[int], guard: MarkerSet) -> Iterator[int]:
        """`positions` in their order, those last, if at all, that admit no Python of the guard once upper bounds count.

        Only for Pythons that releases are expected to have come to: with one in development alone in the guard, the
        newest release that says nothing of it would be years old, and the lock is better off without that Python.
        """
        outgrown = []
        for position in positions:
            if self._is_outgrown(releases, position, guard):
                outgrown.append(position)
            else:
                yield position
        if self._policy.outgrown:
            yield from outgrown

    def _is_outgrown(self, releases: Releases, position: int, guard: MarkerSet) -> bool:
        """Whether a release admits no Python of the guard, where that speaks against it."""
        strict = self._repository.strictly_serves(releases.name, releases.versions[position])
        return guard.is_disjoint(strict) and not (self._policy.outgrown and guard.is_disjoint(SETTLED))

    def _pins(self, releases: Releases, guard: MarkerSet) -> _Pins:
        concerned = [p for p in self._preferences.get(releases.name, ()) if not p.region.is_disjoint(guard)]
        if not concerned:
            return _NO_PINS
        locked = [p for p in concerned if p.binding]
        fork_point = None
        if len({p.version for p in locked}) > 1:
            fork_point = next((p.region for p in locked if not guard.implies(p.region)), None)
        versions = releases.versions

        def positions(preferences: Iterable[Preference]) -> list[int]:
            return list(dict.fromkeys(versions.index(p.version) for p in preferences if p.version in versions))

        return _Pins(
            locked=positions(locked), probed=positions(p for p in concerned if not p.binding), fork_point=fork_point
        )

    def _intern(
        self, key: Key, version: Version, guard: MarkerSet, requirements: Sequence[Requirement]
    ) -> ReleaseCandidate:
        regions: dict[str, MarkerSet] = {}
        for requirement in requirements:
            for extra in requirement.extras:
                regions[extra] = regions.get(extra, MarkerSet.none()) | requirement.region
        extras: Extras = tuple(sorted(regions.items()))
        memo = (key, version, guard, extras)
        known = self._interned.get(memo)
        if known is None:
            known = ReleaseCandidate(key=key, version=version, guard=guard, extras=extras)
            self._interned[memo] = known
        return known

    def closed(self, candidate: ReleaseCandidate, facts: ReleaseFacts) -> Extras:
        """Regions of the candidate's extras, with those that the release requires of itself (`all = name[a,b]`)."""
        regions = dict(candidate.extras)
        changed = True
        while changed:
            changed = False
            extras = tuple(regions.items())
            for dependency in facts.dependencies.with_extras(dict(extras)):
                if dependency.name != candidate.name or not dependency.extras:
                    continue
                region = self.region(candidate.guard, extras, dependency)
                for extra in dependency.extras:
                    before = regions.get(extra, MarkerSet.none())
                    after = before | region
                    if after is not before:
                        regions[extra] = after
                        changed = True
        return tuple(sorted((e, r) for e, r in regions.items() if not r.is_empty))
