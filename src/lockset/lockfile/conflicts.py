"""Conflicting extras and groups: how a lock file declares them, and markers that make their selection ambiguous.

PEP 751 has no key for this; `conflicts` in `[tool.lockset]` lets lockset explain it:

    conflicts = [[{ extra = "cpu" }, { extra = "gpu" }], [{ extra = "gpu" }, { group = "all", marker = "..." }]]

Any two members of an inner array exclude each other where both their markers are true.

A lock file is resolved for the allowed selections only. What its markers mean for the others is not determined, and the
shortest markers may pick one of two releases there: `hull 1.0 ; 'new' not in extras` and `hull 2.0 ; 'new' in extras`
install hull 2.0 next to everything else that the extra `old` requires. Instead, a conflicting selection gets
whatever each allowed part of it gets: hull 1.0 of `old` and hull 2.0 of `new`. Installers must refuse two entries of
the same name (PEP 751). If no name has two entries, all requirements are met, since each extra and each group belongs
to an allowed part.
"""

from __future__ import annotations

from itertools import combinations

from lockset import dependency_specifiers
from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import read_marker
from lockset.errors import LocksetError
from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from lockset.lockfile.model import Pylock
    from lockset.markers import Environment, MarkerSet

__all__ = [
    "ConflictMember",
    "DeclaredConflict",
    "conflicting_region",
    "conflicting_regions",
    "declared_conflicts",
    "marker_text",
    "met_within",
    "pairs_of",
    "read_conflicts",
    "refuse_conflicting_choice",
    "tables_of",
    "with_conflicts",
]

# Limits for what is read: the number of pairs grows with the square of the members.
_MOST_CONFLICTS = 1000
_MOST_MEMBERS = 100


class ConflictMember(NamedTuple):
    """One extra or dependency group; `marker` says where it counts (None for everywhere)."""

    kind: str
    name: str
    marker: str | None = None

    @property
    def shown(self) -> str:
        """Its kind and name, for messages."""
        return f"{'extra' if self.kind == 'extra' else 'dependency group'} `{self.name}`"


DeclaredConflict = tuple[ConflictMember, ...]


def declared_conflicts(lock: Pylock) -> tuple[DeclaredConflict, ...]:
    """The conflicts that the lock file declares; malformed tables are ignored."""
    return read_conflicts(lock.tool)


def read_conflicts(tool: object) -> tuple[DeclaredConflict, ...]:
    """The conflicts in the `tool` table of a lock file; malformed tables are ignored."""
    own = tool.get("lockset") if isinstance(tool, dict) else None
    listed = own.get("conflicts") if isinstance(own, dict) else None
    conflicts = [
        tuple(member for each in one[:_MOST_MEMBERS] if (member := _member(each)) is not None)
        for one in (listed[:_MOST_CONFLICTS] if isinstance(listed, list) else ())
        if isinstance(one, list)
    ]
    return tuple(conflict for conflict in conflicts if len(conflict) > 1)


def _member(table: object) -> ConflictMember | None:
    if not isinstance(table, dict):
        return None
    marker = table.get("marker")
    if marker is not None and not _is_marker(marker):
        return None
    for kind in ("extra", "group"):
        if isinstance(table.get(kind), str):
            return ConflictMember(kind, canonicalize_name(table[kind]), marker)
    return None


