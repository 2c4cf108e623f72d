"""Diagram to the shortest marker text, given an assumption.

The text must agree with the set wherever the assumption holds, and may say anything elsewhere. First what every member
must satisfy is taken out with `and`, and what alone suffices with `or`, one variable at a time: most markers are done
then. What is left is minimised in two levels, and so is its complement, and the shorter one is taken. At the end every
comparison is removed that the rest makes needless. The order of variables fixes the order of the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.markers.cover import Parts, cover, diagram_parts, factored, products_of
from lockset.markers.diagram import EMPTY, FULL, NODES, and_, disjoint, given, not_, or_
from lockset.markers.expression import Expression, Join, expression_text, join, meaning, negated, size
from lockset.markers.literals import choose, region, region_expression

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["render"]

# A core of more products than this is divided by its first variable, and each part is minimised for itself.
MAX_PRODUCTS = 64
# Expressions of more comparisons than this are not searched for needless ones.
MAX_COMPARISONS_TO_CLEAN = 24
# Sets of at most this many products are also minimised as a whole, before anything is taken out.
MAX_PRODUCTS_AS_A_WHOLE = 12
# Two-level minimisation is left out where products times variables squared are more than this.
MAX_WORK = 4000
# So few comparisons that no other way is tried to find fewer.
SHORT = 2

_TEXTS: dict[tuple[int, int], str | None] = {}


def render(diagram: int, assumption: int) -> str | None:
    """The text, or None where the set holds throughout the assumption.

    Raises:
        ValueError: Where the set is empty within the assumption.
    """
    key = diagram, assumption
    if key not in _TEXTS:
        inside = and_(diagram, assumption)
        if inside == EMPTY:
            raise ValueError("the set is empty within the assumption: no marker says never")
        _TEXTS[key] = None if inside == assumption else expression_text(_shortest(diagram, assumption))
    return _TEXTS[key]


def _shortest(diagram: int, care: int) -> Expression:
    simple = given(diagram, care)
    found = _clean(_decomposed(simple, care), diagram, care)
    # Fewer comparisons than variables that matter cannot be.
    if size(found) <= max(SHORT, len(diagram_parts(simple))):
        return found
    whole = _two_level(simple, care, MAX_PRODUCTS_AS_A_WHOLE)
    return found if whole is None else min(found, _clean(whole, diagram, care), key=_length)


def _length(expression: Expression) -> tuple[int, int]:
    return size(expression), len(expression_text(expression))


def _decomposed(diagram: int, care: int) -> Expression:
    """The expression of a set that is neither empty nor full within `care`."""
    diagram = given(diagram, care)
    parts = diagram_parts(diagram, care)
    taken = _necessary(diagram, care, parts)
    either = False
    if not taken:
        either = True
        taken = [negated(leaf) for leaf in _necessary(not_(diagram), care, parts)]
    if not taken:
        return _core(diagram, care)
    for expression in taken:
        care = and_(care, not_(meaning(expression)) if either else meaning(expression))
    rest = given(diagram, care) if care != EMPTY else FULL
    if rest > FULL:
        taken.append(_decomposed(rest, care))
    return join(taken, either=either)


def _necessary(diagram: int, care: int, parts: Parts) -> list[Expression]:
    """Conditions on single variables that every member of the set satisfies, and not every point of `care`."""
    found: list[Expression] = []
    for variable, labels in parts.items():
        inside = and_(diagram, care)
        needed = allowed = 0
        for part in range(len(labels) + 1):
            here = region(variable, labels, 1 << part)
            if not disjoint(inside, here):
                needed |= 1 << part
            elif disjoint(care, here):
                allowed |= 1 << part
        mask = choose(variable, labels, needed, needed | allowed)
        if mask != (1 << len(labels) + 1) - 1:
            found.append(region_expression(variable, labels, mask))
            care = and_(care, region(variable, labels, mask))
    return found


def _core(diagram: int, care: int) -> Expression:
    found = _two_level(diagram, care, MAX_PRODUCTS)
    return join(_branches(diagram, care), either=True) if found is None else found


def _two_level(diagram: int, care: int, limit: int) -> Expression | None:
    plain = _minimised(diagram, care, limit)
    other = _minimised(not_(diagram), care, limit)
    found = [e for e in (plain, None if other is None else negated(other)) if e is not None]
    return min(found, key=_length) if found else None


def _minimised(diagram: int, care: int, limit: int) -> Expression | None:
    simple = given(diagram, care)
    parts = diagram_parts(simple)
    products = products_of(simple, parts, limit)
    if products is None or simple <= FULL or len(products) * len(parts) ** 2 > MAX_WORK:
        return None
    lower, upper = and_(diagram, care), or_(diagram, not_(care))
    return factored(cover(lower, upper, products, parts), parts)


def _branches(diagram: int, care: int) -> Iterable[Expression]:
    """The parts into which the first variable divides the set, each with what is left to say there."""
    variable, labels, ways = NODES[diagram]
    masks: dict[int, int] = {}
    for part, way in enumerate(ways):
        if way != EMPTY:
            masks[way] = masks.get(way, 0) | 1 << part
    for mask in masks.values():
        here = region_expression(variable, labels, mask)
        inside = and_(care, region(variable, labels, mask))
        rest = EMPTY if inside == EMPTY else given(diagram, inside)
        if rest == FULL:
            yield here
        elif rest != EMPTY:
            yield join((here, _decomposed(rest, inside)), either=False)


def _clean(expression: Expression, diagram: int, care: int) -> Expression:
    """The expression without the comparisons that can go while it agrees with the set on `care`."""
    if size(expression) > MAX_COMPARISONS_TO_CLEAN:
        return expression
    wanted = and_(diagram, care)
    current = expression
    while True:
        shorter = next((e for e in _without_one(current) if and_(meaning(e), care) == wanted), None)
        if shorter is None:
            return current
        current = shorter


def _without_one(expression: Expression) -> Iterable[Expression]:
    """Every expression that lacks one part, or one part of a part."""
    if not isinstance(expression, Join):
        return
    for i, part in enumerate(expression.parts):
        before, after = expression.parts[:i], expression.parts[i + 1 :]
        yield join((*before, *after), either=expression.either)
        for smaller in _without_one(part):
            yield join((*before, smaller, *after), either=expression.either)
