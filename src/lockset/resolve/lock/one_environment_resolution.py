"""The resolution of a problem with one environment, decided by resolvelib."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.resolve.one_environment.engine import Budget, NoSolution, Undecided, resolve_one
from lockset.resolve.solver.candidate import ReleaseCandidate
from lockset.resolve.solver.resolution import Pins, resolution_graph

if TYPE_CHECKING:
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.requirement import Key
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["resolution_in_one_environment"]

# What builds require is a handful of projects.
_BUDGET = Budget(steps=20_000, seconds=60.0)


def resolution_in_one_environment(
    problem: ResolutionProblem, repository: IndexRepository | DirectRepository
) -> Resolution | None:
    """The resolution of `problem`, whose universe is one environment; None if resolvelib finds no solution.

    Raises:
        UrlRequirementDiscovered: a requirement by URL was discovered; resolve again with it.
        LocksetError: an index cannot be reached, or its response is not valid.
    """
    request = problem.request
    universe = request.universe
    try:
        chosen = resolve_one(request, universe, repository, _BUDGET)
    except (NoSolution, Undecided):
        return None
    candidates: dict[Key, ReleaseCandidate] = {}
    for name, version in chosen.items():
        key = (name, universe)
        candidates[key] = ReleaseCandidate(key=key, version=version, guard=universe, extras=())
    return resolution_graph(Pins(parts=((universe, candidates),)), request.roots, universe, repository)
