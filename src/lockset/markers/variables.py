"""Marker variables: names, aliases, kinds of domain, and the one order in which diagrams ask for them.

The order is part of the output: it decides the shape of diagrams and the order of comparisons in rendered markers. It
is fixed by names alone, never by what was seen first, so that the same input gives the same text in every process.
Python comes first (few intervals, and facts about Pythons are read off the root), choices of extras and groups last.
"""

from __future__ import annotations

from enum import Enum

from lockset._dataclass import dataclass

__all__ = [
    "ALIASES",
    "EXTRA",
    "IMPLEMENTATION_VERSION",
    "PYTHON",
    "TEXT_VARIABLES",
    "Kind",
    "Variable",
    "flag",
    "opaque",
    "predicate",
    "text_variable",
]

Order = tuple[int, int, str]


class Kind(Enum):
    """How the values of a variable are divided among the edges of a node."""

    RELEASE = "release"  # by cut points on the line of final releases
    TEXT = "text"  # by known strings and "any other"
    PREDICATE = "predicate"  # yes or no, decided by the value of the text variable that owns it
    OPAQUE = "opaque"  # yes or no, a comparison of which no more is known
    FLAG = "flag"  # yes or no: a chosen extra or dependency group


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variable:
    """A question that diagrams ask. Made by the functions of this module only: equal ones are the same object.

    Attributes:
        name: Marker variable, as packaging spells it.
        kind: What its edges are.
        order: Place in every diagram; smaller is nearer to the root.
        owner: For a predicate, the text variable whose value decides it.
        operator: For predicates and opaque comparisons, the marker operator.
        literal: For these the value compared with; for flags the normalised name of the extra or group.
        literal_first: The literal stands on the left, as in `'x' in sys_platform`.
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

# Spellings of the old specification, and the two names of one variable: `python_version` is read off the full version.
ALIASES = {
    "os.name": "os_name",
    "sys.platform": "sys_platform",
    "platform.version": "platform_version",
    "platform.machine": "platform_machine",
    "platform.python_implementation": "platform_python_implementation",
    "python_implementation": "platform_python_implementation",
}

TEXT_VARIABLES = frozenset(_RANKS) - {
    "python_full_version",
    "implementation_version",
    "extras",
    "dependency_groups",
}


_VARIABLES: dict[Order, Variable] = {}


def _interned(variable: Variable) -> Variable:
    """The one variable of that place in the order; no two have the same."""
    return _VARIABLES.setdefault(variable.order, variable)


def text_variable(name: str) -> Variable:
    """The variable of that name whose values are strings."""
    return _interned(Variable(name=name, kind=Kind.TEXT, order=(_RANKS[name], 0, "")))


def predicate(name: str, operator: str, literal: str, *, literal_first: bool) -> Variable:
    """A comparison of the text variable `name` that explicit values decide and the others leave open.

    It stands directly below its owner in the order, so that an owner's edge for a known value can settle it.
    """
    side = "<" if literal_first else ">"
    return _interned(
        Variable(
            name=name,
            kind=Kind.PREDICATE,
            order=(_RANKS[name], 1, f"{operator} {side} {literal}"),
            owner=text_variable(name),
            operator=operator,
            literal=literal,
            literal_first=literal_first,
        )
    )


def opaque(name: str, operator: str, literal: str, *, literal_first: bool) -> Variable:
    """A comparison of a release variable that no finite number of cut points can express.

    `name` may be `python_version`; equal comparisons are equal variables, and nothing else is known of them.
    """
    side = "<" if literal_first else ">"
    rank = _RANKS["python_full_version" if name == "python_version" else name]
    return _interned(
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
    """The choice of an extra (`name` is `extras`) or of a group (`dependency_groups`); `chosen` is normalised."""
    return _interned(Variable(name=name, kind=Kind.FLAG, order=(_RANKS[name], 0, chosen), literal=chosen))


PYTHON = Variable(name="python_full_version", kind=Kind.RELEASE, order=(_RANKS["python_full_version"], 0, ""))
IMPLEMENTATION_VERSION = Variable(
    name="implementation_version", kind=Kind.RELEASE, order=(_RANKS["implementation_version"], 0, "")
)
EXTRA = text_variable("extra")
