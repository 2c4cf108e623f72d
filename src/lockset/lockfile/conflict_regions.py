"""Markers that make a selection of conflicting extras and groups ambiguous, instead of silently wrong.

A lock file is resolved for the allowed selections only. What its markers mean for the others is not determined, and the
shortest markers may pick one of two releases there: `hull 1.0 ; 'new' not in extras` and `hull 2.0 ; 'new' in extras`
install hull 2.0 next to everything else that the extra `old` requires. Instead, a conflicting selection gets
whatever each allowed part of it gets: hull 1.0 of `old` and hull 2.0 of `new`. Installers must refuse two entries of
the same name (PEP 751). If no name has two entries, all requirements are met, since each extra and each group belongs
to an allowed part.
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
    """The environments and selections in which two members of a conflict are selected."""
    return _pairs_selected(pairs_of(conflicts))


def conflicting_regions(conflicts: Iterable[DeclaredConflict]) -> tuple[MarkerSet, ...]:
    """For each conflicting extra and group, the region in which it is selected."""
    return tuple(dict.fromkeys(_selected(member) for conflict in conflicts for member in conflict))


def marker_text(region: MarkerSet, universe: MarkerSet, conflicts: Sequence[DeclaredConflict]) -> str | None:
    """The marker of an entry that applies in `region`; None if it always does.

    `universe` is the set of environments and selections that the lock file supports; `conflicts` lie outside it.

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
    spread = simple - _pairs_selected(pairs)
    for one, other in pairs:
        # Going through the pairs one by one, every allowed part of a selection contributes its entries.
        spread |= _selected(one) & _selected(other) & (_with_left_out(spread, one) | _with_left_out(spread, other))
    return spread.text(universe.without_extras_and_groups())


def met_within(within: MarkerSet | Environment, markers: Sequence[str]) -> bool:
    """Whether all markers are true together in some environment of `within` (or in that one environment)."""
    region = MarkerSet.any()
    for text in markers:
        region &= MarkerSet.parse(text)
    return not region.is_disjoint(within) if isinstance(within, MarkerSet) else region.evaluate(within)


def _pairs_selected(pairs: Iterable[tuple[ConflictMember, ConflictMember]]) -> MarkerSet:
    region = MarkerSet.none()
    for one, other in pairs:
        region |= _selected(one) & _selected(other)
    return region


def _selected(member: ConflictMember) -> MarkerSet:
    chosen = MarkerSet.extra(member.name) if member.kind == "extra" else MarkerSet.group(member.name)
    return chosen if member.marker is None else chosen & MarkerSet.parse(member.marker)


def _with_left_out(region: MarkerSet, member: ConflictMember) -> MarkerSet:
    if member.kind == "extra":
        return region.with_left_out(extras=[member.name])
    return region.with_left_out(groups=[member.name])
