"""Runs the search: conflict counts and restarts, and splitting of the universe as the last resort."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from resolvelib import BaseReporter, Resolver
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep

from lockset.markers import MarkerSet
from lockset.resolve.candidate import Candidate, GuardedCandidate
from lockset.resolve.provider import Provider
from lockset.resolve.regions import environment_region
from lockset.resolve.request import Preference
from lockset.resolve.requirement import Key, Requirement
from lockset.resolve.resolution import Pins, Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.events import Listener
    from lockset.resolve.repository import Repository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.requirement import Origin, Root

__all__ = ["Cause", "Impossible", "choices_of", "search", "solve_environment"]

# Rejected candidates that the first run of all takes in its stride; beyond them environments are probed first.
_CONFLICTS_AT_ONCE = 8
# Rejected candidates after which a run begins anew, with what it learned of the names in conflict; grows by half each
# time.
_FIRST_PATIENCE = 24
# Restarts before a run is given up: a universe is then split; one environment is then searched to the end.
_RESTARTS = 14
# Rounds of one run; far above what any real project needs. Beyond it the run counts as given up.
_ROUNDS = 60_000
# Universes split at most, one into two each time.
_UNIVERSE_SPLITS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One requirement of a conflict.

    Attributes:
        requirement: What is asked for.
        parent: The candidate that asks for it, None for a root.
        chain: Who asks for whom, from a root down to `requirement` itself; shorter where the search had forgotten.
    """

    requirement: Requirement
    parent: Candidate | None
    chain: tuple[Origin, ...] = ()

    @property
    def origin(self) -> Origin:
        """Who asks."""
        return self.requirement.origin


class Impossible(Exception):  # noqa: N818 (an answer of the search, turned into an error by `explain`)
    """No choice of releases works in `universe`; `causes` is the last conflict met.

    Attributes:
        exhausted: Whether everything was tried; False where the search gave up.
    """

    def __init__(self, universe: MarkerSet, causes: Sequence[Cause], *, exhausted: bool) -> None:
        super().__init__("no choice of releases works")
        self.universe = universe
        self.causes = tuple(causes)
        self.exhausted = exhausted


class _Restart(Exception):  # noqa: N818 (leaves a run early, caught in this module)
    pass


class _Found(Exception):  # noqa: N818 (leaves a run that has its answer, caught in this module)
    """Carries the decisions: resolvelib's own way to hand them out follows parents without end where they go round."""

    def __init__(self, mapping: Mapping[Key, Candidate]) -> None:
        super().__init__("found")
        self.mapping = dict(mapping)


class _Reporter(BaseReporter[Requirement, Candidate, Key]):
    """Counts conflicts per name, ends a run that has too many, and drops what nobody asks for any more."""

    def __init__(self, provider: Provider, listener: Listener, patience: int) -> None:
        self._provider = provider
        self._listener = listener
        self._patience = patience
        self.conflicts = 0
        self.rejections = 0
        self.rounds = 0
        self.causes: list[Cause] = []
        self._criteria: Mapping[Key, Any] = {}
        self._some: object = None
        self._conflicted = False

    def pinning(self, candidate: Candidate) -> None:
        if isinstance(candidate, GuardedCandidate):
            self._listener.step(f"{candidate.name} {candidate.version}")
        else:
            self._provider.splits[candidate.key] = candidate.boundary

    def rejecting_candidate(self, criterion: Any, candidate: Candidate) -> None:
        """Blame the name whose candidate was rejected: decided earlier, it makes those it meets yield instead.

        Blaming both sides alike leaves them in the order in which one of them walks through all its old releases.
        """
        del criterion
        self.rejections += 1
        self._provider.blame(candidate.name)
        if self.rejections > self._patience:
            raise _Restart

    def resolving_conflicts(self, causes: Any) -> None:
        self.conflicts += 1
        self._conflicted = True
        self.causes = [self._cause(c) for c in causes]

    def _cause(self, cause: Any) -> Cause:
        chain = [cause.requirement.origin]
        parent = cause.parent
        seen = set()
        while parent is not None and parent.key not in seen:
            seen.add(parent.key)
            criterion = self._criteria.get(parent.key)
            if criterion is None or not criterion.information:
                break
            above = criterion.information[0]
            if above.requirement.origin != chain[-1]:  # a split hands requirements on as they are
                chain.append(above.requirement.origin)
            parent = above.parent
        return Cause(requirement=cause.requirement, parent=cause.parent, chain=tuple(reversed(chain)))

    def ending(self, state: Any) -> None:
        raise _Found(state.mapping)

    def ending_round(self, index: int, state: Any) -> None:
        """Mend what resolvelib leaves behind when it pins a name again.

        It takes the requirements of pins that no longer hold out of the criteria, and keeps the pins. A pin that then
        holds again would have lost its requirements: it is taken off, to be made anew. A pin that nobody asks for any
        more would go on binding others by its requirements: it is taken off with them.
        """
        self.rounds = index + 1
        self._criteria = state.criteria
        some = next(iter(state.criteria.values()), None)
        if some is not self._some or self._conflicted:
            # Criteria are made anew, all of them, when requirements are taken out.
            self._take_off_broken(state.mapping, state.criteria)
        self._take_off_orphans(state.mapping, state.criteria)
        self._some = next(iter(state.criteria.values()), None)
        self._conflicted = False

    def _take_off_broken(self, mapping: dict[Key, Candidate], criteria: Mapping[Key, Any]) -> None:
        newest = next(reversed(mapping), None)
        satisfied = self._provider.is_satisfied_by
        broken = [
            key
            for key, candidate in mapping.items()
            if key != newest
            and (found := criteria.get(key)) is not None
            and not all(satisfied(i.requirement, candidate) for i in found.information)
        ]
        for key in broken:
            del mapping[key]

    def _take_off_orphans(self, mapping: dict[Key, Candidate], criteria: dict[Key, Any]) -> None:
        """The newest pin stays: resolvelib takes it off the end when it goes back."""
        while True:
            newest = next(reversed(mapping), None)
            gone = {key for key, found in criteria.items() if not found.information and key != newest}
            if not gone:
                return
            for key in gone:
                del criteria[key]
                mapping.pop(key, None)
            for key, found in list(criteria.items()):
                kept = [i for i in found.information if i.parent is None or i.parent.key not in gone]
                if len(kept) != len(found.information):
                    criteria[key] = type(found)(found.candidates, kept, found.incompatibilities)


