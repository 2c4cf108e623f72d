"""Two-level minimization: express a set between two bounds as an `or` of few, short conjunctions.

Conjunctions are products of regions (`lockset.markers.literals`), one region per variable. The method is the
expand-irredundant-reduce loop of Espresso: the set is divided into products; each is expanded as far as the upper bound
allows; products that the others cover are dropped, the longest first; and the regions of the remaining ones are reduced
to the shortest text. All tests are exact operations on diagrams.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from lockset.markers.diagram import EMPTY, FULL, NODES, and_, branch, disjoint, make, not_, or_, support
from lockset.markers.expression import Expression, Join, join, size
from lockset.markers.literals import Labels, choose, region, region_expression

if TYPE_CHECKING:
    from lockset.markers.variables import Variable

__all__ = ["Parts", "cover", "diagram_parts", "factor", "products_of"]

Parts = dict["Variable", Labels]
Product = dict["Variable", int]  # variable: mask of parts; a missing variable may have any value

# Up to this many products are expanded in several orders of variables, more in one order only.
MAX_PRODUCTS_IN_ALL_ORDERS = 5
# Limit for the orders that start with another variable.
MAX_ORDERS = 6


def diagram_parts(*diagrams: int) -> Parts:
    """The variables of the diagrams, in order, with all their labels."""
    labels: dict[Variable, frozenset[Any]] = {}
    for diagram in diagrams:
        for variable, own in support(diagram).items():
            labels[variable] = labels.get(variable, frozenset()) | own
    return {v: tuple(sorted(labels[v])) for v in sorted(labels, key=lambda v: v.order)}


def products_of(diagram: int, parts: Parts, limit: int) -> list[Product] | None:
    """The set as an irredundant union of products; None if there are more than `limit`."""
    try:
        return _Division(parts, limit).between(diagram, diagram)[0]
    except _TooManyError:
        return None


class _TooManyError(Exception):
    """There are more products than the limit."""


class _Division:
    """Divides a set between two bounds by its first variable: the Minato-Morreale algorithm for more than two values.

    Elements that only some parts of the variable can cover are covered there. The rest can be covered by any part, so
    its products need not mention the variable.
    """

    def __init__(self, parts: Parts, limit: int) -> None:
        self._parts = parts
        self._limit = limit
        self._memo: dict[tuple[int, int], tuple[list[Product], int]] = {}

    def between(self, lower: int, upper: int) -> tuple[list[Product], int]:
        """Products whose union is between the bounds, and the union."""
        if lower == EMPTY:
            return [], EMPTY
        if upper == FULL:
            return [{}], FULL
        key = lower, upper
        if key not in self._memo:
            self._memo[key] = self._divide(lower, upper)
        return self._memo[key]

    def _divide(self, lower: int, upper: int) -> tuple[list[Product], int]:
        variable = min((NODES[d][0] for d in (lower, upper) if d > FULL), key=lambda v: v.order)
        labels = self._parts[variable]
        lows, ups = branch(lower, variable, labels), branch(upper, variable, labels)
        common = reduce(and_, ups)
        masks: dict[int, int] = {}
        for part, up in enumerate(ups):
            masks[up] = masks.get(up, 0) | 1 << part
        products: list[Product] = []
        covered = [EMPTY] * len(ups)
        for up, mask in masks.items():
            members = [part for part in range(len(ups)) if mask >> part & 1]
            must = and_(reduce(or_, (lows[part] for part in members)), not_(common))
            inner, union = self.between(must, up)
            products += [{variable: mask, **product} for product in inner]
            for part in members:
                covered[part] = union
        left = reduce(or_, (and_(low, not_(done)) for low, done in zip(lows, covered, strict=True)))
        inner, union = self.between(left, common)
        products += inner
        if len(products) > self._limit:
            raise _TooManyError
        return products, make(variable, labels, list(map(or_, covered, branch(union, variable, labels))))


def cover(lower: int, upper: int, products: list[Product], narrow: Parts) -> list[Product]:
    """Few short products whose union contains `lower` and is contained in `upper`.

    `products` must be such a union, over the labels of `narrow`; so is the result.
    """
    outside = not_(upper)
    useful = [product for product in products if not disjoint(_meaning(product, narrow), lower)]
    orders = [list(narrow)]
    if len(useful) <= MAX_PRODUCTS_IN_ALL_ORDERS:
        orders += [list(narrow)[::-1], *([v, *(o for o in narrow if o is not v)] for v in list(narrow)[1:MAX_ORDERS])]
    grown: list[Product] = []
    for product in useful:
        for order in orders:
            wide = _grow(product, order, outside, narrow)
            if wide not in grown:
                grown.append(wide)
    return _reduce(_irredundant(grown, lower, narrow), lower, narrow)


def _meaning(product: Product, parts: Parts) -> int:
    # From the last variable up, so that every step adds one node on top.
    diagram = FULL
    for variable in reversed(parts):
        if variable in product:
            labels, mask = parts[variable], product[variable]
            children = branch(diagram, variable, labels)
            diagram = make(
                variable, labels, [child if mask >> part & 1 else EMPTY for part, child in enumerate(children)]
            )
    return diagram


def _grow(product: Product, order: list[Variable], outside: int, parts: Parts) -> Product:
    grown = dict(product)
    for variable in order:
        if variable not in grown:
            continue
        others = _meaning({v: mask for v, mask in grown.items() if v is not variable}, parts)
        room = and_(others, outside)
        mask = grown[variable]
        for part in range(len(parts[variable]) + 1):
            if disjoint(room, region(variable, parts[variable], 1 << part)):
                mask |= 1 << part
        if mask == (1 << len(parts[variable]) + 1) - 1:
            del grown[variable]
        else:
            grown[variable] = mask
    return grown


def _irredundant(products: list[Product], lower: int, parts: Parts) -> list[Product]:
    """Drop products that the others cover, the longest first."""
    by_cost = sorted(range(len(products)), key=lambda i: (-_cost(products[i], parts), -i))
    meanings = [_meaning(product, parts) for product in products]
    kept = set(range(len(products)))
    for i in by_cost:
        others = reduce(or_, (meanings[j] for j in sorted(kept) if j != i), EMPTY)
        if disjoint(lower, not_(others)):
            kept.discard(i)
    return [products[i] for i in sorted(kept)]


def _cost(product: Product, parts: Parts) -> int:
    return sum(size(region_expression(v, parts[v], mask)) for v, mask in product.items())


def _reduce(products: list[Product], lower: int, parts: Parts) -> list[Product]:
    """Replace each region by the shortest one that still covers everything that no other product covers."""
    for i, product in enumerate(products):
        others = reduce(or_, (_meaning(p, parts) for j, p in enumerate(products) if j != i), EMPTY)
        left = and_(lower, not_(others))
        for variable, allowed in list(product.items()):
            mine = and_(left, _meaning(product, parts))
            needed = sum(
                1 << part
                for part in range(len(parts[variable]) + 1)
                if allowed >> part & 1 and not disjoint(mine, region(variable, parts[variable], 1 << part))
            )
            if needed:
                product[variable] = choose(variable, parts[variable], needed, allowed)
    return products


def factor(products: list[Product], parts: Parts) -> Expression:
    """The union of the products as an expression, with common comparisons factored out."""
    pieces = [
        _pieces(join((region_expression(v, parts[v], p[v]) for v in parts if v in p), either=False)) for p in products
    ]
    return _factor(pieces)


def _pieces(expression: Expression) -> tuple[Expression, ...]:
    return expression.parts if isinstance(expression, Join) and not expression.either else (expression,)


def _factor(products: list[tuple[Expression, ...]]) -> Expression:
    if len(products) == 1:
        return join(products[0], either=False)
    counts: dict[Expression, int] = {}
    for product in products:
        for piece in product:
            counts[piece] = counts.get(piece, 0) + 1
    best = max(counts, key=lambda piece: counts[piece])  # the first among equals
    if counts[best] == 1:
        return join((join(product, either=False) for product in products), either=True)
    inside = [tuple(p for p in product if p != best) for product in products if best in product]
    outside = [product for product in products if best not in product]
    # A product that consists of the piece alone covers the others.
    taken = join((best, _factor(inside)), either=False) if all(inside) else best
    return join((taken, _factor(outside)), either=True) if outside else taken
