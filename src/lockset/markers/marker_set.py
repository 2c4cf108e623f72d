"""MarkerSet: sets of environments with exact operations, equal sets being the same object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import read_specifier, read_specifiers
from lockset.errors import LocksetError
from lockset.markers import diagram as dd
from lockset.markers.domains import ORIGIN, release_point
from lockset.markers.environment import Environment
from lockset.markers.parse import comparison, parse, yes
from lockset.markers.render import render
from lockset.markers.sample import Example, example
from lockset.markers.variables import EXTRA, PYTHON, Kind, Variable, flag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.markers import Marker

    from lockset.markers.domains import Release

__all__ = ["MarkerSet", "without_upper_bounds"]

_CHOICES = frozenset({"extra", "extras", "dependency_groups"})


class MarkerSet:
    """A set of environments (with chosen extras and groups), closed under the Boolean operations.

    An interned handle: two expressions that describe the same set are the same object, so `is`, `==` and hashing are
    identity, and `id` is an integer that stays the same within the process. Made by the class methods only.

    Exact up to this: comparisons of one text variable by substring are independent of one another for values that no
    comparison names, and values of different variables that never occur together are no matter of the algebra
    (`lockset.markers.universe` has the region of what can occur).
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
        return _of(dd.FULL)

    @staticmethod
    def none() -> MarkerSet:
        """The empty set."""
        return _of(dd.EMPTY)

    @classmethod
    def parse(cls, text: str) -> MarkerSet:
        """The environments for which the marker holds.

        Raises:
            LocksetError: `marker-syntax`.
        """
        return _of(parse(text))

    @classmethod
    def of_marker(cls, marker: Marker) -> MarkerSet:
        """The same for a parsed marker of packaging."""
        return _of(parse(str(marker)))

    @classmethod
    def of_condition(cls, marker: Marker) -> MarkerSet:
        """The same for the marker of a requirement, on all environments that occur.

        What is listed after `in` is taken word by word: `sys_platform in "linux darwin"` holds on Linux and on macOS.
        """
        return _of(parse(str(marker), listing=True))

    @classmethod
    def of_python(cls, specifiers: SpecifierSet | str) -> MarkerSet:
        """The Pythons that a `Requires-Python` admits.

        Raises:
            LocksetError: `requires-python-invalid`.
        """
        return _of(_python_diagram(str(specifiers)))

    @classmethod
    def extra(cls, name: str) -> MarkerSet:
        """`'name' in extras`: the extra is chosen."""
        return _of(yes(flag("extras", canonicalize_name(name))))

    @classmethod
    def group(cls, name: str) -> MarkerSet:
        """`'name' in dependency_groups`: the group is chosen."""
        return _of(yes(flag("dependency_groups", canonicalize_name(name))))

    @classmethod
    def metadata_extra(cls, name: str) -> MarkerSet:
        """`extra == 'name'`: the one extra for which a project's metadata is read."""
        return _of(comparison("extra", "==", name))

    def __and__(self, other: MarkerSet) -> MarkerSet:
        found = self._ands.get(other)
        if found is None:
            found = self._ands[other] = _of(dd.and_(self.id, other.id))
        return found

    def __or__(self, other: MarkerSet) -> MarkerSet:
        found = self._ors.get(other)
        if found is None:
            found = self._ors[other] = _of(dd.or_(self.id, other.id))
        return found

    def __sub__(self, other: MarkerSet) -> MarkerSet:
        return _of(dd.and_(self.id, dd.not_(other.id)))

    def __invert__(self) -> MarkerSet:
        return _of(dd.not_(self.id))

    @property
    def is_empty(self) -> bool:
        """No environment is in the set."""
        return self.id == dd.EMPTY

    @property
    def is_full(self) -> bool:
        """Every environment is in the set."""
        return self.id == dd.FULL

    def implies(self, other: MarkerSet) -> bool:
        """Whether every environment of this set is in the other."""
        return dd.disjoint(self.id, dd.not_(other.id))

    def is_disjoint(self, other: MarkerSet) -> bool:
        """Whether no environment is in both."""
        return dd.disjoint(self.id, other.id)

    def given(self, assumption: MarkerSet) -> MarkerSet:
        """A simple set that agrees with this one on every environment of `assumption`; elsewhere anything.

        Full exactly where `assumption` implies this set, empty exactly where they are disjoint. Given an empty
        assumption nothing is promised but a result: it is this set.
        """
        if assumption.id == dd.EMPTY:
            return self
        return _of(dd.given(self.id, assumption.id))

    def with_metadata_extra(self, name: str | None) -> MarkerSet:
        """The set with the variable `extra` fixed: to `name`, or to no extra at all (every `extra == x` is false)."""
        found = self._fixed.get(name)
        if found is None:
            value = "" if name is None else canonicalize_name(name)
            found = _of(dd.assign(self.id, ("extra", value), lambda variable: value if variable is EXTRA else None))
            self._fixed[name] = found
        return found

    def with_extras_and_groups(self, extras: Iterable[str], groups: Iterable[str]) -> MarkerSet:
        """The set with every choice made: the named extras and groups are chosen, all others are not."""
        chosen = {
            "extras": frozenset(map(canonicalize_name, extras)),
            "dependency_groups": frozenset(map(canonicalize_name, groups)),
        }

        def value_of(variable: Variable) -> bool | None:
            return variable.literal in chosen[variable.name] if variable.kind is Kind.FLAG else None

        return _of(dd.assign(self.id, (chosen["extras"], chosen["dependency_groups"]), value_of))

    def with_chosen(self, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> MarkerSet:
        """The set with the named extras and groups chosen; all other choices stay open."""
        chosen = {
            "extras": frozenset(map(canonicalize_name, extras)),
            "dependency_groups": frozenset(map(canonicalize_name, groups)),
        }

        def value_of(variable: Variable) -> bool | None:
            return True if variable.kind is Kind.FLAG and variable.literal in chosen[variable.name] else None

        return _of(dd.assign(self.id, ("chosen", *chosen.values()), value_of))

    def with_extras_as(self, regions: Mapping[str, MarkerSet]) -> MarkerSet:
        """The set with each named extra replaced by a region: it counts as chosen there, and nowhere else."""
        found = self
        for name in sorted(self.extras() & regions.keys()):
            variable = flag("extras", name)
            chosen, other = (
                _of(dd.assign(found.id, (variable, value), _fixed(variable, value))) for value in (True, False)
            )
            found = (chosen & regions[name]) | (other - regions[name])
        return found

    def with_left_out(self, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> MarkerSet:
        """The set with the named extras and groups not chosen; all other choices stay open."""
        left_out = {
            "extras": frozenset(map(canonicalize_name, extras)),
            "dependency_groups": frozenset(map(canonicalize_name, groups)),
        }

        def value_of(variable: Variable) -> bool | None:
            return False if variable.kind is Kind.FLAG and variable.literal in left_out[variable.name] else None

        return _of(dd.assign(self.id, ("left out", *left_out.values()), value_of))

    def without_extras_and_groups(self) -> MarkerSet:
        """The environments that are in the set for at least one choice of extras, groups and metadata extra."""
        return _of(dd.forget(self.id, "choices", _is_choice))

    def without_platforms(self) -> MarkerSet:
        """The Pythons and choices that are in the set on at least one platform and implementation."""
        return _of(
            dd.forget(self.id, "platforms", lambda variable: variable is not PYTHON and not _is_choice(variable))
        )

    def evaluate(
        self, env: Environment | Mapping[str, str], *, extras: Iterable[str] = (), groups: Iterable[str] = ()
    ) -> bool:
        """Whether the environment, with these extras and groups chosen, is in the set.

        A mapping may hold `extra`; without it no metadata extra is chosen. Other missing values count as "".
        """
        return dd.evaluate(self.id, _values(env, extras, groups))

    def text(self, given: MarkerSet | None = None) -> str | None:
        """A short marker that agrees with this set on every environment of `given` (of all, by default).

        None where it always holds there. Deterministic, and read by packaging with the same meaning on final releases.

        Raises:
            ValueError: Where the set is empty within `given`: no marker text says "never".
        """
        return render(self.id, dd.FULL if given is None else given.id)

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
        """The single comparisons that the set is made of, in a fixed order: boundaries on which it may be split.

        Release variables give `>=` each cut point, text variables `==` each known value, the others themselves.
        """
        found: list[MarkerSet] = []
        for variable, labels in dd.support(self.id).items():
            found += [_of(_atom(variable, label)) for label in sorted(labels)]
        return tuple(found)

    def extras(self) -> frozenset[str]:
        """The extras whose choice matters to the set (`'x' in extras`)."""
        return _flags(self.id, "extras")

    def groups(self) -> frozenset[str]:
        """The dependency groups whose choice matters to the set."""
        return _flags(self.id, "dependency_groups")

    def metadata_extras(self) -> frozenset[str]:
        """The names that the set compares `extra` with."""
        return frozenset(dd.support(self.id).get(EXTRA, ()))

    def example(self, within: MarkerSet | None = None) -> Example | None:
        """One environment of the set (and of `within`), a common one where there is one; None where there is none."""
        return example(self.id if within is None else dd.and_(self.id, within.id))

    def python_minimum(self) -> Release | None:
        """The first Python (major, minor, micro) in the set on any platform; None where the set is empty."""
        if self.id == dd.EMPTY:
            return None
        cuts, ways = _python_parts(self.id)
        first: Release = next(s for s, child in zip((ORIGIN, *cuts), ways, strict=True) if child != dd.EMPTY)
        return first

    def python_intervals(self) -> tuple[tuple[Release, Release | None], ...]:
        """The stretches of Pythons in the set on some platform: the first, and the first after them (None: none)."""
        cuts, ways = _python_parts(self.id)
        found: list[tuple[Release, Release | None]] = []
        for start, end, child in zip((ORIGIN, *cuts), (*cuts, None), ways, strict=True):
            if child == dd.EMPTY:
                continue
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return tuple(found)

    def python_is_open_above(self) -> bool:
        """Whether the set holds, on some platform, for every Python from some version on."""
        return _python_parts(self.id)[1][-1] != dd.EMPTY

    def without_python_cap(self) -> MarkerSet:
        """The set continued: what holds for its highest Pythons also holds for all that come after."""
        cuts, ways = _python_parts(self.id)
        last = next((child for child in reversed(ways) if child != dd.EMPTY), dd.EMPTY)
        kept = len(ways) - next((i for i, child in enumerate(reversed(ways)) if child != dd.EMPTY), 0)
        return _of(dd.make(PYTHON, cuts, [*ways[:kept], *([last] * (len(ways) - kept))]))


_HANDLES: dict[int, MarkerSet] = {}


def _of(diagram: int) -> MarkerSet:
    found = _HANDLES.get(diagram)
    if found is None:
        fresh = object.__new__(MarkerSet)
        fresh.id = diagram
        fresh._ands, fresh._ors, fresh._fixed = {}, {}, {}
        found = _HANDLES.setdefault(diagram, fresh)
    return found


def _fixed(variable: Variable, value: bool) -> Callable[[Variable], bool | None]:  # noqa: FBT001 - the value itself
    return lambda other: value if other is variable else None


def _is_choice(variable: Variable) -> bool:
    return variable.name in _CHOICES


def _flags(diagram: int, name: str) -> frozenset[str]:
    return frozenset(v.literal for v in dd.support(diagram) if v.kind is Kind.FLAG and v.name == name)


def _atom(variable: Variable, label: Any) -> int:
    if variable.kind is Kind.RELEASE:
        return dd.make(variable, (label,), (dd.EMPTY, dd.FULL))
    return dd.make(variable, (label,), (dd.FULL, dd.EMPTY))


def _python_parts(diagram: int) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """Python is first in the order, so its intervals are read off the root."""
    if diagram > dd.FULL and dd.NODES[diagram][0] is PYTHON:
        return dd.NODES[diagram][1:]
    return (), (diagram,)


_PYTHONS: dict[str, int] = {}


def _python_diagram(specifiers: str) -> int:
    found = _PYTHONS.get(specifiers)
    if found is None:
        found = dd.FULL
        for part in sorted(filter(None, map(str.strip, specifiers.split(",")))):
            try:
                one = read_specifier(part)
            except InvalidSpecifier:
                raise LocksetError(
                    "requires-python-invalid",
                    f"`{specifiers}` is not a valid set of Python versions: `{part}` is no version specifier",
                ) from None
            found = dd.and_(found, comparison("python_full_version", one.operator, one.version))
        _PYTHONS[specifiers] = found
    return found


def without_upper_bounds(specifiers: SpecifierSet) -> SpecifierSet:
    """The specifiers without what only keeps later versions out.

    `<` and `<=` go; `~=V` becomes `>=V`; `==3.*` becomes `>=3`; exact versions and exclusions stay.
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


def _values(
    env: Environment | Mapping[str, str], extras: Iterable[str], groups: Iterable[str]
) -> Callable[[Variable], Any]:
    values: Mapping[str, str] = env.as_dict() if isinstance(env, Environment) else env
    chosen = {
        "extras": frozenset(map(canonicalize_name, extras)),
        "dependency_groups": frozenset(map(canonicalize_name, groups)),
    }

    def text_of(name: str) -> str:
        if name == "python_full_version":
            return values.get(name) or values.get("python_version") or ""
        if name == "python_version":
            return ".".join(map(str, release_point(text_of("python_full_version"))[:2]))
        value = values.get(name) or ""
        return canonicalize_name(value) if name == "extra" and value else value

    def value_of(variable: Variable) -> Any:
        if variable.kind is Kind.FLAG:
            return variable.literal in chosen[variable.name]
        text = text_of(variable.name)
        if variable.kind is Kind.TEXT:
            return text
        if variable.kind is Kind.RELEASE:
            return release_point(text)
        return dd.predicate_holds(variable, text)

    return value_of
