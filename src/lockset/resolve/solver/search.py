"""The search around the solver: probes, restarts with what was learned, and division of the universe at last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass, field, replace
from lockset.markers import MarkerSet
from lockset.markers.environment import common_environments
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.problem.request import Preference
from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.incompatibility import Cause, Incompatibilities
from lockset.resolve.solver.provider import Provider
from lockset.resolve.solver.resolution import Pins, Statistics
from lockset.resolve.solver.solver import BudgetExceeded, Solver, Unsatisfiable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lockset.markers import Environment
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RootRequirement
    from lockset.resolve.releases.repository import Repository

__all__ = ["Cause", "ResolutionImpossible", "extra_and_group_choices", "search", "solve_environment"]

# Candidates that the first run may reject; beyond that, environments are probed first.
_FIRST_RUN_REJECTIONS = 24
# Candidates that a run may reject before a restart with what it learned; grows by half each time.
_FIRST_REJECTIONS = 60
# Restarts before a universe is given up and divided; and before a single environment is given up.
_RESTARTS = 8
_RESTARTS_OF_ONE = 14
# Restarts of a universe before its environments are solved alone, for as many rounds as were spent on it: most often,
# one of them has no solution.
_RESTARTS_BEFORE_SURVEY = 2
# Rounds of one run; far above what any real project needs.
_MOST_ROUNDS = 60_000
# Divisions of a universe in two, at most.
_UNIVERSE_SPLITS = 60


class ResolutionImpossible(Exception):
    """No choice of releases works in `universe`; `causes` are those of the last conflict.

    Attributes:
        exhausted: Whether everything was tried; False where the search gave up.
        opinion: What the second engine says of the environment that is named: that it has no answer, that it has one,
            or that it could not decide within its budget; None if it did not run.


        not_opted_in: Packages with no other matching releases than those that need an opt-in.
    """

    def __init__(self, universe: MarkerSet, causes: Sequence[Cause], *, exhausted: bool) -> None:
        super().__init__("no choice of releases works")
        self.universe = universe
        self.causes = tuple(causes)
        self.exhausted = exhausted
        self.opinion: Literal["confirmed", "contradicted", "undecided"] | None = None

        self.not_opted_in: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Survey:
    """Environments of one universe, each of which is solved alone.

    Attributes:
        sampled: Samples of the request that are not solved yet.
        others: Other common environments that are not solved yet.
        failed: Why the first one without a solution has none.
    """

    sampled: Iterator[MarkerSet]
    others: Iterator[MarkerSet]
    failed: ResolutionImpossible | None = None


@dataclass(slots=True)
class _Totals:
    rounds: int = 0
    conflicts: int = 0
    restarts: int = 0
    parts: int = 0
    splits_left: int = _UNIVERSE_SPLITS
    conflict_counts: dict[str, int] = field(default_factory=dict)
    not_opted_in: set[str] = field(default_factory=set)
    surveys: dict[MarkerSet, _Survey] = field(default_factory=dict)

    def add(self, run: Solver) -> None:
        self.rounds += run.rounds
        self.conflicts += run.conflicts


def search(request: LockRequest, repository: Repository, listener: ProgressListener) -> tuple[Pins, Statistics]:
    """Releases for every environment of `request.universe`.

    Most projects are solved in one run. Where that meets conflicts, single environments are solved first (probes), so
    that backtracking happens where it is cheap, and their pins are tried first in the universe. Where that fails, the
    universe is divided on a marker of the causes.

    Raises:
        ResolutionImpossible: in a region that no marker of the causes divides, so practically in one environment.
        LocksetError: an index cannot be reached, or its response is not valid.
    """
    totals = _Totals()
    try:
        return _search(request, repository, listener, totals)
    except ResolutionImpossible as impossible:
        impossible.not_opted_in = frozenset(totals.not_opted_in)
        raise


def _search(
    request: LockRequest, repository: Repository, listener: ProgressListener, totals: _Totals
) -> tuple[Pins, Statistics]:
    pins, settled = _first_run(request, request.universe, repository, listener, totals)
    if pins is None:
        preferences = _probe(request, repository, listener, totals)
        pins = _solve(replace(request, preferences=preferences), request.universe, repository, listener, totals)
    if not settled:
        from lockset.resolve.solver.improvement import improve  # most searches do without it

        pins = improve(pins, request, repository)
    return pins, Statistics(
        rounds=totals.rounds, conflicts=totals.conflicts, restarts=totals.restarts, parts=totals.parts
    )


def _probe(
    request: LockRequest, repository: Repository, listener: ProgressListener, totals: _Totals
) -> Mapping[str, tuple[Preference, ...]]:
    """The preferences of the request, followed by the pins of each probe.

    Each probe begins with the same conflict counts: decided in different orders, their pins would not fit together.
    """
    preferences = dict(request.preferences)
    before, highest = totals.conflict_counts.copy(), totals.conflict_counts
    for point in _environments(request.universe, request, request.probes, _largest_choices(request)):
        totals.conflict_counts = before.copy()
        try:
            pins = _run(replace(request, preferences=preferences), point, repository, listener, totals)
        except ResolutionImpossible as impossible:
            # All extras and groups together need not have a solution. A failure with fewer of them is the real one.
            failed = _failing_environment(request, request.universe, repository, listener, totals)
            if failed is not None:
                raise failed from impossible
            continue
        finally:
            highest.update({n: max(count, highest.get(n, 0)) for n, count in totals.conflict_counts.items()})
        for (name, _), candidate in pins.parts[0][1].items():
            if isinstance(candidate, ReleaseCandidate):
                preference = Preference(version=candidate.version, region=point, binding=False)
                preferences[name] = (*preferences.get(name, ()), preference)
    totals.conflict_counts = highest
    return preferences


def _solve(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: ProgressListener, totals: _Totals
) -> Pins:
    def before_restart(rounds: int) -> None:
        failed = _failing_environment(request, universe, repository, listener, totals, rounds=rounds)
        if failed is not None:
            raise failed

    try:
        pins = _run(request, universe, repository, listener, totals, restarts=_RESTARTS, before_restart=before_restart)
    except ResolutionImpossible as impossible:
        failed = _failing_environment(request, universe, repository, listener, totals)
        if failed is not None:
            raise failed from impossible
        marker = _split_marker(request, universe, impossible, repository)
        if marker is None or not totals.splits_left:
            raise
        totals.splits_left -= 1
        listener.note(f"No single solution fits all environments: resolving separately where `{marker}` holds")
        first = _solve(request, universe & marker, repository, listener, totals)
        other = _with_preferences(request, first)
        return first.joined(_solve(other, universe - marker, repository, listener, totals))
    totals.parts += 1
    return pins


def _first_run(
    request: LockRequest, universe: MarkerSet, repository: Repository, listener: ProgressListener, totals: _Totals
) -> tuple[Pins | None, bool]:
    """One run that gives up after a few conflicts (None), and whether it kept every choice it made."""
    provider = _provider(request, universe, repository, totals)
    incompatibilities = Incompatibilities(provider.dependencies, provider.matching)
    run = Solver(provider, incompatibilities, listener, most_rejections=_FIRST_RUN_REJECTIONS, most_rounds=_MOST_ROUNDS)
    try:
        pins = Pins(parts=((universe, run.solve(provider.roots(request.roots))),))
    except (BudgetExceeded, Unsatisfiable):
        return None, False
    finally:
        totals.add(run)
    totals.parts += 1
    return pins, not run.rejections and not run.displacements.counts


def _run(
    request: LockRequest,
    universe: MarkerSet,
    repository: Repository,
    listener: ProgressListener,
    totals: _Totals,
    *,
    restarts: int = _RESTARTS_OF_ONE,
    before_restart: Callable[[int], None] | None = None,
) -> Pins:
    """Solve one universe without dividing it, in several runs that share what they learn.

    `before_restart` is called with the number of rounds taken so far.
    """
    provider = _provider(request, universe, repository, totals)
    roots = provider.roots(request.roots)
    incompatibilities = Incompatibilities(provider.dependencies, provider.matching)
    most_rejections = _FIRST_REJECTIONS
    causes: tuple[Cause, ...] = ()
    before = totals.rounds
    for restart in range(restarts):
        if before_restart is not None and restart >= _RESTARTS_BEFORE_SURVEY:
            before_restart(totals.rounds - before)
        run = Solver(provider, incompatibilities, listener, most_rejections=most_rejections, most_rounds=_MOST_ROUNDS)
        try:
            return Pins(parts=((universe, run.solve(roots)),))
        except BudgetExceeded:
            causes = run.causes
            totals.restarts += 1
            most_rejections += most_rejections // 2
        except Unsatisfiable as unsatisfiable:
            raise ResolutionImpossible(universe, unsatisfiable.causes, exhausted=True) from None
        finally:
            totals.add(run)
    raise ResolutionImpossible(universe, causes, exhausted=False)


def _provider(request: LockRequest, universe: MarkerSet, repository: Repository, totals: _Totals) -> Provider:
    return Provider(
        repository=repository,
        policy=request.policy,
        universe=universe,
        preferences=request.preferences,
        locked_for=request.locked_for,
        conflicts=totals.conflict_counts,
        not_opted_in=totals.not_opted_in,
    )


def solve_environment(
    request: LockRequest,
    region: MarkerSet,
    roots: Sequence[RootRequirement],
    repository: Repository,
    listener: ProgressListener,
) -> ResolutionImpossible | None:
    """Why `roots` cannot hold in `region` (one environment), None where they can."""
    try:
        _run(replace(request, roots=tuple(roots)), region, repository, listener, _Totals())
    except ResolutionImpossible as impossible:
        return impossible
    return None


def _failing_environment(
    request: LockRequest,
    universe: MarkerSet,
    repository: Repository,
    listener: ProgressListener,
    totals: _Totals,
    *,
    rounds: int | None = None,
) -> ResolutionImpossible | None:
    """Why the first environment that alone has no solution has none: the plainest failure to explain.

    With `rounds`, the survey stops after so many rounds, and the next call continues it. Without, it solves all
    samples, and other environments for up to as many rounds as were spent before.
    """
    survey = totals.surveys.get(universe)
    if survey is None:
        survey = totals.surveys[universe] = _Survey(
            sampled=_environments(universe, request, request.samples, extra_and_group_choices(request)),
            others=_environments(universe, request, common_environments(), _largest_choices(request)),
        )
    stop = totals.rounds * 2 if rounds is None else totals.rounds + rounds
    while survey.failed is None:
        going_on = totals.rounds < stop
        region = next(survey.sampled, None) if going_on or rounds is None else None
        if region is None:
            region = next(survey.others, None) if going_on else None
        if region is None:
            break
        try:
            _run(request, region, repository, listener, totals)
        except ResolutionImpossible as impossible:
            survey.failed = impossible
    return survey.failed


def _environments(
    universe: MarkerSet,
    request: LockRequest,
    environments: Sequence[Environment],
    choices: Iterable[tuple[tuple[str, ...], tuple[str, ...]]],
) -> Iterator[MarkerSet]:
    for extras, groups in choices:
        for environment in environments:
            region = universe & environment_region(
                environment,
                extras=extras,
                groups=groups,
                all_extras=request.extras or (),
                all_groups=request.all_groups,
            )
            if not region.is_empty:
                yield region


def extra_and_group_choices(request: LockRequest) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The choices of extras and groups to sample.

    The default one, each extra and each group with it, each group alone, and everything together; with declared
    conflicts, as much as may be chosen together.
    """
    default = (request.default_group,) if request.default_group else ()
    choices: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), default)]
    choices += [((extra,), default) for extra in request.extras or ()]
    choices += [((), (*default, group)) for group in request.groups]
    choices += [((), (group,)) for group in request.groups]
    if request.extras or request.groups:
        choices += _largest_choices(request)
    return list(dict.fromkeys(choices))


