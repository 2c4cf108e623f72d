"""Render a diagram as the shortest marker, given an assumption.

The text must agree with the set wherever the assumption is true, and is arbitrary elsewhere. First, conditions that
every member satisfies are factored out with `and`, and sufficient conditions with `or`, one variable at a time; this
completes most markers. The rest and its complement are minimized in two levels, and the shorter result is used.
Finally, redundant comparisons are removed. The order of variables determines the order of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.markers.cover import Parts, cover, diagram_parts, factor, products_of
from lockset.markers.diagram import EMPTY, FULL, NODES, and_, disjoint, given, not_, or_
from lockset.markers.expression import Expression, Join, expression_text, join, meaning, negate, size
from lockset.markers.literals import choose, parts_met, region, region_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.markers.literals import Labels
    from lockset.markers.variables import Variable


__all__ = ["render"]

# A set with more products than this is divided by its first variable, and each part is minimized separately.
MAX_PRODUCTS = 64
# Expressions with more comparisons than this are not searched for redundant ones.
MAX_COMPARISONS_TO_CLEAN = 24
# Sets with at most this many products are also minimized as a whole, before anything is factored out.
MAX_PRODUCTS_AS_A_WHOLE = 12
# Two-level minimization is skipped if products times variables squared exceeds this.
MAX_WORK = 4000
# With so few comparisons, no other method is tried.
SHORT = 2

_TEXTS: dict[tuple[int, int], str] = {}


def render(diagram: int, assumption: int) -> str:
    """The text of a set that is neither empty nor everything within the assumption."""
    key = diagram, assumption
    if key not in _TEXTS:
        _TEXTS[key] = expression_text(_shortest(diagram, assumption))
    return _TEXTS[key]


def _shortest(diagram: int, care: int) -> Expression:
    simple = given(diagram, care)
    decomposed = _clean(_decompose(simple, care), diagram, care)
    # Every relevant variable needs at least one comparison.
    if size(decomposed) <= max(SHORT, len(diagram_parts(simple))):
        return decomposed
    whole = _two_level(simple, care, MAX_PRODUCTS_AS_A_WHOLE)
    return decomposed if whole is None else min(decomposed, _clean(whole, diagram, care), key=_length)


def _length(expression: Expression) -> tuple[int, int]:
    return size(expression), len(expression_text(expression))


def _decompose(diagram: int, care: int) -> Expression:
    """The expression of a set that is neither empty nor full within `care`."""
    diagram = given(diagram, care)
    parts = diagram_parts(diagram, care)
    taken = _necessary(diagram, care, parts)
    either = False
    if not taken:
        either = True
        taken = [negate(leaf) for leaf in _necessary(not_(diagram), care, parts)]
    if not taken:
        return _core(diagram, care)
    for expression in taken:
        care = and_(care, not_(meaning(expression)) if either else meaning(expression))
    rest = given(diagram, care) if care != EMPTY else FULL
    if rest > FULL:
        taken.append(_decompose(rest, care))
    return join(taken, either=either)


def _necessary(diagram: int, care: int, parts: Parts) -> list[Expression]:
    """Conditions on single variables that every member of the set satisfies, but not every point of `care`."""
    conditions: list[Expression] = []
    for variable, labels in parts.items():
        everything = (1 << len(labels) + 1) - 1
        needed = _parts_met(and_(diagram, care), variable, labels)
        mask = choose(variable, labels, needed, needed | (everything & ~_parts_met(care, variable, labels)))
        if mask != everything:
            conditions.append(region_expression(variable, labels, mask))
            care = and_(care, region(variable, labels, mask))
    return conditions


def _parts_met(diagram: int, variable: Variable, labels: Labels) -> int:
    """The parts of `variable` in which the set has members."""
    if variable.owner is None:
        return parts_met(diagram, variable, labels)
    here = [region(variable, labels, 1 << part) for part in range(len(labels) + 1)]
    return sum(1 << part for part, one in enumerate(here) if not disjoint(diagram, one))


def _core(diagram: int, care: int) -> Expression:
    expression = _two_level(diagram, care, MAX_PRODUCTS)
    return join(_branches(diagram, care), either=True) if expression is None else expression


def _two_level(diagram: int, care: int, limit: int) -> Expression | None:
    plain = _minimize(diagram, care, limit)
    other = _minimize(not_(diagram), care, limit)
    candidates = [e for e in (plain, None if other is None else negate(other)) if e is not None]
    return min(candidates, key=_length) if candidates else None


def _minimize(diagram: int, care: int, limit: int) -> Expression | None:
    simple = given(diagram, care)
    parts = diagram_parts(simple)
    products = products_of(simple, parts, limit)
    if products is None or simple <= FULL or len(products) * len(parts) ** 2 > MAX_WORK:
        return None
    lower, upper = and_(diagram, care), or_(diagram, not_(care))
    return factor(cover(lower, upper, products, parts), parts)


def _branches(diagram: int, care: int) -> Iterable[Expression]:
    """The parts into which the first variable divides the set, each with the remaining conditions."""
    variable, labels, children = NODES[diagram]
    masks: dict[int, int] = {}
    for part, child in enumerate(children):
        if child != EMPTY:
            masks[child] = masks.get(child, 0) | 1 << part
    for mask in masks.values():
        here = region_expression(variable, labels, mask)
        inside = and_(care, region(variable, labels, mask))
        rest = EMPTY if inside == EMPTY else given(diagram, inside)
        if rest == FULL:
            yield here
        elif rest != EMPTY:
            yield join((here, _decompose(rest, inside)), either=False)


def _clean(expression: Expression, diagram: int, care: int) -> Expression:
    """The expression without comparisons that are redundant on `care`."""
    if size(expression) > MAX_COMPARISONS_TO_CLEAN:
        return expression
    expected = and_(diagram, care)
    current = expression
    while True:
        shorter = next((e for e in _without_one(current) if and_(meaning(e), care) == expected), None)
        if shorter is None:
            return current
        current = shorter


def _without_one(expression: Expression) -> Iterable[Expression]:
    """Every expression without one part, or without one part of a part."""
    if not isinstance(expression, Join):
        return
    for i, part in enumerate(expression.parts):
        before, after = expression.parts[:i], expression.parts[i + 1 :]
        yield join((*before, *after), either=expression.either)
        for smaller in _without_one(part):
            yield join((*before, smaller, *after), either=expression.either)