def _is_marker(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(read_marker(text))
    except (dependency_specifiers.InvalidMarker, RecursionError):
        return False


def tables_of(conflicts: Iterable[DeclaredConflict]) -> list[list[dict[str, str]]]:
    """`conflicts` as arrays of tables for a lock file."""
    return [
        [{m.kind: m.name} if m.marker is None else {m.kind: m.name, "marker": m.marker} for m in conflict]
        for conflict in conflicts
    ]


def with_conflicts(tool: Mapping[str, Any] | None, conflicts: Iterable[DeclaredConflict]) -> dict[str, Any] | None:
    """The `tool` table with exactly these conflicts; None if the table would be empty."""
    own = {key: value for key, value in ((tool or {}).get("lockset") or {}).items() if key != "conflicts"}
    if tables := tables_of(conflicts):
        own["conflicts"] = tables
    others = {key: value for key, value in (tool or {}).items() if key != "lockset"}
    return ({**others, "lockset": own} if own else others) or None


def pairs_of(conflicts: Iterable[DeclaredConflict]) -> Iterator[tuple[ConflictMember, ConflictMember]]:
    """The pairs that exclude each other, each once."""
    seen: set[tuple[ConflictMember, ConflictMember]] = set()
    for conflict in conflicts:
        for pair in combinations(conflict, 2):
            if pair not in seen and pair[0][:2] != pair[1][:2]:
                seen.add(pair)
                yield pair


def refuse_conflicting_choice(
    lock: Pylock, extras: Collection[str], groups: Collection[str], holds: Callable[[Sequence[str]], bool]
) -> None:
    """Refuse extras and groups that the lock file declares as conflicting.

    Args:
        lock: The lock file.
        extras: The selected extras, normalized.
        groups: The selected dependency groups including the default groups, normalized.
        holds: Whether all of these markers are true in one of the environments in question.

    Raises:
        LocksetError: `conflicting-choice` with the names.
    """
    refused = []
    for conflict in declared_conflicts(lock):
        chosen = tuple(m for m in conflict if m.name in (extras if m.kind == "extra" else groups))
        pairs = [p for p in pairs_of([chosen]) if _meet(p, holds)]
        members = dict.fromkeys(m._replace(marker=None) for pair in pairs for m in pair)
        if members:
            refused.append(tuple(members))
    if refused:
        raise _refusal(lock, list(dict.fromkeys(refused)))


def _meet(pair: Iterable[ConflictMember], holds: Callable[[Sequence[str]], bool]) -> bool:
    markers = [member.marker for member in pair if member.marker is not None]
    return not markers or holds(markers)


def _refusal(lock: Pylock, refused: Sequence[DeclaredConflict]) -> LocksetError:
    defaults = frozenset(lock.default_groups or ())
    usual = [m for m in dict.fromkeys(m for conflict in refused for m in conflict) if _is_default(m, defaults)]
    hint = "Choose one of them"
    if usual:
        hint = f"Choose one of them; {_list(usual)} is installed by default, unless default groups are left out"
    return LocksetError(
        "conflicting-choice",
        f"{_list(refused[0], start=True)} cannot be installed together: the lock file declares them as conflicting",
        context=tuple(f"nor can {_list(conflict)}" for conflict in refused[1:]),
        hint=hint,
    )


def _is_default(member: ConflictMember, defaults: Collection[str]) -> bool:
    return member.kind == "group" and member.name in defaults


def _list(members: Sequence[ConflictMember], *, start: bool = False) -> str:
    text = ", ".join(m.shown for m in members[:-1]) + " and " + members[-1].shown if members[1:] else members[0].shown
    return text[0].upper() + text[1:] if start else text


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
    from lockset.markers import MarkerSet  # imported late: a sync reads declarations, and needs no diagrams

    region = MarkerSet.any()
    for text in markers:
        region &= MarkerSet.parse(text)
    return not region.is_disjoint(within) if isinstance(within, MarkerSet) else region.evaluate(within)


def _pairs_selected(pairs: Iterable[tuple[ConflictMember, ConflictMember]]) -> MarkerSet:
    from lockset.markers import MarkerSet

    region = MarkerSet.none()
    for one, other in pairs:
        region |= _selected(one) & _selected(other)
    return region


def _selected(member: ConflictMember) -> MarkerSet:
    from lockset.markers import MarkerSet

    chosen = MarkerSet.extra(member.name) if member.kind == "extra" else MarkerSet.group(member.name)
    return chosen if member.marker is None else chosen & MarkerSet.parse(member.marker)


def _with_left_out(region: MarkerSet, member: ConflictMember) -> MarkerSet:
    if member.kind == "extra":
        return region.with_left_out(extras=[member.name])
    return region.with_left_out(groups=[member.name])
