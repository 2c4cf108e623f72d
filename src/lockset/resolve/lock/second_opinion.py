"""A second opinion before an error says that there is no solution: resolvelib, for the environment of the error.

If it finds a solution there, the universal search runs once more, and tries those versions first.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.errors import LocksetError
from lockset.markers import Environment, MarkerSet
from lockset.resolve.lock.lock_resolution import resolution_of
from lockset.resolve.one_environment.engine import Budget, NoSolution, Undecided, resolve_one
from lockset.resolve.problem.regions import environment_region
from lockset.resolve.problem.request import Preference
from lockset.resolve.solver.search import ResolutionImpossible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["reconsider"]

# For a search that tried everything, and for one that was stopped at its budget, which is much larger. A project of 100
# packages needs about 150 steps.
_TO_CONFIRM = Budget(steps=5_000, seconds=2.0)
_TO_FIND = Budget(steps=20_000, seconds=10.0)


def reconsider(
    impossible: ResolutionImpossible,
    problem: ResolutionProblem,
    repository: IndexRepository | DirectRepository,
    listener: ProgressListener,
) -> Resolution | ResolutionImpossible:
    """A solution of `problem` after all, or a failure with the result of the second engine in `opinion`.

    Raises:
        UrlRequirementDiscovered: a requirement by URL was discovered; resolve again with it.
    """
    chosen = _ask(impossible, problem.request, repository)
    if chosen is None:
        return impossible
    preferred = replace(problem, request=_preferring(problem.request, chosen))
    again = resolution_of(preferred, repository, listener)
    if isinstance(again, ResolutionImpossible):
        _ask(again, problem.request, repository)
    return again


def _ask(
    impossible: ResolutionImpossible, request: LockRequest, repository: IndexRepository | DirectRepository
) -> Mapping[str, Version] | None:
    """The versions that resolvelib chooses in the environment of the failure, or None. Sets `opinion`.

    The root requirements of the conflict are tried first: if they have no solution, neither has the whole.
    """
    environment = _environment_of(impossible, request)
    budget = _TO_CONFIRM if impossible.exhausted else _TO_FIND
    beginning = {cause.chain[0] for cause in impossible.causes if cause.chain}
    part = replace(request, roots=tuple(root for root in request.roots if root.origin in beginning))
    try:
        if part.roots:
            with suppress(Undecided):
                resolve_one(part, environment, repository, budget)
        chosen = resolve_one(request, environment, repository, budget)
    except NoSolution:
        impossible.opinion = "confirmed"
    except (Undecided, LocksetError):  # what cannot be read now did not contribute to the failure
        impossible.opinion = "undecided"
    else:
        impossible.opinion = "contradicted"
        return chosen
    return None


def _environment_of(impossible: ResolutionImpossible, request: LockRequest) -> MarkerSet:
    """The one environment that the failure names, with its choice of extras and groups."""
    example = impossible.universe.example()
    assert example is not None
    values = {name: example.environment[name] for name in Environment.__slots__}
    point = environment_region(
        Environment(**values),
        extras=example.extras,
        groups=example.groups,
        all_extras=request.extras or (),
        all_groups=request.all_groups,
    )
    return impossible.universe & point


def _preferring(request: LockRequest, chosen: Mapping[str, Version]) -> LockRequest:
    preferences = dict(request.preferences)
    for name, version in chosen.items():
        preference = Preference(version=version, region=MarkerSet.any(), binding=False)
        preferences[name] = (*preferences.get(name, ()), preference)
    return replace(request, preferences=preferences)
