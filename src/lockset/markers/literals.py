"""Regions of one variable as expressions, with the fewest comparisons between required and allowed parts.

A region is a bit mask over the parts into which a tuple of labels divides the variable's values; bit i is the i-th
child of a node with these labels.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lockset.markers.diagram import EMPTY, FULL, NODES, branch, make, not_
from lockset.markers.expression import Expression, Leaf, join, negate, size
from lockset.markers.variables import ORIGIN, VERSION_COMPARED, Kind, Release, Variable, fits_specifier

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Labels", "choose", "parts_met", "region", "region_expression"]

Labels = tuple[Any, ...]

Interval = tuple[Release, "Release | None"]  # first point inside, first point after; None if unbounded


@lru_cache(maxsize=65536)
def region(variable: Variable, labels: Labels, mask: int) -> int:
    """The diagram of the region."""
    return make(variable, labels, [FULL if mask >> part & 1 else EMPTY for part in range(len(labels) + 1)])


def parts_met(diagram: int, variable: Variable, labels: Labels) -> int:
    """The parts of `variable` in which the set has members.

    `labels` must contain all labels of the variable in the diagram. The variable is not a predicate, which the value of
    another one may decide.
    """
    known = {EMPTY: 0, FULL: (1 << len(labels) + 1) - 1}

    def met(node: int) -> int:
        mask = known.get(node)
        if mask is None:
            top, _, children = NODES[node]
            if variable in (top, top.owner):
                parts = branch(node, variable, labels)
                mask = sum(1 << part for part, child in enumerate(parts) if child != EMPTY)
            elif top.order > variable.order:
                mask = known[FULL]  # it does not test the variable
            else:
                mask = 0
                for child in dict.fromkeys(children):
                    mask |= met(child)
            known[node] = mask
        return mask

    return met(diagram)


def choose(variable: Variable, labels: Labels, needed: int, allowed: int) -> int:
    """A region with the fewest comparisons that contains all `needed` parts and only `allowed` ones."""
    everything = (1 << len(labels) + 1) - 1
    if allowed == everything:
        return everything
    if variable.kind is Kind.RELEASE:
        return _choose_releases(labels, needed, allowed)
    if variable.kind is not Kind.TEXT:
        return needed
    rest = 1 << len(labels)
    if needed & rest:
        return allowed
    excluded = (everything & ~allowed).bit_count()
    return allowed if allowed & rest and excluded < needed.bit_count() else needed


def _choose_releases(labels: Labels, needed: int, allowed: int) -> int:
    """Fill free ranges between needed parts or up to an end; trim the others to a bound with the shortest text."""
    count = len(labels) + 1
    chosen = needed
    part = 0
    while part < count:
        if not allowed >> part & 1 or needed >> part & 1:
            part += 1
            continue
        end = part
        while end < count and allowed >> end & 1 and not needed >> end & 1:
            end += 1
        chosen |= _fill_free_range(labels, needed, part, end)
        part = end
    return chosen


def _fill_free_range(labels: Labels, needed: int, start: int, end: int) -> int:
    count = len(labels) + 1
    left = start > 0 and needed >> start - 1 & 1
    right = end < count and needed >> end & 1
    full = (1 << end) - (1 << start)
    if left and (right or end == count):
        return full
    if right and start == 0:
        return full
    # One side is needed, the other forbidden: the bound may be any label in the range; prefer a minor version.
    if left:
        bounds = range(start, end + 1)
        best = min(bounds, key=lambda bound: (_roughness(labels[bound - 1]), bound))
        return int((1 << best) - (1 << start))
    if right:
        bounds = range(start, end + 1)
        best = min(bounds, key=lambda bound: (_roughness(labels[bound - 1]), -bound))
        return int((1 << end) - (1 << best))
    return 0


def _roughness(release: Release) -> int:
    return int(release[2] != 0)


@lru_cache(maxsize=65536)
def region_expression(variable: Variable, labels: Labels, mask: int) -> Expression:
    """The comparisons for the region, which must be neither empty nor full."""
    if variable.kind is Kind.RELEASE:
        return _releases(variable, _intervals(labels, mask))
    if variable.kind is Kind.TEXT:
        return _texts(variable, labels, mask)
    leaf = Leaf(
        name=variable.name,
        operator=variable.operator or "in",
        literal=variable.literal,
        literal_first=variable.literal_first or variable.kind is Kind.FLAG,
        diagram=make(variable, (True,), (FULL, EMPTY)),
    )
    return leaf if mask & 1 else negate(leaf)


def _texts(variable: Variable, labels: Labels, mask: int) -> Expression:
    either = not mask >> len(labels) & 1
    named = [label for part, label in enumerate(labels) if bool(mask >> part & 1) is either]
    return join((_text_leaf(variable, label, equal=either) for label in named), either=either)


def _text_leaf(variable: Variable, label: str, *, equal: bool) -> Leaf:
    diagram = make(variable, (label,), (FULL, EMPTY))
    # `==` between versions compares versions, so that several strings are equal.
    arbitrary = variable.name in VERSION_COMPARED and fits_specifier("==", label)
    return Leaf(
        name=variable.name,
        operator=("===" if equal else "!==") if arbitrary else ("==" if equal else "!="),
        literal=label,
        diagram=diagram if equal else not_(diagram),
    )


def _intervals(labels: Labels, mask: int) -> list[Interval]:
    bounds: Sequence[Any] = (ORIGIN, *labels, None)
    intervals: list[Interval] = []
    for part in range(len(labels) + 1):
        if not mask >> part & 1:
            continue
        if intervals and intervals[-1][1] == bounds[part]:
            intervals[-1] = (intervals[-1][0], bounds[part + 1])
        else:
            intervals.append((bounds[part], bounds[part + 1]))
    return intervals


def _releases(variable: Variable, intervals: list[Interval]) -> Expression:
    one_by_one = join((_interval(variable, interval) for interval in intervals), either=True)
    gaps = [(before[1], after[0]) for before, after in pairwise(intervals)]
    if not gaps:
        return one_by_one
    hull = (intervals[0][0], intervals[-1][1])
    parts = [_negate_interval(variable, gap) for gap in gaps]
    if hull != (ORIGIN, None):
        parts.insert(0, _interval(variable, hull))
    with_holes = join(parts, either=False)
    return min(one_by_one, with_holes, key=size)


def _negate_interval(variable: Variable, interval: tuple[Release | None, Release]) -> Expression:
    start, end = interval
    assert start is not None
    return negate(_interval(variable, (start, end)))


def _interval(variable: Variable, interval: Interval) -> Expression:
    start, end = interval
    if end is not None:
        equal = _equal(variable, start, end)
        if equal is not None:
            return equal
    parts: list[Expression] = []
    if start != ORIGIN:
        parts.append(_bound(variable, ">=", start))
    if end is not None:
        parts.append(_bound(variable, "<", end))
    return join(parts, either=False)


def _bound(variable: Variable, operator: str, release: Release) -> Leaf:
    diagram = make(variable, (release,), (EMPTY, FULL))
    name, literal = _name_and_literal(variable, release)
    return Leaf(name=name, operator=operator, literal=literal, diagram=diagram if operator == ">=" else not_(diagram))


def _equal(variable: Variable, start: Release, end: Release) -> Leaf | None:
    """The interval as a single `==`, if it is one release, one minor or one major series; otherwise None."""
    major, minor, micro = start
    cuts = [cut for cut in (start, end) if cut != ORIGIN]
    diagram = make(variable, cuts, (EMPTY, FULL, EMPTY) if start != ORIGIN else (FULL, EMPTY))
    if end == (major, minor, micro + 1):
        name, literal = variable.name, f"{major}.{minor}.{micro}"
    elif micro == 0 and end == (major, minor + 1, 0):
        name, literal = _series(variable, f"{major}.{minor}")
    elif minor == micro == 0 and end == (major + 1, 0, 0):
        name, literal = ("python_version" if _is_python(variable) else variable.name), f"{major}.*"
    else:
        return None
    return Leaf(name=name, operator="==", literal=literal, diagram=diagram)


def _series(variable: Variable, minor: str) -> tuple[str, str]:
    return ("python_version", minor) if _is_python(variable) else (variable.name, f"{minor}.*")


def _name_and_literal(variable: Variable, release: Release) -> tuple[str, str]:
    major, minor, micro = release
    if micro:
        return variable.name, f"{major}.{minor}.{micro}"
    name = "python_version" if _is_python(variable) else variable.name
    return name, f"{major}.{minor}" if minor else str(major)


def _is_python(variable: Variable) -> bool:
    return variable.name == "python_full_version"
