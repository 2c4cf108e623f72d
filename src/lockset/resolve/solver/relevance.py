"""Which of many requirements take part in a conflict: the fewer do, the more an incompatibility excludes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lockset.resolve.problem.requirement import Requirement

__all__ = ["relevant_in_one_environment", "relevant_requirements"]


def relevant_requirements(
    requirements: Iterable[Requirement], fixed: Sequence[Requirement], matching: Callable[[Requirement], int]
) -> list[Requirement]:
    """Those of `requirements` that take part, given that no candidate meets all of them together with `fixed`.

    Two that contradict each other in some environment are enough. Where no two do, a requirement is left out if the
    others imply it.

    Args:
        requirements: Requirements on one decision; of equivalent ones the first is kept.
        fixed: Requirements that take part in any case.
        matching: The releases that a requirement matches, as bits.
    """
    others = [r for r in dict.fromkeys(requirements) if r not in fixed]
    relevant = _contradiction(fixed or others, others, matching)
    if relevant is None:
        relevant = _without_implied([*fixed, *others], matching, fixed=len(fixed))
    return [r for r in relevant if r not in fixed]


def relevant_in_one_environment(
    requirements: Iterable[Requirement], fixed: Sequence[Requirement], matching: Callable[[Requirement], int]
) -> list[Requirement]:
    """The same for `requirements` that hold together with `fixed` in one environment: regions do not matter.

    Those are left out, the last first, without which no more releases match and no fewer extras are required.
    """
    kept = [r for r in dict.fromkeys(requirements) if r not in fixed]

    def outcome(without: Requirement | None) -> tuple[int, frozenset[str]]:
        mask, extras = -1, set[str]()
        for requirement in (*fixed, *kept):
            if requirement is not without:
                mask &= matching(requirement)
                extras |= requirement.extras
        return mask, frozenset(extras)

    whole = outcome(None)
    for requirement in reversed(kept.copy()):
        mask, extras = outcome(requirement)
        if mask == whole[0] and (not mask or extras == whole[1]):
            kept.remove(requirement)
    return kept


def _contradiction(
    requirements: Iterable[Requirement], others: Sequence[Requirement], matching: Callable[[Requirement], int]
) -> Sequence[Requirement] | None:
    """The first of `others` and the one of `requirements` that no release matches together in some environment."""
    masks = [(r, matching(r)) for r in requirements]
    for other in others:
        other_mask = matching(other)
        for requirement, mask in masks:
            if not mask & other_mask and not requirement.region.is_disjoint(other.region):
                return requirement, other
    return None


def _without_implied(
    requirements: Sequence[Requirement], matching: Callable[[Requirement], int], *, fixed: int
) -> Sequence[Requirement]:
    """`requirements` without those that the others imply; the first `fixed` stay, and of equivalent ones the first."""
    first_of: dict[tuple[object, ...], Requirement] = {}
    for requirement in requirements:
        first_of.setdefault((matching(requirement), requirement.extras, requirement.region), requirement)
    kept = list(first_of.values())
    masks = {r: matching(r) for r in kept}
    for requirement in reversed(kept[fixed:]):
        left = requirement.region
        for other in kept:
            if (
                other is not requirement
                and not masks[other] & ~masks[requirement]
                and other.extras >= requirement.extras
            ):
                left -= other.region
        if left.is_empty:
            kept.remove(requirement)
    return kept
