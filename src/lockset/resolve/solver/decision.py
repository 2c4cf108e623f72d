"""What a run of the search decides on: a project in a part of the universe, with what is asked of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lockset.resolve.solver.incompatibility import Cause, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Asked", "Decision", "causes_of", "chain_of", "terms_of"]


class Decision:
    """One decision: what is asked of it, by which cells, and what is chosen.

    Attributes:
        key: Name and cell.
        number: Cells are numbered as they come up.
        asked: Requirements, each with the cell that it comes from (None: a root), in the order in which they came.
        pin: What is chosen, None while undecided.
        level: How many decisions were standing when it was chosen, itself included.
    """

    __slots__ = ("asked", "key", "level", "number", "pin")

    def __init__(self, key: Key, number: int) -> None:
        self.key = key
        self.number = number
        self.asked: tuple[Asked, ...] = ()
        self.pin: Candidate | None = None
        self.level = 0

    @property
    def wanted(self) -> tuple[Requirement, ...]:
        """The requirements, each once."""
        return tuple(dict.fromkeys(requirement for requirement, _ in self.asked))


Asked: TypeAlias = "tuple[Requirement, Decision | None]"


def terms_of(asked: Iterable[Asked]) -> Iterator[Term]:
    """The choices that the requirements come from, as those that ask for them."""
    return (Term(key=parent.key, asks=(r,)) for r, parent in asked if parent is not None)


def causes_of(asked: Iterable[Asked]) -> Iterator[Cause]:
    """The requirements as those of a conflict."""
    for requirement, parent in asked:
        pin = None if parent is None else parent.pin
        yield Cause(requirement=requirement, parent=pin, chain=chain_of(requirement, parent))


def chain_of(requirement: Requirement, parent: Decision | None) -> tuple[RequirementOrigin, ...]:
    """Who asks for whom, from a root down to `requirement`, which comes from `parent`."""
    chain = [requirement.origin]
    seen: set[Key] = set()
    while parent is not None and parent.key not in seen and parent.asked:
        seen.add(parent.key)
        above, parent = parent.asked[0]
        if above.origin != chain[-1]:  # a split hands requirements on as they are
            chain.append(above.origin)
    return tuple(reversed(chain))
