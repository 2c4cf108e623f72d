"""Which of many requirements on a project matter to a conflict: the fewer take part in it, the more it teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lockset.resolve.problem.requirement import Requirement

__all__ = ["telling"]

T = TypeVar("T")


def telling(
    asked: Iterable[tuple[Requirement, T]], fixed: Sequence[Requirement], fits: Callable[[Requirement], int]
) -> list[tuple[Requirement, T]]:
    """What of `asked` matters beside `fixed`, where nothing can be chosen for all of them together.

    Two that cannot hold together in some environment are enough; else those are left out that the rest implies.

    Args:
        asked: Requirements on one project with who asks; of equals the first is kept.
        fixed: Requirements that take part in any case.
        fits: The releases that fit a requirement, as bits.
    """
    by_requirement: dict[Requirement, tuple[Requirement, T]] = {}
    for pair in asked:
        if pair[0] not in fixed:
            by_requirement.setdefault(pair[0], pair)
    found = _contradicting(fixed or list(by_requirement), list(by_requirement), fits)
    if found is None:
        found = _implied_left_out([*fixed, *by_requirement], fits, fixed=len(fixed))
    return [by_requirement[r] for r in found if r in by_requirement]


def _contradicting(
    requirements: Iterable[Requirement], others: Sequence[Requirement], fits: Callable[[Requirement], int]
) -> Sequence[Requirement] | None:
    """The first of `others` that no release fits together with one of `requirements` in some environment, and that."""
    mine = [(r, fits(r)) for r in requirements]
    for other in others:
        theirs = fits(other)
        for requirement, mask in mine:
            if not mask & theirs and not requirement.region.is_disjoint(other.region):
                return requirement, other
    return None


def _implied_left_out(
    requirements: Sequence[Requirement], fits: Callable[[Requirement], int], *, fixed: int
) -> Sequence[Requirement]:
    """`requirements` without those that the rest implies; of equals the first stay, the first `fixed` in any case."""
    kept: dict[tuple[object, ...], Requirement] = {}
    for requirement in requirements:
        kept.setdefault((fits(requirement), requirement.extras, requirement.region), requirement)
    found = list(kept.values())
    masks = {r: fits(r) for r in found}
    for one in reversed(found[fixed:]):
        left = one.region
        for other in found:
            if other is not one and not masks[other] & ~masks[one] and other.extras >= one.extras:
                left -= other.region
        if left.is_empty:
            found.remove(one)
    return found
