"""Releases without a file where they are needed give way, where another choice of releases has files there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.events import Silent
from lockset.markers import MarkerSet
from lockset.resolve.candidate import GuardedCandidate
from lockset.resolve.direct import DirectVersion
from lockset.resolve.effort import Effort, SpentError
from lockset.resolve.propagate import propagate
from lockset.resolve.pythons import MAINTAINED
from lockset.resolve.regions import environment_region, union
from lockset.resolve.request import Preference
from lockset.resolve.resolution import Statistics
from lockset.resolve.search import Impossible, choices_of, search, solve_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.resolve.ask import Question
    from lockset.resolve.direct_repository import DirectRepository
    from lockset.resolve.index_repository import IndexRepository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.resolution import Node, Pins, Resolution

__all__ = ["with_files"]

# Searches anew: each may bring in releases that lack files in their turn, or show where there is nothing to be had.
_ROUNDS = 6
# Decisions of the searches in single environments; beyond them, what was found stays.
_DECISIONS = 20_000


def with_files(
    resolution: Resolution, question: Question, repository: IndexRepository | DirectRepository
) -> Resolution:
    """`resolution`, or another one with fewer releases that have no usable file where they are needed.

    Asked for are the environments of described interpreters, except a Python in development where the range is open
    above (files come last there), and those of releases that have no file at all where they are needed. Where no choice
    of releases has files, and where the old lock had the release, nothing changes.
    """
    insisted: dict[str, MarkerSet] = {}
    apart = lenient = MarkerSet.none()
    try:
        for _ in range(_ROUNDS):
            missing = _missing(resolution, question, repository, lenient)
            for name, region in missing.items():
                insisted[name] = insisted.get(name, _strict(question)) | region
            repository.insist({name: region - lenient for name, region in insisted.items()})
            lacking = union(missing.values())
            lenient |= _hopeless(lacking, question, repository)
            if lacking.implies(lenient):
                break
            apart |= lacking
            repository.insist({name: region - lenient for name, region in insisted.items()})
            found = _apart(apart - lenient, question.request, repository)
            if isinstance(found, Impossible):
                lenient |= _standing_for(found.universe, question)
            else:
                resolution = found
    finally:
        repository.insist({})
    return resolution


def _apart(
    region: MarkerSet, request: LockRequest, repository: IndexRepository | DirectRepository
) -> Resolution | Impossible:
    """The answer for `region` by itself, or why there is none: what lacks files there drags nothing back elsewhere."""
    preferences = dict(request.preferences)
    found: Pins | None = None
    statistics = Statistics()
    for part in (request.universe - region, request.universe & region):
        if part.is_empty:
            continue
        asked = replace(request, universe=part, preferences=preferences)
        try:
            pins, statistics = search(asked, repository, Silent())
        except Impossible as impossible:
            return impossible
        found = pins if found is None else found.joined(pins)
        for _, candidates in pins.parts:
            for (name, _cell), candidate in candidates.items():
                if isinstance(candidate, GuardedCandidate):
                    tried = Preference(version=candidate.version, region=MarkerSet.any(), binding=False)
                    preferences[name] = (*preferences.get(name, ()), tried)
    assert found is not None, "a region that is apart is a part of the universe"
    return propagate(found, request.roots, request.universe, repository, statistics)


def _strict(question: Question) -> MarkerSet:
    newest_too = not question.request.open_above
    targets = question.rules.targets.items()
    return union(region for t, region in targets if newest_too or t.environment.python_version in MAINTAINED)


def _missing(
    resolution: Resolution, question: Question, repository: IndexRepository | DirectRepository, lenient: MarkerSet
) -> Mapping[str, MarkerSet]:
    """Where releases lack files, by project."""
    strict = _strict(question)
    found: dict[str, MarkerSet] = {}
    for (name, version), node in resolution.nodes.items():
        if isinstance(version, DirectVersion):
            continue
        wheels = repository.wheels_serve(name, version)
        if wheels is None:
            continue
        asked = node.region if node.region.is_disjoint(wheels) else node.region & strict
        region = asked - wheels - lenient - _pinned(node, question.request)
        if not region.is_empty:
            found[name] = found.get(name, MarkerSet.none()) | region
    return found


def _pinned(node: Node, request: LockRequest) -> MarkerSet:
    name, version = node.key
    pins = request.preferences.get(name, ())
    return request.locked_for & union(p.region for p in pins if p.binding and p.version == version)


def _hopeless(region: MarkerSet, question: Question, repository: IndexRepository | DirectRepository) -> MarkerSet:
    """The part of `region` in which no choice of releases has files, as sampled environments tell."""
    request = question.request
    found = MarkerSet.none()
    effort = Effort(_DECISIONS)
    effort.begin(_DECISIONS)
    for where, chosen, point in _points(region, question):
        if point.implies(found):
            continue
        try:
            impossible = solve_environment(request, point, request.roots, repository, effort)
        except SpentError:
            return found | region
        if impossible is not None:
            # What cannot hold cannot hold with more extras and groups either.
            found |= where & chosen
    return found


def _standing_for(region: MarkerSet, question: Question) -> MarkerSet:
    """What a region in which no choice of releases has files stands for: its interpreters, with as much chosen."""
    chosen = MarkerSet.any()
    for choice in (*map(MarkerSet.extra, region.extras()), *map(MarkerSet.group, region.groups())):
        if region.implies(choice):
            chosen &= choice
    where = (w for w in question.rules.targets.values() if not region.is_disjoint(w))
    return region | union(where) & chosen


def _points(region: MarkerSet, question: Question) -> Iterator[tuple[MarkerSet, MarkerSet, MarkerSet]]:
    """Environments of `region`: what each stands for, the choices made in it, and the environment itself."""
    request = question.request
    for extras, groups in choices_of(request):
        for target, where in question.rules.targets.items():
            point = request.universe & environment_region(
                target.environment,
                extras=extras,
                groups=groups,
                all_extras=request.extras or (),
                all_groups=request.all_groups,
            )
            if point.is_empty or point.is_disjoint(region):
                continue
            chosen = MarkerSet.any()
            for extra in extras:
                chosen &= MarkerSet.extra(extra)
            for group in groups:
                chosen &= MarkerSet.group(group)
            yield where, chosen, point
