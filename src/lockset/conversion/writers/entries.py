"""The entries of a lock file to export, for a selection of extras, groups and environments."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.pipeline.pylock_transform import KeptParts, narrow, region_of_package, universe_of_lock
from lockset.lockfile.dependency_graph import covering_roots
from lockset.lockfile.publishers import recorded_identities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.model import Package, Pylock
    from lockset.markers import Environment, MarkerSet

__all__ = ["ExportedEntry", "ExportedLock", "chosen_entries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedEntry:
    """One entry to export.

    Attributes:
        package: The locked package.
        marker: Where it is installed, within the exported environments; None for everywhere.
        needs: Indexes, in the list of entries, of its dependencies.
        required_by: Names of the packages that require it, sorted.
    """

    package: Package
    marker: str | None
    needs: tuple[int, ...]
    required_by: tuple[str, ...]

    @property
    def comment(self) -> str | None:
        """Where it is installed and who published it, for bills of materials; None for everywhere and unknown."""
        facts = [] if self.marker is None else [f"installed where: {self.marker}"]
        facts += [f"published by: {identity}" for identity in recorded_identities([self.package])]
        return "; ".join(facts) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedLock:
    """The entries to export, and their lock.

    Attributes:
        lock: The lock file with fixed extras and groups.
        entries: By name, then version.
        roots: Indexes of the entries that nothing else requires, and of one of each cycle. All others are below them.
        one: The only environment, if the export is for one. Then no entry has a marker.
    """

    lock: Pylock
    entries: tuple[ExportedEntry, ...]
    roots: tuple[int, ...] = ()
    one: Environment | None = None


def chosen_entries(lock: Pylock, parts: KeptParts, *, one: Environment | None = None) -> ExportedLock:
    """The entries for a selection.

    Args:
        lock: A lock file.
        parts: The choice of extras and groups (settled whether it says so or not), Pythons and platforms.
        one: One environment, instead of all.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`, `conflicting-choice`, `no-environment`.
    """
    settled = KeptParts(
        requires_python=parts.requires_python,
        environments=parts.environments,
        extras=parts.extras,
        groups=parts.groups,
        choose=True,
    )
    narrowed, _ = narrow(lock, settled, one=one)
    universe = universe_of_lock(narrowed)
    pairs = [(package, region_of_package(package) & universe) for package in narrowed.packages]
    if one is not None:
        pairs = [(package, region) for package, region in pairs if region.evaluate(one)]
    pairs.sort(key=lambda pair: (pair[0].name, str(pair[0].version or ""), str(pair[0].marker or "")))
    needs = _needs(pairs)
    dependents: dict[int, set[str]] = {}
    for number, targets in needs.items():
        for target in targets:
            dependents.setdefault(target, set()).add(pairs[number][0].name)
    entries = tuple(
        ExportedEntry(
            package=package,
            marker=None if one is not None else region.text(universe),
            needs=needs[number],
            required_by=tuple(sorted(dependents.get(number, ()))),
        )
        for number, (package, region) in enumerate(pairs)
    )
    return ExportedLock(lock=narrowed, entries=entries, roots=covering_roots((), range(len(entries)), needs), one=one)


def _needs(pairs: list[tuple[Package, MarkerSet]]) -> Mapping[int, tuple[int, ...]]:
    by_name: dict[str, list[int]] = {}
    for number, (package, _) in enumerate(pairs):
        by_name.setdefault(package.name, []).append(number)
    counted = Counter(str(package.name) for package, _ in pairs)
    needs: dict[int, tuple[int, ...]] = {}
    for number, (package, region) in enumerate(pairs):
        targets = []
        for dependency in package.dependencies or ():
            name, version = str(dependency.get("name", "")), dependency.get("version")
            for target in by_name.get(name, ()):
                fits = version is None or counted[name] == 1 or str(pairs[target][0].version) == str(version)
                if fits and target != number and not (pairs[target][1] & region).is_empty:
                    targets.append(target)
        needs[number] = tuple(dict.fromkeys(targets))
    return needs
