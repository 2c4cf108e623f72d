"""Markers that stay right where conflicting extras and groups are chosen together: ambiguous, never silently wrong.

A lock is made for the choices that are allowed. What its markers say of the others is up to the lock, and the shortest
marker may well pick one of two releases there: `hull 1.0 ; 'new' not in extras` and `hull 2.0 ; 'new' in extras`
install hull 2.0 beside all else that the extra `old` asks for. Instead, a forbidden choice gets what each allowed part
of it gets: hull 1.0 of `old` and hull 2.0 of `new`. The standard has installers refuse two entries of one name; and
where no name has two, all that the choice asks for is met, since each extra and each group lies in an allowed part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.declared_conflicts import pairs_of
from lockset.markers import MarkerSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lockset.lockfile.declared_conflicts import ConflictMember, DeclaredConflict
    from lockset.markers import Environment

__all__ = ["conflicting_region", "conflicting_regions", "marker_text", "met_within"]


def conflicting_region(conflicts: Iterable[DeclaredConflict]) -> MarkerSet:
    """The environments and choices in which two members of a conflict are chosen."""
    return _both_chosen(pairs_of(conflicts))


def conflicting_regions(conflicts: Iterable[DeclaredConflict]) -> tuple[MarkerSet, ...]:
    """For each extra and group that conflicts with another, where it is chosen."""
    return tuple(dict.fromkeys(_chosen(member) for conflict in conflicts for member in conflict))


def marker_text(region: MarkerSet, universe: MarkerSet, conflicts: Sequence[DeclaredConflict]) -> str | None:
    """The marker of an entry that applies in `region`; None where it always does.

    `universe` holds the environments and choices that the lock is made for: `conflicts` lie outside of it.

    Raises:
        ValueError: `region` is empty within `universe`.
    """
    simple = region.given(universe)
    extras, groups = simple.extras(), simple.groups()
    pairs = [
        pair
        for pair in pairs_of(conflicts)
        if any(member.name in (extras if member.kind == "extra" else groups) for member in pair)
    ]
    if not pairs:
        return region.text(universe)
    spread = simple - _both_chosen(pairs)
    for one, other in pairs:
        # In this order each allowed part of a choice reaches it: the pairs that stand between them are taken one by
        # one, whichever comes first.
        spread |= _chosen(one) & _chosen(other) & (_left_out(spread, one) | _left_out(spread, other))
    return spread.text(universe.without_extras_and_groups())


def met_within(within: MarkerSet | Environment, markers: Sequence[str]) -> bool:
    """Whether some environment of `within`, or just that one, meets all of the markers."""
    region = MarkerSet.any()
    for text in markers:
        region &= MarkerSet.parse(text)
    return not region.is_disjoint(within) if isinstance(within, MarkerSet) else region.evaluate(within)


def _both_chosen(pairs: Iterable[tuple[ConflictMember, ConflictMember]]) -> MarkerSet:
    region = MarkerSet.none()
    for one, other in pairs:
        region |= _chosen(one) & _chosen(other)
    return region


def _chosen(member: ConflictMember) -> MarkerSet:
    chosen = MarkerSet.extra(member.name) if member.kind == "extra" else MarkerSet.group(member.name)
    return chosen if member.marker is None else chosen & MarkerSet.parse(member.marker)


def _left_out(region: MarkerSet, member: ConflictMember) -> MarkerSet:
    if member.kind == "extra":
        return region.with_left_out(extras=[member.name])
    return region.with_left_out(groups=[member.name])
