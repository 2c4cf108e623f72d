"""Marker variables: names, aliases, kinds of domain, their order in diagrams, and comparisons of their values.

The order affects the output: it determines the shape of diagrams and the order of comparisons in rendered markers. It
only depends on names, so that the same input gives the same text in every process. Python comes first (it has few
intervals, and facts about Pythons can be read from the root), extras and groups come last.

The release line: a value of `python_full_version` (or `implementation_version`) is a point: its release segment,
truncated or padded to three numbers. Points are ordered as triples, and a set of versions is a list of cut points, each
the first point of a new interval. `python_version` is the first two numbers of the same point.

Pre-releases: 3.14.0rc1 is the same point as 3.14.0, and so are development and local builds. For every final release,
the results are those of packaging. For a pre-release of Python, packaging evaluates both `python_full_version < "3.14"`
and `python_full_version >= "3.14"` as false; here the second is true. So a set and its complement always cover every
Python, and `python_version` and `python_full_version` never contradict each other.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne

from packaging.version import InvalidVersion

from lockset import dependency_specifiers
from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import plain_clause, plain_release, read_specifier, read_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.specifiers import Specifier

__all__ = [
    "ALIASES",
    "EXTRA",
    "IMPLEMENTATION_VERSION",
    "ORIGIN",
    "PYTHON",
    "TEXT_VARIABLES",
    "VARIABLE_NAMES",
    "VERSION_COMPARED",
    "Kind",
    "Release",
    "UndefinedComparisonError",
    "Variable",
    "fits_specifier",
    "flag",
    "opaque",
    "partition",
    "predicate",
    "release_point",
    "satisfies",
]

Order = tuple[int, int, str]


class Kind(Enum):
    """How the values of a variable are divided among the edges of a node."""

    RELEASE = "release"  # cut points on the release line
    TEXT = "text"  # known strings and "any other"
    PREDICATE = "predicate"  # Boolean, decided by the value of the text variable that owns it
    OPAQUE = "opaque"  # Boolean, a comparison that cannot be analysed
    FLAG = "flag"  # Boolean, whether an extra or dependency group is selected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variable:
    """A variable of diagrams. Only the functions of this module create instances: equal ones are the same object.

    Attributes:
        name: Name of the marker variable in packaging.
        kind: How its values are divided.
        order: Position in every diagram; smaller is nearer to the root.
        owner: For a predicate, the text variable whose value decides it.
        operator: For predicates and opaque comparisons, the marker operator.
        literal: For these, the literal; for flags, the normalized name of the extra or group.
        literal_first: Whether the literal is on the left, as in `'x' in sys_platform`.
    """

    name: str
    kind: Kind
    order: Order
    owner: Variable | None = None
    operator: str = ""
    literal: str = ""
    literal_first: bool = False


# The order of diagrams and of rendered comparisons.
_RANKS = {
    name: rank
    for rank, name in enumerate(
        (
            "python_full_version",
            "implementation_name",
            "platform_python_implementation",
            "sys_platform",
            "platform_system",
            "os_name",
            "platform_machine",
            "platform_release",
            "platform_version",
            "implementation_version",
            "extra",
            "extras",
            "dependency_groups",
        )
    )
}

VARIABLE_NAMES = frozenset(_RANKS)

# Deprecated names (PEP 345).
ALIASES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}

_VARIABLES: dict[Order, Variable] = {}


def _intern(variable: Variable) -> Variable:
    """The interned variable with this order, which is unique."""
    return _VARIABLES.setdefault(variable.order, variable)


# The text variables by name.
TEXT_VARIABLES = {
    name: _intern(Variable(name=name, kind=Kind.TEXT, order=(rank, 0, "")))
    for name, rank in _RANKS.items()
    if name not in {"python_full_version", "implementation_version", "extras", "dependency_groups"}
}
EXTRA = TEXT_VARIABLES["extra"]


def predicate(name: str, operator: str, literal: str, *, literal_first: bool) -> Variable:
    """A comparison of the text variable `name`, which is decided for known values and open for others.

    It is directly below its owner in the order, so that the owner's edge for a known value decides it.
    """
    side = "<" if literal_first else ">"
    return _intern(
        Variable(
            name=name,
            kind=Kind.PREDICATE,
            order=(_RANKS[name], 1, f"{operator} {side} {literal}"),
            owner=TEXT_VARIABLES[name],
            operator=operator,
            literal=literal,
            literal_first=literal_first,
        )
    )


def opaque(name: str, operator: str, literal: str, *, literal_first: bool) -> Variable:
    """A comparison of a release variable that cannot be expressed with finitely many cut points.

    `name` may be `python_version`. Equal comparisons are the same variable; otherwise they are independent.
    """
    side = "<" if literal_first else ">"
    rank = _RANKS["python_full_version" if name == "python_version" else name]
    return _intern(
        Variable(
            name=name,
            kind=Kind.OPAQUE,
            order=(rank, 1, f"{name} {operator} {side} {literal}"),
            operator=operator,
            literal=literal,
            literal_first=literal_first,
        )
    )


def flag(name: str, chosen: str) -> Variable:
    """Whether an extra (`name` is `extras`) or a group (`dependency_groups`) is selected; `chosen` is normalized."""
    return _intern(Variable(name=name, kind=Kind.FLAG, order=(_RANKS[name], 0, chosen), literal=chosen))


PYTHON = Variable(name="python_full_version", kind=Kind.RELEASE, order=(_RANKS["python_full_version"], 0, ""))
IMPLEMENTATION_VERSION = Variable(
    name="implementation_version", kind=Kind.RELEASE, order=(_RANKS["implementation_version"], 0, "")
)


Release = tuple[int, int, int]

ORIGIN: Release = (0, 0, 0)

# Variables that are compared as versions if operator and literal form a valid specifier.
VERSION_COMPARED = frozenset({"python_version", "python_full_version", "implementation_version", "platform_release"})

_RELEASE_IN_LITERAL = lazy_pattern(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", re.IGNORECASE)
_DOTTED = lazy_pattern(r"\d+(?:\.\d+)+")
# Limits for a literal after `in`, and for one number in it: every substring that is a version is a point.
_LONGEST_LIST = 1_000
_LONG_NUMBER = lazy_pattern(r"\d{20}")


_COMPARISONS = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}


class UndefinedComparisonError(ValueError):
    """The operator is not defined for strings (`~=` and `===`), or the literal has too many versions."""


@lru_cache(maxsize=4096)
def release_point(text: str) -> Release:
    """The point of a version on the release line; the origin for an invalid version."""
    try:
        release = read_version(text.removesuffix("+")).release  # a build between tags reports "3.14.0+"
    except InvalidVersion:
        return ORIGIN
    return _pad(release)


def _pad(release: tuple[int, ...]) -> Release:
    major, minor, micro = (*release, 0, 0)[:3]
    return major, minor, micro


def satisfies(name: str, left: str, operator: str, right: str) -> bool:
    """Whether `left operator right` is true, as packaging evaluates it for the variable `name`.

    Raises:
        UndefinedComparisonError: packaging does not define the comparison.
    """
    if name in VERSION_COMPARED and operator not in {"in", "not in"}:
        known = _compare_releases(left, operator, right)
        if known is not None:
            return known
        try:
            specifier = _specifier(operator + right)
        except dependency_specifiers.InvalidSpecifier:
            pass
        else:
            return specifier.contains(left, prereleases=True)
    return _compare_text(left, operator, right)


def fits_specifier(operator: str, literal: str) -> bool:
    """Whether the two form a valid version specifier, so that packaging compares versions and not strings."""
    if plain_clause(operator + literal) is not None:
        return True
    try:
        _specifier(operator + literal)
    except dependency_specifiers.InvalidSpecifier:
        return False
    return True


def _compare_releases(left: str, operator: str, right: str) -> bool | None:
    """The comparison of two final releases; None for other versions and operators."""
    compare = _COMPARISONS.get(operator)
    prefix = right.removesuffix(".*")
    one, other = plain_release(left), plain_release(prefix)
    if compare is None or one is None or other is None:
        return None
    if prefix != right:
        count = prefix.count(".") + 1
        return bool(compare(one[:count], other[:count])) if operator in {"==", "!="} else None
    return bool(compare(one, other))


@lru_cache(maxsize=4096)
def _specifier(text: str) -> Specifier:
    return read_specifier(text)


def _compare_text(left: str, operator: str, right: str) -> bool:
    # Strings have no order: `<=` and `>=` mean `==`, and `<` and `>` are false (dependency specifiers specification).
    if operator in {"==", "<=", ">="}:
        return left == right
    if operator == "!=":
        return left != right
    if operator in {"<", ">"}:
        return False
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    raise UndefinedComparisonError(operator)


def partition(
    name: str, operator: str, literal: str, *, literal_first: bool = False
) -> tuple[tuple[Release, ...], tuple[bool, ...]]:
    """The cut points, and for each interval between them whether the comparison is true there.

    Exact for all final releases: the result can only change at points next to one in the literal, so every interval
    between such points is decided by evaluating its first member.

    Raises:
        UndefinedComparisonError: packaging does not define the comparison.
    """
    only_minor = name == "python_version"
    starts = sorted({ORIGIN, *_neighbours(_points_in(operator, literal), only_minor=only_minor)})
    cuts: list[Release] = []
    truths: list[bool] = []
    for start in starts:
        sample = f"{start[0]}.{start[1]}" if only_minor else ".".join(map(str, start))
        left, right = (literal, sample) if literal_first else (sample, literal)
        truth = satisfies(name, left, operator, right)
        if not truths or truth != truths[-1]:
            truths.append(truth)
            cuts.append(start)
    return tuple(cuts[1:]), tuple(truths)


def _points_in(operator: str, literal: str) -> set[Release]:
    if operator not in {"in", "not in"}:
        match = _RELEASE_IN_LITERAL.match(literal)
        return {_pad(tuple(map(int, match[1].split("."))))} if match else set()
    if len(literal) > _LONGEST_LIST or _LONG_NUMBER.search(literal):
        raise UndefinedComparisonError(operator)
    locations: set[Release] = set()
    for run in _DOTTED.findall(literal):
        locations |= _substring_versions(run.split("."))
    return locations


def _substring_versions(numbers: list[str]) -> set[Release]:
    """Every version that is a substring of the dotted numbers: for "13.10" also 3.1, 3.10 and 13.1."""
    locations: set[Release] = set()
    for length in (2, 3):
        for start in range(len(numbers) - length + 1):
            first, *middle, last = numbers[start : start + length]
            heads = (first[i:] for i in range(len(first)))
            tails = [last[: i + 1] for i in range(len(last))]
            locations |= {_pad(tuple(map(int, (head, *middle, tail)))) for head in heads for tail in tails}
    return locations


def _neighbours(locations: set[Release], *, only_minor: bool) -> set[Release]:
    """The points where a result may change: at and directly after each point, and at the series around it."""
    points: set[Release] = set()
    for major, minor, micro in locations:
        points |= {(major, 0, 0), (major, minor, 0), (major, minor + 1, 0), (major + 1, 0, 0)}
        if not only_minor:
            points |= {(major, minor, micro), (major, minor, micro + 1)}
    return points
