"""Reduced ordered decision diagrams over marker variables: the normal form of every marker.

A diagram is an integer. 0 is the empty set, 1 the full one, any other an interned node: a variable, the labels that
divide its values, and one child a part. Two diagrams are equal sets exactly where they are the same integer (as far
as the variables tell: what excludes what among different variables is not built in, see `lockset.markers.universe`).

Parts of a node:
- release variables: labels are cut points, children the intervals between them, neighbours differ;
- text variables: labels are known values in order, one child each, and a last child for every other string. A label is
  only there where its child differs from what the last child says of that value;
- yes-or-no variables: the one label True, and a last child for no.

The predicates of a text variable (`'win' in sys_platform`) stand directly below it. They can only occur under its last
child, since a known value decides them: that keeps the form canonical though predicates and values are not independent.

Interning is safe to share between threads that hold the interpreter lock; the tables grow with the process and are
never emptied.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

from lockset.markers.domains import satisfies
from lockset.markers.variables import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lockset.markers.variables import Variable

__all__ = [
    "EMPTY",
    "FULL",
    "NODES",
    "Node",
    "and_",
    "assign",
    "branch",
    "disjoint",
    "evaluate",
    "forget",
    "given",
    "make",
    "not_",
    "or_",
    "support",
]

EMPTY = 0
FULL = 1


# Variable, the labels that divide its values, one child more than labels.
Node: TypeAlias = "tuple[Variable, tuple[Any, ...], tuple[int, ...]]"

NODES: dict[int, Node] = {}
_IDS: dict[Node, int] = {}
_NEXT = count(2)

# Memo tables; a pair of diagrams is one integer key, the smaller one in the high half where order does not matter.
_AND: dict[int, int] = {}
_DISJOINT: dict[int, bool] = {}
_GIVEN: dict[int, int] = {}
_NOT: dict[int, int] = {EMPTY: FULL, FULL: EMPTY}
_SUPPORT: dict[int, dict[Variable, frozenset[Any]]] = {EMPTY: {}, FULL: {}}
_FIXED: dict[Any, dict[int, int]] = {}
_FORGOTTEN: dict[Any, dict[int, int]] = {}


def make(variable: Variable, labels: Sequence[Any], children: Sequence[int]) -> int:
    """The diagram that asks `variable` and goes on with the child of the part; reduced and interned."""
    last = children[-1]
    if all(child == last for child in children):
        return last
    kept: list[Any] = []
    ways: list[int] = []
    if variable.kind is Kind.RELEASE:
        before = children[0]
        ways.append(before)
        for label, child in zip(labels, children[1:], strict=True):
            if child != before:
                kept.append(label)
                ways.append(child)
                before = child
    else:
        open_predicates = last > FULL and NODES[last][0].owner is variable
        for label, child in zip(labels, children, strict=False):
            if child != (settle(last, variable, label) if open_predicates else last):
                kept.append(label)
                ways.append(child)
        ways.append(last)
    if not kept:
        return last
    return _intern((variable, tuple(kept), tuple(ways)))


def _intern(node: Node) -> int:
    found = _IDS.get(node)
    if found is None:
        fresh = next(_NEXT)
        NODES[fresh] = node
        found = _IDS.setdefault(node, fresh)
    return found


def settle(diagram: int, variable: Variable, value: Any) -> int:
    """The diagram below `variable`'s last child with the predicates of `variable` decided for one value."""
    while diagram > FULL:
        top, _, ways = NODES[diagram]
        if top.owner is not variable:
            break
        diagram = ways[0] if predicate_holds(top, value) else ways[1]
    return diagram


def predicate_holds(variable: Variable, value: str) -> bool:
    """Whether the comparison that a predicate or opaque variable stands for holds for a value."""
    left, right = (variable.literal, value) if variable.literal_first else (value, variable.literal)
    return satisfies(variable.name, left, variable.operator, right)


def branch(diagram: int, variable: Variable, labels: Sequence[Any]) -> Sequence[int]:
    """The children of `diagram` in the parts that `labels` make of `variable`, which is at or above its root.

    `labels` must contain the diagram's own labels where it asks the same variable.
    """
    if diagram <= FULL:
        return (diagram,) * (len(labels) + 1)
    own, known, ways = NODES[diagram]
    if own is variable:
        if known == labels:
            return ways
        if variable.kind is Kind.RELEASE:
            return [ways[0], *(ways[bisect_right(known, label)] for label in labels)]
        children = dict(zip(known, ways, strict=False))
        last = ways[-1]
        return [*(children[label] if label in children else settle(last, variable, label) for label in labels), last]
    if own.owner is variable:
        return [*(settle(diagram, variable, label) for label in labels), diagram]
    return (diagram,) * (len(labels) + 1)


def _align(one: int, other: int) -> tuple[Variable, Sequence[Any], Sequence[int], Sequence[int]]:
    """The upper one of both roots, common labels, and both diagrams' children under them."""
    variable, labels, ways = NODES[one]
    below, others, other_ways = NODES[other]
    if variable is below:
        if labels == others:
            return variable, labels, ways, other_ways
        labels = tuple(sorted({*labels, *others}))
        return variable, labels, branch(one, variable, labels), branch(other, variable, labels)
    if variable.order < below.order:
        return variable, labels, ways, branch(other, variable, labels)
    return below, others, branch(one, below, others), other_ways


def and_(one: int, other: int) -> int:
    """Intersection."""
    if other in (one, FULL):
        return one
    if one == FULL:
        return other
    if EMPTY in (one, other):
        return EMPTY
    key = one << 32 | other if one < other else other << 32 | one
    found = _AND.get(key)
    if found is None:
        variable, labels, left, right = _align(one, other)
        found = _AND[key] = make(variable, labels, list(map(and_, left, right)))
    return found


