"""Which releases are admitted for a set of specifiers, and in which order they are tried.

The rules for pre-releases are those of the version specifiers specification, and those for yanked releases of PEP 592.

Versions are parsed on first use, and pages list hundreds, so `matching_bits` looks at few of them: of a sorted list,
all that have a higher release number than the one in the specifier match, or none does, and so do those with a lower
one. Only those with this release number need a look one by one: its pre-releases, post-releases and local versions.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from lockset.dependency_specifiers import read_version
from lockset.index.pages.project_page import VersionList
from lockset.markers import MarkerSet
from lockset.resolve.problem.direct_source import DirectVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import Specifier as OneSpecifier
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from lockset.resolve.problem.request import Preference, ReleasePolicy
    from lockset.resolve.problem.requirement import Requirement, Specifier
    from lockset.resolve.releases.repository import Releases, Repository

__all__ = ["Admission", "bits", "matching_bits"]

_Release = tuple[int, tuple[int, ...]]

# For each operator, whether higher release numbers match, and whether lower ones do.
_OUTSIDE = {
    ">=": (True, False),
    ">": (True, False),
    "<=": (False, True),
    "<": (False, True),
    "==": (False, False),
    "!=": (True, True),
}


def bits(mask: int) -> Iterator[int]:
    """Positions of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Admission:
    """Admits releases, as bit masks over `Releases.versions`; memoised.

    Adds to `not_opted_in` the projects whose only matching releases need an opt-in.
    """

    def __init__(
        self,
        repository: Repository,
        policy: ReleasePolicy,
        preferences: Mapping[str, tuple[Preference, ...]] | None = None,
        not_opted_in: set[str] | None = None,
    ) -> None:
        self._repository = repository
        self._policy = policy
        self._preferences = preferences or {}
        self._not_opted_in = set() if not_opted_in is None else not_opted_in
        # With them, the pre-releases that count where none of them may be used.
        self._admitted: dict[tuple[str, frozenset[Specifier]], tuple[int, int]] = {}

    def matching(self, releases: Releases, specifier: Specifier) -> int:
        """Releases that match `specifier`, pre-releases and yanked ones included."""
        known = releases.fitting.get(specifier)
        if known is None:
            versions = releases.versions
            direct = specifier.source is not None or any(isinstance(v, DirectVersion) for v in versions[-1:])
            if direct or releases.starts:
                known = sum(1 << at for at, version in enumerate(versions) if specifier.admits(version))
            else:
                known = matching_bits(specifier.specifiers, versions)
            releases.fitting[specifier] = known
        return known

    def admitted(
        self,
        releases: Releases,
        specifiers: Iterable[Specifier],
        guard: MarkerSet | None = None,
        *,
        preferred: int = 0,
    ) -> int:
        """Releases that match all `specifiers` and that the policy admits, in an environment of `guard` if it is given.

        Yanked ones only by an exact pin (PEP 592) or where `preferred` (pinned by the old lock); pre-releases only
        where a specifier names one or no final release matches (version specifiers, "Handling of pre-releases").
        """
        unique = frozenset(specifiers)
        key = (releases.name, unique)
        memo = self._admitted.get(key)
        if memo is None:
            memo = self._admitted[key] = self._admit(releases, unique)
        known, prereleases = memo
        if guard is not None and prereleases and known and not self._serve(releases, known, guard):
            known |= prereleases
        if preferred & ~known:
            fitting = preferred
            for specifier in unique:
                fitting &= self.matching(releases, specifier)
            known |= fitting
        return known

    def _admit(self, releases: Releases, specifiers: frozenset[Specifier]) -> tuple[int, int]:
        every = (1 << len(releases.versions)) - 1
        for specifier in specifiers:
            every &= self.matching(releases, specifier)
        admitted = self._admit_opted_in(releases, specifiers)
        if every and not admitted:
            self._not_opted_in.add(releases.name)
        if releases.name in self._policy.opted_in:
            return every & (releases.stable if self._mode(releases.name) == "disallow" else every), 0
        return admitted, self._admit_opted_in(releases, specifiers, final=0) & ~admitted if every & ~admitted else 0

    def _mode(self, name: str) -> str:
        return self._policy.prerelease_of.get(name, self._policy.prerelease)

    def _serve(self, releases: Releases, mask: int, where: MarkerSet) -> bool:
        """Whether one of `mask` may be used somewhere in `where`."""
        return any(
            not where.is_disjoint(self._repository.serves(releases.name, releases.versions[position]))
            for position in bits(mask)
        )

    def _admit_opted_in(self, releases: Releases, specifiers: frozenset[Specifier], *, final: int = -1) -> int:
        """Releases that need no opt-in or have one; `final` are the final releases that may be used."""
        mask = (1 << len(releases.versions)) - 1
        exact = 0
        for specifier in specifiers:
            fits = self.matching(releases, specifier)
            mask &= fits
            if specifier.exact:
                exact |= fits
        mask &= ~releases.yanked | exact
        mode = self._mode(releases.name)
        if mode == "allow":
            return mask
        stable = mask & releases.stable
        if mode == "disallow":
            return stable
        opts_in = any(s.names_prerelease for s in specifiers)
        return mask if opts_in or not stable & final else stable

    def foremost(self, releases: Releases, mask: int) -> int:
        """Those in `mask` that are tried first: stable ones, where there are any."""
        if self._mode(releases.name) == "allow":
            return mask
        opted_in = releases.name in self._policy.opted_in
        return (mask & ~releases.yanked if opted_in else mask) & releases.stable or mask

    def needing_opt_in(self, releases: Releases) -> int:
        """Releases that need an opt-in: yanked ones, and pre-releases where there are stable releases."""
        mode = self._mode(releases.name)
        if mode != "if-necessary" or not releases.stable & ~releases.yanked:
            return releases.yanked
        return releases.yanked | ((1 << len(releases.versions)) - 1) & ~releases.stable

    def without_leaks(
        self, releases: Releases, mask: int, requirements: Sequence[Requirement], guard: MarkerSet
    ) -> int:
        """`mask` without yanked releases and pre-releases that are not opted in to everywhere in the guard.

        A yanked release is opted in to by an exact pin, a pre-release by a specifier that names one or where no final
        release matches; either by a pin of the old lock. A fork gives it to the part of the guard that opts in.
        """
        special = mask & self.needing_opt_in(releases)
        if not special or releases.name in self._policy.opted_in:
            return mask
        requested = [(r.specifier, r.region & guard) for r in requirements]
        requested += [(s, where & guard) for s, where in self._policy.constraints.get(releases.name, ())]
        pins = [p for p in self._preferences.get(releases.name, ()) if p.binding]
        for position in bits(special):
            where = guard - MarkerSet.union([p.region for p in pins if p.version == releases.versions[position]])
            if not self.is_opted_in(releases, position, requested, where):
                mask &= ~(1 << position)
        return mask

    def is_opted_in(
        self, releases: Releases, position: int, requested: Sequence[tuple[Specifier, MarkerSet]], where: MarkerSet
    ) -> bool:
        """Whether a release that needs an opt-in has one everywhere in `where`."""
        if releases.yanked >> position & 1:
            return where.implies(MarkerSet.union([region for s, region in requested if s.exact]))
        left = where - MarkerSet.union([region for s, region in requested if s.names_prerelease])
        return left.is_empty or not self._has_final(releases, requested, left)

    def _has_final(
        self, releases: Releases, requested: Sequence[tuple[Specifier, MarkerSet]], where: MarkerSet
    ) -> bool:
        """Whether a final release matches everything that applies, in some environment of `where`."""
        parts = {where: releases.stable & ~releases.yanked}
        for specifier, region in requested:
            fits = self.matching(releases, specifier)
            divided: dict[MarkerSet, int] = {}
            for part, mask in parts.items():
                divided[part & region] = mask & fits
                divided[part - region] = mask
            parts = {part: mask for part, mask in divided.items() if mask and not part.is_empty}
        return any(self._serve(releases, mask, part) for part, mask in parts.items())

    def ordered(self, name: str, mask: int) -> Iterator[int]:
        """Positions in `mask` in the order they are tried; `Releases.versions` is newest first.

        Pre-releases come after all stable ones, unless the policy allows them everywhere.
        """
        releases = self._repository.releases(name)
        foremost = self.foremost(releases, mask)
        highest_first = self.highest_first(name)
        for part in (foremost, mask & ~foremost):
            yield from bits(part) if highest_first else releases.lowest_first(list(bits(part)))

    def before(self, releases: Releases, position: int) -> int:
        """The releases that are tried before the one at `position`, as far as versions go."""
        if self.highest_first(releases.name):
            return (1 << position) - 1
        order = releases.lowest_first(range(len(releases.versions)))
        return sum(1 << p for p in order[: order.index(position)]) if releases.starts else -1 << (position + 1)

    def highest_first(self, name: str) -> bool:
        """Whether the highest versions of the project are tried first."""
        return self._policy.order != "lowest" and name not in self._policy.lowest


