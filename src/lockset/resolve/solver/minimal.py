"""Drop the pins that no root reaches, and rebuild each of the others for only the requirements that still reach it.

While the solver runs, a pin keeps the environments it once grew to, and pins may go on to require one another though no
root requires any of them. That is harmless, except for releases that something must opt in to.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lockset.resolve.problem.requirement import Key, Requirement
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["minimal_pins"]


def minimal_pins(
    roots: Iterable[Requirement],
    same_choice: Callable[[Key, tuple[Requirement, ...]], Iterator[Candidate]],
    dependencies_of: Callable[[Candidate], Iterable[Requirement]],
) -> dict[Key, Candidate]:
    """For each decision that `roots` reach, the choice made for it, for only the requirements that reach it.

    Args:
        roots: The root requirements.
        same_choice: The choice made for a decision, rebuilt for the given requirements; empty where it cannot be.
        dependencies_of: The requirements that a candidate brings.
    """
    reached: dict[Key, dict[Requirement, None]] = {}
    pins: dict[Key, Candidate] = {}
    waiting: deque[Key] = deque()

    def visit(requirements: Iterable[Requirement]) -> None:
        for requirement in requirements:
            known = reached.setdefault(requirement.key, {})
            if requirement not in known:
                known[requirement] = None
                waiting.append(requirement.key)

    visit(roots)
    while waiting:
        key = waiting.popleft()
        candidate = next(same_choice(key, tuple(reached[key])), None)
        if candidate is not None and candidate is not pins.get(key):
            pins[key] = candidate
            visit(dependencies_of(candidate))
    return pins
