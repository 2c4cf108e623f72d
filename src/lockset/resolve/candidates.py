"""The candidates of one cell, best first: releases that serve the whole guard, and splits where none does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from lockset.markers import MarkerSet
from lockset.resolve.candidate import GuardedCandidate, SplitCandidate
from lockset.resolve.policy import Admission, bits
from lockset.resolve.regions import union
from lockset.resolve.requirement import ANY_VERSION, Origin, Specifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.resolve.candidate import Candidate
    from lockset.resolve.repository import ReleaseFacts, Releases, Repository
    from lockset.resolve.request import Policy, Preference
    from lockset.resolve.requirement import Dependency, Key, Requirement

__all__ = ["CandidateMaker"]

# How many releases of a name are asked for the markers of their dependencies when nothing else is left to split on.
_RELEASES_ASKED_FOR_MARKERS = 3

# Releases, newest first, whose wheels are looked at before an environment counts as one that no release serves.
_RELEASES_ASKED_FOR_FILES = 15

# Newer releases that are looked at for one that admits the Pythons beyond the upper bound of another.
_RELEASES_ASKED_FOR_PYTHONS = 15

Extras = tuple[tuple[str, MarkerSet], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Boundary:
    """Where a split may help.

    Attributes:
        region: The set whose inside and outside would become cells of their own.
        late: Whether whole releases go before it where the fewest versions are asked for.
    """

    region: MarkerSet
    late: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pins:
    """Versions to try first for one guard.

    Attributes:
        locked: Positions of the old lock's.
        probed: Positions of what probes found.
        boundary: On which the old lock had the guard in two.
    """

    locked: list[int]
    probed: list[int]
    boundary: MarkerSet | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Releases that a guard admits.

    Attributes:
        mask: All of them.
        first: Positions of those the old lock had.
        rest: Positions of the others, in the order in which they are tried.
        probed: Positions of what probes found.
    """

    mask: int
    first: list[int]
    rest: list[int]
    probed: list[int]


_NO_PINS = _Pins(locked=[], probed=[], boundary=None)