@dataclass(slots=True)
class _Totals:
    rounds: int = 0
    conflicts: int = 0
    restarts: int = 0
    parts: int = 0
    splits_left: int = _UNIVERSE_SPLITS
    blamed: dict[str, int] = field(default_factory=dict)


def search(request: LockRequest, repository: Repository, listener: Listener) -> tuple[Pins, Statistics]:
    """Releases for every environment of `request.universe`.

    Most projects are decided in one run. Where that meets conflicts, concrete environments are probed first, so that
    backtracking happens where it is cheap, and the universe is decided with their pins tried first; where that fails,
    the universe is cut in two on a marker of the causes.

    Raises:
        Impossible: in a region without partial markers, hence practically in one environment.
        LocksetError: an index cannot be reached or answers nonsense.
    """
    totals = _Totals()
    plain = _once(request, request.universe, repository, listener, totals)
    if plain is not None:
        return plain, Statistics(rounds=totals.rounds, conflicts=totals.conflicts)
    preferences = _probe(request, repository, listener, totals)
    pins = _solve(replace(request, preferences=preferences), request.universe, repository, listener, totals)
    return pins, Statistics(
        rounds=totals.rounds, conflicts=totals.conflicts, restarts=totals.restarts, parts=totals.parts
    )


def _probe(
    request: LockRequest, repository: Repository, listener: Listener, totals: _Totals
) -> Mapping[str, tuple[Preference, ...]]:
    """The request's preferences, followed by what each probe found."""
    preferences = dict(request.preferences)
    groups = request.all_groups
    for environment in request.probes:
        point = environment_region(
            environment,
            extras=request.extras or (),
            groups=groups,
            all_extras=request.extras or (),
            all_groups=groups,
        )
        universe = point & request.universe
        if universe.is_empty:
            continue
        try:
            pins = _run(replace(request, preferences=preferences), universe, repository, listener, totals)
        except Impossible:
            # All extras and groups at once need not fit together: the universal run decides that.
            continue
        for (name, _), candidate in pins.parts[0][1].items():
            if isinstance(candidate, GuardedCandidate):
                found = Preference(version=candidate.version, region=point, binding=False)
                preferences[name] = (*preferences.get(name, ()), found)
    return preferences


def _solve(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: Listener, totals: _Totals
) -> Pins:
    try:
        pins = _run(request, universe, repository, listener, totals)
    except Impossible as impossible:
        failed = _failing_environment(request, universe, repository, listener, totals)
        if failed is not None:
            raise failed from impossible
        boundary = _boundary(request, universe, impossible, repository)
        if boundary is None or not totals.splits_left:
            raise
        totals.splits_left -= 1
        listener.note(f"No one answer serves all environments at once: looking apart where `{boundary}` holds")
        first = _solve(request, universe & boundary, repository, listener, totals)
        found = _preferring(request, first)
        return first.joined(_solve(found, universe - boundary, repository, listener, totals))
    totals.parts += 1
    return pins


def _once(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: Listener, totals: _Totals
) -> Pins | None:
    """One run that gives up at the first few conflicts; None then."""
    provider = Provider(
        repository=repository,
        policy=request.policy,
        universe=universe,
        preferences=request.preferences,
        locked_for=request.locked_for,
        conflicts=totals.blamed,
    )
    reporter = _Reporter(provider, listener, _CONFLICTS_AT_ONCE)
    try:
        Resolver(provider, reporter).resolve(provider.roots(request.roots), max_rounds=_ROUNDS)
    except _Found as found:
        totals.parts += 1
        return Pins(parts=((universe, found.mapping),))
    except (_Restart, ResolutionImpossible, ResolutionTooDeep):
        return None
    finally:
        totals.rounds += reporter.rounds
        totals.conflicts += reporter.conflicts
    return None


