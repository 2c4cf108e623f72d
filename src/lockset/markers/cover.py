"""Two-level minimisation: a set between two bounds as an `or` of few, short conjunctions.

Conjunctions are products of regions (`lockset.markers.literals`), one region a variable. The method is expand, make
irredundant, reduce: every path of the diagram is a product; each is grown as far as the upper bound lets it; products
that the others cover are dropped, the longest first; and the regions of the remaining ones shrink to the shortest
text. All tests are exact operations on diagrams.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from lockset.markers.diagram import EMPTY, FULL, NODES, and_, disjoint, not_, or_, support
from lockset.markers.expression import Expression, Join, join, size
from lockset.markers.literals import Labels, choose, region, region_expression
from lockset.markers.variables import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.markers.variables import Variable

__all__ = ["Parts", "cover", "factored", "parts_of", "paths"]

Parts = dict["Variable", Labels]
Product = dict["Variable", int]  # variable: mask of parts; a variable that is not there may have any value

# Products are grown in several orders of variables while there are at most this many; beyond, in one order only.
MAX_PRODUCTS_IN_ALL_ORDERS = 16


def parts_of(*diagrams: int) -> Parts:
    """The variables of the diagrams, in order, with the labels that any of them uses."""
    labels: dict[Variable, frozenset[Any]] = {}
    for diagram in diagrams:
        for variable, own in support(diagram).items():
            labels[variable] = labels.get(variable, frozenset()) | own
    return {v: tuple(sorted(labels[v])) for v in sorted(labels, key=lambda v: v.order)}


def paths(diagram: int, limit: int) -> list[Product] | None:
    """The paths to the full set as products over the diagram's own labels; None where there are more than `limit`."""
    parts = parts_of(diagram)
    found: list[Product] = []
    for product in _walk(diagram, parts):
        found.append(product)
        if len(found) > limit:
            return None
    return found


def _walk(diagram: int, parts: Parts) -> Iterator[Product]:
    if diagram == FULL:
        yield {}
    if diagram <= FULL:
        return
    variable, labels, ways = NODES[diagram]
    masks: dict[int, int] = {}
    for part, way in enumerate(_spread(variable, labels, ways, parts[variable])):
        masks[way] = masks.get(way, 0) | 1 << part
    for way, mask in masks.items():
        for product in _walk(way, parts):
            yield {variable: mask, **product}


def _spread(variable: Variable, labels: Labels, ways: Sequence[int], wide: Labels) -> list[int]:
    """The children of a node, one for each part of a finer division.

    A known value that the node does not name goes where all others go, predicates undecided: they hold or not for it
    all the same.
    """
    if variable.kind is Kind.RELEASE:
        return [ways[0], *(ways[sum(own <= label for own in labels)] for label in wide)]
    known = dict(zip(labels, ways, strict=False))
    return [*(known.get(label, ways[-1]) for label in wide), ways[-1]]


def cover(lower: int, upper: int, products: list[Product], narrow: Parts) -> list[Product]:
    """Few short products whose union contains `lower` and lies in `upper`.

    `products` must be such a union, over the labels of `narrow`; so are the results.
    """
    outside = not_(upper)
    useful = [product for product in products if not disjoint(_meaning(product, narrow), lower)]
    orders = [list(narrow)]
    if len(useful) <= MAX_PRODUCTS_IN_ALL_ORDERS:
        orders += [list(narrow)[::-1], *([v, *(o for o in narrow if o is not v)] for v in list(narrow)[1:])]
    grown: list[Product] = []
    for product in useful:
        for order in orders:
            wide = _grow(product, order, outside, narrow)
            if wide not in grown:
                grown.append(wide)
    return _reduce(_irredundant(grown, lower, narrow), lower, narrow)


def _meaning(product: Product, parts: Parts) -> int:
    # From the last variable up: every step puts one node on top.
    return reduce(and_, (region(v, parts[v], product[v]) for v in reversed(parts) if v in product), FULL)


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
    """Drop what the others cover, the longest products first."""
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
    """Choose for each region the shortest one that still covers what no other product does."""
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


def factored(products: list[Product], parts: Parts) -> Expression:
    """The union of the products as an expression, common comparisons written once."""
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
    # Where one product is the piece alone, it covers the others.
    taken = join((best, _factor(inside)), either=False) if all(inside) else best
    return join((taken, _factor(outside)), either=True) if outside else taken
