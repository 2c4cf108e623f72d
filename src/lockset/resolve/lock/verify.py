"""Verify a lock at sampled environments, with packaging alone and nothing from the solver.

At each sample and for each choice of extras and groups: at most one entry of a package applies; from the roots on, each
requirement that applies is met by the entry that applies; no other entry applies; each entry has a usable file.

A sample with a choice is a point. All points are verified in one walk: where something applies is a set of points, held
as the bits of an integer. A marker is evaluated once for all points that are alike in the variables that it names.
"""

from __future__ import annotations

from functools import reduce
from operator import itemgetter, or_
from typing import TYPE_CHECKING, TypeAlias

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import composed_marker, read_wheel_name
from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts, file_name
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.markers import Marker
    from packaging.tags import Tag
    from packaging.version import Version

    from lockset.lockfile.model import Package, Pylock
    from lockset.markers import MarkerSet
    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.problem.dependencies import Dependencies
    from lockset.resolve.problem.requirement import Dependency, RootRequirement

    _Values: TypeAlias = Mapping[str, str | AbstractSet[str]]

__all__ = ["MissingFile", "verify_lock"]

Choice = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFile:
    """An entry that applies in samples but has no file for them."""

    name: str
    version: str
    samples: tuple[TargetInterpreter, ...]


def verify_lock(
    lock: Pylock,
    *,
    versions: Sequence[Version | None] | None = None,
    roots: Sequence[RootRequirement],
    dependencies: Callable[[str, Version], Dependencies],
    samples: Sequence[TargetInterpreter],
    choices: Sequence[Choice],
    universe: MarkerSet,
) -> tuple[MissingFile, ...]:
    """Verify `lock`; returns the entries without a usable file, each with the samples in which it has none.

    `versions` are those of its packages, in their order; needed for source trees, whose version a lock does not have.

    Raises:
        LocksetError: `internal-unsound`: the lock is not valid, and must not be written.
    """
    points = _Points(samples, choices, universe)
    all_versions = [p.version for p in lock.packages] if versions is None else versions
    entries = [
        _Entry(number, package, version, points.where(package.marker))
        for number, (package, version) in enumerate(zip(lock.packages, all_versions, strict=True))
    ]
    _check_requirements(entries, roots, dependencies, points)
    return _missing_files(entries, points)


class _Point(NamedTuple):
    """A sample with a choice of extras and groups.

    Attributes:
        sample: The interpreter.
        environment: Values of its marker variables.
        values: The same, with the chosen extras and groups.
    """

    sample: TargetInterpreter
    environment: Mapping[str, str]
    values: _Values


class _Entry(NamedTuple):
    """A package of the lock.

    Attributes:
        number: Its position.
        package: The package.
        version: Its version; None if it is not known.
        points: Where it applies.
    """

    number: int
    package: Package
    version: Version | None
    points: int


_QUOTED = lazy_pattern(r"'([^']*)'|\"([^\"]*)\"")
_VARIABLE = lazy_pattern(r"[a-z_]{3,}")


class _Points:
    """The samples, each with each choice, in the order of the samples; those outside of the universe are left out.

    Attributes:
        all: Every point; that at position i is the bit `1 << i` of a set.
        everywhere: The set of all.
        samples: The samples, each with its points.
    """

    def __init__(self, samples: Sequence[TargetInterpreter], choices: Sequence[Choice], universe: MarkerSet) -> None:
        environments = [sample.environment for sample in samples]
        supported = [universe.evaluate_each(environments, extras=e, groups=g) for e, g in choices]
        names = [(frozenset(map(canonicalize_name, e)), frozenset(map(canonicalize_name, g))) for e, g in choices]
        self.all: list[_Point] = []
        self.samples: list[tuple[TargetInterpreter, int]] = []
        for number, sample in enumerate(samples):
            environment = sample.environment.as_dict()
            before = len(self.all)
            for (extras, groups), inside in zip(names, supported, strict=True):
                if inside[number]:
                    values: _Values = {**environment, "extras": extras, "dependency_groups": groups}
                    self.all.append(_Point(sample, environment, values))
            self.samples.append((sample, (1 << len(self.all)) - (1 << before)))
        self.everywhere = (1 << len(self.all)) - 1
        self._known: dict[tuple[str, str | None], int] = {}
        self._alike: dict[tuple[object, ...], list[tuple[_Point, int]]] = {}

    def first(self, points: int) -> _Point:
        """The first of `points`, of which there is one."""
        return self.all[(points & -points).bit_length() - 1]

    def where(self, marker: Marker | None, extra: str | None = None) -> int:
        """The points at which `marker` holds: that of an entry; or with `extra`, that of a dependency."""
        if marker is None:
            return self.everywhere
        text = str(marker)
        known = self._known.get((text, extra))
        if known is None:
            known = 0
            for point, alike in self._groups(text):
                if extra is None:
                    holds = marker.evaluate(point.values, context="lock_file")
                else:
                    holds = marker.evaluate({**point.environment, "extra": extra})
                known |= alike if holds else 0
            self._known[text, extra] = known
        return known

    def _groups(self, marker: str) -> Iterable[tuple[_Point, int]]:
        """Sets of points that are alike in the variables that `marker` names, each with one of its points."""
        variables = dict.fromkeys(_VARIABLE.findall(_QUOTED.sub("", marker)))
        names = frozenset(canonicalize_name(one or other) for one, other in _QUOTED.findall(marker))
        # Of extras and groups, only those that the marker names count.
        counts = names if not variables.keys().isdisjoint(_SETS) else None
        key = (*variables, counts)
        known = self._alike.get(key)
        if known is None:
            groups: dict[tuple[object, ...], tuple[_Point, int]] = {}
            for number, point in enumerate(self.all):
                values = (point.values.get(variable) for variable in variables)
                alike = tuple(v if isinstance(v, str) or v is None else v & names for v in values)
                first, others = groups.get(alike, (point, 0))
                groups[alike] = first, others | 1 << number
            known = self._alike[key] = list(groups.values())
        return known


