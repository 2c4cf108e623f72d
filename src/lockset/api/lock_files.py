"""Releases without a file where they are needed give way, where another choice of releases has files there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

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
    from collections.abc import Mapping, Sequence

    from lockset.resolve.ask import Question
    from lockset.resolve.direct_repository import DirectRepository
    from lockset.resolve.index_repository import IndexRepository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.resolution import Node, Pins, Resolution

__all__ = ["with_files"]

# Searches anew: each may bring in releases that lack files in their turn, or show where there is nothing to be had.
_ROUNDS = 6
# Decisions of all these searches; beyond them, what was found stays.
_DECISIONS = 8_000


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
    effort = Effort(_DECISIONS)
    effort.begin(_DECISIONS)
    try:
        for _ in range(_ROUNDS):
            missing = _missing(resolution, question, repository, lenient)
            for name, region in missing.items():
                insisted[name] = insisted.get(name, _strict(question)) | region
            repository.insist({name: region - lenient for name, region in insisted.items()})
            lacking = union(missing.values())
            lenient |= _hopeless(lacking, question, repository, effort)
            if lacking.implies(lenient):
                break
            apart |= lacking
            repository.insist({name: region - lenient for name, region in insisted.items()})
            found = _apart(apart - lenient, question.request, repository, effort)
            if isinstance(found, Impossible):
                lenient |= found.universe | _hopeless_alike(found.universe, question, repository, effort)
            else:
                resolution = found
    except SpentError:
        return resolution
    finally:
        repository.insist({})
    return resolution


def _apart(
    region: MarkerSet, request: LockRequest, repository: IndexRepository | DirectRepository, effort: Effort
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
            pins, statistics = search(asked, repository, effort)
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


def _hopeless(
    region: MarkerSet, question: Question, repository: IndexRepository | DirectRepository, effort: Effort
) -> MarkerSet:
    """Where no choice of releases has files, as sampled environments like those of `region` tell."""
    # Where files are asked for, they are whatever is chosen: also where nothing lacked them.
    wide = region.without_extras_and_groups()
    found = MarkerSet.none()
    for choice in choices_of(question.request):
        found |= _without_files(wide - found, choice, question, repository, effort)
    return found


def _hopeless_alike(
    region: MarkerSet, question: Question, repository: IndexRepository | DirectRepository, effort: Effort
) -> MarkerSet:
    """The same for the extras and groups that are chosen in `region`, on every interpreter."""
    request = question.request
    extras = [e for e in request.extras or () if region.implies(MarkerSet.extra(e))]
    groups = [g for g in request.all_groups if region.implies(MarkerSet.group(g))]
    return _without_files(MarkerSet.any(), (extras, groups), question, repository, effort)


def _without_files(
    region: MarkerSet,
    choice: tuple[Sequence[str], Sequence[str]],
    question: Question,
    repository: IndexRepository | DirectRepository,
    effort: Effort,
) -> MarkerSet:
    """The interpreters that meet `region` for which nothing has files, with these extras and groups chosen, and more.

    An extra is never installed without the project: its default group goes without saying.
    """
    request = question.request
    extras, groups = choice
    chosen = MarkerSet.any()
    for extra in extras:
        chosen &= MarkerSet.extra(extra)
    for group in groups:
        if not extras or group != request.default_group:
            chosen &= MarkerSet.group(group)
    found = MarkerSet.none()
    for target, where in question.rules.targets.items():
        point = request.universe & environment_region(
            target.environment,
            extras=extras,
            groups=groups,
            all_extras=request.extras or (),
            all_groups=request.all_groups,
        )
        if point.is_disjoint(region):
            continue
        if solve_environment(request, point, request.roots, repository, effort) is not None:
            # What cannot hold cannot hold with more extras and groups either.
            found |= where & chosen
    return found
