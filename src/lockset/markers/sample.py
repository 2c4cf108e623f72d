"""Find an example environment of a set, a common one if possible, for messages and sampling."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass
from lockset.markers import diagram as dd
from lockset.markers.environment import Environment
from lockset.markers.variables import ORIGIN, Kind, Release, Variable, release_point

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COMMON_PLATFORMS", "KNOWN_PYTHONS", "Example", "common_environments", "example"]

# Minor versions of Python that are released, or in beta.
KNOWN_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

# Most common first: examples use the first one that matches.
COMMON_PLATFORMS = (
    "linux_x86_64",
    "macos_arm64",
    "win_amd64",
    "linux_aarch64",
    "macos_x86_64",
    "win_arm64",
    "win32",
    "linux_armv7l",
    "linux_i686",
    "linux_ppc64le",
    "linux_s390x",
    "linux_riscv64",
)

# A string that no comparison mentions.
_OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An environment with selected extras and groups.

    `environment` maps every marker variable to its value (and `extra`, if the set requires one). `known` is True for a
    common environment, False for one that was constructed to match.
    """

    environment: dict[str, str]
    extras: frozenset[str]
    groups: frozenset[str]
    known: bool


@lru_cache(maxsize=1)
def common_environments() -> tuple[Environment, ...]:
    """CPython, then PyPy, on the common platforms, for every known Python; the most common first."""
    pythons = (*KNOWN_PYTHONS[-3::-1], *KNOWN_PYTHONS[-2:])
    environments = [
        Environment.of_platform(platform, python, implementation)
        for implementation in ("cpython", "pypy")
        for platform in COMMON_PLATFORMS
        for python in pythons
    ]
    return tuple(environments)


def example(diagram: int) -> Example | None:
    """One point of the set, or None if it is empty."""
    if diagram == dd.EMPTY:
        return None
    for number, environment in enumerate(common_environments()):
        rest = dd.assign(diagram, ("common", number), _values_of(number))
        if rest != dd.EMPTY:
            return _follow_path(rest, environment.as_dict(), known=True)
    start = Environment.of_platform(COMMON_PLATFORMS[0], KNOWN_PYTHONS[-3]).as_dict()
    return _follow_path(diagram, start, known=False)


@cache
def _values_of(number: int) -> Callable[[Variable], Any]:
    values = common_environments()[number].as_dict()

    def value_of(variable: Variable) -> Any:
        text = values.get(variable.name)
        if text is None:
            return None
        if variable.kind is Kind.RELEASE:
            return release_point(text)
        if variable.kind is Kind.OPAQUE:
            return dd.predicate_holds(variable, text)
        return text

    return value_of


def _follow_path(diagram: int, values: dict[str, str], *, known: bool) -> Example:
    """Follow a path to the full set with as few conditions as possible, and collect its values."""
    chosen: dict[str, set[str]] = {"extras": set(), "dependency_groups": set()}
    conditions: dict[str, list[_Condition]] = {}
    while diagram > dd.FULL:
        variable, labels, children = dd.NODES[diagram]
        # The last child means "any other" or False, and so adds the least.
        part = next(i for i in reversed(range(len(children))) if children[i] != dd.EMPTY)
        diagram = children[part]
        if variable.kind is Kind.FLAG:
            chosen[variable.name].update({variable.literal} if part == 0 else ())
        elif variable.kind is Kind.RELEASE:
            _set_release(values, variable, ORIGIN if part == 0 else labels[part - 1])
        elif variable.kind is Kind.TEXT and part < len(labels):
            values[variable.name] = labels[part]
        else:
            truth = variable.kind is not Kind.TEXT and part == 0
            conditions.setdefault(variable.name, []).append((variable, labels, truth))
    for name, required in conditions.items():
        if name in values or name == "extra":
            values[name] = _matching_value(values.get(name, ""), required)
    extras, groups = chosen["extras"], chosen["dependency_groups"]
    return Example(environment=values, extras=frozenset(extras), groups=frozenset(groups), known=known)


# A text variable with none of the labels, or a predicate with this truth value.
_Condition = tuple[Variable, tuple[Any, ...], bool]


def _matching_value(value: str, required: list[_Condition]) -> str:
    """A value that satisfies the conditions, `value` if possible; `value` too if there is none."""
    literals = [variable.literal for variable, _, truth in required if truth]
    candidates = (value, "", _OTHER, _OTHER * 2, *literals, " ".join(literals))
    return next((c for c in candidates if all(_meets(c, *one) for one in required)), value)


def _meets(value: str, variable: Variable, labels: tuple[Any, ...], truth: bool) -> bool:  # noqa: FBT001 - of a condition
    if variable.kind is Kind.TEXT:
        return value not in labels
    return dd.predicate_holds(variable, value) is truth


def _set_release(values: dict[str, str], variable: Variable, release: Release) -> None:
    values[variable.name] = ".".join(map(str, release))
    if variable.name == "python_full_version":
        values["python_version"] = f"{release[0]}.{release[1]}"
