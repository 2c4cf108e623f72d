"""Reduced ordered multi-valued decision diagrams over marker variables: the normal form of every marker.

A diagram is an integer. 0 is the empty set, 1 the full one, any other an interned node: a variable, the labels that
divide its values into parts, and one child per part. Two diagrams are equal sets if and only if they are the same
integer (values of different variables that exclude each other are handled in `lockset.markers.universe`).

Parts of a node:
- release variables: labels are cut points, with one child for each interval between them; adjacent children differ;
- text variables: labels are known values in order, with one child each, and a last child for every other string. A
  label is only present if its child differs from the last child for that value;
- Boolean variables: the only label is True, and the last child is for False.

The predicates of a text variable (`'win' in sys_platform`) are directly below it, and only under its last child, since
a known value decides them. So the form is canonical although predicates and values are not independent.

Interning is thread-safe with the global interpreter lock. The tables grow with the process and are never emptied.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import partial
from itertools import count
from math import inf

from lockset._named_tuple import NamedTuple
from lockset.markers.variables import Kind, release_point, satisfies
from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    from lockset.markers.variables import Variable

__all__ = [
    "EMPTY",
    "FULL",
    "NODES",
    "Formula",
    "FormulaTooLargeError",
    "Node",
    "Operation",
    "and_",
    "assign",
    "branch",
    "build",
    "disjoint",
    "evaluate",
    "forget",
    "given",
    "make",
    "minus",
    "not_",
    "or_",
    "support",
    "union",
]

EMPTY = 0
FULL = 1


# Variable, the labels that divide its values, and one more child than labels.
Node: TypeAlias = "tuple[Variable, tuple[Any, ...], tuple[int, ...]]"

NODES: dict[int, Node] = {}


class Operation(NamedTuple):
    """`and`, `or` or `not` of formulas."""

    operator: str
    operands: tuple[Formula, ...]


# What `build` makes a diagram of: a constant, a comparison as a node on constants, or an operation.
Formula: TypeAlias = "int | Node | Operation"


class FormulaTooLargeError(ValueError):
    """The diagram of a formula needs too many nodes."""


_IDS: dict[Node, int] = {}
_NEXT = count(2)

# Memo tables; the key of a pair of diagrams is one integer, with the smaller one in the high half for commutative
# operations.
_AND: dict[int, int] = {}
_DISJOINT: dict[int, bool] = {}
_GIVEN: dict[int, int] = {}
_NOT: dict[int, int] = {EMPTY: FULL, FULL: EMPTY}
_SUPPORT: dict[int, dict[Variable, frozenset[Any]]] = {EMPTY: {}, FULL: {}}
_FIXED: dict[Any, dict[int, int]] = {}
_FORGOTTEN: dict[Any, dict[int, int]] = {}


def make(variable: Variable, labels: Sequence[Any], children: Sequence[int]) -> int:
    """The reduced and interned node that tests `variable` and continues with the child of the matching part."""
    last = children[-1]
    if children.count(last) == len(children):
        return last
    kept: list[Any] = []
    edges: list[int] = []
    if variable.kind is Kind.RELEASE:
        before = children[0]
        edges.append(before)
        for label, child in zip(labels, children[1:], strict=True):
            if child != before:
                kept.append(label)
                edges.append(child)
                before = child
    else:
        open_predicates = last > FULL and NODES[last][0].owner is variable
        for label, child in zip(labels, children, strict=False):
            if child != (settle(last, variable, label) if open_predicates else last):
                kept.append(label)
                edges.append(child)
        edges.append(last)
    if not kept:
        return last
    return _intern((variable, tuple(kept), tuple(edges)))


def _intern(node: Node) -> int:
    existing = _IDS.get(node)
    if existing is None:
        fresh = next(_NEXT)
        NODES[fresh] = node
        existing = _IDS.setdefault(node, fresh)
    return existing


def settle(diagram: int, variable: Variable, value: Any) -> int:
    """The diagram below the last child of `variable`, with the predicates of `variable` decided for `value`."""
    while diagram > FULL:
        top, _, children = NODES[diagram]
        if top.owner is not variable:
            break
        diagram = children[0] if predicate_holds(top, value) else children[1]
    return diagram


def predicate_holds(variable: Variable, value: str) -> bool:
    """Whether the comparison of a predicate or opaque variable is true for `value`."""
    left, right = (variable.literal, value) if variable.literal_first else (value, variable.literal)
    return satisfies(variable.name, left, variable.operator, right)


def branch(diagram: int, variable: Variable, labels: Sequence[Any]) -> Sequence[int]:
    """The children of `diagram` for the parts that `labels` make of `variable`, which is at or above its root.

    `labels` must contain the labels of the root if it tests the same variable.
    """
    if diagram <= FULL:
        return (diagram,) * (len(labels) + 1)
    own, own_labels, edges = NODES[diagram]
    if own is variable:
        if own_labels == labels:
            return edges
        if variable.kind is Kind.RELEASE:
            return [edges[0], *(edges[bisect_right(own_labels, label)] for label in labels)]
        children = dict(zip(own_labels, edges, strict=False))
        last = edges[-1]
        return [*(children[label] if label in children else settle(last, variable, label) for label in labels), last]
    if own.owner is variable:
        return [*(settle(diagram, variable, label) for label in labels), diagram]
    return (diagram,) * (len(labels) + 1)


def _align(one: int, other: int) -> tuple[Variable, Sequence[Any], Sequence[int], Sequence[int]]:
    """The upper variable of both roots, common labels, and both diagrams' children for these."""
    variable, labels, children = NODES[one]
    below, others, other_children = NODES[other]
    if variable is below:
        if labels == others:
            return variable, labels, children, other_children
        labels = tuple(sorted({*labels, *others}))
        return variable, labels, branch(one, variable, labels), branch(other, variable, labels)
    if variable.order < below.order:
        return variable, labels, children, branch(other, variable, labels)
    return below, others, branch(one, below, others), other_children