def matching_bits(specifiers: SpecifierSet, versions: Sequence[Version]) -> int:
    """Bit i is set where `versions[i]` matches; `versions` are sorted, newest first. Pre-releases match like others."""
    bits = (1 << len(versions)) - 1
    for specifier in specifiers:
        if bits:
            bits &= _bits(specifier, versions)
    return bits


def _bits(specifier: OneSpecifier, versions: Sequence[Version]) -> int:
    operator, text = specifier.operator, specifier.version
    if operator == "===":
        return _one_by_one(specifier, versions, 0, len(versions))
    bound = read_version(text.removesuffix(".*"))
    if operator == "~=":
        release = bound.release[:-1]
        lower = _around(versions, ">=", _release(*_number(bound)), _release)
        first, end, _, _ = _around(versions, "==", (bound.epoch, release), _prefix(len(release)))
        at_least = lower[2] | _one_by_one(specifier, versions, lower[0], lower[1])
        return at_least & ((1 << end) - (1 << first))
    if text.endswith(".*"):
        key = _prefix(len(bound.release))
        first, end, above, below = _around(versions, operator, key(*_number(bound)), key)
        return above | below | (((1 << end) - (1 << first)) if operator == "==" else 0)
    first, end, above, below = _around(versions, operator, _release(*_number(bound)), _release)
    return above | below | _one_by_one(specifier, versions, first, end)


