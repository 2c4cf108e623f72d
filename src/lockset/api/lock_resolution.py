"""The answer to one question: the search, pre-releases that only packages name, and files where they are needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.api.lock_files import with_files
from lockset.resolve.naming import everything_is_named, granting
from lockset.resolve.propagate import propagate
from lockset.resolve.search import Impossible, search

if TYPE_CHECKING:
    from lockset.events import Listener
    from lockset.resolve.ask import Question
    from lockset.resolve.direct_repository import DirectRepository
    from lockset.resolve.index_repository import IndexRepository
    from lockset.resolve.resolution import Resolution

__all__ = ["resolution_of"]


def resolution_of(
    question: Question, repository: IndexRepository | DirectRepository, listener: Listener
) -> Resolution | Impossible:
    """What is chosen where, or why there is nothing to choose: the same for all who want to know.

    Raises:
        SourceFound: a source was found on the way; begin again.
    """
    request = question.request
    try:
        pins, statistics = search(request, repository, listener)
    except Impossible as impossible:
        granted = granting(impossible, request)
        if granted is None:
            return impossible
        found = resolution_of(replace(question, request=granted), repository, listener)
        return impossible if isinstance(found, Impossible) else found
    found = propagate(pins, request.roots, request.universe, repository, statistics)
    if not request.policy.granted:
        return with_files(found, question, repository)
    return (
        found if everything_is_named(found, request, repository) else Impossible(request.universe, (), exhausted=True)
    )
