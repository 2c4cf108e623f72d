"""Fork points: boundaries at which the releases, requirements or markers of a package differ."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lockset.markers import MarkerSet
from lockset.resolve.problem.requirement import ANY_VERSION
from lockset.resolve.releases.admission import bits
from lockset.resolve.solver.candidate import ForkCandidate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.resolve.problem.request import ReleasePolicy
    from lockset.resolve.problem.requirement import Dependency, Requirement, Specifier
    from lockset.resolve.releases.admission import Admission
    from lockset.resolve.releases.repository import Releases, Repository
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["ForkPoints", "environment_part", "partial_regions"]

# Releases of a package whose dependency markers are offered as fork points when there are no others left.
_MOST_RELEASES_FOR_MARKERS = 3

# Releases without a wheel, newest first, whose sdist may serve where newer releases have no file. Further back, and
# where the metadata needs a build, no sdist counts.
_MOST_SDISTS = 3

# Parts of a guard that are looked at for one without a release.
_MOST_PARTS = 64

# Newer releases that are looked at for one that admits the Pythons beyond the upper bound of another.
_MOST_RELEASES_FOR_PYTHONS = 15


class ForkPoints:
    """Makes the fork points of decisions. Results depend on the arguments and the repository alone."""

    def __init__(
        self, repository: Repository, policy: ReleasePolicy, admission: Admission, universe: MarkerSet | None = None
    ) -> None:
        self._repository = repository
        self._policy = policy
        self._admission = admission
        # The universe is bounded in the extras and groups that are declared to conflict, and in no others.
        self._conflicting = frozenset() if universe is None else universe.extras() | universe.groups()
        self._served_by_some: dict[tuple[str, int, MarkerSet], MarkerSet] = {}

    def of_newer(
        self, releases: Releases, requirements: Sequence[Requirement], guard: MarkerSet, position: int
    ) -> Iterator[MarkerSet]:
        """Where requirements end that exclude newer releases: one of those fits on one side.

        Pythons first, then platforms, then extras, then where several requirements end together.
        """
        newer = self._newer(releases, requirements, guard, position)
        if not newer:
            return
        specifier_regions = self._specifier_regions(releases.name, requirements, guard)
        regions = dict.fromkeys(
            region for region, specifier in specifier_regions if specifier.text and region is not guard
        )
        environments = [r.without_extras_and_groups() for r in regions]
        extras = list(self._of_extras(requirements, guard))
        # What a requirement limits: its environments, unless it counts only where its extra is selected.
        limited = {r: r if r in extras else e for r, e in zip(regions, environments, strict=True)}
        fork_points = [
            *(e.without_platforms() for e in environments),
            *environments,
            *extras,
            *self._of_several(releases, [(limited[r], s) for r, s in specifier_regions if r in limited], newer),
        ]
        for fork_point in dict.fromkeys(fork_points):
            sides = (guard - fork_point, guard & fork_point)
            if not sides[0].is_empty and any(
                self._is_newer_on(side, releases, requirements, specifier_regions, position) for side in sides
            ):
                yield fork_point

    def _of_several(
        self, releases: Releases, limited: Sequence[tuple[MarkerSet, Specifier]], newer: int
    ) -> Iterator[MarkerSet]:
        """Unions of what several specifiers limit, each of which excludes one of the releases in `newer`.

        Beyond them that release fits, though not beyond one of them alone.
        """
        matching: dict[MarkerSet, int] = {}
        for region, specifier in limited:
            matching[region] = matching.get(region, -1) & self._admission.matching(releases, specifier)
        left = newer if len(matching) > 1 else 0
        while left:
            newest = left & -left
            excluding = [region for region, mask in matching.items() if not mask & newest]
            if len(excluding) > 1:
                yield MarkerSet.union(excluding)
            # Releases that all of these exclude fit in no more environments.
            fitting = 0
            for region in excluding:
                fitting |= matching[region]
            left &= fitting if excluding else ~newest

    def of_conflicts(
        self, releases: Releases, requirements: Sequence[Requirement], guard: MarkerSet, position: int
    ) -> Iterator[MarkerSet]:
        """Where a member of a declared conflict is chosen, if what it requires excludes newer releases."""
        if not self._policy.conflict_regions or not self._newer(releases, requirements, guard, position):
            return
        specifier_regions = self._specifier_regions(releases.name, requirements, guard)
        for member in self._policy.conflict_regions:
            sides = (guard - member, guard & member)
            if not any(side.is_empty for side in sides) and any(
                self._is_newer_on(side, releases, requirements, specifier_regions, position) for side in sides
            ):
                yield member

    def _of_extras(self, requirements: Sequence[Requirement], guard: MarkerSet) -> Iterator[MarkerSet]:
        """Where requirements end that come with an extra of the project itself, or one that is declared to conflict.

        What an extra bounds through other packages is shared with and without the extra if one release fits both.
        So are the releases of groups: `dev` should test what the others install.
        """
        without = guard - MarkerSet.union(map(MarkerSet.extra, guard.extras()))
        for requirement in requirements:
            region = requirement.region
            if not requirement.specifier.text or region is guard:
                continue
            flags = region.extras() | region.groups()
            own = requirement.origin.version is None and region.extras() and not without.is_empty
            if own or not flags.isdisjoint(self._conflicting):
                yield region

    def _newer(self, releases: Releases, requirements: Sequence[Requirement], guard: MarkerSet, position: int) -> int:
        """Releases newer than the one at `position` that fit what is required in all of the guard, as bits."""
        newer = (1 << position) - 1 if self._admission.highest_first(releases.name) else 0
        for requirement in requirements:
            if not newer:
                break
            if requirement.region is guard:
                newer &= self._admission.matching(releases, requirement.specifier)
        return newer

    def _is_newer_on(
        self,
        side: MarkerSet,
        releases: Releases,
        requirements: Sequence[Requirement],
        specifier_regions: Sequence[tuple[MarkerSet, Specifier]],
        position: int,
    ) -> bool:
        """Whether a release newer than the one at `position` fits everything on one side of a fork point.

        One without a file there does not count: it would have an entry that nobody can install.
        """
        specifiers = {s for region, s in specifier_regions if not region.is_disjoint(side)}
        mask = self._admission.admitted(releases, specifiers or {ANY_VERSION})
        mask = self._admission.foremost(releases, self._admission.without_leaks(releases, mask, requirements, side))
        mask &= (1 << position) - 1
        return any(self._has_file_in(side, releases, p) for p in bits(mask))

    def _has_file_in(self, region: MarkerSet, releases: Releases, position: int) -> bool:
        """Whether a release can be installed in some environment of `region`."""
        usable = self._usable(releases, position) & region
        if usable.is_empty:
            return False
        wheels = self._repository.wheels_serve(releases.name, releases.versions[position])
        return wheels is None or not wheels.is_disjoint(usable)

    def _usable(self, releases: Releases, position: int) -> MarkerSet:
        version = releases.versions[position]
        serves = self._repository.serves(releases.name, version)
        return serves & self._repository.strictly_serves(releases.name, version)

    def _specifier_regions(
        self, name: str, requirements: Sequence[Requirement], guard: MarkerSet
    ) -> list[tuple[MarkerSet, Specifier]]:
        """Every specifier with the part of the guard in which it applies, constraints included."""
        regions = [(r.region, r.specifier) for r in requirements]
        return regions + [(region & guard, s) for s, region in self._policy.constraints.get(name, ())]

    def without_release(
        self,
        name: str,
        requirements: Sequence[Requirement],
        guard: MarkerSet,
        excluded: Mapping[Version, MarkerSet] | None = None,
        *,
        preferred: int = 0,
    ) -> tuple[MarkerSet, tuple[Version, ...]] | None:
        """A part of the guard in each environment of which no release is possible, so that no fork can help.

        Comes with the releases that the requirements admit there, all of them in `excluded`; None where none is sure.

        Args:
            name: Name of the project.
            requirements: All requirements on the decision.
            guard: Where one of them holds.
            excluded: For each release, environments in each of which it is excluded.
            preferred: Releases of the old lock, as bits.
        """
        releases = self._repository.releases(name)
        parts = self._parts(releases, requirements, guard)
        for mask, part in parts.values():
            if not mask:
                return part, ()
        for specifiers, (_, part) in parts.items() if excluded else ():
            admitted = bits(self._admission.admitted(releases, specifiers, part, preferred=preferred))
            versions = tuple(releases.versions[position] for position in admitted)
            left = part
            for version in versions:
                left -= self._repository.serves(name, version) - (excluded or {}).get(version, MarkerSet.none())
                if left.is_empty:
                    break
            else:
                return left, versions
        return None

    def _parts(
        self, releases: Releases, requirements: Sequence[Requirement], guard: MarkerSet
    ) -> dict[frozenset[Specifier], tuple[int, MarkerSet]]:
        """Parts of the guard, by the specifiers that hold in them, with the releases that match these.

        Only the part that no release matches, if there is one; none at all where there are too many.
        """
        parts: dict[frozenset[Specifier], tuple[int, MarkerSet]] = {frozenset(): (-1, guard)}
        for region, specifier in self._specifier_regions(releases.name, requirements, guard):
            matching = self._admission.matching(releases, specifier)
            divided: dict[frozenset[Specifier], tuple[int, MarkerSet]] = {}
            for held, (mask, part) in parts.items():
                sides = (held | {specifier}, mask & matching, part & region), (held, mask, part - region)
                for specifiers, left, side in sides:
                    if side.is_empty:
                        continue
                    if not left:
                        return {specifiers: (left, side)}
                    same = divided.get(specifiers)
                    divided[specifiers] = (left, side if same is None else same[1] | side)
            if len(divided) > _MOST_PARTS:
                return {}
            parts = divided
        return parts

    def is_continued(self, releases: Releases, mask: int, position: int, beyond: MarkerSet) -> bool:
        """Whether a newer release admits Pythons `beyond` the upper bound of one that would be taken before it.

        Where the newest come first, that release was tried already (fork strategy `newest`).
        """
        if self._policy.fork == "newest" and self._admission.highest_first(releases.name):
            return False
        mask = self._admission.foremost(releases, mask)
        newer = islice(bits(mask & ((1 << position) - 1)), _MOST_RELEASES_FOR_PYTHONS)
        return any(
            not beyond.is_disjoint(self._repository.strictly_serves(releases.name, releases.versions[other]))
            for other in newer
        )

    def of_files(self, releases: Releases, mask: int, wheels: MarkerSet, missing: MarkerSet) -> MarkerSet | None:
        """Where a release should be used whose `wheels` are `missing` in target environments; None for everywhere.

        A release should have a usable file in each target environment in which another admitted release has one. Where
        none has one, the newest is as good as any.
        """
        others = self._served_by_any(releases, mask, missing)
        return None if missing.is_disjoint(others) else wheels | ~others

    def is_of_use(self, releases: Releases, mask: int, position: int, region: MarkerSet) -> bool:
        """Whether choosing the release in `region` is of use there.

        It is where the release has a file, and in target environments in which no release has one. Other environments
        are not targets: they get no lock entry of their own.
        """
        wheels = self._repository.wheels_serve(releases.name, releases.versions[position])
        if wheels is None or not region.is_disjoint(wheels):
            return True
        targets = self._repository.target_region & region
        return not targets.implies(self._served_by_any(releases, mask, targets))

    def _served_by_any(self, releases: Releases, mask: int, region: MarkerSet) -> MarkerSet:
        """Where releases in `mask` have files: as many, newest first, as serve what any of them does of `region`.

        Includes everything else that these serve: an older release is used wherever it has a file. Upper bounds on
        Pythons count: a file is of no use where its release excludes the Python.
        """
        key = (releases.name, mask, region)
        known = self._served_by_some.get(key)
        if known is None:
            known = MarkerSet.none()
            sdists = 0
            for position in bits(mask):
                if region.implies(known):
                    break
                version = releases.versions[position]
                serves = self._usable(releases, position)
                wheels = self._repository.wheels_serve(releases.name, version)
                if wheels is None:
                    sdists += 1
                    useful = sdists <= _MOST_SDISTS and self._repository.has_static_metadata(releases.name, version)
                else:
                    serves &= wheels
                    useful = not serves.is_disjoint(region - known)
                if useful:
                    known |= serves
            self._served_by_some[key] = known
        return known

    def separating(self, name: str, requirements: Sequence[Requirement], guard: MarkerSet) -> list[MarkerSet]:
        """Regions of requirements that are a part of the guard; those that separate disagreeing ones first."""
        regions = self._specifier_regions(name, requirements, guard)
        fork_points = [b for b in dict.fromkeys(region for region, _ in regions) if not b.is_empty and b is not guard]
        if not fork_points:
            return []
        releases = self._repository.releases(name)

        def fitting(part: MarkerSet) -> int:
            specifiers = {s for region, s in regions if not region.is_disjoint(part)}
            return self._admission.admitted(releases, specifiers or {ANY_VERSION})

        order = 1 if self._admission.highest_first(name) else -1

        def rank(fork_point: MarkerSet) -> tuple[int, int]:
            inside, outside = fitting(guard & fork_point), fitting(guard - fork_point)
            best = next(self._admission.ordered(name, outside), 0)
            return -(bool(inside) + bool(outside)), best * order

        # Where two extras exclude each other, environments with neither share the better release, not the first.
        # The sort is stable: among equals the order in which the requirements came decides.
        return sorted(fork_points, key=rank)

    def of_dependencies(self, name: str, requirements: Sequence[Requirement]) -> Iterator[MarkerSet]:
        """Atoms of the markers of the name's own dependencies: a release may work only in a part of the guard."""
        releases = self._repository.releases(name)
        mask = self._admission.admitted(releases, {r.specifier for r in requirements})
        offered: set[MarkerSet] = set()
        positions = tuple(islice(self._admission.ordered(name, mask), _MOST_RELEASES_FOR_MARKERS))
        for position in positions:
            self._repository.hint_release(name, releases.versions[position])
        for position in positions:
            facts = self._repository.facts(name, releases.versions[position])
            for fork_point in _atoms(facts.dependencies.with_extras(()) if facts is not None else ()):
                if fork_point not in offered:
                    offered.add(fork_point)
                    yield fork_point


def _atoms(dependencies: Iterable[Dependency]) -> Iterator[MarkerSet]:
    for dependency in dependencies:
        yield from dependency.marker.with_metadata_extra(None).atoms()


def partial_regions(requirements: Iterable[Requirement], parent: Candidate) -> Iterator[MarkerSet]:
    """Regions of `requirements` that are only a part of the guard of `parent`: outside of them it may be possible."""
    if not isinstance(parent, ForkCandidate):
        for requirement in requirements:
            if requirement.region is not parent.guard:
                yield from environment_part(requirement.region, requirement.key[1])


def environment_part(region: MarkerSet, decided: MarkerSet) -> Iterator[MarkerSet]:
    """`region`, a part of `decided`, without its extras and groups; nothing where these matter."""
    environments = region.without_extras_and_groups()
    if environments & decided is region:
        yield environments
