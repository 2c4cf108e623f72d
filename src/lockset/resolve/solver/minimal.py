"""What is chosen, with no more asked of it than follows from the roots.

While a search runs, a choice that was once needed in more environments keeps them, and choices may go on to ask for one
another though nothing asks for any of them. That costs nothing, but where somebody has to ask for a release by name.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["lean"]


def lean(
    roots: Iterable[Requirement],
    grown: Callable[[Key, tuple[Requirement, ...]], Iterator[Candidate]],
    brought_by: Callable[[Candidate], Iterable[Requirement]],
) -> dict[Key, Candidate]:
    """For each cell that the roots reach, the same choice for just what is asked of it.

    Args:
        roots: What the project asks for.
        grown: What is chosen for a cell, made for these requirements; nothing where it is not possible for them.
        brought_by: What a choice asks for.
    """
    asked: dict[Key, dict[Requirement, None]] = {}
    chosen: dict[Key, Candidate] = {}
    waiting: deque[Key] = deque()

    def ask(requirements: Iterable[Requirement]) -> None:
        for requirement in requirements:
            known = asked.setdefault(requirement.key, {})
            if requirement not in known:
                known[requirement] = None
                waiting.append(requirement.key)

    ask(roots)
    while waiting:
        key = waiting.popleft()
        candidate = next(grown(key, tuple(asked[key])), None)
        if candidate is not None and candidate is not chosen.get(key):
            chosen[key] = candidate
            ask(brought_by(candidate))
    return chosen