def _run(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: Listener, totals: _Totals
) -> Pins:
    """One universe without cutting it: restarts with the conflict counts kept."""
    provider = Provider(
        repository=repository,
        policy=request.policy,
        universe=universe,
        preferences=request.preferences,
        locked_for=request.locked_for,
        conflicts=totals.blamed,
    )
    roots = provider.roots(request.roots)
    patience = _FIRST_PATIENCE
    reporter = _Reporter(provider, listener, patience)
    for _ in range(_RESTARTS):
        reporter = _Reporter(provider, listener, patience)
        try:
            Resolver(provider, reporter).resolve(roots, max_rounds=_ROUNDS)
        except _Found as found:
            return Pins(parts=((universe, found.mapping),))
        except _Restart:
            totals.restarts += 1
            patience += patience // 2
            continue
        except ResolutionImpossible as error:
            known = {id(c.requirement): c for c in reporter.causes}
            raise Impossible(
                universe, [known.get(id(c.requirement)) or _cause(c) for c in error.causes], exhausted=True
            ) from error
        except ResolutionTooDeep:
            break
        finally:
            totals.rounds += reporter.rounds
            totals.conflicts += reporter.conflicts
    raise Impossible(universe, reporter.causes, exhausted=False)


def _cause(cause: Any) -> Cause:
    return Cause(requirement=cause.requirement, parent=cause.parent, chain=(cause.requirement.origin,))


def solve_environment(
    request: LockRequest, region: MarkerSet, roots: Sequence[Root], repository: Repository, listener: Listener
) -> Impossible | None:
    """Why `roots` cannot hold in `region` (one environment), None where they can."""
    try:
        _run(replace(request, roots=tuple(roots)), region, repository, listener, _Totals())
    except Impossible as impossible:
        return impossible
    return None


def _failing_environment(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: Listener, totals: _Totals
) -> Impossible | None:
    """The first sampled environment that alone has no answer: the plainest thing to tell of."""
    for extras, groups in choices_of(request):
        for environment in request.samples:
            region = universe & environment_region(
                environment,
                extras=extras,
                groups=groups,
                all_extras=request.extras or (),
                all_groups=request.all_groups,
            )
            if region.is_empty:
                continue
            try:
                _run(request, region, repository, listener, totals)
            except Impossible as impossible:
                return impossible
    return None


def choices_of(request: LockRequest) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Choices of extras and groups worth looking at.

    The default one, each extra and each group with it, each group alone, and everything.
    """
    default = (request.default_group,) if request.default_group else ()
    choices: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), default)]
    choices += [((extra,), default) for extra in request.extras or ()]
    choices += [((), (*default, group)) for group in request.groups]
    choices += [((), (group,)) for group in request.groups]
    choices.append((tuple(request.extras or ()), request.all_groups))
    return list(dict.fromkeys(choices))


def _boundary(
    request: LockRequest, universe: MarkerSet, impossible: Impossible, repository: Repository
) -> MarkerSet | None:
    """The marker that cuts `universe` in two most evenly, among those in play in the conflict."""
    atoms: dict[MarkerSet, None] = {}
    names = {c.requirement.name for c in impossible.causes}
    for cause in impossible.causes:
        atoms.update(dict.fromkeys(cause.requirement.region.atoms()))
        if isinstance(cause.parent, GuardedCandidate):
            names.add(cause.parent.name)
    for root in request.roots:
        atoms.update(dict.fromkeys(root.region.atoms()))
    for name in sorted(n for n in names if not n.startswith("!")):
        for version in repository.releases(name).versions[:3]:
            facts = repository.facts(name, version)
            for dependency in facts.dependencies if facts else ():
                atoms.update(dict.fromkeys(dependency.marker.with_metadata_extra(None).atoms()))
    cutting = [a for a in atoms if not universe.implies(a) and not universe.is_disjoint(a)]
    if not cutting:
        return None

    def unevenness(atom: MarkerSet) -> int:
        inside = sum(1 for e in request.samples if atom.evaluate(e))
        return abs(2 * inside - len(request.samples))

    return min(cutting, key=unevenness)


def _preferring(request: LockRequest, pins: Pins) -> LockRequest:
    """The request, with the pins found for one part as preferences for the other."""
    preferences = dict(request.preferences)
    for _, mapping in pins.parts:
        for (name, _), candidate in mapping.items():
            if isinstance(candidate, GuardedCandidate):
                found = Preference(version=candidate.version, region=MarkerSet.any(), binding=False)
                preferences[name] = (*preferences.get(name, ()), found)
    return replace(request, preferences=preferences)