def _around(
    versions: Sequence[Version], operator: str, bound: _Release, key: Callable[[int, tuple[int, ...]], _Release]
) -> tuple[int, int, int, int]:
    """First position and end of the versions with the key `bound`, and the others that match, above and below them."""
    positions = range(len(versions))
    number = versions.number if isinstance(versions, VersionList) else lambda position: _number(versions[position])
    first = bisect_left(positions, 1, key=lambda position: key(*number(position)) <= bound)
    # Few versions have the same number: each is looked at, which is less than another search among the older ones.
    end = next((at for at in positions[first:] if key(*number(at)) != bound), len(versions))
    above, below = _OUTSIDE[operator]
    return first, end, (1 << first) - 1 if above else 0, (1 << len(versions)) - (1 << end) if below else 0


def _one_by_one(specifier: OneSpecifier, versions: Sequence[Version], first: int, end: int) -> int:
    return sum(1 << at for at in range(first, end) if specifier.contains(versions[at], prereleases=True))


def _number(version: Version) -> _Release:
    return version.epoch, version.release


def _release(epoch: int, release: tuple[int, ...]) -> _Release:
    """Epoch and release number, without zeros at the end."""
    end = len(release)
    while end and not release[end - 1]:
        end -= 1
    return epoch, release[:end]


def _prefix(length: int) -> Callable[[int, tuple[int, ...]], _Release]:
    """Epoch and the first numbers of the release number."""

    def key(epoch: int, release: tuple[int, ...]) -> _Release:
        first = release[:length]
        return epoch, first + (0,) * (length - len(first))

    return key
