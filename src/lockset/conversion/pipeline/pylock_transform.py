"""Transform pylock files: narrow one to environments or a selection, or merge several."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.conversion.model.imported_lock import Loss, region_of_text, universe_of
from lockset.conversion.model.selection import Situation
from lockset.conversion.pipeline.verify import (
    Proof,
    ProofRow,
    entry_hashes,
    environments_within,
    identity_of_package,
    selector,
)
from lockset.dependency_specifiers import composed_marker
from lockset.errors import LocksetError
from lockset.index.filenames import tags_of_triple, wheel_triple
from lockset.lockfile.conflicts import declared_conflicts, met_within, refuse_conflicting_choice, with_conflicts
from lockset.lockfile.model import artifacts, describe, file_name
from lockset.markers import MarkerSet, platform_region, wheel_region
from lockset.markers.environment import example_in_words
from lockset.package_names import canonicalize_name
from lockset.resolve.problem.python_range import python_range
from lockset.similar_names import known_names_hint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from packaging.specifiers import SpecifierSet

    from lockset.lockfile.model import Package, PackageWheel, Pylock
    from lockset.markers import Environment

    # By name of a package.
    _Versions: TypeAlias = Mapping[str, Collection[str]]

__all__ = ["KeptParts", "merge_locks", "narrow", "prove_same", "region_of_package", "universe_of_lock"]

# How many differences a message shows.
_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptParts:
    """The part of a lock file to keep.

    Attributes:
        requires_python: Pythons to keep; None for all.
        environments: Environments to keep, joined; empty for all.
        extras: Extras to install.
        groups: Dependency groups to install instead of the default ones; None for the default ones.
        choose: Whether to fix extras and groups, so that users of the result cannot select any.
    """

    requires_python: SpecifierSet | None = None
    environments: tuple[MarkerSet, ...] = ()
    extras: frozenset[str] = frozenset()
    groups: frozenset[str] | None = None
    choose: bool = False

    @classmethod
    def of(
        cls,
        lock: Pylock,
        *,
        python: str | None,
        platforms: Iterable[str],
        extras: Iterable[str],
        groups: Iterable[str],
        only_groups: Iterable[str],
        choose: bool,
    ) -> KeptParts:
        """The parts of `lock` that options name: groups are installed with the default ones, only-groups instead."""
        chosen = frozenset(only_groups) or frozenset(groups)
        if chosen and not only_groups:
            chosen |= frozenset(lock.default_groups or ())
        return cls(
            requires_python=None if python is None else python_range(python),
            environments=tuple(map(platform_region, platforms)),
            extras=frozenset(extras),
            groups=chosen or None,
            choose=choose,
        )

    @property
    def bounds(self) -> bool:
        """Whether Pythons or platforms are dropped, so that some files may no longer fit."""
        return self.requires_python is not None or bool(self.environments)

    @property
    def is_nothing(self) -> bool:
        """Whether everything is kept."""
        return not self.bounds and not self.choose


def universe_of_lock(lock: Pylock) -> MarkerSet:
    """The environments that the lock file supports."""
    return universe_of(lock.requires_python, tuple(map(str, lock.environments or ())))


def region_of_package(package: Package) -> MarkerSet:
    """The environments in which the entry applies, by its marker."""
    return region_of_text(None if package.marker is None else str(package.marker))


def narrow(lock: Pylock, parts: KeptParts, *, one: Environment | None = None) -> tuple[Pylock, tuple[Loss, ...]]:
    """Narrow a lock to some of its parts: drop entries that no longer apply and wheels that no longer fit.

    `one`: the only environment that matters, if the caller needs just one.

    Raises:
        LocksetError: `unknown-extra`, `unknown-group`, `conflicting-choice`, or `no-environment` if nothing is left.
    """
    if parts.is_nothing:
        return lock, ()
    requires_python = lock.requires_python
    if parts.requires_python is not None:
        requires_python = parts.requires_python & (requires_python or parts.requires_python)
    environments = _environments(lock, parts.environments)
    universe = universe_of(requires_python, environments)
    if universe.is_empty:
        raise LocksetError(
            "no-environment",
            "The lock file supports none of the requested environments",
            hint="Check `--python` and `--platform`",
        )
    groups = _chosen_groups(lock, parts) if parts.choose else frozenset()
    if parts.choose:
        refuse_conflicting_choice(lock, parts.extras, groups, partial(met_within, universe if one is None else one))
    losses: list[Loss] = []
    packages, gone = [], []
    for package in lock.packages:
        region = region_of_package(package)
        if parts.choose:
            region = region.with_extras_and_groups(parts.extras, groups)
        region &= universe
        if region.is_empty:
            hashes = tuple(sorted(text for one in entry_hashes(package) for text in one))
            message = f"{describe(package)} applies to none of the requested environments"
            losses.append(Loss(kind="narrowed", message=message, hashes=hashes, note=True))
            gone.append(package)
            continue
        packages.append(_narrow_entry(package, region, universe, losses if parts.bounds else None))
    dropped, kept = _versions(gone), _versions(packages)
    narrowed = replace(
        lock,
        requires_python=requires_python,
        environments=[composed_marker(text) for text in environments] or None,
        packages=[_without(package, dropped, kept) for package in packages],
    )
    if parts.choose:
        tool = with_conflicts(lock.tool, ())
        narrowed = replace(narrowed, extras=None, dependency_groups=None, default_groups=None, tool=tool)
    return narrowed, tuple(losses)


def _without(package: Package, gone: _Versions, kept: _Versions) -> Package:
    """The entry without dependencies on dropped entries."""
    if not package.dependencies:
        return package
    needs = [needed for needed in package.dependencies if _is_among(needed, kept) or not _is_among(needed, gone)]
    return replace(package, dependencies=needs or None)


def _versions(packages: Iterable[Package]) -> _Versions:
    """The versions of the entries by name."""
    versions: dict[str, set[str]] = {}
    for package in packages:
        versions.setdefault(package.name, set()).add(str(package.version))
    return versions


def _is_among(needed: Mapping[str, Any], entries: _Versions) -> bool:
    """Whether a recorded dependency refers to one of `entries`."""
    versions = entries.get(canonicalize_name(str(needed.get("name", ""))), ())
    version = needed.get("version")
    return bool(versions) if version is None else isinstance(version, str) and version in versions


def _environments(lock: Pylock, kept: Sequence[MarkerSet]) -> tuple[str, ...]:
    declared = [region_of_text(str(marker)) for marker in lock.environments or ()]
    if not kept:
        return tuple(map(str, lock.environments or ()))
    both = [w & d for w in kept for d in declared] if declared else list(kept)
    texts = [region.text() for region in both if not region.is_empty]
    if not texts:
        raise LocksetError("no-environment", "The lock file supports none of the requested platforms")
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def _chosen_groups(lock: Pylock, parts: KeptParts) -> frozenset[str]:
    known_extras = frozenset(lock.extras or ())
    if unknown := sorted(parts.extras - known_extras):
        raise LocksetError(
            "unknown-extra",
            f"The lock file has no extra `{'`, `'.join(unknown)}`",
            hint=known_names_hint(unknown[0], known_extras),
        )
    defaults = frozenset(lock.default_groups or ())
    if parts.groups is None:
        return defaults
    known_groups = frozenset(lock.dependency_groups or ())
    if unknown := sorted(parts.groups - known_groups - defaults):
        raise LocksetError(
            "unknown-group",
            f"The lock file has no dependency group `{'`, `'.join(unknown)}`",
            hint=known_names_hint(unknown[0], known_groups),
        )
    return parts.groups


def _narrow_entry(package: Package, region: MarkerSet, universe: MarkerSet, losses: list[Loss] | None) -> Package:
    """Bind the entry to a region. Wheels that no longer fit are dropped, unless `losses` is None."""
    marker = region.text(universe)
    if losses is None:
        return replace(package, marker=None if marker is None else composed_marker(marker))
    here = region.without_extras_and_groups()
    kept: list[PackageWheel] = []
    gone: list[PackageWheel] = []
    for wheel in package.wheels or ():
        tags = tags_of_triple(wheel_triple(file_name(wheel) or ""))
        (gone if tags and wheel_region(tags).is_disjoint(here) else kept).append(wheel)
    if gone:
        hashes = tuple(f"{a}:{v}" for wheel in gone for a, v in wheel.hashes.items())
        message = f"{describe(package)}: {len(gone)} wheels fit none of the requested environments"
        losses.append(Loss(kind="narrowed", message=message, hashes=hashes, note=True))
    wheels = kept or (list(gone) if package.wheels and package.sdist is None else None)
    return replace(package, marker=None if marker is None else composed_marker(marker), wheels=wheels)


def merge_locks(locks: Sequence[Pylock]) -> Pylock:
    """Merge locks into one that installs what each of them does in the environments it supports.

    Raises:
        LocksetError: `locks-disagree`: two of them install different packages somewhere, or have other default groups.
    """
    merged = locks[0]
    for other in locks[1:]:
        merged = _merge_two(merged, other)
    return merged


def _merge_two(one: Pylock, other: Pylock) -> Pylock:
    _refuse_other_defaults(one, other)
    first, second = universe_of_lock(one), universe_of_lock(other)
    entries: dict[str, list[tuple[Package, MarkerSet]]] = {}
    for lock, universe in ((one, first), (other, second)):
        for package in lock.packages:
            pairs = entries.setdefault(identity_of_package(package), [])
            pairs.append((package, region_of_package(package) & universe))
    both = first & second
    regions_one = _regions(one, first)
    regions_other = _regions(other, second)
    for name in entries:
        here = regions_one.get(name, MarkerSet.none()) & both
        there = regions_other.get(name, MarkerSet.none()) & both
        if here is not there:
            raise _disagreement(name, (here - there) | (there - here))
    requires_python, environments = _joint_bounds(one, other, first, second)
    universe = universe_of(requires_python, environments)
    packages = [_join_entries(pairs, universe) for pairs in entries.values()]
    return replace(
        one,
        requires_python=requires_python,
        environments=[composed_marker(text) for text in environments] or None,
        extras=sorted({*(one.extras or ()), *(other.extras or ())}) or None,
        dependency_groups=sorted({*(one.dependency_groups or ()), *(other.dependency_groups or ())}) or None,
        created_by="lockset",
        packages=packages,
        tool=with_conflicts(None, dict.fromkeys((*declared_conflicts(one), *declared_conflicts(other)))),
    )


def _refuse_other_defaults(one: Pylock, other: Pylock) -> None:
    if set(one.default_groups or ()) != set(other.default_groups or ()):
        raise LocksetError(
            "locks-disagree",
            "The lock files install different groups by default",
            context=tuple(", ".join(lock.default_groups or ()) or "none" for lock in (one, other)),
            hint="Fix the selection first: `lockset convert FILE --extra … --group …`",
        )


def _regions(lock: Pylock, universe: MarkerSet) -> dict[str, MarkerSet]:
    regions: dict[str, MarkerSet] = {}
    for package in lock.packages:
        name = identity_of_package(package)
        regions[name] = regions.get(name, MarkerSet.none()) | (region_of_package(package) & universe)
    return regions


def _disagreement(name: str, where: MarkerSet) -> LocksetError:
    example = where.example()
    context: tuple[str, ...] = ()
    if example is not None:
        context = (f"for example: {example_in_words(example.environment)}",)
    return LocksetError(
        "locks-disagree",
        f"Only one of the lock files installs {name} where both apply",
        context=context,
        hint="Narrow them to environments that do not overlap, or lock again",
    )


def _joint_bounds(
    one: Pylock, other: Pylock, first: MarkerSet, second: MarkerSet
) -> tuple[SpecifierSet | None, tuple[str, ...]]:
    if one.requires_python == other.requires_python:
        if one.environments and other.environments:
            return one.requires_python, tuple(dict.fromkeys(map(str, (*one.environments, *other.environments))))
        return one.requires_python, ()
    texts = [first.text(universe_of(None, ())), second.text(universe_of(None, ()))]
    return None, () if None in texts else tuple(dict.fromkeys(text for text in texts if text is not None))


def _join_entries(pairs: Sequence[tuple[Package, MarkerSet]], universe: MarkerSet) -> Package:
    region = MarkerSet.none()
    for _, where in pairs:
        region |= where
    first = pairs[0][0]
    wheels = {file_name(w) or "": w for package, _ in reversed(pairs) for w in package.wheels or ()}
    for package, _ in pairs:
        _refuse_other_bytes(first, package, wheels.values())
    marker = region.text(universe)
    sdist = next((p.sdist for p, _ in pairs if p.sdist is not None), None)
    needs = {tuple(sorted((k, str(v)) for k, v in d.items())): d for p, _ in pairs for d in p.dependencies or ()}
    return replace(
        first,
        marker=None if marker is None else composed_marker(marker),
        wheels=list(wheels.values()) or None,
        sdist=sdist,
        dependencies=list(needs.values()) or None,
    )


def _refuse_other_bytes(first: Package, package: Package, wheels: Iterable[PackageWheel]) -> None:
    known = {file_name(w): w.hashes for w in wheels}
    if first.sdist is not None:
        known[file_name(first.sdist)] = first.sdist.hashes
    for artifact in artifacts(package):
        hashes = known.get(file_name(artifact), getattr(artifact, "hashes", None))
        own = getattr(artifact, "hashes", None)
        if own is not None and hashes is not None and any(hashes.get(a, v) != v for a, v in own.items()):
            raise LocksetError(
                "locks-disagree",
                f"The lock files have different hashes for {file_name(artifact)} of {describe(package)}",
            )


def prove_same(
    before: Sequence[Pylock],
    after: Pylock,
    *,
    losses: Sequence[Loss] = (),
    settled: tuple[frozenset[str], frozenset[str]] | None = None,
) -> Proof:
    """Prove that `after` selects what each of `before` does, wherever it applies, and return what was compared.

    Compared are the default groups alone, with each extra, and each group alone.

    Args:
        before: The locks that `after` was made from.
        after: The new lock.
        losses: Losses that name the dropped hashes.
        settled: Extras and groups to select in `before`, if `after` has none to select.

    Raises:
        LocksetError: `proof-failed`; `ambiguous-package` if two entries of one of `before` apply at once.
    """
    regions = [region_of_package(p).without_extras_and_groups() for lock in (*before, after) for p in lock.packages]
    declared = tuple(map(str, after.environments or ()))
    environments = environments_within(after.requires_python, declared, regions)
    select, selects = selector(after), [(lock, selector(lock, is_input=True)) for lock in before]
    rows = []
    for extras, groups in _choices(after):
        counts = []
        for values in environments:
            situation = Situation(environment=values, extras=frozenset(extras), groups=frozenset(groups))
            before_situation = situation
            if settled is not None:
                before_situation = Situation(environment=values, extras=settled[0], groups=settled[1])
            # The old ones first: what is wrong with them is not a fault of the new one.
            expected = [select_before(before_situation) for lock, select_before in selects if _serves(lock, values)]
            installed = select(situation)
            for one in expected:
                if one != installed:
                    raise _difference(one, installed)
            counts.append(len(installed))
        if counts:
            name = " + ".join(sorted({*extras, *groups})) or "default"
            rows.append(ProofRow(choice=name, environments=len(counts), fewest=min(counts), most=max(counts)))
    given = {text for lock in before for p in lock.packages for one in entry_hashes(p) for text in one}
    kept = {text for p in after.packages for one in entry_hashes(p) for text in one}
    named = {text for loss in losses for text in loss.hashes}
    if kept - given or (given - kept) - named:
        raise _difference(frozenset(given - kept - named), frozenset(kept - given))
    return Proof(rows=tuple(rows), hashes=len(given), kept=len(given & kept), lost=len(given - kept))


def _choices(lock: Pylock) -> Iterable[tuple[frozenset[str], frozenset[str]]]:
    default = frozenset(map(str, lock.default_groups or ()))
    choices = [(frozenset[str](), default)]
    choices += [(frozenset({str(extra)}), default) for extra in lock.extras or ()]
    choices += [(frozenset[str](), frozenset({str(group)})) for group in lock.dependency_groups or ()]
    return choices


def _serves(lock: Pylock, values: dict[str, str]) -> bool:
    if lock.requires_python is not None and not lock.requires_python.contains(
        values["python_full_version"], prereleases=True
    ):
        return False
    plain = Situation(environment=values, extras=frozenset(), groups=frozenset())
    return lock.environments is None or any(plain.holds(str(marker)) for marker in lock.environments)


def _difference(before: frozenset[str], after: frozenset[str]) -> LocksetError:
    context = [f"only before: {text}" for text in sorted(before - after)[:_SHOWN]]
    context += [f"only after: {text}" for text in sorted(after - before)[:_SHOWN]]
    return LocksetError(
        "proof-failed",
        "The new lock file would not install what the old one does",
        context=tuple(context),
        hint="Nothing was written. This is a bug in lockset: report it with the input",
    )
