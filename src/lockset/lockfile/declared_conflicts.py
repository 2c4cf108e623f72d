"""Extras and groups that a lock file declares never to be chosen together.

The standard has no key for it. The markers of the entries make such a choice ambiguous, which every installer refuses
(see `lockset.lockfile.conflict_regions`); `conflicts` under `[tool.lockset]` lets lockset say why:

    conflicts = [[{ extra = "cpu" }, { extra = "gpu" }], [{ extra = "gpu" }, { group = "all", marker = "..." }]]

Any two members of an inner array exclude each other, where the markers of both hold.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.markers import InvalidMarker
from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import read_marker
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from lockset.lockfile.model import Pylock

__all__ = [
    "ConflictMember",
    "DeclaredConflict",
    "declared_conflicts",
    "pairs_of",
    "read_conflicts",
    "refuse_conflicting_choice",
    "tables_of",
    "with_conflicts",
]

# Bounds on what is read: no project declares so many, and any two members make a pair.
_MOST_CONFLICTS = 1000
_MOST_MEMBERS = 100


class ConflictMember(NamedTuple):
    """One extra or dependency group; `marker` says where it counts (None: everywhere)."""

    kind: str
    name: str
    marker: str | None = None

    @property
    def shown(self) -> str:
        """As messages call it."""
        return f"{'extra' if self.kind == 'extra' else 'dependency group'} `{self.name}`"


DeclaredConflict = tuple[ConflictMember, ...]


def declared_conflicts(lock: Pylock) -> tuple[DeclaredConflict, ...]:
    """What the lock file declares; tables of another form are passed over."""
    return read_conflicts(lock.tool)


def read_conflicts(tool: object) -> tuple[DeclaredConflict, ...]:
    """The same of the table `tool` of a lock file."""
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
    except (InvalidMarker, RecursionError):
        return False


def tables_of(conflicts: Iterable[DeclaredConflict]) -> list[list[dict[str, str]]]:
    """As they stand in a lock file."""
    return [
        [{m.kind: m.name} if m.marker is None else {m.kind: m.name, "marker": m.marker} for m in conflict]
        for conflict in conflicts
    ]


def with_conflicts(tool: Mapping[str, Any] | None, conflicts: Iterable[DeclaredConflict]) -> dict[str, Any] | None:
    """The table `tool` of a lock file with just these declared; None where nothing is left in it."""
    own = {key: value for key, value in ((tool or {}).get("lockset") or {}).items() if key != "conflicts"}
    if tables := tables_of(conflicts):
        own["conflicts"] = tables
    others = {key: value for key, value in (tool or {}).items() if key != "lockset"}
    return ({**others, "lockset": own} if own else others) or None


def pairs_of(conflicts: Iterable[DeclaredConflict]) -> Iterator[tuple[ConflictMember, ConflictMember]]:
    """Any two that exclude each other, each pair once."""
    seen: set[tuple[ConflictMember, ConflictMember]] = set()
    for conflict in conflicts:
        for pair in combinations(conflict, 2):
            if pair not in seen and pair[0][:2] != pair[1][:2]:
                seen.add(pair)
                yield pair


def refuse_conflicting_choice(
    lock: Pylock, extras: Collection[str], groups: Collection[str], holds: Callable[[Sequence[str]], bool]
) -> None:
    """Refuse extras and groups that the lock file declares never to be chosen together.

    Args:
        lock: The lock file.
        extras: The extras chosen, normalised.
        groups: The dependency groups chosen, the default ones included, normalised.
        holds: Whether some environment that is asked about meets all of these markers.

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
        hint = f"Choose one of them; {_listed(usual)} is installed by default, unless default groups are left out"
    return LocksetError(
        "conflicting-choice",
        f"{_listed(refused[0], start=True)} cannot be installed together: the lock file declares them as conflicting",
        context=tuple(f"nor can {_listed(conflict)}" for conflict in refused[1:]),
        hint=hint,
    )


def _is_default(member: ConflictMember, defaults: Collection[str]) -> bool:
    return member.kind == "group" and member.name in defaults


def _listed(members: Sequence[ConflictMember], *, start: bool = False) -> str:
    text = ", ".join(m.shown for m in members[:-1]) + " and " + members[-1].shown if members[1:] else members[0].shown
    return text[0].upper() + text[1:] if start else text