def not_(diagram: int) -> int:
    """Complement."""
    found = _NOT.get(diagram)
    if found is None:
        variable, labels, ways = NODES[diagram]
        # A complement is reduced where the diagram is: labels differ from their neighbours as before.
        found = _intern((variable, labels, tuple(map(not_, ways))))
        _NOT[diagram] = found
        _NOT[found] = diagram
    return found


def or_(one: int, other: int) -> int:
    """Union."""
    return not_(and_(not_(one), not_(other)))


def disjoint(one: int, other: int) -> bool:
    """Whether the intersection is empty; makes no new diagram."""
    if EMPTY in (one, other):
        return True
    if one == other or FULL in (one, other):
        return False
    key = one << 32 | other if one < other else other << 32 | one
    found = _DISJOINT.get(key)
    if found is None:
        _, _, left, right = _align(one, other)
        found = _DISJOINT[key] = all(map(disjoint, left, right))
    return found


def given(diagram: int, care: int) -> int:
    """A simple diagram that agrees with `diagram` wherever `care` holds.

    The cofactor that forgets what `care` alone asks, and gives the parts where `care` is empty to a neighbour. Full
    where `care` implies the diagram, empty where they are disjoint. `care` must not be empty.
    """
    if diagram <= FULL or care == FULL:
        return diagram
    if diagram == care:
        return FULL
    key = diagram << 32 | care
    found = _GIVEN.get(key)
    if found is None:
        found = _GIVEN[key] = _given(diagram, care)
    return found


def _given(diagram: int, care: int) -> int:
    asked, (cared, _, care_ways) = NODES[diagram][0], NODES[care]
    if cared.order < asked.order and asked.owner is not cared:
        united = EMPTY
        for child in care_ways:
            united = or_(united, child)
        return given(diagram, united)
    variable, labels, ways, cares = _align(diagram, care)
    wanted = [None if c == EMPTY else given(d, c) for d, c in zip(ways, cares, strict=True)]
    if variable.kind is Kind.RELEASE:
        return make(variable, labels, _fill(wanted))
    if wanted[-1] is None:
        known = [child for child in wanted if child is not None]
        last = max(known, key=lambda child: (known.count(child), -known.index(child)))
    else:
        last = wanted[-1]
    pairs = [(label, child) for label, child in zip(labels, wanted, strict=False) if child is not None]
    return make(variable, [label for label, _ in pairs], [*(child for _, child in pairs), last])


def _fill(wanted: list[int | None]) -> list[int]:
    current = next(child for child in wanted if child is not None)
    filled: list[int] = []
    for child in wanted:
        current = current if child is None else child
        filled.append(current)
    return filled


def assign(diagram: int, choice: Any, value_of: Callable[[Variable], Any]) -> int:
    """The diagram with some variables decided: `value_of` gives a value, or None to leave the variable open.

    `choice` is a hashable that stands for `value_of` in the memo table. Predicates of a fixed text variable go with it.
    """
    memo = _FIXED.setdefault(choice, {})

    def walk(here: int) -> int:
        if here <= FULL:
            return here
        found = memo.get(here)
        if found is None:
            variable, labels, ways = NODES[here]
            value = value_of(variable if variable.owner is None else variable.owner)
            if value is None:
                found = make(variable, labels, list(map(walk, ways)))
            elif variable.owner is not None:
                found = walk(ways[0] if predicate_holds(variable, value) else ways[1])
            else:
                found = walk(_way(variable, labels, ways, value))
            memo[here] = found
        return found

    return walk(diagram)


def _way(variable: Variable, labels: tuple[Any, ...], ways: tuple[int, ...], value: Any) -> int:
    if variable.kind is Kind.RELEASE:
        return ways[bisect_right(labels, value)]
    if value in labels:
        return ways[labels.index(value)]
    return settle(ways[-1], variable, value)


def forget(diagram: int, choice: Any, forgotten: Callable[[Variable], bool]) -> int:
    """The projection along some variables: what holds for one of their values at least. `choice` is the memo's key."""
    memo = _FORGOTTEN.setdefault(choice, {})

    def walk(here: int) -> int:
        if here <= FULL:
            return here
        found = memo.get(here)
        if found is None:
            variable, labels, ways = NODES[here]
            inner = list(map(walk, ways))
            if forgotten(variable):
                found = EMPTY
                for child in inner:
                    found = or_(found, child)
            else:
                found = make(variable, labels, inner)
            memo[here] = found
        return found

    return walk(diagram)


def evaluate(diagram: int, value_of: Callable[[Variable], Any]) -> bool:
    """Whether the point given by `value_of` (a value for every variable) lies in the set."""
    while diagram > FULL:
        variable, labels, ways = NODES[diagram]
        diagram = _way(variable, labels, ways, value_of(variable))
    return diagram == FULL


def support(diagram: int) -> dict[Variable, frozenset[Any]]:
    """The variables that the diagram asks, in order, with all labels it divides them by."""
    found = _SUPPORT.get(diagram)
    if found is None:
        top, top_labels, ways = NODES[diagram]
        labels: dict[Variable, frozenset[Any]] = {top: frozenset(top_labels)}
        for child in set(ways):
            for variable, own in support(child).items():
                labels[variable] = labels.get(variable, frozenset()) | own
        found = _SUPPORT[diagram] = dict(sorted(labels.items(), key=lambda item: item[0].order))
    return found
