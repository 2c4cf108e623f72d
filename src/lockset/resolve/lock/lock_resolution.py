"""Resolve a problem: the search, later opt-ins to pre-releases, and releases with files where they are needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.resolve.lock.python_bounds import first_refused, is_outgrown
from lockset.resolve.lock.wheel_gaps import with_files
from lockset.resolve.problem.python_range import SETTLED
from lockset.resolve.solver.opt_in_releases import all_opted_in
from lockset.resolve.solver.resolution import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search

if TYPE_CHECKING:
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["resolution_of"]


def resolution_of(
    problem: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    """The resolution of `problem`, or why it has none.

    Where upper bounds narrow the lock, a release that excludes every Python on which it is needed would cost the lock
    all of these. Then the problem is solved again without such releases, and with upper bounds on released Pythons.
    That resolution is used if it supports more Pythons.

    Raises:
        UrlRequirementDiscovered: a direct source was discovered; begin again.
    """
    resolution = _resolution_of(problem, repository, listener)
    if isinstance(resolution, ResolutionImpossible) or not problem.request.open_above:
        return resolution
    bound = first_refused(resolution, repository.strictly_serves)
    if not any(is_outgrown(resolution.nodes[key], repository.strictly_serves) for key in bound.releases):
        return resolution
    policy = replace(problem.request.policy, outgrown=False)
    rules = replace(problem.rules, caps_count=SETTLED)
    strict = replace(problem, rules=rules, request=replace(problem.request, policy=policy))
    alternative = _resolution_of(strict, repository.under(rules), listener)
    if isinstance(alternative, ResolutionImpossible):
        return resolution
    later = first_refused(alternative, repository.strictly_serves)
    return (
        alternative
        if later.python is None or (bound.python is not None and bound.python < later.python)
        else resolution
    )


def _resolution_of(
    problem: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    request = problem.request
    try:
        pins, statistics = search(request, repository, listener)
    except ResolutionImpossible as impossible:
        opted_in = _with_opt_in(impossible, request)
        if opted_in is None:
            return impossible
        resolution = _resolution_of(replace(problem, request=opted_in), repository, listener)
        return impossible if isinstance(resolution, ResolutionImpossible) else resolution
    resolution = resolution_graph(pins, request.roots, request.universe, repository, statistics)
    if not request.policy.opted_in:
        return with_files(resolution, problem, repository)
    return (
        resolution
        if all_opted_in(resolution, request, repository)
        else ResolutionImpossible(request.universe, (), exhausted=True)
    )


def _with_opt_in(impossible: ResolutionImpossible, request: LockRequest) -> LockRequest | None:
    """The request with the missing opt-ins admitted; None where that cannot help."""
    if not impossible.not_opted_in or request.policy.opted_in:
        return None
    return replace(request, policy=replace(request.policy, opted_in=impossible.not_opted_in))
