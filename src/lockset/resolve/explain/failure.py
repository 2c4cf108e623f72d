"""A failure to explain, and one suggestion to fix it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_specifiers
from lockset.markers import KNOWN_PYTHONS, MarkerSet
from lockset.resolve.problem.requirement import Specifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.version import Version

    from lockset.resolve.explain.minimal_conflict import MinimalConflict
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.problem.requirement import RootRequirement
    from lockset.resolve.releases.repository import AdjustableRepository
    from lockset.resolve.solver.resolution import Pins
    from lockset.resolve.solver.search import Cause

__all__ = ["WHY_NOT", "Failure", "Suggestion", "chosen", "join_words"]

# The origin of the requirement that `why-not` adds: it is not in the project, so it cannot be loosened.
WHY_NOT = "`lockset why-not`"
# How many releases of a project are checked for their Pythons.
_LOOKED_AT = 20
# Series of Pythons to exclude one by one.
_SERIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A change that may fix a failure.

    Attributes:
        request: The changed request.
        repository: The repository for it.
        text: A sentence that describes the change.
        shows: The package whose resulting version is shown; empty for none.
        kind: Of suggestions of one kind, only the first that helps is shown; empty for no kind.
    """

    request: LockRequest
    repository: AdjustableRepository
    text: str
    shows: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A request without a solution.

    Attributes:
        conflict: The minimal conflict.
        request: The request.
        repository: The source of releases; builds nothing.
    """

    conflict: MinimalConflict
    request: LockRequest
    repository: AdjustableRepository

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Packages that the requirements of the conflict are on."""
        names = [c.requirement.name for c in self.conflict.causes if not c.requirement.name.startswith("!")]
        return tuple(dict.fromkeys((*names, *(name for name, _ in self.conflict.constraints))))

    @cached_property
    def chain_names(self) -> tuple[str, ...]:
        """Packages whose releases lead to the conflict."""
        origins = [o for c in self.conflict.causes for o in (*c.chain, c.origin) if o.version is not None]
        return tuple(dict.fromkeys(o.name for o in origins))

    @property
    def own_roots(self) -> list[RootRequirement]:
        """Requirements of the conflict that the project itself can change."""
        return [r for r in self.conflict.roots if r.origin.name != WHY_NOT]

    def specifiers_on(self, name: str) -> list[Specifier]:
        """Specifiers and constraints of the conflict on a package."""
        causes = [c.requirement.specifier for c in self.conflict.causes if c.requirement.name == name]
        return list(dict.fromkeys((*causes, *(s for n, s in self.conflict.constraints if n == name))))

    def requiring_releases(self) -> Iterator[tuple[str, Version]]:
        """Releases whose requirements are in the conflict."""
        for cause in self.conflict.causes:
            if cause.origin.version is not None:
                yield cause.origin.name, cause.origin.version

    def override_specifiers(self) -> Iterator[tuple[str, Specifier]]:
        """Specifiers that may override all others on a package that releases require, the best first.

        Those of the project itself, if it has any; else those that admit the newest releases first.
        """
        names = dict.fromkeys(c.requirement.name for c in self.conflict.causes if c.origin.version is not None)
        for name in names:
            causes = [c for c in self.conflict.causes if c.requirement.name == name and c.requirement.specifier.text]
            own = [c for c in causes if c.origin.version is None]
            every = {c.requirement.specifier for c in causes}
            specifiers = [s for s in dict.fromkeys(map(_override_specifier, own or causes)) if s.source is None]
            versions = self.repository.releases(name).versions if len(specifiers) > 1 else ()
            if len(every) > 1:
                yield from ((name, s) for s in sorted(specifiers, key=lambda s: _newest(s, versions)))

    def location_of(self, root: RootRequirement) -> str:
        """` in FILE`, where requirements of the conflict are written in several places."""
        return f" in {root.origin.name}" if len({r.origin.name for r in self.conflict.roots}) > 1 else ""

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """Extras that are chosen in the conflict and that its roots depend on."""
        example = self.conflict.region.example()
        named = {n for r in self.conflict.roots for n in r.region.extras()}
        return () if example is None else tuple(sorted(example.extras & named))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The same of dependency groups; the default one does not count."""
        example = self.conflict.region.example()
        named = {n for r in self.conflict.roots for n in r.region.groups()}
        return () if example is None else tuple(sorted(example.groups & named - {self.request.default_group}))

    @cached_property
    def only_system(self) -> str | None:
        """The `sys_platform` on which alone the conflict arises, whatever the Python; None where there is none."""
        failing = {e.sys_platform for e in self.conflict.failing}
        holding = {e.sys_platform for e in self.conflict.holding}
        return failing.pop() if len(failing) == 1 and holding and failing.isdisjoint(holding) else None

    def python_boundaries(self) -> Iterator[tuple[str, MarkerSet]]:
        """`>=3.10` where no later Python fails, `<3.13` where no earlier one does, with the Pythons left.

        First comes what leaves out the fewest: `!=3.9.0,!=3.9.1` or `!=3.11.*`, then `>=3.9.2`.
        """
        failing = {KNOWN_PYTHONS.index(e.python_version) for e in self.conflict.failing if _known(e.python_version)}
        holding = {KNOWN_PYTHONS.index(e.python_version) for e in self.conflict.holding if _known(e.python_version)}
        if not failing or not holding:
            return
        if max(failing) < max(holding):
            first = KNOWN_PYTHONS[max(failing) + 1]
            within = self._first_within(KNOWN_PYTHONS[max(failing)])
            if within is not None and len(failing) == 1 and min(holding) < min(failing):
                series, _, micro = within.rpartition(".")
                left_out = [f"{series}.{number}" for number in range(int(micro))]
                condition = " and ".join(f"python_full_version != '{release}'" for release in left_out)
                yield ",".join(f"!={release}" for release in left_out), MarkerSet.parse(condition)
            elif (
                within is None
                and len(failing) <= _SERIES
                and min(holding) < min(failing)
                and failing.isdisjoint(holding)
            ):
                yield _without_series([KNOWN_PYTHONS[at] for at in sorted(failing)])
            if within is not None:
                yield f">={within}", MarkerSet.parse(f"python_full_version >= '{within}'")
            yield f">={first}", MarkerSet.parse(f"python_version >= '{first}'")
        if min(failing) > min(holding):
            last = KNOWN_PYTHONS[min(failing)]
            yield f"<{last}", MarkerSet.parse(f"python_version < '{last}'")

    def _first_within(self, python: str) -> str | None:
        """The first release of the series `python` without the failure, such as `3.9.2`; None for all, and for none."""
        major, minor = map(int, python.split("."))
        series = MarkerSet.of_python(f"=={python}.*")
        starts = []
        for name in self.names:
            specifiers = self.specifiers_on(name)
            fitting = [v for v in self.repository.releases(name).versions if all(s.admits(v) for s in specifiers)]
            served = [(self.repository.serves(name, v) & series).python_intervals() for v in fitting[:_LOOKED_AT]]
            last = [intervals[-1] for intervals in served if intervals]
            starts += [start for start, end in last if end == (major, minor + 1, 0)][:1]
        first = max(starts, default=(major, minor, 0))
        return ".".join(map(str, first)) if first > (major, minor, 0) else None

    @cached_property
    def marker(self) -> str | None:
        """A marker that excludes the failing environments and few others; None where there is none."""
        if self.only_system is not None:
            return f"sys_platform != '{self.only_system}'"
        for boundary, _ in self.python_boundaries():
            if boundary.startswith("!="):
                return " and ".join(map(_condition, boundary.split(",")))
            operator = ">=" if boundary.startswith(">=") else "<"
            version = boundary.removeprefix(operator)
            variable = "python_full_version" if version.count(".") > 1 else "python_version"
            return f"{variable} {operator} '{version}'"
        return None


def _override_specifier(cause: Cause) -> Specifier:
    """The specifier of the cause; for the version of `why-not`, that version or a later one."""
    specifier = cause.requirement.specifier
    if cause.origin.name != WHY_NOT:
        return specifier
    return Specifier.of(read_specifiers(specifier.text.replace("==", ">=")))


def _newest(specifier: Specifier, versions: Sequence[Version]) -> int:
    return next((i for i, v in enumerate(versions) if specifier.admits(v)), len(versions))


def _condition(boundary: str) -> str:
    """`!=3.9.1` or `!=3.11.*` as a marker."""
    version = boundary.removeprefix("!=")
    if version.endswith(".*"):
        return f"python_version != '{version.removesuffix('.*')}'"
    return f"python_full_version != '{version}'"


def _without_series(pythons: Sequence[str]) -> tuple[str, MarkerSet]:
    """A boundary that excludes exactly these."""
    bounds = [f"!={python}.*" for python in pythons]
    return ",".join(bounds), MarkerSet.parse(" and ".join(map(_condition, bounds)))


def _known(python: str) -> bool:
    return python in KNOWN_PYTHONS


def chosen(pins: Pins, name: str) -> str:
    """`django 4.2.11`; several versions where environments differ; empty where none is needed."""
    versions = sorted({version for _, version in pins.leaves(name)})
    return f"{name} {join_words([str(v) for v in versions])}" if versions else ""


def join_words(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
