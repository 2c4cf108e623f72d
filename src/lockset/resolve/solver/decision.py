"""What the solver decides on: one package in one region, with the requirements on it there.

A PubGrub solver decides on packages. A lock for many environments may need two versions of one package, so this solver
decides on pairs of package and region (`Key`). At first every package has one decision, whose region is the whole
universe; a fork candidate divides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lockset.resolve.solver.incompatibility import Cause, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.resolve.problem.requirement import Key, Requirement, RequirementOrigin
    from lockset.resolve.solver.candidate import Candidate

__all__ = ["Decision", "Edge", "causes_of", "chain_of", "terms_of"]


class Edge(NamedTuple):
    """One requirement on a decision, and where it comes from.

    Attributes:
        requirement: The requirement.
        parent: The decision whose candidate brings it, None for a root requirement.
    """

    requirement: Requirement
    parent: Decision | None


class Decision:
    """One package in one region: the requirements on it, and the candidate chosen for it.

    Attributes:
        key: Package name and region.
        number: Position in the order in which decisions were first needed.
        edges: The requirements, in the order in which they came.
        pin: The chosen candidate, None while undecided.
        level: Number of decisions that were made when the pin was chosen, this one included; 0 while undecided.
    """

    __slots__ = ("edges", "key", "level", "number", "pin")

    def __init__(self, key: Key, number: int) -> None:
        self.key = key
        self.number = number
        self.edges: tuple[Edge, ...] = ()
        self.pin: Candidate | None = None
        self.level = 0

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The requirements, each once."""
        return tuple(dict.fromkeys(requirement for requirement, _ in self.edges))


def terms_of(edges: Iterable[Edge]) -> Iterator[Term]:
    """For each edge that is not a root's, the term "its parent requires this"."""
    return (Term(key=parent.key, requirements=(r,)) for r, parent in edges if parent is not None)


def causes_of(edges: Iterable[Edge]) -> Iterator[Cause]:
    """The edges as causes of an incompatibility."""
    for requirement, parent in edges:
        pin = None if parent is None else parent.pin
        yield Cause(requirement=requirement, parent=pin, chain=chain_of(requirement, parent))


def chain_of(requirement: Requirement, parent: Decision | None) -> tuple[RequirementOrigin, ...]:
    """The origins on the way from a root down to `requirement`, which `parent` brings."""
    chain = [requirement.origin]
    seen: set[Key] = set()
    while parent is not None and parent.key not in seen and parent.edges:
        seen.add(parent.key)
        above, parent = parent.edges[0]
        if above.origin != chain[-1]:  # a fork hands requirements on with their origin
            chain.append(above.origin)
    return tuple(reversed(chain))