def _largest_choices(request: LockRequest) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Maximal choices, such that each extra and each group is in one of them."""
    extras, groups = tuple(request.extras or ()), request.all_groups
    regions = {**{("", e): MarkerSet.extra(e) for e in extras}, **{(g, ""): MarkerSet.group(g) for g in groups}}
    left = list(regions)
    while True:
        chosen: set[tuple[str, str]] = set()
        region = request.universe
        for item in dict.fromkeys((*left, *regions)):
            both = region & regions[item]
            if not both.is_empty:
                region = both
                chosen.add(item)
        yield tuple(e for e in extras if ("", e) in chosen), tuple(g for g in groups if (g, "") in chosen)
        # The first can be chosen alone, unless nowhere at all: then it need not be looked at.
        left = [item for item in left[1:] if item not in chosen]
        if not left:
            return


def _split_marker(
    request: LockRequest, universe: MarkerSet, impossible: ResolutionImpossible, repository: Repository
) -> MarkerSet | None:
    """The marker that divides `universe` most evenly, among those of the conflict."""
    atoms: dict[MarkerSet, None] = {}
    names = {c.requirement.name for c in impossible.causes}
    for cause in impossible.causes:
        atoms.update(dict.fromkeys(cause.requirement.region.atoms()))
        if isinstance(cause.parent, ReleaseCandidate):
            names.add(cause.parent.name)
    for root in request.roots:
        atoms.update(dict.fromkeys(root.region.atoms()))
    for name in sorted(n for n in names if not n.startswith("!")):
        for version in repository.releases(name).versions[:3]:
            facts = repository.facts(name, version)
            for dependency in facts.dependencies.with_extras(()) if facts else ():
                atoms.update(dict.fromkeys(dependency.marker.with_metadata_extra(None).atoms()))
    cutting = [a for a in atoms if not universe.implies(a) and not universe.is_disjoint(a)]
    if not cutting:
        return None

    def unevenness(atom: MarkerSet) -> int:
        inside = sum(1 for e in request.samples if atom.evaluate(e))
        return abs(2 * inside - len(request.samples))

    return min(cutting, key=unevenness)


def _with_preferences(request: LockRequest, pins: Pins) -> LockRequest:
    """The request, with the pins of one part as preferences for the other."""
    preferences = dict(request.preferences)
    for _, mapping in pins.parts:
        for (name, _), candidate in mapping.items():
            if isinstance(candidate, ReleaseCandidate):
                preference = Preference(version=candidate.version, region=MarkerSet.any(), binding=False)
                preferences[name] = (*preferences.get(name, ()), preference)
    return replace(request, preferences=preferences)
