"""Marker expressions as trees: comparisons joined by `and` and `or`, with their meaning as diagrams and their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lockset._dataclass import dataclass
from lockset.markers.diagram import EMPTY, FULL, and_, not_, or_

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Expression", "Join", "Leaf", "expression_text", "join", "meaning", "negated", "size"]

# `!==` stands for the opposite of `===`, which markers have no operator for.
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
    """Two or more expressions under one connective; none of them is a Join of the same connective."""

    either: bool
    parts: tuple[Expression, ...]


Expression: TypeAlias = "Leaf | Join"


def join(parts: Iterable[Expression], *, either: bool) -> Expression:
    """The parts under `or` (either) or `and`, flattened, each once; at least one part is needed."""
    flat: dict[Expression, None] = {}
    for part in parts:
        if isinstance(part, Join) and part.either is either:
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    if len(flat) == 1:
        return next(iter(flat))
    return Join(either=either, parts=tuple(flat))


def negated(expression: Expression) -> Expression:
    """The expression of the complement, of the same size."""
    if isinstance(expression, Leaf):
        return Leaf(
            name=expression.name,
            operator=_OPPOSITE[expression.operator],
            literal=expression.literal,
            literal_first=expression.literal_first,
            diagram=not_(expression.diagram),
        )
    return Join(either=not expression.either, parts=tuple(map(negated, expression.parts)))


def meaning(expression: Expression) -> int:
    """The diagram of the expression."""
    if isinstance(expression, Leaf):
        return expression.diagram
    found = EMPTY if expression.either else FULL
    for part in expression.parts:
        found = or_(found, meaning(part)) if expression.either else and_(found, meaning(part))
    return found


def size(expression: Expression) -> int:
    """The number of comparisons."""
    return 1 if isinstance(expression, Leaf) else sum(map(size, expression.parts))


def expression_text(expression: Expression) -> str:
    """Marker text; brackets wherever `and` and `or` meet, so that nobody needs to know which binds tighter."""
    if isinstance(expression, Leaf):
        literal = _quoted(expression.literal)
        if expression.operator == "!==":
            return f"{literal} not in {expression.name} or {expression.name} not in {literal}"
        left, right = (literal, expression.name) if expression.literal_first else (expression.name, literal)
        return f"{left} {expression.operator} {right}"
    word = " or " if expression.either else " and "
    return word.join(
        f"({expression_text(part)})" if _is_several(part) else expression_text(part) for part in expression.parts
    )


def _is_several(expression: Expression) -> bool:
    """Whether it is written as more than one comparison."""
    return isinstance(expression, Join) or expression.operator == "!=="


def _quoted(literal: str) -> str:
    safe = "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in literal)
    if "'" not in safe:
        return f"'{safe}'"
    if '"' not in safe:
        return f'"{safe}"'
    return "'" + safe.replace("'", "\\x27") + "'"