def and_(one: int, other: int) -> int:
    """Intersection."""
    if other in (one, FULL):
        return one
    if one == FULL:
        return other
    if EMPTY in (one, other):
        return EMPTY
    key = one << 32 | other if one < other else other << 32 | one
    result = _AND.get(key)
    if result is None:
        variable, labels, left, right = _align(one, other)
        result = _AND[key] = make(variable, labels, list(map(and_, left, right)))
    return result


def not_(diagram: int) -> int:
    """Complement."""
    result = _NOT.get(diagram)
    if result is None:
        variable, labels, children = NODES[diagram]
        # The complement of a reduced diagram is reduced.
        result = _intern((variable, labels, tuple(map(not_, children))))
        _NOT[diagram] = result
        _NOT[result] = diagram
    return result


def or_(one: int, other: int) -> int:
    """Union."""
    if other in (one, EMPTY):
        return one
    if one == EMPTY:
        return other
    if FULL in (one, other):
        return FULL
    return not_(and_(not_(one), not_(other)))


def union(diagrams: Iterable[int]) -> int:
    """Union of any number of sets."""
    result = EMPTY
    for diagram in diagrams:
        result = or_(result, diagram)
    return result


def build(formula: Formula, most: float = inf) -> int:
    """The diagram of `formula`.

    Raises:
        FormulaTooLargeError: There are more than `most` nodes in the process.
    """
    if isinstance(formula, int):
        return formula
    if not isinstance(formula, Operation):
        return make(*formula)
    operator, parts = formula
    if operator == "not":
        return not_(build(parts[0], most))
    join = and_ if operator == "and" else or_
    diagrams = [build(part, most) for part in parts]
    # Neighbours in pairs, so that a long list does not take the square of its length.
    while len(diagrams) > 1:
        last = diagrams[-1:] if len(diagrams) % 2 else []
        diagrams = [*map(join, diagrams[::2], diagrams[1::2]), *last]
        if len(NODES) > most:
            raise FormulaTooLargeError
    return diagrams[0]


def minus(one: int, other: int) -> int:
    """Difference."""
    return and_(one, not_(other))


def disjoint(one: int, other: int) -> bool:
    """Whether the intersection is empty, without creating diagrams."""
    if EMPTY in (one, other):
        return True
    if one == other or FULL in (one, other):
        return False
    key = one << 32 | other if one < other else other << 32 | one
    result = _DISJOINT.get(key)
    if result is None:
        _, _, left, right = _align(one, other)
        result = _DISJOINT[key] = all(map(disjoint, left, right))
    return result


def given(diagram: int, care: int) -> int:
    """A simpler diagram that agrees with `diagram` on `care`: a generalised cofactor.

    It drops variables that only `care` tests, and merges parts where `care` is empty with a neighbour. The result is
    full if `care` implies the diagram, and empty if they are disjoint. `care` must not be empty.
    """
    if diagram <= FULL or care == FULL:
        return diagram
    if diagram == care:
        return FULL
    key = diagram << 32 | care
    result = _GIVEN.get(key)
    if result is None:
        result = _GIVEN[key] = _given(diagram, care)
    return result


