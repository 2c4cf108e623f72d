"""Suggestions to fix a failure. Each was tried, and only those that help are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.resolve.explain.failure import chosen
from lockset.resolve.explain.fix_environments import (
    by_declaring,
    by_group,
    by_leaving_out,
    by_marker,
    by_platform,
    by_python,
)
from lockset.resolve.explain.fix_releases import (
    by_admission,
    by_constraint,
    by_override,
    by_pin,
    by_rules,
    by_url,
)
from lockset.resolve.explain.minimal_conflict import with_constraints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lockset.resolve.explain.failure import Failure, Suggestion
    from lockset.resolve.explain.minimal_conflict import TrialRunner

__all__ = ["suggest"]

# The most obvious fixes come first.
_FIXES: tuple[Callable[[Failure], Iterator[Suggestion]], ...] = (
    by_declaring,
    by_url,
    by_admission,
    by_rules,
    by_constraint,
    by_pin,
    by_python,
    by_platform,
    by_marker,
    by_group,
    by_override,
)
# Only where nothing else helps.
_LAST_FIXES = (by_leaving_out,)
# Suggestions shown at most.
_MOST_SUGGESTIONS = 4


def suggest(failure: Failure, trials: TrialRunner) -> str | None:
    """One or several suggestions, each of which is enough to fix the failure; None where nothing tried helps.

    Each is tried in all environments of the lock. Where nothing helps there, suggestions that fix this conflict alone
    are shown as such: something else fails as well.
    """
    helping = _helping(failure, trials)
    if helping:
        return _listed("This was tried and helps", "Each of these was tried and helps", helping)
    conflict = failure.conflict
    alone = replace(with_constraints(failure.request, conflict.constraints), roots=conflict.roots)
    if len(alone.roots) == len(failure.request.roots):
        return None
    trials.begin_part()
    partly = _helping(replace(failure, request=alone), trials)
    if partly:
        one = "This was tried and fixes this conflict, but it is not the only one"
        return _listed(one, "Each of these was tried and fixes this conflict, but it is not the only one", partly)
    return None


def _helping(failure: Failure, trials: TrialRunner) -> list[str]:
    texts: list[str] = []
    for fixes in (_FIXES, _LAST_FIXES):
        kinds: set[str] = set()
        for suggestion in (r for fix in fixes for r in fix(failure)):
            text = None if suggestion.kind in kinds else _try(suggestion, failure, trials)
            if text is not None:
                texts.append(text)
                if suggestion.kind:
                    kinds.add(suggestion.kind)
            if len(texts) == _MOST_SUGGESTIONS or trials.is_spent:
                break
        if texts:
            break
    return texts


def _try(suggestion: Suggestion, failure: Failure, trials: TrialRunner) -> str | None:
    """The text of a suggestion; None if it does not help, or that is unknown."""
    request = suggestion.request
    if request.universe.is_empty:
        return None
    # The failing environment comes first: it is quick to solve, and most changes do not help there. Then those in
    # which another change failed, where something else may be wrong.
    for failed in dict.fromkeys((failure.conflict.region, *trials.failing)):
        region = failed & request.universe
        if (
            not region.is_empty
            and trials.environment(request, region, request.roots, suggestion.repository) is not None
        ):
            return None
    pins = trials.everywhere(request, suggestion.repository)
    if pins is None:
        return None
    taken = chosen(pins, suggestion.shows) if suggestion.shows else ""
    return f"{suggestion.text} ({taken} {'fit' if ' and ' in taken else 'fits'})" if taken else suggestion.text


def _listed(one: str, several: str, proposals: list[str]) -> str:
    if len(proposals) == 1:
        first = proposals[0]
        return f"{one}: {first[0].lower()}{first[1:]}"
    return "\n".join([f"{several}:", *(f"- {p}" for p in proposals)])
