"""For each package of a conflict: why releases that match all requirements cannot be chosen."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lockset.resolve.explain.failure import join_words
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.version import Version

    from lockset.markers import MarkerSet
    from lockset.markers.variables import Release
    from lockset.resolve.explain.failure import Failure
    from lockset.resolve.problem.requirement import Specifier
    from lockset.resolve.releases.repository import Releases

__all__ = ["python_specifiers", "pythons_in_words", "reasons"]

# Excluded Pythons that are listed one by one.
_GAP = 8


def reasons(failure: Failure) -> Iterator[str]:
    """One line for each package that has a reason."""
    for name in failure.names:
        reason = _reason(name, failure)
        if reason is not None:
            yield reason


def _reason(name: str, failure: Failure) -> str | None:
    specifiers = failure.specifiers_on(name)
    left_out = _quarantine(name, failure) or _left_out(name, specifiers, failure)
    if left_out is not None:
        return left_out
    releases = failure.repository.releases(name)
    if not releases.versions:
        index = failure.repository.empty_page(name)
        page = f"the page of {name} at {index} has no links to wheels or sdists with valid names"
        return page if index is not None else f"{name} has no release"
    if any(all(s.admits(v) for s in specifiers) for v in releases.versions):
        return _kept_out(releases, specifiers, failure)
    if any(not any(s.admits(v) for v in releases.versions) for s in specifiers):
        newest = max(releases.versions) if releases.starts else releases.versions[0]
        if isinstance(newest, DirectVersion):
            return f"{name} comes from {newest.source.shown}, and is {newest}"
        return f"the newest available version of {name} is {newest}"
    return None


def _quarantine(name: str, failure: Failure) -> str | None:
    status = failure.repository.project_status(name)
    return status.text if status is not None and status.status == "quarantined" else None


def _left_out(name: str, specifiers: Sequence[Specifier], failure: Failure) -> str | None:
    """Why rules leave out a release that would match."""
    for version in failure.repository.all_versions(name):
        if all(s.admits(version) for s in specifiers):
            why = failure.repository.left_out(name, version)
            return None if why is None else f"{name} {version} is left out: {why}"
    return None


def _kept_out(releases: Releases, specifiers: Sequence[Specifier], failure: Failure) -> str | None:
    """Why matching releases are excluded: policy, Requires-Python or files, checked in this order."""
    name, region, repository = releases.name, failure.conflict.region, failure.repository
    fitting = [v for v in releases.versions if all(s.admits(v) for s in specifiers)]
    admitted = Admission(repository, failure.request.policy).admitted(releases, specifiers)
    usable = [v for v in fitting if admitted >> releases.versions.index(v) & 1]
    if not usable:
        return _refused_by_policy(releases, fitting[0], failure)
    if any(not repository.serves(name, v).is_disjoint(region) for v in usable):
        return None
    lacking = repository.lacks_files(name, usable[0]) & region
    if not lacking.is_empty:
        platforms = [t.platform for t, where in repository.rules.strictly.items() if not where.is_disjoint(lacking)]
        return f"{name} {usable[0]} has no wheel for {join_words(list(dict.fromkeys(platforms)))}"
    serves = repository.serves(name, usable[0])
    if not serves.without_platforms().is_disjoint(region.without_platforms()):
        example = region.example()
        if example is not None and example.environment["implementation_name"] == "cpython":
            return f"{name} {usable[0]} has files for other platforms only"
        return f"{name} {usable[0]} has no file that can be used there"
    return _required_python(name, usable, failure)


def _required_python(name: str, usable: Sequence[Version], failure: Failure) -> str:
    """What the oldest release requires if all newer ones require at least that; else what the newest requires."""
    newest, oldest = (failure.repository.serves(name, version) for version in (usable[0], usable[-1]))
    if len(usable) > 1 and all(failure.repository.serves(name, version).implies(oldest) for version in usable):
        return f"{name} {usable[-1]} and newer require {pythons_in_words(oldest)}"
    return f"{name} {usable[0]} requires {pythons_in_words(newest)}"


def _refused_by_policy(releases: Releases, version: Version, failure: Failure) -> str:
    if releases.yanked >> releases.versions.index(version) & 1:
        return f"{releases.name} {version} is yanked"
    policy = failure.request.policy
    if policy.prerelease_of.get(releases.name, policy.prerelease) == "disallow":
        return f"{releases.name} {version} is a pre-release, and these are not allowed"
    return f"{releases.name} {version} is a pre-release"


def pythons_in_words(serves: MarkerSet) -> str:
    """`Python >=3.8,!=3.9.0,<3.14`; where it is not as simple as that, the marker."""
    if serves.is_empty:
        return "a Python that cannot exist: its bounds contradict each other"
    pythons = serves.without_platforms().without_extras_and_groups()
    bounds = python_specifiers(pythons)
    if bounds:
        return f"Python {','.join(bounds)}"
    marker = pythons.text()
    return f"an environment where {marker}" if marker else "another environment"


def python_specifiers(pythons: MarkerSet) -> list[str]:
    """Specifiers of a Requires-Python that admits exactly these; empty for all Pythons, and where it would be long."""
    intervals = pythons.python_intervals()
    specifiers = [f">={_written(intervals[0][0])}"] if intervals and any(intervals[0][0]) else []
    for (_, end), (start, _) in pairwise(intervals):
        assert end is not None
        gap = _gap(end, start)
        if gap is None:
            return []
        specifiers += gap
    last = intervals[-1][1] if intervals else None
    return [*specifiers, f"<{_written(last)}"] if last is not None else specifiers


def _gap(first: Release, end: Release) -> list[str] | None:
    """`!=3.9.0`, `!=3.1.*` for the Pythons from `first` up to `end`; None if too many to list."""
    exclusions: list[str] = []
    while first < end:
        major, minor, micro = first
        following = (major, minor + 1, 0)
        if micro == 0 and following <= end:
            exclusions.append(f"!={major}.{minor}.*")
            first = following
        elif end[:2] == (major, minor):
            exclusions += [f"!={major}.{minor}.{number}" for number in range(micro, end[2])]
            first = end
        else:
            return None
        if len(exclusions) > _GAP:
            return None
    return exclusions


def _written(release: Release) -> str:
    major, minor, micro = release
    return f"{major}.{minor}.{micro}" if micro else f"{major}.{minor}"
