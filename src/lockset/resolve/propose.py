"""What would mend a failure: only what was tried and helps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.events import Silent
from lockset.resolve.requirement import ANY_VERSION
from lockset.resolve.search import solve_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.markers import MarkerSet
    from lockset.resolve.repository import Repository
    from lockset.resolve.request import LockRequest
    from lockset.resolve.requirement import Root

__all__ = ["QUESTION", "propose"]

# Where a requirement is written that somebody only asks about: not for him to loosen.
QUESTION = "the question"

# Requirements of a conflict that are tried; each costs a search of one environment.
_TRIED = 6


def propose(
    core: Sequence[Root], roots: Sequence[Root], region: MarkerSet, request: LockRequest, repository: Repository
) -> str | None:
    """What to do about requirements of the project that cannot hold together; None where nothing that was tried helps.

    Args:
        core: Requirements of which none can be left out for the conflict.
        roots: All of the project's that apply.
        region: The environment that has no answer.
        request: The question.
        repository: Where releases come from.
    """

    def helps(changed: Sequence[Root]) -> bool:
        return solve_environment(request, region, changed, repository, Silent()) is None

    tried = [r for r in core if r.origin.name != QUESTION][:_TRIED]
    bounded = [r for r in tried if r.dependency.specifier.text and r.dependency.specifier.source is None]
    loosened = [r for r in bounded if helps([_loose(other) if other is r else other for other in roots])]
    if loosened:
        return f"Loosen {_either(loosened)}: it was tried, and the rest fits then"
    if len(roots) < 2:  # noqa: PLR2004 - without the only one nothing is left to fit
        return None
    left_out = [r for r in tried if helps([other for other in roots if other is not r])]
    if left_out:
        return f"Leave {_either(left_out)} out of this environment by a marker: it was tried, and the rest fits then"
    return None


def _loose(root: Root) -> Root:
    return replace(root, dependency=replace(root.dependency, specifier=ANY_VERSION, text=root.dependency.name))


def _either(roots: Sequence[Root]) -> str:
    texts = [r.dependency.text for r in roots]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} or {texts[-1]}"