def _given(diagram: int, care: int) -> int:
    top, (care_top, _, care_children) = NODES[diagram][0], NODES[care]
    if care_top.order < top.order and top.owner is not care_top:
        return given(diagram, union(care_children))
    variable, labels, children, cares = _align(diagram, care)
    results = [None if c == EMPTY else given(d, c) for d, c in zip(children, cares, strict=True)]
    if variable.kind is Kind.RELEASE:
        return make(variable, labels, _fill(results))
    if results[-1] is None:
        known = [child for child in results if child is not None]
        last = max(known, key=lambda child: (known.count(child), -known.index(child)))
    else:
        last = results[-1]
    pairs = [(label, child) for label, child in zip(labels, results, strict=False) if child is not None]
    return make(variable, [label for label, _ in pairs], [*(child for _, child in pairs), last])


def _fill(children: list[int | None]) -> list[int]:
    current = next(child for child in children if child is not None)
    filled: list[int] = []
    for child in children:
        current = current if child is None else child
        filled.append(current)
    return filled


def assign(diagram: int, choice: Any, value_of: Callable[[Variable], Any]) -> int:
    """The diagram with some variables fixed: `value_of` returns a value, or None to leave the variable open.

    `choice` is a hashable key for `value_of` in the memo table. Predicates of a fixed text variable are decided too.
    """
    memo = _FIXED.setdefault(choice, {})

    def walk(here: int) -> int:
        if here <= FULL:
            return here
        result = memo.get(here)
        if result is None:
            variable, labels, children = NODES[here]
            value = value_of(variable if variable.owner is None else variable.owner)
            if value is None:
                result = make(variable, labels, list(map(walk, children)))
            elif variable.owner is not None:
                result = walk(children[0] if predicate_holds(variable, value) else children[1])
            else:
                result = walk(_child_for(variable, labels, children, value))
            memo[here] = result
        return result

    return walk(diagram)


def _child_for(variable: Variable, labels: tuple[Any, ...], children: tuple[int, ...], value: Any) -> int:
    if variable.kind is Kind.RELEASE:
        return children[bisect_right(labels, value)]
    if value in labels:
        return children[labels.index(value)]
    return settle(children[-1], variable, value)


def forget(diagram: int, names: frozenset[str], keep: Variable | None = None) -> int:
    """Existential quantification: the set for which some values of the variables called `names` are in `diagram`.

    The variable `keep` is not forgotten, whatever its name.
    """
    memo = _FORGOTTEN.setdefault((names, keep), {})

    def walk(here: int) -> int:
        if here <= FULL:
            return here
        result = memo.get(here)
        if result is None:
            variable, labels, children = NODES[here]
            inner = list(map(walk, children))
            forgotten = variable.name in names and variable is not keep
            result = memo[here] = union(inner) if forgotten else make(variable, labels, inner)
        return result

    return walk(diagram)


def value_at(variable: Variable, values: object) -> Any:
    """The value of a variable, which is not a flag; `values` is a mapping, or has an attribute for each variable."""
    value = _value_in(values, variable.name)
    if variable.kind is Kind.RELEASE:
        return release_point(value)
    return value if variable.kind is Kind.TEXT else predicate_holds(variable, value)


def evaluate(diagram: int, values: object, chosen: Mapping[str, frozenset[str]]) -> bool:
    """Whether a point is in the set: `values` as for `value_at`, and the names chosen of each kind of flags."""
    while diagram > FULL:
        variable, labels, children = NODES[diagram]
        if variable.kind is Kind.FLAG:
            value: Any = variable.literal in chosen[variable.name]
        else:
            value = value_at(variable, values)
        diagram = _child_for(variable, labels, children, value)
    return diagram == FULL


def _value_in(values: object, name: str) -> str:
    """The value of a variable; a missing one is "", and `python_full_version` and `python_version` give each other."""
    get: Callable[[str], str | None]
    get = values.get if isinstance(values, Mapping) else partial(getattr, values)
    if name == "python_full_version":
        return get(name) or get("python_version") or ""
    if name == "python_version":
        full = get("python_full_version") or get(name) or ""
        return ".".join(map(str, release_point(full)[:2]))
    if name == "extra":
        extra = values.get(name) if isinstance(values, Mapping) else None
        return canonicalize_name(extra) if extra else ""
    return get(name) or ""


def support(diagram: int) -> dict[Variable, frozenset[Any]]:
    """The variables that the diagram tests, in order, with all their labels."""
    result = _SUPPORT.get(diagram)
    if result is None:
        top, top_labels, children = NODES[diagram]
        labels: dict[Variable, frozenset[Any]] = {top: frozenset(top_labels)}
        for child in set(children):
            for variable, own in support(child).items():
                labels[variable] = labels.get(variable, frozenset()) | own
        result = _SUPPORT[diagram] = dict(sorted(labels.items(), key=lambda item: item[0].order))
    return result
