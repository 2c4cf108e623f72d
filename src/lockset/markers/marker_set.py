"""MarkerSet: sets of environments with exact operations, where equal sets are the same object."""

from __future__ import annotations

from lockset import dependency_specifiers
from lockset.dependency_specifiers import plain_clause, read_specifier, read_specifiers
from lockset.errors import LocksetError
from lockset.markers import diagram as dd
from lockset.markers.environment import Example, example
from lockset.markers.parse import comparison, parse
from lockset.markers.variables import EXTRA, ORIGIN, PYTHON, VARIABLE_NAMES, Kind, Variable, flag
from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

    from lockset.markers.environment import Environment
    from lockset.markers.variables import Release

__all__ = ["MarkerSet", "without_upper_bounds"]

_CHOICES = frozenset({"extra", "extras", "dependency_groups"})
_PLATFORMS = VARIABLE_NAMES - _CHOICES


class MarkerSet:
    """A set of environments (with selected extras and groups), closed under Boolean operations.

    An interned handle: two expressions for the same set are the same object, so `is`, `==` and hashing are identity.
    `id` is an integer that is constant within the process. Only the class methods create instances.

    Operations are exact with two exceptions: substring comparisons of one text variable are independent for values that
    no comparison mentions, and impossible combinations of different variables are not excluded
    (`lockset.markers.universe` has the region of possible environments).
    """

    __slots__ = ("_ands", "_fixed", "_ors", "id")

    id: int
    _ands: dict[MarkerSet, MarkerSet]
    _ors: dict[MarkerSet, MarkerSet]
    _fixed: dict[str | None, MarkerSet]

    def __init__(self) -> None:
        raise TypeError("MarkerSets are made by MarkerSet.parse and the other class methods")

    @staticmethod
    def any() -> MarkerSet:
        """The set of all environments."""
        return _SETS[dd.FULL]

    @staticmethod
    def none() -> MarkerSet:
        """The empty set."""
        return _SETS[dd.EMPTY]

    @staticmethod
    def union(regions: Iterable[MarkerSet]) -> MarkerSet:
        """All environments of all `regions`."""
        return _SETS[dd.union([region.id for region in regions])]

    @classmethod
    def parse(cls, text: str) -> MarkerSet:
        """The environments for which the marker is true.

        Raises:
            LocksetError: `marker-syntax`.
        """
        return _SETS[parse(text)]

    @classmethod
    def of_marker(cls, marker: Marker) -> MarkerSet:
        """The environments for which a marker parsed by packaging is true."""
        return _SETS[parse(str(marker))]

    @classmethod
    def of_condition(cls, marker: Marker) -> MarkerSet:
        """The environments for which the marker of a requirement is true, among environments that occur.

        A string after `in` is a list of words: `sys_platform in "linux darwin"` means Linux and macOS.
        """
        return _SETS[parse(str(marker), listing=True)]

    @classmethod
    def of_python(cls, specifiers: SpecifierSet | str) -> MarkerSet:
        """The Pythons that a `Requires-Python` allows.

        Raises:
            LocksetError: `requires-python-invalid`.
        """
        return _SETS[_python_diagram(str(specifiers))]

    @classmethod
    def extra(cls, name: str) -> MarkerSet:
        """`'name' in extras`: the extra is selected."""
        return _SETS[_chosen("extras", name)]

    @classmethod
    def group(cls, name: str) -> MarkerSet:
        """`'name' in dependency_groups`: the group is selected."""
        return _SETS[_chosen("dependency_groups", name)]

    @classmethod
    def metadata_extra(cls, name: str) -> MarkerSet:
        """`extra == 'name'`: the extra for which the metadata of a project is evaluated."""
        return _SETS[dd.build(comparison("extra", "==", name))]

    def __and__(self, other: MarkerSet) -> MarkerSet:
        result = self._ands.get(other)
        if result is None:
            result = self._ands[other] = _SETS[dd.and_(self.id, other.id)]
        return result

    def __or__(self, other: MarkerSet) -> MarkerSet:
        result = self._ors.get(other)
        if result is None:
            result = self._ors[other] = _SETS[dd.or_(self.id, other.id)]
        return result

    def __sub__(self, other: MarkerSet) -> MarkerSet:
        return _SETS[dd.minus(self.id, other.id)]

    def __invert__(self) -> MarkerSet:
        return _SETS[dd.not_(self.id)]

    @property
    def is_empty(self) -> bool:
        """Whether no environment is in the set."""
        return self.id == dd.EMPTY

    @property
    def is_full(self) -> bool:
        """Whether every environment is in the set."""
        return self.id == dd.FULL

    def implies(self, other: MarkerSet) -> bool:
        """Whether every environment of this set is in the other."""
        return dd.disjoint(self.id, dd.not_(other.id))

    def is_disjoint(self, other: MarkerSet) -> bool:
        """Whether no environment is in both."""
        return dd.disjoint(self.id, other.id)

    def given(self, assumption: MarkerSet) -> MarkerSet:
        """A simpler set that agrees with this one on every environment of `assumption`, and is arbitrary elsewhere.

        It is full if and only if `assumption` implies this set, and empty if and only if they are disjoint. For an
        empty assumption it is this set.
        """
        if assumption.id == dd.EMPTY:
            return self
        return _SETS[dd.given(self.id, assumption.id)]

    def with_metadata_extra(self, name: str | None) -> MarkerSet:
        """The set with the variable `extra` fixed to `name`, or to no extra (every `extra == x` is false)."""
        result = self._fixed.get(name)
        if result is None:
            value = "" if name is None else canonicalize_name(name)
            result = _SETS[dd.assign(self.id, ("extra", value), lambda variable: value if variable is EXTRA else None)]
            self._fixed[name] = result
        return result

    def with_extras_and_groups(self, extras: Iterable[str], groups: Iterable[str]) -> MarkerSet:
        """The set with exactly the named extras and groups selected."""
        chosen = _choice(extras, groups)

        def value_of(variable: Variable) -> bool | None:
            return variable.literal in chosen[variable.name] if variable.kind is Kind.FLAG else None

        return _SETS[dd.assign(self.id, (chosen["extras"], chosen["dependency_groups"]), value_of)]

    def with_chosen(self, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> MarkerSet:
        """The set with the named extras and groups selected; the others stay open."""
        chosen = _choice(extras, groups)

        def value_of(variable: Variable) -> bool | None:
            return True if variable.kind is Kind.FLAG and variable.literal in chosen[variable.name] else None

        return _SETS[dd.assign(self.id, ("chosen", *chosen.values()), value_of)]

    def at(self, environment: Environment) -> MarkerSet:
        """The selections of extras and groups with which `environment` is in the set; no metadata extra is selected."""

        def value_of(variable: Variable) -> Any:
            return None if variable.kind is Kind.FLAG else dd.value_at(variable, environment)

        return _SETS[dd.assign(self.id, ("at", environment), value_of)]

    def with_extras_as(self, regions: Mapping[str, MarkerSet]) -> MarkerSet:
        """The set with each named extra replaced by a region, in which alone it counts as selected.

        The regions must not depend on extras that are replaced.
        """
        return self._with_flags_as("extras", self.extras(), regions)

    def with_groups_as(self, regions: Mapping[str, MarkerSet]) -> MarkerSet:
        """The same for dependency groups."""
        return self._with_flags_as("dependency_groups", self.groups(), regions)

    def _with_flags_as(self, kind: str, names: frozenset[str], regions: Mapping[str, MarkerSet]) -> MarkerSet:
        result = self
        for name in sorted(names & regions.keys()):
            variable = flag(kind, name)
            chosen, other = (
                _SETS[dd.assign(result.id, (variable, value), _fixed(variable, value))] for value in (True, False)
            )
            result = (chosen & regions[name]) | (other - regions[name])
        return result

    def with_left_out(self, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> MarkerSet:
        """The set with the named extras and groups not selected; the others stay open."""
        left_out = _choice(extras, groups)

        def value_of(variable: Variable) -> bool | None:
            return False if variable.kind is Kind.FLAG and variable.literal in left_out[variable.name] else None

        return _SETS[dd.assign(self.id, ("left out", *left_out.values()), value_of)]

    def without_extras_and_groups(self) -> MarkerSet:
        """The environments that are in the set for some selection of extras, groups and metadata extra."""
        return _SETS[dd.forget(self.id, _CHOICES)]

    def without_platforms(self) -> MarkerSet:
        """The Pythons and selections that are in the set on some platform and implementation."""
        return _SETS[dd.forget(self.id, _PLATFORMS, PYTHON)]

    def evaluate(
        self, env: Environment | Mapping[str, str], *, extras: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> bool:
        """Whether the environment, with these extras and groups selected, is in the set.

        A mapping may have `extra`; without it, no metadata extra is selected. Other missing values count as "".
        """
        return dd.evaluate(self.id, env, _choice(extras, groups))

    def evaluate_each(
        self, environments: Iterable[Environment], *, extras: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> list[bool]:
        """`evaluate` for each environment."""
        chosen = _choice(extras, groups)
        return [dd.evaluate(self.id, environment, chosen) for environment in environments]

    def text(self, given: MarkerSet | None = None) -> str | None:
        """A short marker that agrees with this set on every environment of `given` (by default, of all).

        None if it is always true there. The text is deterministic, and packaging evaluates it with the same results for
        final releases.

        Raises:
            ValueError: The set is empty within `given`: there is no marker for "never".
        """
        assumption = dd.FULL if given is None else given.id
        inside = dd.and_(self.id, assumption)
        if inside == dd.EMPTY:
            raise ValueError("the set is empty within the assumption, and no marker is never true")
        if inside == assumption:
            return None
        from lockset.markers.render import render  # most sets are everything within what they are given

        return render(self.id, assumption)

    def __str__(self) -> str:
        if self.is_empty:
            return "never"
        return self.text() or "always"

    def __repr__(self) -> str:
        return f"<MarkerSet {self}>"

    def __reduce__(self) -> tuple[Callable[..., MarkerSet], tuple[Any, ...]]:
        if self.is_empty:
            return MarkerSet.none, ()
        text = self.text()
        return (MarkerSet.any, ()) if text is None else (MarkerSet.parse, (text,))

    def atoms(self) -> tuple[MarkerSet, ...]:
        """The comparisons that the set consists of, in a fixed order: boundaries at which it can be split.

        For release variables `>=` each cut point, for text variables `==` each known value, otherwise the variable.
        """
        result: list[MarkerSet] = []
        for variable, labels in dd.support(self.id).items():
            result += [_SETS[_atom(variable, label)] for label in sorted(labels)]
        return tuple(result)

    def extras(self) -> frozenset[str]:
        """The extras that the set depends on (`'x' in extras`)."""
        return _flags(self.id, "extras")

    def groups(self) -> frozenset[str]:
        """The dependency groups that the set depends on."""
        return _flags(self.id, "dependency_groups")

    def metadata_extras(self) -> frozenset[str]:
        """The names with which the set compares `extra`."""
        return frozenset(dd.support(self.id).get(EXTRA, ()))

    def example(self, within: MarkerSet | None = None) -> Example | None:
        """One environment of the set (and of `within`), a common one if possible; None if the set is empty."""
        return example(self.id if within is None else dd.and_(self.id, within.id))

    def python_minimum(self) -> Release | None:
        """The first Python (major, minor, micro) in the set on any platform; None if the set is empty."""
        if self.id == dd.EMPTY:
            return None
        cuts, children = _python_parts(self.id)
        first: Release = next(s for s, child in zip((ORIGIN, *cuts), children, strict=True) if child != dd.EMPTY)
        return first

    def python_intervals(self) -> tuple[tuple[Release, Release | None], ...]:
        """The intervals of Pythons in the set on some platform, as start and end (exclusive; None if unbounded)."""
        cuts, children = _python_parts(self.id)
        intervals: list[tuple[Release, Release | None]] = []
        for start, end, child in zip((ORIGIN, *cuts), (*cuts, None), children, strict=True):
            if child == dd.EMPTY:
                continue
            if intervals and intervals[-1][1] == start:
                intervals[-1] = (intervals[-1][0], end)
            else:
                intervals.append((start, end))
        return tuple(intervals)

    def python_is_open_above(self) -> bool:
        """Whether the set contains, on some platform, every Python from some version on."""
        return _python_parts(self.id)[1][-1] != dd.EMPTY

    def without_python_cap(self) -> MarkerSet:
        """The set where everything that is true for its newest Pythons is also true for all later ones."""
        cuts, children = _python_parts(self.id)
        last = next((child for child in reversed(children) if child != dd.EMPTY), dd.EMPTY)
        kept = len(children) - next((i for i, child in enumerate(reversed(children)) if child != dd.EMPTY), 0)
        return _SETS[dd.make(PYTHON, cuts, [*children[:kept], *([last] * (len(children) - kept))])]


class _Handles(dict[int, MarkerSet]):
    """The handle of each diagram, made on first use; safe between threads."""

    def __missing__(self, diagram: int) -> MarkerSet:
        fresh = object.__new__(MarkerSet)
        fresh.id = diagram
        fresh._ands, fresh._ors, fresh._fixed = {}, {}, {}
        return self.setdefault(diagram, fresh)


_SETS = _Handles()


def _choice(extras: Iterable[str], groups: Iterable[str]) -> dict[str, frozenset[str]]:
    """Normalized names by kind of flag."""
    return {
        "extras": frozenset(map(canonicalize_name, extras)),
        "dependency_groups": frozenset(map(canonicalize_name, groups)),
    }


def _chosen(kind: str, name: str) -> int:
    return dd.make(flag(kind, canonicalize_name(name)), (True,), (dd.FULL, dd.EMPTY))


def _fixed(variable: Variable, value: bool) -> Callable[[Variable], bool | None]:  # noqa: FBT001 - the value itself
    return lambda other: value if other is variable else None


def _flags(diagram: int, name: str) -> frozenset[str]:
    return frozenset(v.literal for v in dd.support(diagram) if v.kind is Kind.FLAG and v.name == name)


def _atom(variable: Variable, label: Any) -> int:
    if variable.kind is Kind.RELEASE:
        return dd.make(variable, (label,), (dd.EMPTY, dd.FULL))
    return dd.make(variable, (label,), (dd.FULL, dd.EMPTY))


def _python_parts(diagram: int) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """The cut points and children of Python, which is first in the order and so at the root."""
    if diagram > dd.FULL and dd.NODES[diagram][0] is PYTHON:
        return dd.NODES[diagram][1:]
    return (), (diagram,)


_PYTHONS: dict[str, int] = {}


def _python_diagram(specifiers: str) -> int:
    diagram = _PYTHONS.get(specifiers)
    if diagram is None:
        parts: list[dd.Formula] = [dd.FULL]
        for part in sorted(filter(None, map(str.strip, specifiers.split(",")))):
            try:
                operator, version = plain_clause(part) or _clause(part)
            except dependency_specifiers.InvalidSpecifier:
                raise LocksetError(
                    "requires-python-invalid",
                    f"`{specifiers}` is not a valid set of Python versions: `{part}` is not a valid version specifier",
                ) from None
            parts.append(comparison("python_full_version", operator, version))
        diagram = _PYTHONS[specifiers] = dd.build(dd.Operation("and", tuple(parts)))
    return diagram


def _clause(text: str) -> tuple[str, str]:
    specifier = read_specifier(text)
    return specifier.operator, specifier.version


def without_upper_bounds(specifiers: SpecifierSet) -> SpecifierSet:
    """The specifiers without upper bounds.

    `<` and `<=` are removed; `~=V` becomes `>=V`; `==3.*` becomes `>=3`; exact versions and exclusions are kept.
    """
    kept: list[str] = []
    for one in specifiers:
        if one.operator in {"<", "<="}:
            continue
        if one.operator == "~=":
            kept.append(f">={one.version}")
        elif one.operator == "==" and one.version.endswith(".*"):
            kept.append(f">={one.version[:-2]}")
        else:
            kept.append(str(one))
    return read_specifiers(",".join(sorted(kept)))
