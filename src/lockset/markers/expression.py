"""Marker expressions as trees of comparisons joined by `and` and `or`, their diagrams and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lockset._dataclass import dataclass
from lockset.markers.diagram import EMPTY, FULL, and_, not_, or_

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Expression", "Join", "Leaf", "expression_text", "join", "meaning", "negate", "size"]

# `!==` is the negation of `===`, for which markers have no operator.
_OPPOSITE = {
    "==": "!=",
    "!=": "==",
    "===": "!==",
    "!==": "===",
    "<": ">=",
    ">=": "<",
    "<=": ">",
    ">": "<=",
    "in": "not in",
    "not in": "in",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One comparison; `literal_first` puts the literal on the left."""

    name: str
    operator: str
    literal: str
    literal_first: bool = False
    diagram: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Two or more expressions joined by one connective; none of them is a Join with the same connective."""

    either: bool
    parts: tuple[Expression, ...]


Expression: TypeAlias = "Leaf | Join"


def join(parts: Iterable[Expression], *, either: bool) -> Expression:
    """Join the parts with `or` (either) or `and`, flattened and without duplicates; at least one part is required."""
    flat: dict[Expression, None] = {}
    for part in parts:
        if isinstance(part, Join) and part.either is either:
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    if len(flat) == 1:
        return next(iter(flat))
    return Join(either=either, parts=tuple(flat))


def negate(expression: Expression) -> Expression:
    """The negated expression, which has the same size."""
    if isinstance(expression, Leaf):
        return Leaf(
            name=expression.name,
            operator=_OPPOSITE[expression.operator],
            literal=expression.literal,
            literal_first=expression.literal_first,
            diagram=not_(expression.diagram),
        )
    return Join(either=not expression.either, parts=tuple(map(negate, expression.parts)))


def meaning(expression: Expression) -> int:
    """The diagram of the expression."""
    if isinstance(expression, Leaf):
        return expression.diagram
    diagram = EMPTY if expression.either else FULL
    for part in expression.parts:
        diagram = or_(diagram, meaning(part)) if expression.either else and_(diagram, meaning(part))
    return diagram


def size(expression: Expression) -> int:
    """The number of comparisons."""
    return 1 if isinstance(expression, Leaf) else sum(map(size, expression.parts))


def expression_text(expression: Expression) -> str:
    """The text of the marker, with parentheses wherever `and` and `or` are mixed."""
    if isinstance(expression, Leaf):
        literal = _quote(expression.literal)
        if expression.operator == "!==":
            return f"{literal} not in {expression.name} or {expression.name} not in {literal}"
        left, right = (literal, expression.name) if expression.literal_first else (expression.name, literal)
        return f"{left} {expression.operator} {right}"
    word = " or " if expression.either else " and "
    return word.join(
        f"({expression_text(part)})" if _is_several(part) else expression_text(part) for part in expression.parts
    )


def _is_several(expression: Expression) -> bool:
    """Whether its text has more than one comparison."""
    return isinstance(expression, Join) or expression.operator == "!=="


def _quote(literal: str) -> str:
    safe = "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in literal)
    if "'" not in safe:
        return f"'{safe}'"
    if '"' not in safe:
        return f'"{safe}"'
    return "'" + safe.replace("'", "\\x27") + "'"
