"""The answer to one question: the search, pre-releases that only packages name, and files where they are needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.resolve.lock.python_bounds import first_refused, is_outgrown
from lockset.resolve.lock.wheel_gaps import with_files
from lockset.resolve.problem.python_range import SETTLED
from lockset.resolve.solver.opt_in_releases import all_opted_in, with_opt_in
from lockset.resolve.solver.resolution_graph import resolution_graph
from lockset.resolve.solver.search import ResolutionImpossible, search

if TYPE_CHECKING:
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.releases.direct_repository import DirectRepository
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["resolution_of"]


def resolution_of(
    question: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    """What is chosen where, or why there is nothing to choose: the same for all who want to know.

    Where upper bounds narrow the lock instead of excluding releases, one that admits no Python where it is needed costs
    the lock all of these Pythons and serves nobody. Where that happens, an answer without such releases, with all upper
    bounds counted on Pythons that are out, is taken if it serves more Pythons.

    Raises:
        SourceFound: a source was found on the way; begin again.
    """
    found = _resolution_of(question, repository, listener)
    if isinstance(found, ResolutionImpossible) or not question.request.open_above:
        return found
    bound = first_refused(found, repository.strictly_serves)
    if not any(is_outgrown(found.nodes[key], repository.strictly_serves) for key in bound.releases):
        return found
    policy = replace(question.request.policy, outgrown=False)
    rules = replace(question.rules, caps_count=SETTLED)
    strict = replace(question, rules=rules, request=replace(question.request, policy=policy))
    instead = _resolution_of(strict, repository.under(rules), listener)
    if isinstance(instead, ResolutionImpossible):
        return found
    later = first_refused(instead, repository.strictly_serves)
    return instead if later.python is None or (bound.python is not None and bound.python < later.python) else found


def _resolution_of(
    question: ResolutionProblem, repository: IndexRepository | DirectRepository, listener: ProgressListener
) -> Resolution | ResolutionImpossible:
    request = question.request
    try:
        pins, statistics = search(request, repository, listener)
    except ResolutionImpossible as impossible:
        granted = with_opt_in(impossible, request)
        if granted is None:
            return impossible
        found = _resolution_of(replace(question, request=granted), repository, listener)
        return impossible if isinstance(found, ResolutionImpossible) else found
    found = resolution_graph(pins, request.roots, request.universe, repository, statistics)
    if not request.policy.opted_in:
        return with_files(found, question, repository)
    return (
        found
        if all_opted_in(found, request, repository)
        else ResolutionImpossible(request.universe, (), exhausted=True)
    )