class CandidateMaker:
    """Makes and interns candidates; everything it answers is a function of its arguments and the repository."""

    def __init__(
        self,
        *,
        repository: Repository,
        policy: Policy,
        preferences: Mapping[str, tuple[Preference, ...]],
        locked_for: MarkerSet,
        splits: Mapping[Key, MarkerSet],
    ) -> None:
        self.nothing = Specifier.of(SpecifierSet("<0"))
        self._repository = repository
        self._policy = policy
        self._preferences = preferences
        self._locked_for = locked_for
        self._splits = splits
        self._admission = Admission(repository, policy)
        self._guarded: dict[tuple[object, ...], GuardedCandidate] = {}
        self._origins: dict[tuple[object, ...], Origin] = {}
        self._served_by_some: dict[tuple[str, int], MarkerSet] = {}

    def candidates(self, key: Key, wanted: Sequence[Requirement], bad: Sequence[Candidate]) -> Iterator[Candidate]:
        """All candidates for `key` that meet every one of `wanted` and bring nothing known `bad`, best first."""
        cell = key[1]
        guard = union(r.region for r in wanted)
        remembered = self._splits.get(key)
        requirements = dict.fromkeys(wanted)
        tried = {c.boundary for c in bad if isinstance(c, SplitCandidate)}

        def split(boundary: MarkerSet) -> Iterator[Candidate]:
            inside = boundary & cell
            if inside in tried or cell - inside in tried:
                return
            if (guard & inside).is_empty or guard.implies(inside):
                return
            tried.add(inside)
            yield SplitCandidate(key=key, boundary=inside, requirements=requirements)

        if remembered is not None:
            yield from split(remembered)
        late: list[MarkerSet] = []
        for found in self._releases(key, wanted, guard):
            if isinstance(found, _Boundary):
                if found.late and self._policy.fork == "fewest":
                    late.append(found.region)
                else:
                    yield from split(found.region)
                continue
            if not any(isinstance(b, GuardedCandidate) and found.covers(b) for b in bad):
                yield found
        for boundary in (*late, *self._separating(key[0], wanted, guard), *self._of_dependencies(key[0], wanted)):
            yield from split(boundary)

    def region(self, guard: MarkerSet, extras: Extras, dependency: Dependency) -> MarkerSet:
        """Where `dependency` applies, given where its release and the extras of it are needed."""
        marker = dependency.marker
        if marker.is_full:
            return guard
        found = guard & marker.with_metadata_extra(None)
        for extra, region in extras:
            found |= region & marker.with_metadata_extra(extra)
        return found

    def origin(self, candidate: GuardedCandidate, dependency: Dependency) -> Origin:
        """Who asks, when `candidate` brings `dependency`."""
        memo = (candidate.name, candidate.version, dependency.text)
        known = self._origins.get(memo)
        if known is None:
            known = self._origins[memo] = Origin(name=candidate.name, version=candidate.version, text=dependency.text)
        return known

    def impossible_origin(self, candidate: GuardedCandidate) -> Origin:
        """Who asks, when `candidate` turns out to be unusable."""
        return Origin(name=candidate.name, version=candidate.version, text="(its metadata cannot be used)")

    def _releases(
        self, key: Key, wanted: Sequence[Requirement], guard: MarkerSet
    ) -> Iterator[GuardedCandidate | _Boundary]:
        """Releases that serve the guard, and, between them, the boundaries of those that serve a part of it.

        Upper bounds on Pythons may not count (`Repository.serves`): a release that admits no Python of the guard when
        they do comes after all that admit some.
        """
        releases = self._repository.releases(key[0])
        pins = self._pins(releases, guard)
        if pins.boundary is not None:
            yield _Boundary(region=pins.boundary, late=False)
        row = self._row(releases, pins, wanted, guard)
        order = self._in_turn(releases, [*row.first, *row.rest], guard)
        probed = row.probed
        done: set[int] = set()
        without_files: list[int] = []
        waiting: deque[int] = deque()
        while (position := waiting.popleft() if waiting else next(order, None)) is not None:
            if position in done:
                continue
            done.add(position)
            version = releases.versions[position]
            serves = self._repository.serves(releases.name, version)
            if not guard.implies(serves):
                if not guard.is_disjoint(serves):
                    yield _Boundary(region=serves)
                continue
            strict = self._repository.strictly_serves(releases.name, version)
            if self._continued(releases, row.mask, position, guard - strict):
                yield _Boundary(region=strict, late=False)
            settled = self._locked_for if position in row.first else MarkerSet.none()
            boundary = self._files_boundary(releases, row.mask, position, guard - settled)
            if boundary is not None:
                yield _Boundary(region=boundary)
                without_files.append(position)
                continue
            if probed and position not in row.first:
                waiting.extendleft(reversed([*(p for p in probed if p not in done), position]))
                done.discard(position)
                probed = []
                continue
            yield self._guard(key, version, guard, wanted)
        for position in without_files:
            yield self._guard(key, releases.versions[position], guard, wanted)

    def _row(self, releases: Releases, pins: _Pins, wanted: Sequence[Requirement], guard: MarkerSet) -> _Row:
        name = releases.name
        specifiers = {r.specifier for r in wanted}
        specifiers.update(s for s, region in self._policy.constraints.get(name, ()) if not region.is_disjoint(guard))
        locked = sum({1 << p for p in pins.locked})
        mask = self._admission.admitted(releases, specifiers, preferred=locked)
        mask = self._not_leaking(releases, mask, wanted, guard)
        first = [p for p in pins.locked if mask >> p & 1]
        rest = self._admission.ordered(name, mask & ~sum({1 << p for p in first}))
        if first or rest:
            self._repository.hint_release(name, releases.versions[(first or rest)[0]])
        # A pin that a probe found goes before the first release that serves the whole guard, not before the splits on
        # newer ones that serve a part of it: those keep every Python at its newest.
        probed = [p for p in pins.probed if mask >> p & 1 and p not in first]
        return _Row(mask=mask, first=first, rest=rest, probed=probed)

    def _in_turn(self, releases: Releases, positions: Iterable[int], guard: MarkerSet) -> Iterator[int]:
        """`positions` in their order, those last that admit no Python of the guard once upper bounds count."""
        left_behind = []
        for position in positions:
            if guard.is_disjoint(self._repository.strictly_serves(releases.name, releases.versions[position])):
                left_behind.append(position)
            else:
                yield position
        yield from left_behind

    def _continued(self, releases: Releases, mask: int, position: int, beyond: MarkerSet) -> bool:
        """Whether a newer release admits Pythons `beyond` the upper bound of one that would be taken before it.

        Where the newest come first, it has had its turn (`newest`), or is what the split is for (`fewest`).
        """
        if beyond.is_empty or (self._policy.fork == "newest" and self._admission.highest_first(releases.name)):
            return False
        newer = islice(bits(mask & ((1 << position) - 1)), _RELEASES_ASKED_FOR_PYTHONS)
        return any(
            not beyond.is_disjoint(self._repository.strictly_serves(releases.name, releases.versions[other]))
            for other in newer
        )

    def _files_boundary(self, releases: Releases, mask: int, position: int, guard: MarkerSet) -> MarkerSet | None:
        """Where a release should be used by its files, None where that is the whole guard.

        A release should have a usable file in each wanted environment in which another admitted release has one. What
        no admitted release serves cannot be asked of any.
        """
        name = releases.name
        wheels = self._repository.wheels_serve(name, releases.versions[position])
        if wheels is None or (missing := (self._repository.wanted & guard) - wheels).is_empty:
            return None
        others = self._served_by_some.get((name, mask))
        if others is None:
            others = MarkerSet.none()
            for other in islice(bits(mask), _RELEASES_ASKED_FOR_FILES):
                serves = self._repository.wheels_serve(name, releases.versions[other])
                others |= self._repository.serves(name, releases.versions[other]) & (
                    MarkerSet.any() if serves is None else serves
                )
            self._served_by_some[name, mask] = others
        return None if missing.is_disjoint(others) else wheels | ~others

    def _not_leaking(self, releases: Releases, mask: int, wanted: Sequence[Requirement], guard: MarkerSet) -> int:
        """`mask` without yanked and pre-releases that only a part of the guard asks for by name or had locked.

        That part is split off.
        """
        special = mask & self._admission.only_named(releases)
        if not special:
            return mask
        asking = [(r.specifier, r.region) for r in wanted]
        asking += self._policy.constraints.get(releases.name, ())
        pins = [p for p in self._preferences.get(releases.name, ()) if p.binding]
        for position in bits(special):
            yanked = releases.yanked >> position & 1
            named = union(region for s, region in asking if (s.exact if yanked else s.names_prerelease))
            named |= union(p.region for p in pins if p.version == releases.versions[position])
            if not guard.implies(named):
                mask &= ~(1 << position)
        return mask

    def _pins(self, releases: Releases, guard: MarkerSet) -> _Pins:
        concerned = [p for p in self._preferences.get(releases.name, ()) if not p.region.is_disjoint(guard)]
        if not concerned:
            return _NO_PINS
        locked = [p for p in concerned if p.binding]
        boundary = None
        if len({p.version for p in locked}) > 1:
            boundary = next((p.region for p in locked if not guard.implies(p.region)), None)
        position = {v: i for i, v in enumerate(releases.versions)}

        def positions(preferences: Iterable[Preference]) -> list[int]:
            return list(dict.fromkeys(position[p.version] for p in preferences if p.version in position))

        return _Pins(
            locked=positions(locked), probed=positions(p for p in concerned if not p.binding), boundary=boundary
        )

    def _guard(self, key: Key, version: Version, guard: MarkerSet, wanted: Sequence[Requirement]) -> GuardedCandidate:
        asked: dict[str, MarkerSet] = {}
        for requirement in wanted:
            for extra in requirement.extras:
                asked[extra] = asked.get(extra, MarkerSet.none()) | requirement.region
        extras: Extras = tuple(sorted(asked.items()))
        memo = (key, version, guard, extras)
        known = self._guarded.get(memo)
        if known is None:
            known = GuardedCandidate(key=key, version=version, guard=guard, extras=extras)
            self._guarded[memo] = known
        return known

    def closed(self, candidate: GuardedCandidate, facts: ReleaseFacts) -> Extras:
        """Regions of the candidate's extras, with those that the release asks of itself (`all = name[a,b]`)."""
        own = [d for d in facts.dependencies if d.name == candidate.name and d.extras]
        if not own:
            return candidate.extras
        found = dict(candidate.extras)
        changed = True
        while changed:
            changed = False
            extras = tuple(found.items())
            for dependency in own:
                region = self.region(candidate.guard, extras, dependency)
                for extra in dependency.extras:
                    before = found.get(extra, MarkerSet.none())
                    after = before | region
                    if after is not before:
                        found[extra] = after
                        changed = True
        return tuple(sorted((e, r) for e, r in found.items() if not r.is_empty))

    def _separating(self, name: str, wanted: Sequence[Requirement], guard: MarkerSet) -> list[MarkerSet]:
        """Regions of requirements that are a part of the guard; those that separate disagreeing ones first."""
        regions = [(r.region, r.specifier) for r in wanted]
        regions += [(region & guard, s) for s, region in self._policy.constraints.get(name, ())]
        boundaries = [b for b in dict.fromkeys(region for region, _ in regions) if not b.is_empty and b is not guard]
        if not boundaries:
            return []
        releases = self._repository.releases(name)

        def some_fit(part: MarkerSet) -> bool:
            specifiers = {s for region, s in regions if not region.is_disjoint(part)}
            return bool(self._admission.admitted(releases, specifiers or {ANY_VERSION}))

        # The sort is stable: among equals the order in which the requirements came decides.
        return sorted(boundaries, key=lambda b: -(some_fit(guard & b) + some_fit(guard - b)))

    def _of_dependencies(self, name: str, wanted: Sequence[Requirement]) -> Iterator[MarkerSet]:
        """Atoms of the markers of the name's own dependencies: a release may work only in a part of the guard."""
        releases = self._repository.releases(name)
        mask = self._admission.admitted(releases, {r.specifier for r in wanted})
        offered: set[MarkerSet] = set()
        for position in self._admission.ordered(name, mask)[:_RELEASES_ASKED_FOR_MARKERS]:
            facts = self._repository.facts(name, releases.versions[position])
            for boundary in _atoms(facts.dependencies if facts is not None else ()):
                if boundary not in offered:
                    offered.add(boundary)
                    yield boundary


def _atoms(dependencies: Iterable[Dependency]) -> Iterator[MarkerSet]:
    for dependency in dependencies:
        yield from dependency.marker.with_metadata_extra(None).atoms()
