"""Marker variables: names, aliases, kinds of domain, and their order in diagrams.

The order affects the output: it determines the shape of diagrams and the order of comparisons in rendered markers. It
only depends on names, so that the same input gives the same text in every process. Python comes first (it has few
intervals, and facts about Pythons can be read from the root), extras and groups come last.
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
    "VARIABLE_NAMES",
    "Kind",
    "Variable",
    "flag",
    "opaque",
    "predicate",
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
        literal: For these, the literal; for flags, the normalised name of the extra or group.
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
    """Whether an extra (`name` is `extras`) or a group (`dependency_groups`) is selected; `chosen` is normalised."""
    return _intern(Variable(name=name, kind=Kind.FLAG, order=(_RANKS[name], 0, chosen), literal=chosen))


PYTHON = Variable(name="python_full_version", kind=Kind.RELEASE, order=(_RANKS["python_full_version"], 0, ""))
IMPLEMENTATION_VERSION = Variable(
    name="implementation_version", kind=Kind.RELEASE, order=(_RANKS["implementation_version"], 0, "")
)