_SETS = frozenset(("extras", "dependency_groups"))


def _check_requirements(
    entries: Sequence[_Entry],
    roots: Iterable[RootRequirement],
    dependencies: Callable[[str, Version], Dependencies],
    points: _Points,
) -> None:
    """At every point, the entries that apply meet all requirements, and are all required."""
    by_name: dict[str, list[_Entry]] = {}
    for entry in entries:
        others = by_name.setdefault(entry.package.name, [])
        if twice := entry.points & sum(other.points for other in others):
            raise _unsound(points.first(twice), f"two entries of {entry.package.name} apply")
        others.append(entry)
    needed: dict[tuple[int, str], int] = {}
    waiting = [("the project", r.dependency, _points_of_root(r, points)) for r in roots if not r.region.is_empty]
    while waiting:
        requirer, dependency, where = waiting.pop()
        for entry in by_name.get(dependency.name, ()):
            here = where & entry.points
            if not here:
                continue
            where -= here
            assert entry.version is not None
            if not dependency.specifier.admits(entry.version):
                why = f"{requirer} requires {dependency.text}, and {entry.version} is locked"
                raise _unsound(points.first(here), why)
            for extra in ("", *dependency.extras):
                new = here & ~needed.get((entry.number, extra), 0)
                if new:
                    needed[entry.number, extra] = needed.get((entry.number, extra), 0) | new
                    waiting.extend(_required_by(entry, extra, new, dependencies, points))
        if where:
            raise _unsound(points.first(where), f"{requirer} requires {dependency.text}, and no entry of it applies")
    _check_superfluous(entries, {number: where for (number, extra), where in needed.items() if not extra}, points)


def _check_superfluous(entries: Iterable[_Entry], needed: Mapping[int, int], points: _Points) -> None:
    left_over = [(e.package.name, e.points & ~needed.get(e.number, 0)) for e in entries]
    anywhere = reduce(or_, (where for _, where in left_over), 0)
    if anywhere:
        first = anywhere & -anywhere
        names = sorted(name for name, where in left_over if where & first)
        raise _unsound(points.first(first), f"nothing requires {', '.join(names)}")


def _points_of_root(root: RootRequirement, points: _Points) -> int:
    text = root.region.text()
    return points.where(None if text is None else composed_marker(text))


def _required_by(
    entry: _Entry,
    extra: str,
    where: int,
    dependencies: Callable[[str, Version], Dependencies],
    points: _Points,
) -> Iterator[tuple[str, Dependency, int]]:
    """What an entry with `extra` requires (without one: an empty text), each with the part of `where` it applies to."""
    assert entry.version is not None
    requirer = f"{entry.package.name} {entry.version}"
    for dependency in dependencies(entry.package.name, entry.version).with_extras({extra}):
        if dependency.condition is not None:
            here = where & points.where(dependency.condition, extra)
            if here:
                yield requirer, dependency, here
        elif not extra:
            yield requirer, dependency, where


def _unsound(point: _Point, why: str) -> LocksetError:
    return LocksetError(
        "internal-unsound",
        f"The resolved lock is not valid for {point.sample.name}: {why}",
        hint="Nothing was written. This is a bug in lockset: report it with the project",
    )


def _missing_files(entries: Iterable[_Entry], points: _Points) -> tuple[MissingFile, ...]:
    tags = [(entry, entry_tags) for entry in entries if (entry_tags := _tags_of(entry.package)) is not None]
    lacking: list[tuple[int, int, _Entry, TargetInterpreter]] = []
    for sample, where in points.samples:
        is_python3 = sample.python.startswith("3.")
        for entry, entry_tags in tags:
            here = entry.points & where
            for_all = is_python3 and any(str(tag) == "py3-none-any" for tag in entry_tags)
            if here and not for_all and not sample.accepts(entry_tags):
                lacking.append((here & -here, entry.number, entry, sample))
    missing: dict[tuple[str, str], dict[str, TargetInterpreter]] = {}
    for _, _, entry, sample in sorted(lacking, key=itemgetter(0, 1)):
        missing.setdefault((entry.package.name, str(entry.version)), {})[sample.name] = sample
    return tuple(MissingFile(name=n, version=v, samples=tuple(by_name.values())) for (n, v), by_name in missing.items())


def _tags_of(package: Package) -> frozenset[Tag] | None:
    """The tags of all its wheels; None where it also has a file that needs none."""
    files = [file_name(each) or "" for each in artifacts(package)]
    if any(not file.endswith(".whl") for file in files):
        return None
    return frozenset().union(*(read_wheel_name(file)[3] for file in files))
